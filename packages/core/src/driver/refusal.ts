import type { Capabilities } from '../capability.js';
import type { Status } from '../client/options.js';
import { Pop3Error } from '../errors.js';
import { announcedMechanisms } from './mechanisms.js';
import { withoutSecrets } from './secrets.js';

export interface RefusalContext {
  /** What the server had announced when the command was sent; null when it was not asked, or refused to say. */
  readonly capabilities: Capabilities | null;
  /** Passwords and tokens: hidden where the server repeats one. */
  readonly secrets?: readonly string[];
  /** Whether the command was to log in. */
  readonly login?: boolean;
  /** How it was to log in: a SASL mechanism, `APOP` or `USER`. */
  readonly mechanism?: string;
  /** What the server said is wrong, before it refused. */
  readonly problem?: string | null;
  /** What else the caller should know. */
  readonly advice?: string;
}

/**
 * A `-ERR` as an error: what was refused, in what words, whether trying again makes sense, and what to do.
 *
 * @param verb - null for a greeting
 */
export function refusalOf(verb: string | null, status: Status, context: RefusalContext): Pop3Error {
  const { secrets = [], login = false, mechanism } = context;
  const hide = (text: string) => withoutSecrets(text, secrets);
  const responseCode = status.code && hide(status.code);
  const serverText = hide(status.text) || null;
  const reason = reasonOf(verb, status, context);
  const sentences = [
    `The server refused ${login ? loginBy(mechanism) : asked(verb)}`,
    responseCode && ` [${shown(responseCode)}]`,
    serverText === null ? ' and does not say why.' : `: "${shown(serverText)}".`,
    context.problem && ` It says of it: ${shown(hide(context.problem))}.`,
    adviceOn(reason, context),
    reason !== 'channel-binding' && context.advice && ` ${context.advice}`,
  ];
  return new Pop3Error('POP3_REFUSED', sentences.filter(Boolean).join(''), {
    verb,
    responseCode,
    serverText,
    retryable: RETRYABLE.includes(reason),
  });
}

/** What tells a client whom a refusal is about (RFC 2449 section 8, RFC 3206 section 4). */
const CODES = ['IN-USE', 'LOGIN-DELAY', 'SYS/TEMP', 'SYS/PERM', 'AUTH'] as const;

/**
 * Why a command was refused: a code, which may be read from words where the server has no codes.
 * - `not AUTH`: a server that promises to say when the credentials are wrong has not (RFC 3206 section 6)
 * - `channel-binding`: the other end of the encryption is not who knows the password
 * - `unannounced`: a mechanism that the server does not claim to have
 * - null: that cannot be known
 */
type Reason = (typeof CODES)[number] | 'not AUTH' | 'channel-binding' | 'unannounced' | null;

const RETRYABLE: readonly Reason[] = ['IN-USE', 'LOGIN-DELAY', 'SYS/TEMP', 'not AUTH'];

/** How servers without codes say that a login may succeed later. */
const WORDS: readonly (readonly [words: RegExp, reason: Reason])[] = [
  [/\b(?:un)?lock(?:ed|ing|s)?\b|\bbusy\b|\bin[ -]use\b|\balready (?:open|logged|connected)/i, 'IN-USE'],
  [/\bwait\b|\btoo (?:often|soon|frequent)|\bevery \d+ (?:minute|second)/i, 'LOGIN-DELAY'],
  [/\btemporar|\bunavailable\b|\btry\b.*\b(?:again|later)\b/i, 'SYS/TEMP'],
];
const TOO_MANY = /\btoo many\b/i;
/** "Invalid password, please try again" is no invitation, and an account that is locked stays so. */
const ABOUT_CREDENTIALS =
  /passw|credential|invalid|incorrect|wrong|unknown user|no such user|account\b.*\b(?:lock|disabled)/i;

/** In words, or as an error of SCRAM (RFC 5802 section 7). */
const CHANNEL_BINDING = /channel[- ]bindings?\b/i;

