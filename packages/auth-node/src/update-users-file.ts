import { constants } from 'node:fs';
import { type FileHandle, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { Pop3Error } from '@pop3/core';
import {
  APP_PASSWORD_FIELD,
  type AppPassword,
  formatAppPassword,
  problemOfAppPassword,
  problemOfLabel,
} from './app-password.js';
import { LockError, whileLocked } from './file-lock.js';
import { isComment, type PasswdFile, parsePasswdFile, problemOfName } from './passwd-file.js';
import { preparedName } from './prepared-name.js';

/**
 * One change to a users file. `password`, and `stored` of an app password, are a stored form, as `hashPassword` gives it,
 * never the password itself.
 */
export type UsersFileChange =
  | { readonly type: 'add'; readonly name: string; readonly password: string }
  | { readonly type: 'set-password'; readonly name: string; readonly password: string }
  | { readonly type: 'remove'; readonly name: string }
  | { readonly type: 'add-app-password'; readonly name: string; readonly appPassword: AppPassword }
  | { readonly type: 'remove-app-password'; readonly name: string; readonly label: string };

/**
 * `exists`: the user to be added, or the label of the app password, is there already. With everything but `done` the file
 * stays as it was.
 */
export type UsersFileOutcome = 'done' | 'exists' | 'no-such-user' | 'no-such-app-password';

/** `{SCHEME}data` in one field of one line. */
const STORED_FORM = /^\{[A-Za-z0-9._-]+\}[^:\p{Cc}]+$/u;

/**
 * Changes a users file, and makes it when a user is added to one that is not there (mode 0600).
 *
 * Readers see the old file or the new one, whole; a crash leaves one of them. Other lines, comments, the mode and the
 * owner stay as they are. Writers take turns by a lock file beside it (`FILE.lock`).
 *
 * @throws Pop3Error `POP3_USAGE` for a name or stored form that a line cannot hold; an error with the code `ELOCKED` when
 *   another process keeps the lock; the error of the file system.
 */
export async function updateUsersFile(path: string, change: UsersFileChange): Promise<UsersFileOutcome> {
  const problem = problemOfChange(change);
  if (problem !== null) throw new Pop3Error('POP3_USAGE', `Cannot change the users file: ${problem}.`);
  const file = await targetOf(path);
  return whileLocked(`${file}.lock`, async (isMine) => {
    // One character for each octet, so that lines in another encoding come out as they went in.
    const before = await textOf(file);
    const after = changed(before ?? '', change);
    if (typeof after !== 'object') return after;
    await replaceFile(file, after.text, isMine);
    return 'done';
  });
}

/**
 * Reads a users file once, to list it.
 *
 * @throws the error of the file system when it cannot be read.
 */
export async function readUsersFile(path: string): Promise<PasswdFile> {
  return parsePasswdFile(await readFile(path, 'utf8'));
}

function problemOfChange(change: UsersFileChange): string | null {
  const problem = problemOfName(change.name);
  if (problem !== null) return problem;
  switch (change.type) {
    case 'remove':
      return null;
    case 'add-app-password':
      return problemOfAppPassword(change.appPassword);
    case 'remove-app-password':
      return problemOfLabel(change.label);
    default:
      return STORED_FORM.test(change.password)
        ? null
        : 'a password is stored as {SCHEME}data, without colons and control characters';
  }
}

/** The file itself where `path` is a symbolic link, which stays. */
async function targetOf(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if (isMissing(error)) return path;
    throw error;
  }
}

