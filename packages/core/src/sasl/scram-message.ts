import type { MaybePromise, ScramForm, ScramKeys } from '../adapter.js';
import { encodeBase64 } from '../base64.js';
import { usage } from '../errors.js';
import { andThen } from '../maybe-promise.js';
import { decodeUtf8, encodeUtf8 } from '../text.js';
import { preparedPassword } from './saslprep.js';

/** The hash function of a {@link ScramForm}, and HMAC with it. */
export interface ScramCrypto {
  hash(octets: Uint8Array): Uint8Array;
  hmac(key: Uint8Array, octets: Uint8Array): Uint8Array;
}

/** What else is needed where a password is known. */
export interface ScramPasswordCrypto extends ScramCrypto {
  /** PBKDF2 (RFC 8018) with the same HMAC; as many octets as the hash has. Slow: a promise keeps the event loop free. */
  pbkdf2(password: Uint8Array, salt: Uint8Array, iterations: number): MaybePromise<Uint8Array>;
}

/** The names of the mechanisms on the wire; -PLUS comes behind them. */
export const SCRAM_NAMES: Record<ScramForm, string> = {
  'scram-sha-1': 'SCRAM-SHA-1',
  'scram-sha-256': 'SCRAM-SHA-256',
  'scram-sha-512': 'SCRAM-SHA-512',
};

/** Names and a nonce need a few hundred octets. No RFC has a limit; whoever sends more wants memory, not a login. */
const MAX_MESSAGE_OCTETS = 4_096;

/** RFC 5802 section 7: printable ASCII without a comma. */
const NONCE = /^[\x21-\x2b\x2d-\x7e]+$/;

/**
 * Attributes that may follow and that nobody here knows. `m` would be one that has to be known; the others have a place
 * of their own, once (RFC 5802 section 5.1).
 */
export const EXTENSIONS: string = '((?:,(?![amnrcsipve]=)[A-Za-z]=[^,\\0]+)*)';

/** The text of a message; null for one that is too long, or not UTF-8. */
export function messageOf(octets: Uint8Array): string | null {
  return octets.length > MAX_MESSAGE_OCTETS ? null : decodeUtf8(octets);
}

/** Stops a host whose nonces cannot be sent. */
export function checkedNonce(nonce: string): string {
  return NONCE.test(nonce) ? nonce : usage('A nonce is printable ASCII without a comma.');
}

export function exclusiveOr(a: Uint8Array, b: Uint8Array): Uint8Array {
  return a.map((octet, i) => octet ^ (b[i] ?? 0));
}

/** The value of `c`: the header of the client's first message and what it is bound to (RFC 5802 section 5.1). */
export function bindingText(header: string, binding: Uint8Array): string {
  const start = encodeUtf8(header);
  const octets = new Uint8Array(start.length + binding.length);
  octets.set(start);
  octets.set(binding, start.length);
  return encodeBase64(octets);
}

/** The keys that a password gives, and the one of them that a client alone has (RFC 5802 section 3). */
export function clientKeysOf(
  crypto: ScramPasswordCrypto,
  password: string,
  salt: Uint8Array,
  iterations: number,
): MaybePromise<ScramKeys & { readonly clientKey: Uint8Array }> {
  const derived = crypto.pbkdf2(encodeUtf8(preparedPassword(password)), salt, iterations);
  return andThen(derived, (salted) => {
    const clientKey = crypto.hmac(salted, encodeUtf8('Client Key'));
    const serverKey = crypto.hmac(salted, encodeUtf8('Server Key'));
    return { salt, iterations, clientKey, storedKey: crypto.hash(clientKey), serverKey };
  });
}

/**
 * What a server stores of a password for SCRAM (RFC 5802 section 3). The password is prepared by SASLprep; one that it
 * prohibits is hashed as it is.
 *
 * @param salt - random, 16 octets or more; kept in the keys
 * @param iterations - 4096 or more (RFC 7677 section 4)
 */
export function scramKeysOf(
  crypto: ScramPasswordCrypto,
  password: string,
  salt: Uint8Array,
  iterations: number,
): MaybePromise<ScramKeys> {
  return andThen(clientKeysOf(crypto, password, salt, iterations), ({ storedKey, serverKey }) => ({
    salt,
    iterations,
    storedKey,
    serverKey,
  }));
}
