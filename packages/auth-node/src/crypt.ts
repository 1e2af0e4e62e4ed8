import { Pop3Error } from '@pop3/core';
import type { PasswordScheme } from './password-scheme.js';

/**
 * `{CRYPT}`: a hash of crypt(3) that says itself which it is, such as `$2y$`, `$5$` and `$6$`. New passwords are written by
 * the first of `schemes`.
 *
 * @param schemes - those that a hash may be of
 * @throws Pop3Error `POP3_USAGE` for an empty list.
 */
export function crypt(schemes: readonly PasswordScheme[]): PasswordScheme {
  const [writer] = schemes;
  if (writer === undefined) throw new Pop3Error('POP3_USAGE', 'The scheme {CRYPT} needs others behind it.');
  const schemeOf = (data: string) => schemes.find((scheme) => scheme.problemOf(data) === null);
  const known = (data: string) => schemeOf(data) as PasswordScheme;
  return {
    names: ['CRYPT'],
    slow: true,
    problemOf(data) {
      const names = schemes.map((scheme) => scheme.names[0]).join(', ');
      return schemeOf(data) === undefined ? `the data is a hash of none of ${names}` : null;
    },
    costOf: (data) => `${known(data).names[0]} ${known(data).costOf(data)}`,
    verify: (password, data) => known(data).verify(password, data),
    hash: (password) => writer.hash(password),
  };
}
