import { hash, timingSafeEqual } from 'node:crypto';
import { Pop3Error } from '@pop3/core';
import { saslprep } from '@pop3/core/sasl';
import type { PasswordScheme } from './password-scheme.js';

/**
 * `{PLAIN}` and `{CLEARTEXT}`: the password as it is. Whoever can read the file has every password, so this is for
 * users of APOP, which cannot work with less, and for tests.
 */
export const plain: PasswordScheme = {
  names: ['PLAIN', 'CLEARTEXT'],
  slow: false,
  problemOf: (data) => (data === '' ? 'the password is empty' : null),
  costOf: () => '',
  verify(password, data) {
    // The stored password as it is, or as SASLprep (RFC 4013) prepares it.
    const isSame = sameText(password, data);
    return sameText(password, saslprep(data) || data) || isSame;
  },
  hash(password) {
    // A users file has one line for each user, and colons between the fields.
    for (const character of password) {
      if (character < ' ' || character === '\x7f' || character === ':') {
        throw new Pop3Error(
          'POP3_USAGE',
          'A {PLAIN} password cannot hold a colon or a control character: choose another scheme.',
        );
      }
    }
    if (password === '') throw new Pop3Error('POP3_USAGE', 'A {PLAIN} password cannot be empty.');
    return password;
  },
  secretOf: (data) => data,
};

/** Compares texts in a time that depends on neither (the digests have one length). */
function sameText(a: string, b: string): boolean {
  return timingSafeEqual(hash('sha256', a, 'buffer'), hash('sha256', b, 'buffer'));
}
