import type { Status } from '../client/options.js';
import { encodeCommand } from '../command.js';
import { isPop3Error, Pop3Error, usage } from '../errors.js';
import { apopDigest } from '../sasl/apop.js';
import { externalClient } from '../sasl/external.js';
import type { SaslClientMechanism } from '../sasl/mechanism.js';
import type { Auth, CertificateAuth, PasswordAuth, TokenAuth } from './auth.js';
import type { Conversation } from './converse.js';
import {
  announcedMechanisms,
  checkPasswordAuth,
  checkPlaintext,
  type Offer,
  otherWays,
  type PasswordWay,
  passwordWay,
  tokenMechanism,
  tokenMechanismName,
} from './mechanisms.js';
import { refusalOf } from './refusal.js';

export interface LoginContext extends Offer {
  readonly conversation: Conversation;
  /** Whether commands may be sent at once where the server announces that it can. */
  readonly pipelining: boolean;
  /** The server as the caller names it, for OAUTHBEARER; null when it is not known. */
  readonly host: string | null;
  readonly port: number | null;
}

/** A login that was refused. */
interface Refused {
  readonly error: Pop3Error;
  /** What the server said of a token, as JSON. */
  readonly problem: string | null;
}

/** What a login hands over, for its errors. */
interface Handed {
  /** Such as `the password`. */
  readonly what: string;
  /** Not to be shown. */
  readonly secrets: readonly string[];
  readonly advice?: string;
}

/**
 * Logs in. One way is tried, and none that is weaker after it: a server that is asked for the password in another way
 * may be somebody who refused the first for just that.
 *
 * @returns how: the SASL mechanism, `APOP`, or `USER` for USER and PASS
 * @throws Pop3Error `POP3_REFUSED` when the server says no, `POP3_TLS` and `POP3_UNSUPPORTED` when there is no way that may
 *   be used, `POP3_USAGE` for what cannot be sent, and whatever a callback of the caller throws.
 */
export async function logIn(auth: Auth, context: LoginContext): Promise<string> {
  checkAuth(auth);
  if (has(auth, 'sasl')) return bySasl(auth.sasl, context, { what: 'the credentials', secrets: [] });
  if (has(auth, 'external')) return byCertificate(auth, context);
  if (has(auth, 'accessToken')) return byToken(auth, context);
  return byPassword(auth as PasswordAuth, context);
}

/**
 * Stops a caller whose login cannot be, whatever the server offers: before anything is connected.
 *
 * @throws Pop3Error `POP3_USAGE`
 */
export function checkAuth(auth: Auth): void {
  const kinds = KINDS.filter((kind) => has(auth, kind));
  if (kinds.length !== 1) usage(`auth has one of ${KINDS.join(', ')}.`);
  if (has(auth, 'password')) checkPasswordAuth(auth);
  if (has(auth, 'external')) externalMechanism(auth);
  if (!has(auth, 'accessToken')) return;
  if (typeof auth.user !== 'string' || auth.user === '') usage('auth.user is empty.');
  if (typeof auth.accessToken !== 'function') checkToken(auth.accessToken);
}

const KINDS = ['password', 'accessToken', 'external', 'sasl'] as const;

function has<Kind extends (typeof KINDS)[number]>(
  auth: Auth,
  kind: Kind,
): auth is Extract<Auth, Record<Kind, unknown>> {
  return (auth as Partial<Record<Kind, unknown>> | null)?.[kind] !== undefined;
}

async function byPassword(auth: PasswordAuth, context: LoginContext): Promise<string> {
  const way = passwordWay(auth, context);
  switch (way.type) {
    case 'sasl': {
      const advice = otherWaysThan(way.mechanism.name, auth, context);
      return bySasl(way.mechanism, context, { what: 'the password', secrets: [auth.password], advice });
    }
    case 'apop':
      return byApop(auth, way, context);
    case 'user':
      return byUserAndPass(auth, context);
  }
}

async function byUserAndPass(auth: PasswordAuth, context: LoginContext): Promise<string> {
  const { conversation, capabilities, encrypted } = context;
  const name = { verb: 'USER', name: auth.user } as const;
  const pass = { verb: 'PASS', password: auth.password } as const;
  // What cannot be sent stops both, not the second alone.
  encodeCommand(name);
  encodeCommand(pass);
  const refused = (verb: string, status: Status, advice: string) =>
    refusalOf(verb, status, {
      capabilities,
      secrets: [auth.password],
      login: true,
      mechanism: 'USER',
      advice,
    });
  // In the clear, a server that refuses the name for that does not get the password as well.
  const atOnce = encrypted && context.pipelining && capabilities?.has('PIPELINING');
  const sent = [conversation.send(name), ...(atOnce ? [conversation.send(pass)] : [])];
  const [named, passed] = await answered(Promise.all(sent), 'the password');
  if (named?.status.status === '-ERR') {
    const advice = encrypted
      ? ''
      : 'Some servers take no password as long as the connection is not encrypted: set tls.';
    throw refused('USER', named.status, advice);
  }
  const { status } = passed ?? (await answered(conversation.send(pass), 'the password'));
  if (status.status === '+OK') return 'USER';
  throw refused('PASS', status, otherWaysThan('USER', auth, context));
}

