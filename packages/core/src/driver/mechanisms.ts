import type { ChannelBindingType, ScramForm } from '../adapter.js';
import type { Capabilities } from '../capability.js';
import { Pop3Error, usage } from '../errors.js';
import type { Md5 } from '../sasl/apop.js';
import { cramMd5Client, type HmacMd5 } from '../sasl/cram-md5.js';
import { loginClient } from '../sasl/login.js';
import type { SaslClientMechanism } from '../sasl/mechanism.js';
import { oauthBearerClient } from '../sasl/oauth-bearer.js';
import { type PasswordLogin, plainClient } from '../sasl/plain.js';
import { type ScramClientOptions, scramClient } from '../sasl/scram-client.js';
import { xoauth2Client } from '../sasl/xoauth2.js';
import type { PasswordAuth, TokenAuth } from './auth.js';

/** The hash functions and the randomness of the host. A mechanism whose functions are left out is not to be had. */
export interface LoginCrypto {
  readonly scram?: Partial<Record<ScramForm, Pick<ScramClientOptions, 'crypto' | 'nonce'>>>;
  /** For CRAM-MD5. */
  readonly hmacMd5?: HmacMd5;
  /** For APOP. */
  readonly md5?: Md5;
}

/** What can be used to log in: what the server announces, and what the connection gives. */
export interface Offer {
  /** From this side of STLS; null when the server does not say. */
  readonly capabilities: Capabilities | null;
  /** From a greeting on this side of STLS; null when there is none that is valid. */
  readonly apopTimestamp: string | null;
  readonly encrypted: boolean;
  readonly allowPlaintext: boolean;
  readonly crypto: LoginCrypto;
  channelBinding(type: ChannelBindingType): Uint8Array | null;
}

/** How to log in by a password. */
export type PasswordWay =
  | { readonly type: 'sasl'; readonly mechanism: SaslClientMechanism }
  | { readonly type: 'apop'; readonly timestamp: string; readonly md5: Md5 }
  /** USER and PASS. */
  | { readonly type: 'user' };

interface PasswordMechanism {
  readonly name: string;
  /** Hands over the password itself. */
  readonly plaintext: boolean;
  /** Can say whose maildrop is wanted. */
  readonly authorizes: boolean;
  /** Null when the connection or the host does not have what is needed. */
  client(login: PasswordLogin, offer: Offer): SaslClientMechanism | null;
}

/**
 * The mechanisms for passwords, the best first. The first that the server announces is used, and no other after it.
 *
 * | mechanism | the password | is it the right server? | where |
 * |---|---|---|---|
 * | SCRAM-SHA-256-PLUS, SCRAM-SHA-512-PLUS, SCRAM-SHA-1-PLUS | is not sent | proven, for this very connection | TLS with a binding |
 * | SCRAM-SHA-256, SCRAM-SHA-512, SCRAM-SHA-1 | is not sent | proven | anywhere |
 * | CRAM-MD5 | is not sent, but can be guessed at | - | anywhere |
 * | PLAIN, LOGIN, then USER and PASS | is sent | - | TLS, or `allowPlaintext` |
 * | APOP | is not sent, but can be guessed at | - | only when named |
 *
 * Channel binding comes before the hash: it is what keeps out somebody in between who has a certificate. SHA-256 comes
 * before SHA-512 because an RFC defines it (RFC 7677); against guesses, the number of iterations counts.
 */
const PASSWORD_MECHANISMS: readonly PasswordMechanism[] = [
  scramPlus('scram-sha-256'),
  scramPlus('scram-sha-512'),
  scramPlus('scram-sha-1'),
  scramBare('scram-sha-256'),
  scramBare('scram-sha-512'),
  scramBare('scram-sha-1'),
  {
    name: 'CRAM-MD5',
    plaintext: false,
    authorizes: false,
    client: (login, { crypto: { hmacMd5 } }) => (hmacMd5 ? cramMd5Client({ ...login, hmacMd5 }) : null),
  },
  { name: 'PLAIN', plaintext: true, authorizes: true, client: plainClient },
  { name: 'LOGIN', plaintext: true, authorizes: false, client: loginClient },
];

/** Names for what is no SASL mechanism. */
const COMMANDS: readonly string[] = ['USER', 'APOP'];

/**
 * RFC 9266 before the two of RFC 5929. tls-unique, which TLS 1.3 does not have, before tls-server-end-point: whoever
 * has -PLUS has it (RFC 5802 section 6.1), while Dovecot does not know the other.
 */
