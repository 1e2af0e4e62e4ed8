import { type Capabilities, Pop3Error, type ResponseCode, type Status } from '@pop3/core';
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

/** A `-ERR` as an error: what was refused, in what words, whether trying again makes sense, and what to do. */
export function refusalOf(verb: string, status: Status, context: RefusalContext): Pop3Error {
  const { secrets = [], login = false, mechanism } = context;
  const responseCode = status.code === null ? null : withoutSecrets(status.code, secrets);
  const serverText = withoutSecrets(status.text, secrets);
  const reason = reasonOf(verb, { code: status.code, text: status.text }, context);
  const what = login ? `the login${mechanism === undefined ? '' : ` by ${wayOf(mechanism)}`}` : asked(verb);
  const code = responseCode === null ? '' : ` [${shown(responseCode)}]`;
  const words = serverText === '' ? ' and does not say why' : `: "${shown(serverText)}"`;
  const problem = context.problem
    ? ` It says of it: ${shown(withoutSecrets(context.problem, secrets))}.`
    : '';
  const advice = [adviceOn(reason, context), context.advice].filter(Boolean).map((text) => ` ${text}`);
  return new Pop3Error(
    'POP3_REFUSED',
    `The server refused ${what}${code}${words}.${problem}${advice.join('')}`,
    { verb, responseCode, serverText: serverText === '' ? null : serverText, retryable: RETRYABLE[reason] },
  );
}

/**
 * Why a command was refused, as far as it can be known.
 * - `not-credentials`: a server that promises to name wrong credentials has not (RFC 3206 section 6)
 * - `unannounced`: a mechanism that the server does not claim to have
 * - `unknown`: no code, and no words that are understood
 */
type Reason =
  | 'in-use'
  | 'login-delay'
  | 'temporary'
  | 'permanent'
  | 'credentials'
  | 'not-credentials'
  | 'unannounced'
  | 'unknown';

const RETRYABLE: Record<Reason, boolean> = {
  'in-use': true,
  'login-delay': true,
  temporary: true,
  permanent: false,
  credentials: false,
  'not-credentials': true,
  unannounced: false,
  unknown: false,
};

/** Codes with their reasons (RFC 2449 section 8, RFC 3206 section 4). What follows behind a further slash is ignored. */
const CODES: readonly (readonly [code: ResponseCode, reason: Reason])[] = [
  ['IN-USE', 'in-use'],
  ['LOGIN-DELAY', 'login-delay'],
  ['SYS/TEMP', 'temporary'],
  ['SYS/PERM', 'permanent'],
  ['AUTH', 'credentials'],
];

/** How servers without codes say that a login may succeed later. */
const WORDS: readonly (readonly [words: RegExp, reason: Reason])[] = [
  [/\b(?:un)?lock(?:ed|ing|s)?\b|\bbusy\b|\bin[ -]use\b|\balready (?:open|logged|connected)/i, 'in-use'],
  [/\bwait\b|\btoo (?:often|soon|frequent)|\bevery \d+ (?:minute|second)/i, 'login-delay'],
  [/\btemporar|\bunavailable\b|\btry\b.*\b(?:again|later)\b/i, 'temporary'],
];
const TOO_MANY = /\btoo many\b/i;
/** "Invalid password, please try again" is no invitation, and an account that is locked stays so. */
const ABOUT_CREDENTIALS =
  /passw|credential|invalid|incorrect|wrong|unknown user|no such user|account\b.*\b(?:lock|disabled)/i;

function reasonOf(
  verb: string,
  { code, text }: Pick<Status, 'code' | 'text'>,
  { capabilities, login = false, mechanism }: RefusalContext,
): Reason {
  for (const [known, reason] of CODES) {
    if (code === known || code?.startsWith(`${known}/`)) return reason;
  }
  if (!login) return 'unknown';
  const announced = capabilities?.get('SASL') ?? [];
  if (verb === 'AUTH' && mechanism !== undefined && announced.length > 0) {
    if (!announced.some((name) => name.toUpperCase() === mechanism)) return 'unannounced';
  }
  // The code is not meant for USER (RFC 3206 section 5), so that its absence there says nothing.
  if (capabilities?.has('AUTH-RESP-CODE')) return verb === 'USER' ? 'unknown' : 'not-credentials';
  return code === null && !capabilities?.has('RESP-CODES') ? reasonIn(text) : 'unknown';
}

function reasonIn(text: string): Reason {
  if (TOO_MANY.test(text)) return 'login-delay';
  if (ABOUT_CREDENTIALS.test(text)) return 'credentials';
  return WORDS.find(([words]) => words.test(text))?.[1] ?? 'unknown';
}

function adviceOn(reason: Reason, { capabilities, login = false, mechanism = '' }: RefusalContext): string {
  switch (reason) {
    case 'in-use':
      return 'Another session has the maildrop open, or one has broken off and the server has not noticed, which takes some of them ten minutes. Try again later.';
    case 'login-delay': {
      const [seconds = ''] = capabilities?.get('LOGIN-DELAY') ?? [];
      const time = /^\d{1,9}$/.test(seconds) ? `${seconds} seconds` : 'some time';
      return `The server wants ${time} between logins. Try again later.`;
    }
    case 'temporary':
      return 'That passes. Try again later.';
    case 'permanent':
      return 'Only the operator of the server can mend that.';
    case 'not-credentials':
      return 'The credentials are not what is wrong: this server would say so. Try again later.';
    case 'unannounced':
      return `It does not announce ${mechanism}, but ${capabilities?.get('SASL')?.join(', ')}.`;
    case 'credentials':
    case 'unknown':
      return login ? credentialsAdvice(mechanism) : '';
  }
}

function credentialsAdvice(mechanism: string): string {
  if (mechanism === 'XOAUTH2' || mechanism === 'OAUTHBEARER') {
    return 'The token may have expired, be for somebody else, or lack the scope for POP3.';
  }
  if (mechanism === 'EXTERNAL')
    return 'The server has to know the client certificate, and to have asked for it.';
  return 'Check the user name and the password. Some providers want an app password or a token here, and POP3 switched on in the settings of the account.';
}

function wayOf(mechanism: string): string {
  return mechanism === 'USER' ? 'USER and PASS' : mechanism;
}

/** What commands ask for. */
const ASKED: Readonly<Record<string, string>> = {
  STAT: 'to count the messages',
  LIST: 'to list the messages',
  UIDL: 'to list the unique-ids',
  RETR: 'to send the message',
  TOP: 'to send the top of the message',
  DELE: 'to mark the message as deleted',
  RSET: 'to take the marks back',
  STLS: 'to encrypt the connection',
  CAPA: 'to say what it can do',
  QUIT: 'to end the session as it should: messages may be there that were marked as deleted',
};

function asked(verb: string): string {
  const known = Object.hasOwn(ASKED, verb) ? ASKED[verb] : undefined;
  return known === undefined ? verb : `${known} (${verb})`;
}

/** As much of a text of the server as belongs into a message: nothing that moves a cursor, and no more than a line. */
function shown(text: string): string {
  const line = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
  return line.length > 500 ? `${line.slice(0, 500)}...` : line;
}
