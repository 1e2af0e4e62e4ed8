import type { hash } from 'node:crypto';

/** One piece of work for `shaCryptDigest`. */
export interface ShaCryptTask {
  readonly algorithm: 'sha256' | 'sha512';
  readonly password: string;
  /** At most 16 characters. */
  readonly salt: string;
  readonly rounds: number;
}

/**
 * The hash behind the `$5$` and `$6$` of crypt(3), before its encoding. Takes milliseconds to seconds of the thread that
 * calls it.
 *
 * Its source goes to a thread as text, so it uses nothing but its arguments and what every realm of Node has.
 */
export function shaCryptDigest(
  hashOf: typeof hash,
  { algorithm, password, salt, rounds }: ShaCryptTask,
): Uint8Array {
  const digest = (...parts: readonly Uint8Array[]): Buffer =>
    hashOf(algorithm, Buffer.concat(parts), 'buffer');
  const repeated = (octets: Uint8Array, length: number): Buffer => Buffer.alloc(length, octets);
  const key = Buffer.from(password);
  const saltOctets = Buffer.from(salt);

  // Without a password there is nothing to repeat, and Buffer.alloc(0, ..) makes just that.
  const mixed = digest(key, saltOctets, key);
  const parts: Uint8Array[] = [key, saltOctets, repeated(mixed, key.length)];
  for (let bits = key.length; bits > 0; bits >>= 1) parts.push(bits % 2 === 1 ? mixed : key);
  let current = digest(...parts);

  const keySequence = repeated(digest(repeated(key, key.length * key.length)), key.length);
  const saltTimes = 16 + (current[0] as number);
  const saltSequence = repeated(
    digest(repeated(saltOctets, saltOctets.length * saltTimes)),
    saltOctets.length,
  );
  const empty = Buffer.alloc(0);
  for (let round = 0; round < rounds; round++) {
    const isOdd = round % 2 === 1;
    current = digest(
      isOdd ? keySequence : current,
      round % 3 === 0 ? empty : saltSequence,
      round % 7 === 0 ? empty : keySequence,
      isOdd ? current : keySequence,
    );
  }
  return current;
}
