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

/** Where keys come from: they are there, or a password makes them. */
export type ScramOrigin =
  | { readonly keys: ScramKeys }
  | { readonly password: string; readonly standIn?: boolean };

/** @param password - one of {@link scramPasswordOf} */
export function originOf({ scheme, data }: StoredPassword, form: ScramForm): ScramOrigin {
  if (scheme.scram?.form === form) return { keys: scheme.scram.keysOf(data) };
  return { password: scheme.secretOf?.(data) ?? '' };
}

/**
 * Gives keys for SCRAM to every name: those that are stored, those that a known password makes, and for everybody else
 * some that nothing proves. Salts follow from the name and a secret, so they stay the same, and say nothing.
 */
export class ScramSource {
  readonly #secret: Uint8Array;
  readonly #positionSecret: string;
  readonly #hashing: HashQueue;
  readonly #cache = new BoundedMap<string, { readonly fingerprint: string; readonly keys: ScramKeys }>(
    MAX_CACHED,
  );

  constructor(secret: Uint8Array | undefined, hashing: HashQueue) {
    if (secret !== undefined && secret.length < MIN_SECRET_OCTETS) {
      throw new Pop3Error('POP3_USAGE', `The secret has ${MIN_SECRET_OCTETS} octets or more.`);
    }
    this.#secret = secret ?? randomBytes(32);
    this.#positionSecret = createHmac('sha256', this.#secret).update('position').digest('hex');
    this.#hashing = hashing;
  }

  /** Where a name stands among all names: 0 to 1, without 1. */
  positionOf(name: string): number {
    // Asked at each login, and never shown: a plain hash behind a secret is enough, and a third of the time of an HMAC.
    return hash('sha256', this.#positionSecret + name, 'buffer').readUIntBE(0, 6) / 2 ** 48;
  }

  /** What nothing proves, and looks like what this password has; null for what is common. */
  madeUp(name: string, form: ScramForm, like: StoredPassword | null): ScramOrigin {
    const { salt, iterations } = like?.scheme.scram?.keysOf(like.data) ?? {};
    const password =
      like?.scheme.secretOf === undefined ? null : this.#mac('password', name).toString('base64');
    const keys = {
      salt: this.#saltOf(name, form, salt?.length ?? SCRAM_SALT_OCTETS),
      iterations: iterations ?? SCRAM_ITERATIONS,
      storedKey: this.#mac(`stored key ${form}`, name).subarray(0, keyOctetsOf(form)),
      serverKey: this.#mac(`server key ${form}`, name).subarray(0, keyOctetsOf(form)),
      standIn: true,
    };
    return password === null ? { keys } : { password, standIn: true };
  }

  /** The keys of this origin, or `'busy'`. */
  keysFrom(
    origin: ScramOrigin,
    name: string,
    form: ScramForm,
    signal: AbortSignal,
  ): MaybePromise<ScramKeys | 'busy'> {
    if ('keys' in origin) return origin.keys;
    const derived = this.#derived(name, form, origin.password, signal);
    return origin.standIn !== true
      ? derived
      : andThen(derived, (keys) => (keys === 'busy' ? keys : { ...keys, standIn: true }));
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
