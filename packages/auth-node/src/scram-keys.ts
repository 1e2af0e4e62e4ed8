import { createHmac, hash, pbkdf2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Pop3Error, type ScramForm, type ScramKeys } from '@pop3/core';
import { type ScramPasswordCrypto, scramKeysOf } from '@pop3/core/sasl';
import { octetsOf, type PasswordScheme } from './password-scheme.js';

/** RFC 7677 section 4 wants 4096 or more; these take about 10 ms, at every login of a client. */
export const SCRAM_ITERATIONS = 16_384;
export const SCRAM_SALT_OCTETS = 16;

/** About 5 s. More is a slip of the pen. */
const MAX_ITERATIONS = 5_000_000;

const HASHES = {
  'scram-sha-1': { name: 'SCRAM-SHA-1', algorithm: 'sha1', octets: 20 },
  'scram-sha-256': { name: 'SCRAM-SHA-256', algorithm: 'sha256', octets: 32 },
  'scram-sha-512': { name: 'SCRAM-SHA-512', algorithm: 'sha512', octets: 64 },
} as const;

const deriveInThreadPool = promisify(pbkdf2);

/** How many octets a key of this form has. */
export function keyOctetsOf(form: ScramForm): number {
  return HASHES[form].octets;
}

/** Keys for a password. PBKDF2 runs in the thread pool. */
export async function deriveScramKeys(
  form: ScramForm,
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<ScramKeys> {
  const { algorithm, octets } = HASHES[form];
  const crypto: ScramPasswordCrypto = {
    hash: (data) => hash(algorithm, data, 'buffer'),
    hmac: (key, data) => createHmac(algorithm, key).update(data).digest(),
    pbkdf2: (secret, salt, iterations) => deriveInThreadPool(secret, salt, iterations, octets, algorithm),
  };
  return scramKeysOf(crypto, password, salt, iterations);
}

/** `iterations,salt,stored key,server key`, the last three in base64: Dovecot's form. */
const FORM = /^([1-9]\d{0,8}),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+),([A-Za-z0-9+/=]+)$/;

/**
 * `{SCRAM-SHA-1}`, `{SCRAM-SHA-256}` or `{SCRAM-SHA-512}`: what a server needs for SCRAM (RFC 5802 section 3) in place of
 * the password. Dovecot writes and reads the first two in the same form.
 *
 * @param iterations - of keys to be written: 16 384 by default; those already in the file keep theirs.
 * @throws Pop3Error `POP3_USAGE` for less than 4096 iterations, which RFC 7677 forbids, or more than 5 000 000.
 */
export function scramKeys(form: ScramForm, iterations: number = SCRAM_ITERATIONS): PasswordScheme {
  if (!Number.isInteger(iterations) || iterations < 4096 || iterations > MAX_ITERATIONS) {
    throw new Pop3Error('POP3_USAGE', `SCRAM takes 4096 to ${MAX_ITERATIONS} iterations.`);
  }
  const { name, octets } = HASHES[form];
  const keysOf = (data: string): ScramKeys => partsOf(data, octets) as ScramKeys;
  return {
    names: [name],
    slow: true,
    problemOf(data) {
      const keys = partsOf(data, octets);
      if (keys === null) return 'the data is not iterations,salt,stored key,server key';
      return keys.iterations > MAX_ITERATIONS ? `a check takes at most ${MAX_ITERATIONS} iterations` : null;
    },
    costOf(data) {
      const { iterations, salt } = keysOf(data);
      return `i=${iterations},s=${salt.length}`;
    },
    async verify(password, data) {
      const { salt, iterations, storedKey, serverKey } = keysOf(data);
      const derived = await deriveScramKeys(form, password, salt, iterations);
      const sameStored = timingSafeEqual(derived.storedKey, storedKey);
      return timingSafeEqual(derived.serverKey, serverKey) && sameStored;
    },
    async hash(password) {
      const keys = await deriveScramKeys(form, password, randomBytes(SCRAM_SALT_OCTETS), iterations);
      const octets = [keys.salt, keys.storedKey, keys.serverKey];
      return [iterations, ...octets.map((part) => Buffer.from(part).toString('base64'))].join(',');
    },
    scram: { form, keysOf },
  };
}

function partsOf(data: string, octets: number): ScramKeys | null {
  const [, count, ...encoded] = FORM.exec(data) ?? [];
  const [salt, storedKey, serverKey] = encoded.map(octetsOf);
  if (!salt || storedKey?.length !== octets || serverKey?.length !== octets) return null;
  return { salt, iterations: Number(count), storedKey, serverKey };
}
