import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { octetsOf, type PasswordScheme } from './password-scheme.js';

/** Dovecot and OpenLDAP read salt of any length. */
const SALT_OCTETS = 16;

/** One hash of the password, and of a salt where there is one: fast, so only for passwords that nobody can guess. */
function digest(
  names: PasswordScheme['names'],
  algorithm: 'sha1' | 'sha256' | 'sha512',
  octets: number,
  salted: boolean,
): PasswordScheme {
  const digestOf = (password: string, salt: Uint8Array): Buffer =>
    hash(algorithm, Buffer.concat([Buffer.from(password), salt]), 'buffer');
  return {
    names,
    slow: false,
    octets: salted ? 0 : octets,
    problemOf(data) {
      const length = octetsOf(data)?.length ?? -1;
      if (salted) return length > octets ? null : `the data is not ${octets} octets and a salt in base64`;
      return length === octets ? null : `the data is not ${octets} octets in base64 or hexadecimal`;
    },
    costOf: () => '',
    verify(password, data) {
      const stored = Buffer.from(data, 'base64');
      return timingSafeEqual(digestOf(password, stored.subarray(octets)), stored.subarray(0, octets));
    },
    hash(password) {
      const salt = randomBytes(salted ? SALT_OCTETS : 0);
      return Buffer.concat([digestOf(password, salt), salt]).toString('base64');
    },
  };
}

/** `{SSHA512}`: SHA-512 (FIPS 180-4) of password and salt, then the salt. For generated passwords such as app passwords. */
export const ssha512: PasswordScheme = digest(['SSHA512'], 'sha512', 64, true);

/** `{SHA}` to `{SSHA512}`: what LDAP directories and older users files hold. */
export const digestSchemes: readonly PasswordScheme[] = [
  ssha512,
  digest(['SSHA256'], 'sha256', 32, true),
  digest(['SSHA'], 'sha1', 20, true),
  digest(['SHA512'], 'sha512', 64, false),
  digest(['SHA256'], 'sha256', 32, false),
  digest(['SHA', 'SHA1'], 'sha1', 20, false),
];
