import type { Authenticator } from '@pop3/core';
import { HashQueue } from './hash-queue.js';
import { plain } from './plain.js';
import { type TableUser, UserTable } from './user-table.js';

/**
 * An authenticator with fixed names and passwords, for tests and demonstrations. The maildrop of a user has the user's
 * name.
 *
 * @param passwords - names and passwords in the clear; an empty password is one that never fits
 */
export function staticUsers(passwords: Readonly<Record<string, string>>): Authenticator {
  const users = new Map<string, TableUser>();
  for (const [name, password] of Object.entries(passwords)) {
    users.set(name, {
      identity: { maildrop: name, username: name },
      password: password === '' ? null : { scheme: plain, data: password },
    });
  }
  return new UserTable(users, new HashQueue());
}
