import { randomBytes, timingSafeEqual } from 'node:crypto';
import { Pop3Error } from '@pop3/core';
import { HashThreads } from './hash-threads.js';
import type { PasswordScheme } from './password-scheme.js';

/** What `$5$` and `$6$` mean without `rounds=`. */
const IMPLIED_ROUNDS = 5000;
/** About 100 ms here; crypt(3) in C takes a quarter of that. */
const DEFAULT_ROUNDS = 50_000;
const MIN_ROUNDS = 1000;
/** About 4 s. More is a slip of the pen in the users file. */
const MAX_ROUNDS = 2_000_000;

const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const SALT_CHARACTERS = 16;

const FORM = /^\$([56])\$(?:rounds=([1-9]\d{0,8})\$)?([^$:]{0,16})\$([./0-9A-Za-z]+)$/;

const threads = new HashThreads();

/**
 * `{SHA256-CRYPT}` and `{SHA512-CRYPT}`: the `$5$` and `$6$` hashes of crypt(3), as in /etc/shadow. They run in threads of
 * their own.
 *
 * @param rounds - of passwords to be written: 50 000 by default; those already in the file keep theirs.
 * @throws Pop3Error `POP3_USAGE` for rounds out of 1000 to 2 000 000.
 */
export function shaCrypt(algorithm: 'sha256' | 'sha512', rounds: number = DEFAULT_ROUNDS): PasswordScheme {
  if (!Number.isInteger(rounds) || rounds < MIN_ROUNDS || rounds > MAX_ROUNDS) {
    throw new Pop3Error('POP3_USAGE', `SHA-crypt takes ${MIN_ROUNDS} to ${MAX_ROUNDS} rounds.`);
  }
  const [name, id, characters] =
    algorithm === 'sha256' ? (['SHA256-CRYPT', '5', 43] as const) : (['SHA512-CRYPT', '6', 86] as const);
  const encoded = async (password: string, salt: string, count: number): Promise<string> =>
    encode(algorithm, await threads.shaCrypt({ algorithm, password, salt, rounds: count }));
  return {
    names: [name],
    slow: true,
    problemOf(data) {
      const match = FORM.exec(data);
      if (match?.[1] !== id || match[4]?.length !== characters) {
        return `the data is not a hash of crypt(3) ($${id}$..)`;
      }
      const count = Number(match[2] ?? IMPLIED_ROUNDS);
      // crypt(3) takes fewer for 1000, and some write the hash of what they were given.
      if (count < MIN_ROUNDS) return `a hash has at least ${MIN_ROUNDS} rounds`;
      return count > MAX_ROUNDS ? `a check takes at most ${MAX_ROUNDS} rounds` : null;
    },
    costOf: (data) => FORM.exec(data)?.[2] ?? String(IMPLIED_ROUNDS),
    async verify(password, data) {
      const [, , count = IMPLIED_ROUNDS, salt, stored] = FORM.exec(data) as unknown as [
        string,
        string,
        string | undefined,
        string,
        string,
      ];
      const found = await encoded(password, salt, Number(count));
      return timingSafeEqual(Buffer.from(found), Buffer.from(stored));
    },
    async hash(password) {
      let salt = '';
      for (const octet of randomBytes(SALT_CHARACTERS)) salt += ALPHABET[octet & 63];
      return `$${id}$rounds=${rounds}$${salt}$${await encoded(password, salt, rounds)}`;
    },
  };
}

/** crypt(3)'s own base64: three octets, far apart in the digest and in turning order, the lowest six bits first. */
function encode(algorithm: 'sha256' | 'sha512', digest: Uint8Array): string {
  const third = Math.floor(digest.length / 3);
  const turn = algorithm === 'sha256' ? 2 : 1;
  let text = '';
  for (let i = 0; i < third; i++) {
    const octets = [i, i + third, i + 2 * third].map((place) => digest[place] as number);
    const [high, middle, low] = [0, 1, 2].map((n) => octets[(n + i * turn) % 3] as number) as [
      number,
      number,
      number,
    ];
    text += characters((high << 16) | (middle << 8) | low, 4);
  }
  const [last, beforeLast] = [digest.at(-1) as number, digest.at(-2) as number];
  return text + (algorithm === 'sha256' ? characters((last << 8) | beforeLast, 3) : characters(last, 2));
}

function characters(bits: number, count: number): string {
  let text = '';
  for (let i = 0; i < count; i++) text += ALPHABET[(bits >> (6 * i)) & 63];
  return text;
}
