import { Pop3Error } from '@pop3/core';
import type { PasswordScheme } from './password-scheme.js';

/** The part of the package `bcrypt` that is used here; another implementation of it does as well. */
export interface Bcrypt {
  compare(password: string, hash: string): Promise<boolean>;
  hash(password: string, rounds: number): Promise<string>;
}

export interface BlfCryptOptions {
  /** Where bcrypt comes from. By default the package `bcrypt`, loaded when the first password needs it. */
  readonly bcrypt?: Bcrypt;
  /** Logarithm of the work for new passwords: 4 to 16, 12 by default (about 200 ms). */
  readonly rounds?: number;
}

const FORM = /^\$2[aby]\$(\d\d)\$[./A-Za-z0-9]{53}$/;

/** A check of 16 takes some four seconds. More is a slip of the pen in the users file, and would stop the server for everybody. */
const MAX_ROUNDS = 16;

function isBearable(rounds: number): boolean {
  return rounds >= 4 && rounds <= MAX_ROUNDS;
}

/** bcrypt reads no further, so two passwords that differ only beyond would be one. */
const MAX_PASSWORD_OCTETS = 72;

/**
 * `{BLF-CRYPT}` and `{BCRYPT}`: `$2a$`, `$2b$` and `$2y$` hashes, as Dovecot, htpasswd and PHP write them. Needs the
 * package `bcrypt`, an optional peer dependency.
 *
 * @throws Pop3Error `POP3_USAGE` for rounds out of range.
 */
export function blfCrypt({ bcrypt, rounds = 12 }: BlfCryptOptions = {}): PasswordScheme {
  if (!Number.isInteger(rounds) || !isBearable(rounds)) {
    throw new Pop3Error('POP3_USAGE', `bcrypt takes 4 to ${MAX_ROUNDS} rounds here.`);
  }
  let loaded: Promise<Bcrypt> | undefined = bcrypt && Promise.resolve(bcrypt);
  const load = (): Promise<Bcrypt> => {
    loaded ??= loadPackage();
    return loaded;
  };
  return {
    names: ['BLF-CRYPT', 'BCRYPT'],
    slow: true,
    problemOf(data) {
      const [, sentRounds] = FORM.exec(data) ?? [];
      if (sentRounds === undefined) return 'the data is not a bcrypt hash ($2b$..)';
      return isBearable(Number(sentRounds)) ? null : `bcrypt takes 4 to ${MAX_ROUNDS} rounds here`;
    },
    costOf: (data) => (FORM.exec(data) as RegExpExecArray)[1] as string,
    async verify(password, data) {
      // $2y$ is what PHP calls the algorithm that everybody else calls $2b$.
      return (await load()).compare(password, data.replace(/^\$2y/, '$2b'));
    },
    async hash(password) {
      if (Buffer.byteLength(password) > MAX_PASSWORD_OCTETS || password.includes('\0')) {
        throw new Pop3Error(
          'POP3_USAGE',
          `A {BLF-CRYPT} password has at most ${MAX_PASSWORD_OCTETS} octets and no NUL: choose another scheme.`,
        );
      }
      return (await load()).hash(password, rounds);
    },
  };
}

async function loadPackage(): Promise<Bcrypt> {
  try {
    return (await import('bcrypt')).default;
  } catch (cause) {
    throw new Error('Passwords of the scheme {BLF-CRYPT} need the package bcrypt: npm install bcrypt', {
      cause,
    });
  }
}
