import { type BigIntStats, closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs';
import type {
  AuthContext,
  Authenticator,
  AuthOutcome,
  Credentials,
  Identity,
  MaybePromise,
  Refusal,
  ScramForm,
  ScramKeys,
} from '@pop3/core';
import type { HashQueueLimits } from './hash-queue.js';
import { type PasswdEntry, parsePasswdFile } from './passwd-file.js';
import { recordOf } from './passwd-record.js';
import { passwordSchemes } from './password.js';
import type { PasswordScheme } from './password-scheme.js';
import { preparedName } from './prepared-name.js';
import { type User, userOf } from './user.js';
import { UserChecks } from './user-checks.js';
import { UserTable } from './user-table.js';

/** Something in a users file that its owner has to mend. Holds no password. */
export interface UsersFileProblem {
  readonly file: string;
  /** 1-based; null for what concerns the whole file. */
  readonly line: number | null;
  readonly message: string;
}

export interface UsersFileOptions {
  /** The scheme of passwords without `{SCHEME}` in front. By default null: such lines are reported and left out. */
  readonly defaultScheme?: string | null;
  /** By default {@link passwordSchemes}. */
  readonly schemes?: readonly PasswordScheme[];
  /** Whose maildrop a user opens. By default the one that has the user's name. */
  readonly identity?: (entry: PasswdEntry) => Identity;
  /** Told about each line that is left out and a file that leaves the users as they were, each time it is read. */
  readonly onProblem?: (problem: UsersFileProblem) => void;
  readonly hashing?: HashQueueLimits;
  /**
   * From it follow the salts and keys that SCRAM shows for users who do not exist: 16 octets or more. Give the same to
   * every process, and keep it over restarts, or the change tells who does not exist. By default random.
   */
  readonly secret?: Uint8Array;
  /**
   * How long a file that is written in place must rest before it is read again, in milliseconds: 1000 by default.
   * A file that is replaced by renaming, as `updateUsersFile` and most editors do, is read at once.
   */
  readonly restMs?: number;
}

/** An authenticator over a users file. */
export interface UsersFile extends Authenticator {
  scramKeys(username: string, form: ScramForm, context: AuthContext): MaybePromise<ScramKeys | Refusal>;
  /** Whether the file has a line for this name; the user may be one who cannot log in. */
  has(name: string): boolean;
  /** The names in the file, in its order. */
  names(): Iterable<string>;
}

const DEFAULT_REST_MS = 1000;

/**
 * Users from a file in Dovecot's passwd-file format, read again when it has changed. The file is looked at on each use
 * (one `stat`), so a change counts from the next login on.
 *
 * No broken file locks everybody out: a bad line is reported and left out; a file that cannot be read, is empty (no
 * octet) or has nothing but bad lines is reported and leaves the users as they were. A file of comments alone is not
 * broken: it says that nobody can log in.
 *
 * @throws the error of the file system when the file cannot be read at the start.
 */
export function usersFile(path: string, options: UsersFileOptions = {}): UsersFile {
  return new ReloadingUsers(path, options);
}

class ReloadingUsers implements UsersFile {
  readonly #path: string;
  readonly #options: UsersFileOptions;
  readonly #checks: UserChecks;
  #table: UserTable;
  #seen: BigIntStats;
  #unreadable: string | null = null;

  constructor(path: string, options: UsersFileOptions) {
    this.#path = path;
    this.#options = options;
    const { text, stats } = readWhole(path);
    this.#seen = stats;
    this.#table = this.#tableOf(text).table;
    const table = () => this.#table;
    this.#checks = new UserChecks(
      {
        find: (name) => table().find(name),
        get standIns() {
          return table().standIns;
        },
      },
      options,
    );
  }

  get accepts(): readonly Credentials['type'][] {
    this.#readAgainIfChanged();
    return this.#table.accepts;
  }

  authenticate(credentials: Credentials, context: AuthContext): MaybePromise<AuthOutcome> {
    this.#readAgainIfChanged();
    return this.#checks.authenticate(credentials, context);
  }

  scramKeys(username: string, form: ScramForm, context: AuthContext): MaybePromise<ScramKeys | Refusal> {
    this.#readAgainIfChanged();
    return this.#checks.scramKeys(username, form, context);
  }

  has(name: string): boolean {
    this.#readAgainIfChanged();
    return this.#table.has(name);
  }

  names(): Iterable<string> {
    this.#readAgainIfChanged();
    return this.#table.names();
  }

  #readAgainIfChanged(): void {
    try {
      const found = statSync(this.#path, { bigint: true });
      if (isSame(found, this.#seen) || this.#isBeingWritten(found)) return;
      this.#seen = found;
      const { text, stats } = readWhole(this.#path);
      this.#seen = stats;
      this.#unreadable = null;
      this.#replaceTable(text);
    } catch (error) {
      const message = `the file cannot be read (${codeOf(error)}); the users stay as they were`;
      if (this.#unreadable !== message) this.#report(null, message);
      this.#unreadable = message;
    }
  }

  // A program that writes in place has cut the file before it fills it again. The same inode, or an empty file, changed
  // just now, may be such a half; a file put in place by rename is whole.
  #isBeingWritten(found: BigIntStats): boolean {
    const sameInode = found.ino === this.#seen.ino && found.dev === this.#seen.dev;
    if (!sameInode && found.size > 0n) return false;
    const restedMs = Date.now() - Number(found.mtimeMs);
    return restedMs >= 0 && restedMs < (this.#options.restMs ?? DEFAULT_REST_MS);
  }

  #replaceTable(text: string): void {
    const { table, problems } = this.#tableOf(text);
    // A disk that was full, or a program that has died, leaves a file without an octet.
    const isBroken = problems > 0 || text === '';
    if (!isBroken || table.size > 0 || this.#table.size === 0) {
      this.#table = table;
      return;
    }
    const what = text === '' ? 'the file is empty' : 'no line of the file can be used';
    this.#report(null, `${what}; the users stay as they were`);
  }

  #tableOf(text: string): { readonly table: UserTable; readonly problems: number } {
    const { entries, problems } = parsePasswdFile(text);
    for (const { line, message } of problems) this.#report(line, message);
    let count = problems.length;
    const users = new Map<string, User>();
    for (const entry of entries) {
      const { user, messages } = this.#userOf(entry);
      const end = user.passwords.length > 0 ? '' : `; ${entry.name} cannot log in`;
      for (const message of messages) this.#report(entry.line, message + end);
      count += messages.length;
      users.set(preparedName(entry.name), user);
    }
    return { table: new UserTable(users), problems: count };
  }

  #userOf(entry: PasswdEntry): { readonly user: User; readonly messages: readonly string[] } {
    const { identity, schemes = passwordSchemes, defaultScheme = null } = this.#options;
    const { record, problems } = recordOf(entry);
    const messages = [...problems];
    const whose = identity?.(entry) ?? { maildrop: entry.name, username: entry.name };
    const user = userOf(record, whose, schemes, defaultScheme, (message) => messages.push(message));
    return { user, messages };
  }

  #report(line: number | null, message: string): void {
    this.#options.onProblem?.({ file: this.#path, line, message });
  }
}

function isSame(a: BigIntStats, b: BigIntStats): boolean {
  return (
    a.mtimeNs === b.mtimeNs &&
    a.ctimeNs === b.ctimeNs &&
    a.size === b.size &&
    a.ino === b.ino &&
    a.dev === b.dev
  );
}

/** The text, and what `stat` said before it was read: whatever is written meanwhile counts as a change. */
function readWhole(path: string): { readonly text: string; readonly stats: BigIntStats } {
  const file = openSync(path, 'r');
  try {
    const stats = fstatSync(file, { bigint: true });
    return { text: readFileSync(file, 'utf8'), stats };
  } finally {
    closeSync(file);
  }
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : 'unknown error';
}