const BINDINGS: readonly ChannelBindingType[] = ['tls-exporter', 'tls-unique', 'tls-server-end-point'];

/**
 * Chooses how to log in by a password: what `auth.mechanism` names, otherwise the best that both sides have.
 *
 * @throws Pop3Error `POP3_TLS` when only encryption is missing, `POP3_UNSUPPORTED` when something else is, and
 *   `POP3_USAGE` for a name or a password that cannot be sent.
 */
export function passwordWay(auth: PasswordAuth, offer: Offer): PasswordWay {
  checkPasswordAuth(auth);
  const named = auth.mechanism?.toUpperCase();
  if (named === 'APOP') return apop(offer);
  if (named === 'USER' && mayShowSecrets(offer)) return { type: 'user' };
  if (named === 'USER') throw inTheClear([named], 'password');
  if (named !== undefined) return { type: 'sasl', mechanism: namedMechanism(named, auth, offer) };
  const announced = announcedMechanisms(offer.capabilities);
  const known = PASSWORD_MECHANISMS.filter(
    ({ name, authorizes }) => announced.includes(name) && (authorizes || !auth.authorizationId),
  );
  const shown: string[] = [];
  for (const { name, plaintext, client } of known) {
    if (plaintext && !mayShowSecrets(offer)) shown.push(name);
    else {
      const mechanism = client(loginOf(auth), offer);
      if (mechanism !== null) return { type: 'sasl', mechanism };
    }
  }
  const canUser = announced.length === 0 || offer.capabilities?.has('USER') === true;
  if (canUser && !auth.authorizationId) {
    if (mayShowSecrets(offer)) return { type: 'user' };
    shown.push('USER');
  }
  throw shown.length > 0 ? inTheClear(shown, 'password') : nothingFits(auth, offer, announced);
}

/**
 * Chooses the mechanism for a token, before there is one.
 *
 * @throws Pop3Error `POP3_TLS` when the token would go out in the clear.
 */
export function tokenMechanismName({ mechanism }: TokenAuth, offer: Offer): 'OAUTHBEARER' | 'XOAUTH2' {
  const announced = announcedMechanisms(offer.capabilities).includes('OAUTHBEARER');
  const name = mechanism ?? (announced ? 'OAUTHBEARER' : 'XOAUTH2');
  if (!mayShowSecrets(offer)) throw inTheClear([name], 'token');
  return name;
}

/** @throws Pop3Error `POP3_USAGE` for a token or a name that cannot be sent. */
export function tokenMechanism(
  name: 'OAUTHBEARER' | 'XOAUTH2',
  username: string,
  token: string,
  { host, port }: { readonly host: string | null; readonly port: number | null },
): SaslClientMechanism {
  if (name === 'XOAUTH2') return xoauth2Client({ username, token });
  // A name in another script than Latin is left out: which of its forms the server expects is not known here.
  const server = host !== null && /^[\x21-\x7e]+$/.test(host) ? { host } : {};
  return oauthBearerClient({ username, token, ...server, ...(port === null ? {} : { port }) });
}

/**
 * Stops a mechanism of the caller's that would show a secret to everybody.
 *
 * @throws Pop3Error `POP3_TLS`
 */
export function checkPlaintext(
  { name, plaintext }: Pick<SaslClientMechanism, 'name' | 'plaintext'>,
  offer: Offer,
): void {
  if (plaintext && !mayShowSecrets(offer)) throw inTheClear([name], 'secret');
}

/** Names that the server announces behind SASL, in upper case (RFC 5034 section 3). */
export function announcedMechanisms(capabilities: Capabilities | null): string[] {
  return (capabilities?.get('SASL') ?? []).map((name) => name.toUpperCase());
}

/** Ways for passwords that the server has beside `used`, for a person to choose from. */
export function otherWays(used: string, offer: Offer): string[] {
  const announced = announcedMechanisms(offer.capabilities);
  const ways = PASSWORD_MECHANISMS.map(({ name }) => name).filter((name) => announced.includes(name));
  if (offer.capabilities?.has('USER')) ways.push('USER');
  return ways.filter((name) => name !== used);
}

/**
 * Stops a caller whose login cannot be, whatever the server offers.
 *
 * @throws Pop3Error `POP3_USAGE`; no secret is in its text.
 */
