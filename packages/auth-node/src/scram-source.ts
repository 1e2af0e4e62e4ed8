import { createHmac, hash, randomBytes } from 'node:crypto';
import { type MaybePromise, Pop3Error, type ScramForm, type ScramKeys } from '@pop3/core';
import { andThen } from './and-then.js';
import { BoundedMap } from './bounded-map.js';
import type { HashQueue } from './hash-queue.js';
import type { StoredPassword } from './password-scheme.js';
import { deriveScramKeys, keyOctetsOf, SCRAM_ITERATIONS, SCRAM_SALT_OCTETS } from './scram-keys.js';

/** Keys of so many names are kept, about 300 octets each. */
const MAX_CACHED = 10_000;
/** RFC 2104 section 3: as long as the hash, or longer. */
const MIN_SECRET_OCTETS = 16;

/** The one password by which a user can log in with this form of SCRAM; an exchange has but one salt. */
export function scramPasswordOf<P extends StoredPassword>(
  passwords: readonly P[],
  form: ScramForm,
): P | null {
  return (
    passwords.find(({ scheme }) => scheme.scram?.form === form) ??
    passwords.find(({ scheme }) => scheme.secretOf !== undefined) ??
    null
  );
}

/**
 * Gives keys for SCRAM to every name: those that are stored, those that a known password makes, and for everybody else
 * some that nothing proves. Salts follow from the name and a secret, so they stay the same, and say nothing.
 */
export class ScramSource {
  readonly #secret: Uint8Array;
  readonly #hashing: HashQueue;
  readonly #cache = new BoundedMap<string, { readonly fingerprint: string; readonly keys: ScramKeys }>(
    MAX_CACHED,
  );

  constructor(secret: Uint8Array | undefined, hashing: HashQueue) {
    if (secret !== undefined && secret.length < MIN_SECRET_OCTETS) {
      throw new Pop3Error('POP3_USAGE', `The secret has ${MIN_SECRET_OCTETS} octets or more.`);
    }
    this.#secret = secret ?? randomBytes(32);
    this.#hashing = hashing;
  }

  /** Where a name stands among all names: 0 to 1, without 1. */
  positionOf(name: string): number {
    return this.#mac('position', name).readUIntBE(0, 6) / 2 ** 48;
  }

  /** The keys of a user by this password, or `'busy'`. */
  keysOf(
    name: string,
    form: ScramForm,
    { scheme, data }: StoredPassword,
    signal: AbortSignal,
  ): MaybePromise<ScramKeys | 'busy'> {
    if (scheme.scram?.form === form) return scheme.scram.keysOf(data);
    return this.#derived(name, form, scheme.secretOf?.(data) ?? '', signal);
  }

  /** Keys that nothing proves, which look like those of this password and take as long; null for what is common. */
  fakeKeysOf(
    name: string,
    form: ScramForm,
    like: StoredPassword | null,
    signal: AbortSignal,
  ): MaybePromise<ScramKeys | 'busy'> {
    if (like?.scheme.secretOf !== undefined) {
      const derived = this.#derived(name, form, this.#mac('password', name).toString('base64'), signal);
      return andThen(derived, (keys) => (keys === 'busy' ? keys : { ...keys, standIn: true }));
    }
    const { salt, iterations } = like?.scheme.scram?.keysOf(like.data) ?? {};
    return {
      salt: this.#saltOf(name, form, salt?.length ?? SCRAM_SALT_OCTETS),
      iterations: iterations ?? SCRAM_ITERATIONS,
      storedKey: this.#mac(`stored key ${form}`, name).subarray(0, keyOctetsOf(form)),
      serverKey: this.#mac(`server key ${form}`, name).subarray(0, keyOctetsOf(form)),
      standIn: true,
    };
  }

  #derived(
    name: string,
    form: ScramForm,
    password: string,
    signal: AbortSignal,
  ): MaybePromise<ScramKeys | 'busy'> {
    const place = `${form} ${name}`;
    const fingerprint = hash('sha256', password, 'base64');
    const cached = this.#cache.get(place);
    if (cached?.fingerprint === fingerprint) return cached.keys;
    const salt = this.#saltOf(name, form, SCRAM_SALT_OCTETS);
    return this.#hashing
      .run(() => deriveScramKeys(form, password, salt, SCRAM_ITERATIONS), signal)
      .then((keys) => {
        if (keys !== 'busy') this.#cache.set(place, { fingerprint, keys });
        return keys;
      });
  }

  #saltOf(name: string, form: ScramForm, octets: number): Buffer {
    return this.#mac(`salt ${form}`, name).subarray(0, octets);
  }

  /** 64 octets. */
  #mac(use: string, name: string): Buffer {
    return createHmac('sha512', this.#secret).update(`${use}\0${name}`).digest();
  }
}
