import { Pop3Error } from '@pop3/core';
import type { PasswordScheme } from './password-scheme.js';

/** The part of the package `@node-rs/argon2` that is used here; another implementation of it does as well. */
export interface Argon2 {
  verify(hashed: string, password: string): Promise<boolean>;
  hash(
    password: string,
    options: {
      readonly algorithm: number;
      readonly memoryCost: number;
      readonly timeCost: number;
      readonly parallelism: number;
    },
  ): Promise<string>;
}

export interface Argon2Options {
  /** By default `argon2id`. */
  readonly variant?: 'argon2id' | 'argon2i';
  /** Where Argon2 comes from. By default the package `@node-rs/argon2`, loaded when the first password needs it. */
  readonly argon2?: Argon2;
  /** Memory for new passwords, in KiB: 19 456 by default. */
  readonly memoryKib?: number;
  /** Passes over the memory for new passwords: 2 by default. */
  readonly passes?: number;
}

/** More is a slip of the pen in the users file, and would stop the server for everybody. */
const MAX_MEMORY_KIB = 512 * 1024;
const MAX_PASSES = 64;
const MAX_PARALLEL = 16;

const FORM =
  /^\$(argon2id?)\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,3})\$[A-Za-z0-9+/]{11,}\$[A-Za-z0-9+/]{16,}$/;

/** The numbers that RFC 9106 section 3.1 gives the variants. */
const VARIANTS = { argon2i: 1, argon2id: 2 } as const;

/**
 * `{ARGON2ID}` and `{ARGON2I}` (RFC 9106) in the PHC string format, as Dovecot writes them. Needs the package
 * `@node-rs/argon2`, an optional peer dependency. Reads any cost up to 512 MiB, 64 passes and 16 lanes.
 *
 * @throws Pop3Error `POP3_USAGE` for a cost beyond those limits.
 */
export function argon2({
  variant = 'argon2id',
  argon2: given,
  memoryKib = 19_456,
  passes = 2,
}: Argon2Options = {}): PasswordScheme {
  const excess = problemOfCost(memoryKib, passes, 1);
  if (excess !== null) throw new Pop3Error('POP3_USAGE', `The cost cannot be used: ${excess}.`);
  let loaded: Promise<Argon2> | undefined = given && Promise.resolve(given);
  const load = (): Promise<Argon2> => {
    loaded ??= loadPackage();
    return loaded;
  };
  return {
    names: [variant === 'argon2id' ? 'ARGON2ID' : 'ARGON2I'],
    slow: true,
    problemOf(data) {
      const match = FORM.exec(data);
      if (match?.[1] !== variant) return `the data is not $${variant}$v=19$m=..,t=..,p=..$salt$hash`;
      return problemOfCost(Number(match[2]), Number(match[3]), Number(match[4]));
    },
    costOf: (data) => data.split('$')[3] as string,
    async verify(password, data) {
      return (await load()).verify(data, password);
    },
    async hash(password) {
      const cost = { memoryCost: memoryKib, timeCost: passes, parallelism: 1 };
      return (await load()).hash(password, { algorithm: VARIANTS[variant], ...cost });
    },
  };
}

function problemOfCost(memoryKib: number, passes: number, lanes: number): string | null {
  if (!Number.isInteger(memoryKib) || memoryKib < 8 * lanes || memoryKib > MAX_MEMORY_KIB) {
    return `the memory is 8 KiB for each lane to ${MAX_MEMORY_KIB} KiB`;
  }
  if (!Number.isInteger(passes) || passes < 1 || passes > MAX_PASSES) return `1 to ${MAX_PASSES} passes`;
  return lanes >= 1 && lanes <= MAX_PARALLEL ? null : `1 to ${MAX_PARALLEL} lanes`;
}

async function loadPackage(): Promise<Argon2> {
  try {
    return await import('@node-rs/argon2');
  } catch (cause) {
    throw new Error(
      'Passwords of the schemes {ARGON2ID} and {ARGON2I} need the package @node-rs/argon2: npm install @node-rs/argon2',
      { cause },
    );
  }
}
