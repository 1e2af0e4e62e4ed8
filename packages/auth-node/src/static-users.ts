import type { Authenticator } from '@pop3/core';
import { passwordSchemes } from './password.js';
import { preparedName } from './prepared-name.js';
import { type User, userOf } from './user.js';
import { UserChecks } from './user-checks.js';
import { UserTable } from './user-table.js';

/**
 * An authenticator with fixed names and passwords, for tests and demonstrations. The maildrop of a user has the user's
 * name.
 *
 * @param passwords - names and passwords in the clear; an empty password is one that never fits
 */
export function staticUsers(passwords: Readonly<Record<string, string>>): Authenticator {
  const users = new Map<string, User>();
  for (const [name, password] of Object.entries(passwords)) {
    const stored = password === '' ? [] : [{ stored: `{PLAIN}${password}` }];
    const identity = { maildrop: name, username: name };
    users.set(
      preparedName(name),
      userOf({ name, passwords: stored }, identity, passwordSchemes, null, () => {}),
    );
  }
  const table = new UserTable(users);
  const checks = new UserChecks(table, {});
  return {
    accepts: table.accepts,
    authenticate: (credentials, context) => checks.authenticate(credentials, context),
    scramKeys: (username, form, context) => checks.scramKeys(username, form, context),
  };
}