export function checkPasswordAuth({ user, password, mechanism, authorizationId }: PasswordAuth): void {
  checkText('auth.user', user);
  checkText('auth.password', password);
  const name = mechanism?.toUpperCase();
  if (name === undefined) return;
  const known = PASSWORD_MECHANISMS.find((candidate) => candidate.name === name);
  if (known === undefined && !COMMANDS.includes(name)) {
    const names = [...PASSWORD_MECHANISMS.map((candidate) => candidate.name), ...COMMANDS].join(', ');
    usage(`auth.mechanism is none for a password; there are ${names}.`);
  }
  if (authorizationId && !known?.authorizes) usage(`${name} cannot say auth.authorizationId.`);
}

function checkText(what: string, text: unknown): void {
  if (typeof text !== 'string' || text === '' || text.includes('\0'))
    usage(`${what} is a text, not empty and without NUL.`);
}

function loginOf({ user, password, authorizationId = '' }: PasswordAuth): PasswordLogin {
  return { username: user, password, authorizationId };
}

function namedMechanism(name: string, auth: PasswordAuth, offer: Offer): SaslClientMechanism {
  const known = PASSWORD_MECHANISMS.find((candidate) => candidate.name === name) as PasswordMechanism;
  if (known.plaintext && !mayShowSecrets(offer)) throw inTheClear([name], 'password');
  const mechanism = known.client(loginOf(auth), offer);
  if (mechanism !== null) return mechanism;
  throw offer.encrypted || !name.endsWith('-PLUS')
    ? new Pop3Error(
        'POP3_UNSUPPORTED',
        `${name} needs a channel binding or hash functions that are not there.`,
      )
    : new Pop3Error('POP3_TLS', `${name} binds to an encrypted connection. ${SET_TLS}.`);
}

function apop({ apopTimestamp, crypto: { md5 } }: Offer): PasswordWay {
  if (md5 === undefined) throw new Pop3Error('POP3_UNSUPPORTED', 'APOP needs MD5, which is not there.');
  if (apopTimestamp !== null) return { type: 'apop', timestamp: apopTimestamp, md5 };
  throw new Pop3Error(
    'POP3_UNSUPPORTED',
    'The server does not offer APOP: its greeting has no timestamp, or was said before the connection was encrypted.',
  );
}

function scramPlus(form: ScramForm): PasswordMechanism {
  return {
    ...scramBare(form),
    name: `${form.toUpperCase()}-PLUS`,
    client: (login, offer) => {
      const sources = offer.crypto.scram?.[form];
      if (sources === undefined) return null;
      const channelBinding = bindingOf(offer);
      return channelBinding && scramClient(form, { ...login, ...sources, channelBinding });
    },
  };
}

function scramBare(form: ScramForm): PasswordMechanism {
  return {
    name: form.toUpperCase(),
    plaintext: false,
    authorizes: true,
    client: (login, offer) => {
      const sources = offer.crypto.scram?.[form];
      if (sources === undefined) return null;
      // Said only where a list was seen and could have named one: a server that has -PLUS then refuses (RFC 5802 section 6).
      const announced = announcedMechanisms(offer.capabilities);
      const missed = announced.length > 0 && !announced.some((name) => name.endsWith('-PLUS'));
      const flag = missed && bindingOf(offer) !== null ? { channelBinding: 'not-offered' as const } : {};
      return scramClient(form, { ...login, ...sources, ...flag });
    },
  };
}

function bindingOf(offer: Offer) {
  if (!offer.encrypted) return null;
  for (const type of BINDINGS) {
    const octets = offer.channelBinding(type);
    if (octets !== null) return { type, octets };
  }
  return null;
}

function mayShowSecrets({ encrypted, allowPlaintext }: Offer): boolean {
  return encrypted || allowPlaintext;
}

function inTheClear(names: readonly string[], what: 'password' | 'token' | 'secret'): Pop3Error {
  return new Pop3Error(
    'POP3_TLS',
    `The connection is not encrypted: everybody on the way could read the ${what} that ${names.join(', ')} would send, so nothing was. ${SET_TLS}, or allow it by allowPlaintext.`,
  );
}

const SET_TLS = "Set tls to 'implicit' or 'starttls'";

function nothingFits(auth: PasswordAuth, offer: Offer, announced: readonly string[]): Pop3Error {
  const lacking = auth.authorizationId ? 'none that can say auth.authorizationId' : 'none for a password';
  const list = `The server announces ${announced.join(', ') || 'no mechanism'}: ${lacking}`;
  if (!offer.encrypted && offer.capabilities?.has('STLS'))
    return new Pop3Error('POP3_TLS', `${list} as long as the connection is not encrypted. ${SET_TLS}.`);
  return new Pop3Error(
    'POP3_UNSUPPORTED',
    `${list}. If it has one that it does not announce, name it by auth.mechanism.`,
  );
}
