import type { Authenticator } from '../src/adapter.js';
import { scramKeysOf, verifyCramMd5 } from '../src/sasl/index.js';
import { HASHES, hmacMd5 } from './node-hashes.js';
import { octets } from './stored-message.js';

/** Knows names and passwords, and tries them in every form. */
export function passwordUsers(passwords: Readonly<Record<string, string>>): Authenticator {
  return {
    accepts: ['password', 'cram-md5', 'scram-sha-1', 'scram-sha-256', 'scram-sha-512'],
    authenticate(credentials) {
      const username = 'username' in credentials ? credentials.username : '';
      const password = passwords[username] ?? '';
      const right =
        credentials.type === 'password'
          ? credentials.password === password
          : credentials.type === 'cram-md5'
            ? verifyCramMd5(hmacMd5, credentials, password)
            : 'proven' in credentials && credentials.proven;
      return right
        ? { type: 'accepted', identity: { maildrop: username, username } }
        : { type: 'refused', reason: 'bad-credentials' };
    },
    scramKeys: (username, form) =>
      scramKeysOf(HASHES[form], passwords[username] ?? '', octets('salt of all'), 4096),
  };
}
