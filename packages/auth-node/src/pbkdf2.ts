import { pbkdf2 as derive, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Pop3Error } from '@pop3/core';
import type { PasswordScheme } from './password-scheme.js';

/** About 75 ms, as the other slow schemes. */
const DEFAULT_ROUNDS = 200_000;
/** About 2 s. More is a slip of the pen in the users file. */
const MAX_ROUNDS = 5_000_000;
const KEY_OCTETS = 20;

/** `$1$salt$rounds$key`: the salt is taken as it is written, the key is hexadecimal. */
const FORM = /^\$1\$([^$:]+)\$([1-9]\d{0,8})\$([0-9a-f]{40})$/i;

const deriveInThreadPool = promisify(derive);

/**
 * `{PBKDF2}`: PBKDF2 (RFC 8018) with HMAC-SHA-1, in the form that Dovecot writes.
 *
 * @param rounds - of passwords to be written: 200 000 by default; those already in the file keep theirs.
 * @throws Pop3Error `POP3_USAGE` for rounds out of 1000 to 5 000 000.
 */
export function pbkdf2(rounds: number = DEFAULT_ROUNDS): PasswordScheme {
  if (!Number.isInteger(rounds) || rounds < 1000 || rounds > MAX_ROUNDS) {
    throw new Pop3Error('POP3_USAGE', `PBKDF2 takes 1000 to ${MAX_ROUNDS} rounds.`);
  }
  return {
    names: ['PBKDF2'],
    slow: true,
    problemOf(data) {
      const match = FORM.exec(data);
      if (match === null) return 'the data is not $1$salt$rounds$key';
      return Number(match[2]) > MAX_ROUNDS ? `a check takes at most ${MAX_ROUNDS} rounds` : null;
    },
    costOf: (data) => data.split('$')[3] as string,
    async verify(password, data) {
      const [, salt, rounds, key] = FORM.exec(data) as unknown as [string, string, string, string];
      const derived = await deriveInThreadPool(password, salt, Number(rounds), KEY_OCTETS, 'sha1');
      return timingSafeEqual(derived, Buffer.from(key, 'hex'));
    },
    async hash(password) {
      const salt = randomBytes(12).toString('base64url');
      const key = await deriveInThreadPool(password, salt, rounds, KEY_OCTETS, 'sha1');
      return `$1$${salt}$${rounds}$${key.toString('hex')}`;
    },
  };
}
