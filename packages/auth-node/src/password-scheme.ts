import type { Credentials, MaybePromise, ScramForm, ScramKeys } from '@pop3/core';

/**
 * One way to store a password. The users file names it in braces: `{NAME}data`.
 *
 * A new scheme is one object in the table that is given to `usersFile`, `hashPassword` and `verifyPassword`.
 */
export interface PasswordScheme {
  /** Upper case, without braces. The first is written, all are read. */
  readonly names: readonly [string, ...string[]];
  /** True where a check takes so long that it runs in another thread, a few at a time. */
  readonly slow: boolean;
  /** What is wrong with stored data, as a clause without the data itself, or null when it can be checked. */
  problemOf(data: string): string | null;
  /** Equal for data whose checks take equal time, such as `ln=15,r=8,p=1`. Called with data that has no problem. */
  costOf(data: string): string;
  /** Compares in constant time. Called with data that has no problem. A promise only where `slow` is true. */
  verify(password: string, data: string): MaybePromise<boolean>;
  /**
   * The data to store for a password.
   *
   * @throws Pop3Error `POP3_USAGE` for a password that the scheme cannot hold.
   */
  hash(password: string): MaybePromise<string>;
  /**
   * How many octets the data is, 0 for any number; left out where it is text. Octets reach the other methods in base64,
   * whichever way they are written in the file.
   */
  readonly octets?: number;
  /** The password itself, where the data holds it: it serves every form of credentials, and APOP has no other. */
  secretOf?(data: string): string;
  /** Where the data is keys for SCRAM: for which form, and the keys. */
  readonly scram?: { readonly form: ScramForm; keysOf(data: string): ScramKeys };
  /** HMAC-MD5 of the octets with the password as key, where the data is what CRAM-MD5 needs for that and no more. */
  hmacMd5?(data: string, octets: Uint8Array): Uint8Array;
}

/** A stored password, taken apart. */
export interface StoredPassword {
  readonly scheme: PasswordScheme;
  readonly data: string;
}

/** `{SCHEME}data`, or `{SCHEME.ENCODING}data`; the names may have any case (Dovecot's rule). */
const PREFIXED = /^\{([A-Za-z0-9._-]+?)(?:\.(B64|BASE64|HEX))?\}(.*)$/is;

/**
 * Takes `{SCHEME}data` apart.
 *
 * @param defaultScheme - the scheme of data without a prefix; null refuses such data
 * @returns the parts, or a clause that says what is wrong, without any part of the password.
 */
export function parseStoredPassword(
  stored: string,
  schemes: readonly PasswordScheme[],
  defaultScheme: string | null,
): StoredPassword | string {
  const prefixed = PREFIXED.exec(stored);
  const name = prefixed === null ? defaultScheme : (prefixed[1] as string);
  if (name === null) return 'the password has no {SCHEME} in front, and no default scheme is set';
  const scheme = schemeNamed(name, schemes);
  if (scheme === undefined) {
    // Where bare passwords are read, what stands in braces may be the start of one.
    const what = defaultScheme === null ? `{${name}}` : 'in braces';
    return `the scheme ${what} is not known (known: ${schemes.map((known) => known.names[0]).join(', ')})`;
  }
  const data = decoded(scheme, prefixed?.[2], prefixed === null ? stored : (prefixed[3] as string));
  if (data === null) return 'the data is not in the encoding that its scheme names';
  const problem = scheme.problemOf(data);
  return problem ?? { scheme, data };
}

const HEX = /^(?:[0-9a-f]{2})*$/i;

/** The data in the form that the scheme's methods take, or null. Octets are in hexadecimal where the length says so. */
function decoded(scheme: PasswordScheme, encoding: string | undefined, written: string): string | null {
  const isText = scheme.octets === undefined;
  const fitsHex = !isText && written.length === scheme.octets * 2 && HEX.test(written);
  const kind = encoding?.toUpperCase() ?? (isText ? 'TEXT' : fitsHex ? 'HEX' : 'B64');
  if (kind === 'TEXT') return written;
  const octets =
    kind === 'HEX' ? (HEX.test(written) ? Buffer.from(written, 'hex') : null) : octetsOf(written);
  if (octets === null) return null;
  return isText ? octets.toString() : octets.toString('base64');
}

/** Octets from padded base64, or null. */
export function octetsOf(base64: string): Buffer | null {
  const octets = Buffer.from(base64, 'base64');
  return octets.toString('base64') === base64 ? octets : null;
}

/** The forms of credentials that a password of this scheme can be checked by. */
export function credentialFormsOf({
  secretOf,
  scram,
  hmacMd5,
}: PasswordScheme): readonly Credentials['type'][] {
  if (secretOf !== undefined) return CREDENTIAL_FORMS;
  const forms: Credentials['type'][] = ['password'];
  if (hmacMd5 !== undefined) forms.push('cram-md5');
  if (scram !== undefined) forms.push(scram.form);
  return forms;
}

/** All that can be checked by a password. */
export const CREDENTIAL_FORMS: readonly Credentials['type'][] = [
  'password',
  'apop',
  'cram-md5',
  'scram-sha-1',
  'scram-sha-256',
  'scram-sha-512',
];

export function schemeNamed(name: string, schemes: readonly PasswordScheme[]): PasswordScheme | undefined {
  const upperCase = name.toUpperCase();
  return schemes.find((scheme) => scheme.names.includes(upperCase));
}
