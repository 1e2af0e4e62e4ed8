import { scrypt as derive, randomBytes, type ScryptOptions, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Pop3Error } from '@pop3/core';
import type { PasswordScheme } from './password-scheme.js';

/** The cost of one hash (RFC 7914 section 2): `2^ln * r * 128` octets of memory, `p` times the work. */
export interface ScryptCost {
  /** Logarithm of N: 1 to 20. */
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

/** 32 MiB and about 75 ms of one core: a client polls every few minutes, and each poll is a login. */
const DEFAULT_COST: ScryptCost = { ln: 15, r: 8, p: 1 };

/** More is a slip of the pen in the users file, and would stop the server for everybody. */
const MAX_MEMORY_OCTETS = 512 * 1024 * 1024;
const MAX_PARALLEL = 64;

const SALT_OCTETS = 16;
const KEY_OCTETS = 32;

/** `$scrypt$ln=15,r=8,p=1$SALT$KEY`, salt and key in base64 without padding: the form of the PHC string format. */
const FORM = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,4}),p=(\d{1,4})\$([A-Za-z0-9+/]{2,})\$([A-Za-z0-9+/]{22,})$/;

const deriveInThreadPool: (
  password: string,
  salt: Uint8Array,
  keyOctets: number,
  options: ScryptOptions,
) => Promise<Buffer> = promisify(derive);

/**
 * `{SCRYPT}` (RFC 7914): the scheme for new passwords. Reads any cost that fits into 512 MiB.
 *
 * @param cost - of passwords to be written; those already in the file keep theirs.
 * @throws Pop3Error `POP3_USAGE` for a cost beyond those limits.
 */
export function scrypt(cost: ScryptCost = DEFAULT_COST): PasswordScheme {
  const excess = problemOfCost(cost);
  if (excess !== null) throw new Pop3Error('POP3_USAGE', `The cost cannot be used: ${excess}.`);
  return {
    names: ['SCRYPT'],
    slow: true,
    problemOf(data) {
      const parts = partsOf(data);
      return parts === null ? 'the data is not $scrypt$ln=..,r=..,p=..$salt$key' : problemOfCost(parts.cost);
    },
    costOf: (data) => data.split('$')[2] as string,
    async verify(password, data) {
      const { cost, salt, key } = partsOf(data) as ScryptParts;
      return timingSafeEqual(await deriveInThreadPool(password, salt, key.length, optionsFor(cost)), key);
    },
    async hash(password) {
      const salt = randomBytes(SALT_OCTETS);
      const key = await deriveInThreadPool(password, salt, KEY_OCTETS, optionsFor(cost));
      return `$scrypt$ln=${cost.ln},r=${cost.r},p=${cost.p}$${unpadded(salt)}$${unpadded(key)}`;
    },
  };
}

interface ScryptParts {
  readonly cost: ScryptCost;
  readonly salt: Buffer;
  readonly key: Buffer;
}

function partsOf(data: string): ScryptParts | null {
  const match = FORM.exec(data);
  if (match === null) return null;
  const [, ln, r, p, salt, key] = match as unknown as [string, string, string, string, string, string];
  return {
    cost: { ln: Number(ln), r: Number(r), p: Number(p) },
    salt: Buffer.from(salt, 'base64'),
    key: Buffer.from(key, 'base64'),
  };
}

function problemOfCost({ ln, r, p }: ScryptCost): string | null {
  const whole = [ln, r, p].every((number) => Number.isInteger(number) && number >= 1);
  if (!whole || ln > 20) return 'ln is 1 to 20, r and p are at least 1';
  if (2 ** ln * r * 128 > MAX_MEMORY_OCTETS) return 'a check would take more than 512 MiB of memory';
  if (p > MAX_PARALLEL) return `p is at most ${MAX_PARALLEL}`;
  return null;
}

function optionsFor({ ln, r, p }: ScryptCost): ScryptOptions {
  // OpenSSL counts the p blocks and a little more against its limit.
  return { N: 2 ** ln, r, p, maxmem: 128 * r * (2 ** ln + p + 2) };
}

function unpadded(octets: Buffer): string {
  return octets.toString('base64').replace(/=+$/, '');
}