async function byApop(
  { user, password }: PasswordAuth,
  { timestamp, md5 }: Extract<PasswordWay, { type: 'apop' }>,
  context: LoginContext,
): Promise<string> {
  const { conversation, capabilities } = context;
  const digest = apopDigest(md5, timestamp, password);
  const { status } = await answered(conversation.send({ verb: 'APOP', name: user, digest }), 'the password');
  if (status.status === '+OK') return 'APOP';
  const secrets = [password, digest];
  throw refusalOf('APOP', status, { capabilities, secrets, login: true, mechanism: 'APOP' });
}

/** Asks the source once more when a token is refused, and not when something else is wrong. */
async function byToken(auth: TokenAuth, context: LoginContext): Promise<string> {
  const { accessToken } = auth;
  const name = tokenMechanismName(auth, context);
  const token = typeof accessToken === 'function' ? await accessToken(null) : accessToken;
  const attempt = (attempted: string, secrets: readonly string[]) => {
    checkToken(attempted);
    const mechanism = tokenMechanism(name, auth.user, attempted, context);
    return exchange(mechanism, context, { what: 'the token', secrets });
  };
  const first = await attempt(token, [token]);
  if (typeof first === 'string') return first;
  if (typeof accessToken !== 'function' || !isAboutToken(first)) throw first.error;
  const next = await accessToken({ token, problem: first.problem || null });
  if (next === token) throw first.error;
  const second = await attempt(next, [token, next]);
  if (typeof second === 'string') return second;
  throw second.error;
}

/** The maildrop may be in use, or the server in trouble: another token changes nothing. */
function isAboutToken({ error, problem }: Refused): boolean {
  return problem !== null || (!error.retryable && !error.responseCode?.startsWith('SYS/'));
}

async function byCertificate(auth: CertificateAuth, context: LoginContext): Promise<string> {
  if (!context.encrypted) {
    throw new Pop3Error(
      'POP3_TLS',
      "A client certificate is shown in the TLS handshake, and the connection is not encrypted. Set tls to 'implicit' or 'starttls'.",
    );
  }
  return bySasl(externalMechanism(auth), context, { what: 'the certificate', secrets: [] });
}

function externalMechanism({ user = '' }: CertificateAuth): SaslClientMechanism {
  return externalClient({ authorizationId: user });
}

async function bySasl(
  mechanism: SaslClientMechanism,
  context: LoginContext,
  handed: Handed,
): Promise<string> {
  checkPlaintext(mechanism, context);
  const result = await exchange(mechanism, context, handed);
  if (typeof result === 'string') return result;
  throw result.error;
}

/** Those whose response some servers take in a line of its own only: Microsoft's close the connection otherwise. */
const IN_TWO_LINES: readonly string[] = ['XOAUTH2', 'OAUTHBEARER'];

/** One exchange: the name of the mechanism, or the refusal. */
async function exchange(
  mechanism: SaslClientMechanism,
  { conversation, capabilities }: LoginContext,
  { what, secrets, advice = '' }: Handed,
): Promise<string | Refused> {
  const { name } = mechanism;
  // Servers older than RFC 5034 know no initial response, and announce no SASL (section 3 there).
  const initialResponse = announcedMechanisms(capabilities).length > 0 && !IN_TWO_LINES.includes(name);
  const login = conversation.authenticate(mechanism, { initialResponse });
  const { status, problem } = await answered(login, what);
  if (status.status === '+OK') return name;
  const context = { capabilities, secrets, login: true, mechanism: name, problem, advice };
  return { error: refusalOf('AUTH', status, context), problem };
}

/** Some servers close the connection when a login fails, and their answer is lost. */
async function answered<Answer>(answer: Promise<Answer>, what: string): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!isPop3Error(error) || error.code !== 'POP3_CLOSED') throw error;
    const { message, verb, retryable } = error;
    const text = `${message} Some servers do that in place of a refusal: check ${what}.`;
    throw new Pop3Error('POP3_CLOSED', text, { verb, retryable, cause: error });
  }
}

/** What a person can do where the choice was ours. */
function otherWaysThan(used: string, { mechanism }: PasswordAuth, offer: Offer): string {
  const others = mechanism === undefined ? otherWays(used, offer) : [];
  if (others.length === 0) return '';
  return `Nothing else was tried; auth.mechanism can name another of ${others.join(', ')}.`;
}

/** A value of JavaScript that is no text would go out as the word for it. */
function checkToken(token: unknown): void {
  if (typeof token !== 'string' || token === '') usage('An access token is a text, and not empty.');
}
