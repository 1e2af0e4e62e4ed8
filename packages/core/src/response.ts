import type { RefusalReason } from './adapter.js';
import { decodeBase64 } from './base64.js';
import { usage } from './errors.js';
import { DIGIT_0, DIGIT_9, PLUS, SP, TAB, textOf } from './octets.js';
import { decodeName, lineOf } from './text.js';

/** The registered codes (RFC 2449 section 8, RFC 3206, RFC 6856), and whatever else a server sends, upper case. */
export type ResponseCode =
  | 'IN-USE'
  | 'LOGIN-DELAY'
  | 'SYS/TEMP'
  | 'SYS/PERM'
  | 'AUTH'
  | 'UTF8'
  | (string & {});

/** The first line of a response, or a SASL challenge (RFC 1939 section 3, RFC 5034 section 4). */
export type StatusLine =
  | { readonly status: '+OK' | '-ERR'; readonly code: ResponseCode | null; readonly text: string }
  | { readonly status: '+'; readonly challenge: Uint8Array };

const CODE = /^[!-Z^-~]{1,64}$/;
const RESPONSE_CODE = /^\[([^\]\s]+)\] ?/;
// RFC 1939 section 7 wants the syntax of an RFC 822 msg-id; anything looser lets an attacker choose what is hashed.
const APOP_TIMESTAMP = /<[^\s<>@]+@[^\s<>@]+>/;
/** The code and the text that tell a peer why it is refused. */
export const REFUSALS: Record<RefusalReason, readonly [code: ResponseCode, text: string]> = {
  'bad-credentials': ['AUTH', 'authentication failed'],
  'in-use': ['IN-USE', 'maildrop is in use by another session'],
  'login-delay': ['LOGIN-DELAY', 'too soon after the last login'],
  temporary: ['SYS/TEMP', 'temporary failure, try again later'],
  permanent: ['SYS/PERM', 'permanent failure, ask the administrator'],
};

/**
 * A status line without its CRLF, at most 510 octets. What is not printable ASCII becomes `?`, and a text cannot be
 * mistaken for a response code (RFC 2449 section 6.4), so adapters cannot break the line.
 *
 * @throws Pop3Error `POP3_USAGE` for a code that cannot stand between brackets.
 */
export function encodeStatusLine(status: '+OK' | '-ERR', code: ResponseCode | null, text: string): string {
  if (code !== null && !CODE.test(code)) usage(`${JSON.stringify(code)} is no response code.`);
  return lineOf(`${status} ${code === null ? '' : `[${code}] `}${text.replace(/^( *)\[/, '$1(')}`);
}

/**
 * The greeting without its CRLF (RFC 1939 section 4). The text has no `<`, so that no client finds the start of a
 * timestamp in it (RFC 2449 section 3), and at most 200 octets, which leave the timestamp whole.
 */
export function encodeGreeting(
  text: string,
  apopTimestamp: string | null,
  code: ResponseCode | null,
): string {
  const timestamp = apopTimestamp ? ` ${apopTimestamp}` : '';
  return encodeStatusLine('+OK', code, text.replaceAll('<', '(').slice(0, 200) + timestamp);
}

/**
 * Parses a status line without its line end. Null when it is none: then the peer is out of step, and nothing it sends
 * can be trusted any more.
 */
export function parseStatusLine(line: Uint8Array): StatusLine | null {
  const text = decodeName(line);
  if (text === '+' || text.startsWith('+ ')) {
    const challenge = decodeBase64(text.slice(2).trim());
    return challenge === null ? null : { status: '+', challenge };
  }
  const status = text.startsWith('+OK') ? '+OK' : text.startsWith('-ERR') ? '-ERR' : null;
  if (status === null) return null;
  const rest = text.slice(status.length);
  if (rest !== '' && rest[0] !== ' ') return null;
  const said = rest.trimStart();
  const code = said[0] === '[' ? RESPONSE_CODE.exec(said) : null;
  if (code === null) return { status, code: null, text: said };
  return { status, code: code[1]!.toUpperCase(), text: said.slice(code[0].length) };
}

/** Parses the first line of a server; null when it is no `+OK` (RFC 1939 section 4). */
export function parseGreeting(
  line: Uint8Array,
): { readonly text: string; readonly apopTimestamp: string | null } | null {
  const status = parseStatusLine(line);
  if (status?.status !== '+OK') return null;
  return { text: status.text, apopTimestamp: apopTimestampIn(status.text) };
}

/** Null where the server has no APOP. */
export function apopTimestampIn(greeting: string): string | null {
  return APOP_TIMESTAMP.exec(greeting)?.[0] ?? null;
}

/**
 * Parses `number octets` of a scan listing, ignoring what follows (RFC 1939 section 5). The octets are null when they
 * are no count: the message is there all the same. False when the line is none of a listing.
 */
export function parseScanLine(
  line: Uint8Array,
  visit: (messageNumber: number, octets: number | null) => void,
): boolean {
  const at = numberEnd(line, numberStart(line));
  if (at === -1) return false;
  const start = blankEnd(line, at);
  const end = digitsEnd(line, start);
  const counts = end > start && (end === line.length || isBlank(line[end]));
  visit(numberBefore(line, at), counts ? numberBefore(line, end) : null);
  return true;
}

/**
 * Parses `number unique-id` (RFC 1939 section 7), with any number of spaces between. False when it is none.
 *
 * @param visit - the unique-id as octets, a view on the line
 */
export function parseUniqueIdLine(
  line: Uint8Array,
  visit: (messageNumber: number, uniqueId: Uint8Array) => void,
): boolean {
  const at = numberEnd(line, numberStart(line));
  if (at === -1) return false;
  const start = blankEnd(line, at);
  let end = line.length;
  while (end > start && isBlank(line[end - 1])) end--;
  if (end === start) return false;
  visit(numberBefore(line, at), line.subarray(start, end));
  return true;
}

// Listings have a line for every message, a million of them perhaps, so these go by octets.

/** So many digits are always exact as a number. */
const MAX_DIGITS = 15;

/** Some servers put `+OK` before every line of a listing. */
function numberStart(line: Uint8Array): number {
  return line[0] === PLUS && textOf(line.subarray(0, 4)) === '+OK ' ? 4 : 0;
}

/** Where the number that starts a line ends; -1 when there is none, or something sticks to it. */
function numberEnd(line: Uint8Array, start: number): number {
  const end = digitsEnd(line, start);
  return end > start && (end === line.length || isBlank(line[end])) ? end : -1;
}

function digitsEnd(line: Uint8Array, start: number): number {
  let end = start;
  while (end < line.length && end - start <= MAX_DIGITS && isDigit(line[end] as number)) end++;
  return end - start > MAX_DIGITS ? start : end;
}

/** The number whose last digit comes before `end`. */
function numberBefore(line: Uint8Array, end: number): number {
  let value = 0;
  let unit = 1;
  for (let at = end - 1; at >= 0 && isDigit(line[at] as number); at--) {
    value += ((line[at] as number) - DIGIT_0) * unit;
    unit *= 10;
  }
  return value;
}

function blankEnd(line: Uint8Array, start: number): number {
  let end = start;
  while (end < line.length && isBlank(line[end])) end++;
  return end;
}

function isDigit(octet: number): boolean {
  return octet >= DIGIT_0 && octet <= DIGIT_9;
}

function isBlank(octet: number | undefined): boolean {
  return octet === SP || octet === TAB;
}
