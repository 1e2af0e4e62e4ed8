import { decodeBase64, encodeBase64 } from './base64.js';
import { usage } from './errors.js';
import { CR, SP, textOf } from './octets.js';
import { decodeName, encodeUtf8 } from './text.js';

/** A command line, parsed. Names and passwords are Unicode text; message numbers are 1-based. */
export type Command =
  | { readonly verb: 'USER'; readonly name: string }
  | { readonly verb: 'PASS'; readonly password: string }
  | { readonly verb: 'APOP'; readonly name: string; readonly digest: string }
  /** Without a mechanism the peer asks for the list; `initialResponse` is empty for `=` and null when absent. */
  | {
      readonly verb: 'AUTH';
      readonly mechanism: string | null;
      readonly initialResponse: Uint8Array | null;
    }
  | { readonly verb: 'LIST' | 'UIDL'; readonly messageNumber: number | null }
  | { readonly verb: 'RETR' | 'DELE'; readonly messageNumber: number }
  | { readonly verb: 'TOP'; readonly messageNumber: number; readonly lines: number }
  | { readonly verb: 'CAPA' | 'STAT' | 'NOOP' | 'RSET' | 'QUIT' | 'STLS' };

export type Verb = Command['verb'];

/** A command that this package does not know, such as `XTND` or `*ENV`, as a client sends it. */
export interface OtherCommand {
  readonly verb: null;
  /** 1 to 32 visible ASCII characters; none that this package knows, whose meaning a session has to follow. */
  readonly keyword: string;
  /** What stands behind the keyword and a space; null for nothing. */
  readonly argument: string | null;
  /** Whether a `+OK` is followed by lines up to a lone dot. Only the definition of the command can say. */
  readonly multiline: boolean;
}

/** What a client can send. */
export type ClientCommand = Command | OtherCommand;

/** What is wrong with a line, in the words that the peer is told. */
export type CommandProblem =
  | 'unknown command'
  | 'argument missing'
  | 'too many arguments'
  | 'bad number'
  | 'bad digest'
  | 'bad mechanism name'
  | 'bad base64'
  | 'bad octet';

export type CommandParse =
  | { readonly ok: true; readonly command: Command }
  | { readonly ok: false; readonly verb: Verb | null; readonly problem: CommandProblem };

const DIGITS = /^[0-9]+$/;
const DIGEST = /^[0-9a-f]{32}$/i;
const MECHANISM = /^[A-Z0-9_-]{1,20}$/i;
const FORBIDDEN = /[\r\n\0]/;
const KEYWORD = /^[!-~]{1,32}$/;

type ArgumentParse = Command | CommandProblem;

/** What follows the verb, verb by verb. The argument is null when nothing follows, not even a space. */
const ARGUMENTS: Record<Verb, (verb: never, argument: Uint8Array | null) => ArgumentParse> = {
  USER: (verb, argument) => (isEmpty(argument) ? 'argument missing' : { verb, name: name(argument) }),
  // Everything after the one space belongs to the password, spaces at its ends too (RFC 1939 section 7).
  PASS: (verb, argument) =>
    argument === null ? 'argument missing' : { verb, password: decodeName(argument) },
  APOP: parseApop,
  AUTH: parseAuth,
  LIST: parseNumbers,
  UIDL: parseNumbers,
  RETR: parseNumbers,
  DELE: parseNumbers,
  TOP: parseNumbers,
  CAPA: noArgument,
  STAT: noArgument,
  NOOP: noArgument,
  RSET: noArgument,
  QUIT: noArgument,
  STLS: noArgument,
};

/**
 * Parses a command line without its line end (RFC 1939 section 3, RFC 2449 section 4, RFC 5034 section 4). Verbs are
 * case-insensitive. Never throws; `line` may be reused afterwards.
 */
export function parseCommand(line: Uint8Array): CommandParse {
  const space = line.indexOf(SP);
  const verbEnd = space === -1 ? line.length : space;
  // Upper case as ASCII has it: to a string, a sharp s in upper case is SS, and PA\xdf would be PASS.
  const verb = textOf(line.subarray(0, verbEnd), 0xdf);
  if (!Object.hasOwn(ARGUMENTS, verb)) return { ok: false, verb: null, problem: 'unknown command' };
  const known = verb as Verb;
  if (line.includes(0) || line.includes(CR)) return { ok: false, verb: known, problem: 'bad octet' };
  const parsed = ARGUMENTS[known](known as never, space === -1 ? null : line.subarray(space + 1));
  return typeof parsed === 'string'
    ? { ok: false, verb: known, problem: parsed }
    : { ok: true, command: parsed };
}

/**
 * The octets of a command line, CRLF included. The one way from a caller's arguments to the wire.
 *
 * @throws Pop3Error `POP3_USAGE` for CR, LF or NUL in an argument, an empty name, a message number below 1, a line
 *   above 255 octets (an AUTH line: 64 KiB), or a keyword of an {@link OtherCommand} that is none.
 */
export function encodeCommand(command: ClientCommand): Uint8Array {
  const keyword = keywordOf(command);
  const argument = argumentOf(command);
  const text = argument === null ? keyword : `${keyword} ${argument}`;
  if (FORBIDDEN.test(text)) usage(`An argument of ${keyword} holds CR, LF or NUL.`);
  const octets = encodeUtf8(`${text}\r\n`);
  const limit = command.verb === 'AUTH' ? 65_536 : 255;
  if (octets.length > limit) usage(`The ${keyword} line is longer than ${limit} octets.`);
  return octets;
}