async function textOf(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

function changed(text: string, change: UsersFileChange): { readonly text: string } | UsersFileOutcome {
  const name = preparedName(change.name);
  const lineEnd = /\r?\n/.exec(text)?.[0] ?? '\n';
  // Each line with its own end; a last one without.
  const lines: string[] = text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const isOfUser = (line: string) => !isComment(line) && preparedName(nameOf(line)) === name;
  const first = lines.findIndex(isOfUser);
  switch (change.type) {
    case 'add': {
      if (first !== -1) return 'exists';
      const last = lines.at(-1);
      if (last !== undefined && !last.endsWith('\n')) lines.push(lineEnd);
      // Six colons, as Dovecot's own examples have: a user database of Dovecot can read the line as well.
      lines.push(`${octetCharacters(`${change.name}:${change.password}`)}::::::${lineEnd}`);
      return { text: lines.join('') };
    }
    case 'set-password': {
      const line = lines[first];
      if (line === undefined) return 'no-such-user';
      // The name as it is written, and what follows the second colon, or the line's end where there is none.
      const [, own, rest] = /^([^:\r\n]*)(?::[^:\r\n]*)?(.*)$/s.exec(line) as unknown as [
        string,
        string,
        string,
      ];
      lines[first] = `${own}:${octetCharacters(change.password)}${rest}`;
      return { text: lines.join('') };
    }
    case 'add-app-password': {
      const line = lines[first];
      if (line === undefined) return 'no-such-user';
      const { fields, extra, end } = partsOf(line);
      if (extra.some((field) => isAppPassword(field, change.appPassword.label))) return 'exists';
      const field = `${APP_PASSWORD_FIELD}=${formatAppPassword(change.appPassword)}`;
      lines[first] = `${fields.join(':')}:${[...extra, octetCharacters(field)].join(' ')}${end}`;
      return { text: lines.join('') };
    }
    case 'remove-app-password': {
      const line = lines[first];
      if (line === undefined) return 'no-such-user';
      const { fields, extra, end } = partsOf(line);
      const left = extra.filter((field) => !isAppPassword(field, change.label));
      if (left.length === extra.length) return 'no-such-app-password';
      lines[first] = `${fields.join(':')}:${left.join(' ')}${end}`;
      return { text: lines.join('') };
    }
    case 'remove': {
      if (first === -1) return 'no-such-user';
      // A file without an octet counts as broken: whoever reads it would keep the user.
      return { text: lines.filter((line) => !isOfUser(line)).join('') || `# no users${lineEnd}` };
    }
  }
}

/** UTF-8 with one character for each octet, as the lines of the file are here. */
function octetCharacters(text: string): string {
  return Buffer.from(text).toString('latin1');
}

/** The inverse of {@link octetCharacters}. */
function textOfCharacters(octets: string): string {
  return Buffer.from(octets, 'latin1').toString();
}

function nameOf(line: string): string {
  return textOfCharacters(line.replace(/^\u00EF\u00BB\u00BF/, '').split(/[:\r\n]/, 1)[0] as string);
}

/** The seven fields of a line, the extra fields behind them, and its end. */
function partsOf(line: string) {
  const end = /\r?\n?$/.exec(line)?.[0] ?? '';
  const all = line.slice(0, line.length - end.length).split(':');
  const fields = Array.from({ length: 7 }, (_, i) => all[i] ?? '');
  const extra = all.slice(7).join(':').split(/\s+/);
  return { fields, extra: extra.filter((field) => field !== ''), end };
}

/** Whether an extra field is the app password of this label, be it one that can be read or not. */
function isAppPassword(field: string, label: string): boolean {
  const start = `${APP_PASSWORD_FIELD}=${octetCharacters(label)}`;
  return field === start || field.startsWith(`${start};`);
}

async function replaceFile(file: string, text: string, isMine: () => Promise<boolean>): Promise<void> {
  const temporary = `${file}.new`;
  await rm(temporary, { force: true });
  const handle = await open(temporary, 'wx', 0o600);
  try {
    await keepOwnerAndMode(handle, file);
    await handle.writeFile(text, 'latin1');
    await handle.sync();
    await handle.close();
    if (!(await isMine()))
      throw new LockError(`${file} was not changed: another process took over its lock.`);
    await rename(temporary, file);
  } catch (error) {
    await handle.close();
    await rm(temporary, { force: true });
    throw error;
  }
  await syncDirectory(dirname(file));
}

async function keepOwnerAndMode(handle: FileHandle, file: string): Promise<void> {
  let old: Awaited<ReturnType<typeof stat>>;
  try {
    old = await stat(file);
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const own = await handle.stat();
  // Fails for anybody but root when the file belongs to somebody else: better no change than a file that the server
  // cannot read any more.
  if (own.uid !== old.uid || own.gid !== old.gid) await handle.chown(old.uid, old.gid);
  await handle.chmod(old.mode & 0o7777);
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}