function reasonOf(
  verb: string | null,
  { code, text }: Status,
  { capabilities, login = false, mechanism, problem }: RefusalContext,
): Reason {
  if (mechanism?.startsWith('SCRAM') && CHANNEL_BINDING.test(`${problem} ${text}`)) return 'channel-binding';
  // What follows a further slash is of no account (RFC 2449 section 8).
  const known = CODES.find((name) => `${code}/`.startsWith(`${name}/`));
  if (known !== undefined) return known;
  // Of a server that does not even greet nothing else is known, nor who would log in.
  if (verb === null) return inWords(text) && 'SYS/TEMP';
  if (!login) return null;
  if (problem) return problem === 'no-resources' ? 'SYS/TEMP' : 'AUTH';
  const announced = announcedMechanisms(capabilities);
  if (verb === 'AUTH' && mechanism && announced.length > 0 && !announced.includes(mechanism))
    return 'unannounced';
  // The code is not meant for USER (RFC 3206 section 5), so that its absence there says nothing.
  if (capabilities?.has('AUTH-RESP-CODE')) return verb === 'USER' ? null : 'not AUTH';
  if (code !== null || capabilities?.has('RESP-CODES')) return null;
  return ABOUT_CREDENTIALS.test(text) && !TOO_MANY.test(text) ? 'AUTH' : inWords(text);
}

function inWords(text: string): Reason {
  if (TOO_MANY.test(text)) return 'LOGIN-DELAY';
  return WORDS.find(([words]) => words.test(text))?.[1] ?? null;
}

function adviceOn(reason: Reason, { capabilities, login, mechanism = '' }: RefusalContext): string {
  switch (reason) {
    case 'IN-USE':
      return ' Another session has the maildrop open, or has broken off, which some servers take ten minutes to notice. Try again later.';
    case 'LOGIN-DELAY': {
      const [seconds = ''] = capabilities?.get('LOGIN-DELAY') ?? [];
      const time = /^\d{1,9}$/.test(seconds) ? `${seconds} seconds` : 'some time';
      return ` The server wants ${time} between logins. Try again later.`;
    }
    case 'SYS/TEMP':
      return ' That passes. Try again later.';
    case 'SYS/PERM':
      return ' Only the operator of the server can mend that.';
    case 'not AUTH':
      return ' The credentials are not what is wrong: this server would say so. Try again later.';
    case 'channel-binding':
      return ' A proxy of the server ends the encryption, or somebody in between does, who could read all that follows. Only if it is the proxy, name a mechanism without -PLUS by auth.mechanism.';
    case 'unannounced':
      return ` It announces ${announcedMechanisms(capabilities).join(', ')}, not ${mechanism}.${aboutCredentials(mechanism)}`;
    default:
      return login ? aboutCredentials(mechanism) : '';
  }
}

function aboutCredentials(mechanism: string): string {
  if (mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER')
    return ' The token may have expired, be for somebody else, or lack the scope for POP3.';
  if (mechanism === 'EXTERNAL')
    return ' The server has to know the client certificate, and to have asked for it.';
  return ' Check the user name and the password. Some providers want an app password or a token here, and POP3 switched on in the settings of the account.';
}

function loginBy(mechanism: string | undefined): string {
  if (mechanism === undefined) return 'the login';
  return `the login by ${mechanism === 'USER' ? 'USER and PASS' : mechanism}`;
}

/** What commands ask for. */
const ASKED: Readonly<Record<string, string>> = {
  STAT: 'to count the messages',
  LIST: 'to list the messages',
  UIDL: 'to list the unique-ids',
  RETR: 'to send the message',
  TOP: 'to send the top of the message',
  DELE: 'to mark the message',
  RSET: 'to take the marks back',
  STLS: 'to encrypt the connection',
  CAPA: 'to say what it can do',
  QUIT: 'to delete all that was marked',
};

function asked(verb: string | null): string {
  if (verb === null) return 'to talk';
  return Object.hasOwn(ASKED, verb) ? `${ASKED[verb]} (${verb})` : verb;
}

/** As much of a text of the server as belongs into a message: nothing that moves a cursor, and no more than a line. */
function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > 500 ? `${line.slice(0, 500)}...` : line;
}
