import { type MaybePromise, Pop3Error } from '@pop3/core';
import { argon2 } from './argon2.js';
import { blfCrypt } from './blf-crypt.js';
import { cramMd5Context } from './cram-md5-context.js';
import { crypt } from './crypt.js';
import { digestSchemes } from './digest.js';
import { type PasswordScheme, parseStoredPassword, schemeNamed } from './password-scheme.js';
import { pbkdf2 } from './pbkdf2.js';
import { plain } from './plain.js';
import { scramKeys } from './scram-keys.js';
import { scrypt } from './scrypt.js';
import { shaCrypt } from './sha-crypt.js';

const bcrypt = blfCrypt();
const sha512Crypt = shaCrypt('sha512');
const sha256Crypt = shaCrypt('sha256');

/** The schemes that are read and written unless others are given. The first is the one for new passwords. */
export const passwordSchemes: readonly PasswordScheme[] = [
  scrypt(),
  argon2(),
  argon2({ variant: 'argon2i' }),
  bcrypt,
  sha512Crypt,
  sha256Crypt,
  crypt([sha512Crypt, sha256Crypt, bcrypt]),
  pbkdf2(),
  scramKeys('scram-sha-256'),
  scramKeys('scram-sha-512'),
  scramKeys('scram-sha-1'),
  cramMd5Context,
  ...digestSchemes,
  plain,
];

/**
 * The stored form of a password, `{SCHEME}data`, as a users file holds it.
 *
 * @param scheme - a name such as `SCRYPT`, in any case; by default the first of `schemes`
 * @throws Pop3Error `POP3_USAGE` for a scheme that is not in the table, or a password that it cannot hold.
 */
export async function hashPassword(
  password: string,
  scheme?: string,
  schemes: readonly PasswordScheme[] = passwordSchemes,
): Promise<string> {
  const writer = scheme === undefined ? schemes[0] : schemeNamed(scheme, schemes);
  if (writer === undefined) {
    const known = schemes.map(({ names }) => names[0]).join(', ');
    throw new Pop3Error('POP3_USAGE', `The scheme ${scheme} is not known (known: ${known}).`);
  }
  return `{${writer.names[0]}}${await writer.hash(password)}`;
}

/**
 * Whether a password is the one of a stored form `{SCHEME}data`. Compares in constant time; at once where the scheme
 * allows it, in the thread pool where a check is slow.
 *
 * @throws Pop3Error `POP3_USAGE` for a stored form that cannot be read.
 */
export function verifyPassword(
  password: string,
  stored: string,
  schemes: readonly PasswordScheme[] = passwordSchemes,
): MaybePromise<boolean> {
  const parsed = parseStoredPassword(stored, schemes, null);
  if (typeof parsed === 'string') throw new Pop3Error('POP3_USAGE', `Cannot verify: ${parsed}.`);
  return parsed.scheme.verify(password, parsed.data);
}
