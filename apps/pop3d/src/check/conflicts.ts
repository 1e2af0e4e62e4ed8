import { readFileSync } from 'node:fs';
import { type Conflict, conflictsOfServing } from '../config/conflicts.js';
import type { Config } from '../config/schema.js';
import { hasOtherLogins } from '../logins.js';
import { missingFolderOf } from '../maildir-template.js';

/** What keeps a server from starting, and what lets it start and be of no use. */
export function* conflictsOfChecking(config: Config): Generator<Conflict> {
  yield* conflictsOfServing(config);
  const { users, store } = config;
  const usersPath = ['users', 'file'];
  if (users.file === undefined) {
    if (!hasOtherLogins(config)) {
      yield { path: usersPath, message: 'is not set: nobody can log in; give --users FILE, or set it' };
    }
  } else {
    const problem = problemOfReading(users.file);
    if (problem !== null) yield { path: usersPath, message: problem };
  }
  const mailPath = ['store', 'maildir'];
  if (store.maildir === undefined) {
    yield { path: mailPath, message: 'is not set: give --maildir /srv/mail/{user}, or set it' };
    return;
  }
  const missing = missingFolderOf(store.maildir);
  if (missing !== null) {
    yield {
      path: mailPath,
      message: `${missing}; make it for the user that the server runs as, or mount its disk`,
    };
  }
}

/** A missing file is a conflict of serving already. */
function problemOfReading(file: string): string | null {
  try {
    readFileSync(file);
    return null;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? null : `cannot be read: ${message}; give a file that the server may read`;
  }
}
