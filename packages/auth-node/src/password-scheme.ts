import type { MaybePromise } from '@pop3/core';

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
  /** The password itself, where the data holds it: APOP cannot do without. */
  secretOf?(data: string): string;
}

/** A stored password, taken apart. */
export interface StoredPassword {
  readonly scheme: PasswordScheme;
  readonly data: string;
}

/** `{SCHEME}data`; the name of a scheme may have any case (Dovecot's rule). */
const PREFIXED = /^\{([A-Za-z0-9._-]+)\}(.*)$/s;

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
  if (name === null) return `the password has no {SCHEME} in front, and no default scheme is set`;
  const scheme = schemeNamed(name, schemes);
  if (scheme === undefined) {
    // Where bare passwords are read, what stands in braces may be the start of one.
    const what = defaultScheme === null ? `{${name}}` : 'in braces';
    return `the scheme ${what} is not known (known: ${schemes.map((known) => known.names[0]).join(', ')})`;
  }
  const data = prefixed === null ? stored : (prefixed[2] as string);
  const problem = scheme.problemOf(data);
  return problem ?? { scheme, data };
}

export function schemeNamed(name: string, schemes: readonly PasswordScheme[]): PasswordScheme | undefined {
  const upperCase = name.toUpperCase();
  return schemes.find((scheme) => scheme.names.includes(upperCase));
}
