import { encodeCommand, isPop3Error, Pop3Error, type Status } from '@pop3/core';
import type { Conversation } from '@pop3/core/driver';
import { apopDigest, externalClient, type SaslClientMechanism } from '@pop3/core/sasl';
import { md5 } from './hashes.js';
import {
  announcedMechanisms,
  checkPasswordAuth,
  checkPlaintext,
  type Offer,
  otherWays,
  passwordWay,
  tokenMechanism,
} from './mechanisms.js';
import type { Auth, CertificateAuth, PasswordAuth, TokenAuth } from './options.js';
import { refusalOf } from './refusal.js';

export interface LoginContext extends Offer {
  readonly conversation: Conversation;
  /** Whether several commands may be sent at once. */
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

type Secrets = readonly string[];

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
  if (has(auth, 'sasl')) return bySasl(auth.sasl, context, [], 'what was sent');
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
  return kind in auth && (auth as Partial<Record<Kind, unknown>>)[kind] !== undefined;
}

async function byPassword(auth: PasswordAuth, context: LoginContext): Promise<string> {
  const way = passwordWay(auth, context);
  const secrets = [auth.password];
  switch (way.type) {
    case 'sasl':
      return bySasl(
        way.mechanism,
        context,
        secrets,
        'the password',
        otherWaysAdvice(auth, way.mechanism.name, context),
      );
    case 'apop':
      return byApop(auth, way.timestamp, context);
    case 'user':
      return byUserAndPass(auth, context);
  }
}

async function byUserAndPass(
  { user, password, mechanism }: PasswordAuth,
  context: LoginContext,
): Promise<string> {
  const { conversation, capabilities, pipelining, encrypted } = context;
  const commands = [
    { verb: 'USER', name: user },
    { verb: 'PASS', password },
  ] as const;
  // What cannot be sent stops both, not the second alone.
  for (const command of commands) encodeCommand(command);
  const [userCommand, passCommand] = commands;
  const refused = (verb: string, status: Status, advice: string) =>
    refusalOf(verb, status, { capabilities, secrets: [password], login: true, mechanism: 'USER', advice });
  const both = encrypted && pipelining;
  const asked = [conversation.send(userCommand), ...(both ? [conversation.send(passCommand)] : [])];
  const [named, passed] = await answered(Promise.all(asked), 'the password');
  if (named?.status.status === '-ERR') {
    const advice = encrypted
      ? ''
      : 'Some servers take no password as long as the connection is not encrypted: set tls.';
    throw refused('USER', named.status, advice);
  }
  const { status } = passed ?? (await answered(conversation.send(passCommand), 'the password'));
  if (status.status === '+OK') return 'USER';
  throw refused('PASS', status, mechanism === undefined ? otherWaysAdvice({}, 'USER', context) : '');
}

async function byApop(
  { user, password }: PasswordAuth,
  timestamp: string,
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
  const token = typeof accessToken === 'function' ? await accessToken(null) : accessToken;
  const attempt = (attempted: string, secrets: Secrets) => {
    checkToken(attempted);
    return exchange(tokenMechanism(auth, attempted, context), context, secrets, 'the token');
  };
  const first = await attempt(token, [token]);
  if (typeof first === 'string') return first;
  if (typeof accessToken !== 'function' || !isAboutToken(first)) throw first.error;
  const next = await accessToken({ token, problem: first.problem });
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
  return bySasl(externalMechanism(auth), context, [], 'the certificate');
}

function externalMechanism({ user = '' }: CertificateAuth): SaslClientMechanism {
  return externalClient({ authorizationId: user });
}

async function bySasl(
  mechanism: SaslClientMechanism,
  context: LoginContext,
  secrets: Secrets,
  what: string,
  advice = '',
): Promise<string> {
  checkPlaintext(mechanism, context);
  const result = await exchange(mechanism, context, secrets, what, advice);
  if (typeof result === 'string') return result;
  throw result.error;
}

/** The mechanisms for which servers want two lines: Microsoft's close the connection on one (XOAUTH2). */
const IN_TWO_LINES: readonly string[] = ['XOAUTH2', 'OAUTHBEARER'];

/** One exchange: the name of the mechanism, or the refusal. */
async function exchange(
  mechanism: SaslClientMechanism,
  context: LoginContext,
  secrets: Secrets,
  what: string,
  advice = '',
): Promise<string | Refused> {
  const { conversation, capabilities } = context;
  const { name } = mechanism;
  // Servers older than RFC 5034 know no initial response, and announce no SASL.
  const initialResponse = announcedMechanisms(context).length > 0 && !IN_TWO_LINES.includes(name);
  const { status, problem } = await answered(conversation.authenticate(mechanism, { initialResponse }), what);
  if (status.status === '+OK') return name;
  const error = refusalOf('AUTH', status, {
    capabilities,
    secrets,
    login: true,
    mechanism: name,
    problem,
    advice,
  });
  return { error, problem };
}

/** Some servers close the connection when a login fails, and their answer is lost. */
async function answered<Answer>(answer: Promise<Answer>, what: string): Promise<Answer> {
  try {
    return await answer;
  } catch (error) {
    if (!isPop3Error(error) || error.code !== 'POP3_CLOSED') throw error;
    const { message, verb, retryable } = error;
    const text = `${message} Many servers do that when ${what} is wrong.`;
    throw new Pop3Error('POP3_CLOSED', text, { verb, retryable, cause: error });
  }
}

function otherWaysAdvice({ mechanism }: Pick<PasswordAuth, 'mechanism'>, used: string, offer: Offer): string {
  const others = mechanism === undefined ? otherWays(used, offer) : [];
  if (others.length === 0) return '';
  return `Nothing else was tried; auth.mechanism can name another of ${others.join(', ')}.`;
}

/** A value of JavaScript that is no text would go out as the word for it. */
function checkToken(token: unknown): void {
  if (typeof token !== 'string' || token === '') usage('An access token is a text, and not empty.');
}

function usage(text: string): never {
  throw new Pop3Error('POP3_USAGE', text);
}