function keywordOf(command: ClientCommand): string {
  if (command.verb !== null) return command.verb;
  const { keyword } = command;
  if (!KEYWORD.test(keyword)) usage('A keyword has 1 to 32 visible ASCII characters.');
  if (Object.hasOwn(ARGUMENTS, keyword.toUpperCase())) usage(`${keyword} is known here: send it as such.`);
  return keyword;
}

/** The fields of a command that may be shown; everything else is a secret until it is named here. */
const SHOWN: ReadonlySet<string> = /* @__PURE__ */ new Set([
  'verb',
  'keyword',
  'name',
  'mechanism',
  'messageNumber',
  'lines',
]);

/** A command as text for logs, secrets masked. The only way in which a command is shown. */
export function describeCommand(command: ClientCommand): string {
  return Object.entries(command)
    .filter(([field, value]) => value !== null && field !== 'multiline')
    .map(([field, value]) => (field === 'name' ? JSON.stringify(value) : SHOWN.has(field) ? value : '***'))
    .join(' ');
}

/** What stands behind the keyword and a space; null for nothing. */
function argumentOf(command: ClientCommand): string | null {
  switch (command.verb) {
    case null:
      return command.argument;
    case 'RETR':
    case 'DELE':
      return wholeNumber(command.messageNumber, 1);
    case 'TOP':
      return `${wholeNumber(command.messageNumber, 1)} ${wholeNumber(command.lines, 0)}`;
    case 'LIST':
    case 'UIDL':
      return command.messageNumber === null ? null : wholeNumber(command.messageNumber, 1);
    case 'USER':
      return nonEmpty(command.name, 'user name');
    case 'PASS':
      return command.password;
    case 'APOP':
      if (!DIGEST.test(command.digest)) usage('A digest has 32 hexadecimal digits.');
      return `${nonEmpty(command.name, 'user name')} ${command.digest}`;
    case 'AUTH':
      return authArgument(command.mechanism, command.initialResponse);
    default:
      return null;
  }
}

function authArgument(mechanism: string | null, initialResponse: Uint8Array | null): string | null {
  if (mechanism === null) return null;
  if (!MECHANISM.test(mechanism)) usage(`${mechanism} is no SASL mechanism name.`);
  return initialResponse === null ? mechanism : `${mechanism} ${encodeBase64(initialResponse) || '='}`;
}

function nonEmpty(text: string, what: string): string {
  return text === '' ? usage(`The ${what} is empty.`) : text;
}

function wholeNumber(value: number, least: number): string {
  return Number.isSafeInteger(value) && value >= least
    ? String(value)
    : usage(`${value} is no number from ${least}.`);
}

function parseApop(verb: 'APOP', argument: Uint8Array | null): ArgumentParse {
  if (isEmpty(argument)) return 'argument missing';
  const trimmed = withoutTrailingSpace(argument);
  // A name may hold spaces, a digest cannot.
  const space = trimmed.lastIndexOf(SP);
  if (space < 1) return 'argument missing';
  const digest = textOf(trimmed.subarray(space + 1));
  if (!DIGEST.test(digest)) return 'bad digest';
  return { verb, name: decodeName(trimmed.subarray(0, space)), digest: digest.toLowerCase() };
}

function parseAuth(verb: 'AUTH', argument: Uint8Array | null): ArgumentParse {
  const [mechanism, response, ...surplus] = words(argument);
  if (mechanism === undefined) return { verb, mechanism: null, initialResponse: null };
  if (surplus.length > 0) return 'too many arguments';
  if (!MECHANISM.test(mechanism)) return 'bad mechanism name';
  const named = { verb, mechanism: mechanism.toUpperCase() };
  if (response === undefined) return { ...named, initialResponse: null };
  const initialResponse = response === '=' ? new Uint8Array(0) : decodeBase64(response);
  return initialResponse === null ? 'bad base64' : { ...named, initialResponse };
}

/** How many numbers follow, at least and at most. */
const NUMBERS = { LIST: [0, 1], UIDL: [0, 1], RETR: [1, 1], DELE: [1, 1], TOP: [2, 2] } as const;

function parseNumbers(verb: keyof typeof NUMBERS, argument: Uint8Array | null): ArgumentParse {
  const texts = words(argument);
  const [least, most] = NUMBERS[verb];
  if (texts.length < least) return 'argument missing';
  if (texts.length > most) return 'too many arguments';
  if (!texts.every((text) => DIGITS.test(text))) return 'bad number';
  const [messageNumber = null, lines] = texts.map(numberOf);
  return (lines === undefined ? { verb, messageNumber } : { verb, messageNumber, lines }) as Command;
}

function noArgument(verb: 'STAT', argument: Uint8Array | null): ArgumentParse {
  return isEmpty(argument) ? { verb } : 'too many arguments';
}

/** A number too large to be exact becomes the largest exact one, which no maildrop and no message comes near. */
function numberOf(digits: string): number {
  return Math.min(Number(digits), Number.MAX_SAFE_INTEGER);
}

/** Some clients send a space behind the last argument, or two between arguments. RFC 1939 forbids both; refusing loses real users. */
function words(argument: Uint8Array | null): string[] {
  return argument === null ? [] : textOf(argument).split(' ').filter(Boolean);
}

function name(argument: Uint8Array): string {
  return decodeName(withoutTrailingSpace(argument));
}

function withoutTrailingSpace(argument: Uint8Array): Uint8Array {
  return argument[argument.length - 1] === SP ? argument.subarray(0, -1) : argument;
}

function isEmpty(argument: Uint8Array | null): argument is null {
  return argument === null || withoutTrailingSpace(argument).length === 0;
}

/** `AUTH ` in any case: the only command whose line may be longer than 255 octets. */
export function startsAuth(octets: Uint8Array): boolean {
  return textOf(octets.subarray(0, 5)).toUpperCase() === 'AUTH ';
}
