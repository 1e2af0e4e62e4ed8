import type { Readable, Writable } from 'node:stream';
import {
  hashPassword,
  passwordSchemes,
  problemOfName,
  readUsersFile,
  type UsersFileChange,
  type UsersFileOutcome,
  updateUsersFile,
} from '@pop3/auth-node';
import { isPop3Error } from '@pop3/core';
import { safeName } from '@pop3/store-fs';
import { EXIT, exitCodeOfSystemError, Failure, systemCodeOf } from './failure.js';
import { readPassword } from './read-password.js';

/** Where a command reads and writes. */
export interface Terminal {
  readonly input: Readable & { readonly isTTY?: boolean | undefined };
  readonly output: Writable;
  readonly error: Writable;
}

/** How `pop3d user` changes a user. */
export type UserAction = 'add' | 'passwd' | 'remove';

/** `pop3d user add|passwd|remove NAME`. */
export async function changeUser(
  action: UserAction,
  name: string,
  file: string,
  scheme: string | undefined,
  terminal: Terminal,
): Promise<void> {
  checkName(name, action);
  checkScheme(scheme);
  const schemeNow = await checkUser(action, name, file);
  const change = await changeFor(action, name, scheme ?? schemeNow, terminal);
  const outcome = await explained(file, () => updateUsersFile(file, change));
  if (outcome !== 'done') throw refusal(outcome, name, file);
  terminal.output.write(`${DONE[action]} ${name}\n`);
}

const DONE = { add: 'added', passwd: 'changed the password of', remove: 'removed' } as const;

function checkName(name: string, action: UserAction): void {
  const problem = problemOfName(name);
  if (problem !== null) throw new Failure(EXIT.badInput, `${JSON.stringify(name)}: ${problem}`);
  // Whoever is in the file already can still be removed.
  if (action === 'add' && !safeName(name)) {
    throw new Failure(EXIT.badInput, `${JSON.stringify(name)}: no Maildir can have this name`);
  }
}

/** @throws Failure for a scheme that nobody knows */
export function checkScheme(scheme: string | undefined): void {
  if (scheme === undefined || isKnown(scheme)) return;
  const known = passwordSchemes.map(({ names }) => names[0]).join(', ');
  throw new Failure(EXIT.usage, `--scheme ${scheme} is not known; known are ${known}`);
}

function isKnown(scheme: string): boolean {
  return passwordSchemes.some(({ names }) => names.includes(scheme.toUpperCase()));
}

/**
 * Before anybody types a password for nothing. The change itself looks again.
 *
 * @returns the scheme that the user's password has now; undefined for none that is known
 */
async function checkUser(action: UserAction, name: string, file: string): Promise<string | undefined> {
  const { entries, problems } = await explained(file, () => readUsersFile(file)).catch((error: unknown) => {
    if (action === 'add' && error instanceof MissingFile) return { entries: [], problems: [] };
    throw error;
  });
  const entry = entries.find((candidate) => candidate.name === name);
  // A bad line of a user is replaced by a new password, and removed with the user.
  const exists = entry !== undefined || problems.some((problem) => problem.name === name);
  if (exists && action === 'add') throw refusal('exists', name, file);
  if (!exists && action !== 'add') throw refusal('no-such-user', name, file);
  const [, scheme = ''] = /^\{([^}]*?)(?:\.(?:B64|BASE64|HEX))?\}/i.exec(entry?.password ?? '') ?? [];
  return isKnown(scheme) ? scheme : undefined;
}

async function changeFor(
  action: UserAction,
  name: string,
  scheme: string | undefined,
  terminal: Terminal,
): Promise<UsersFileChange> {
  if (action === 'remove') return { type: 'remove', name };
  const password = await readPassword(terminal.input, terminal.error);
  return {
    type: action === 'add' ? 'add' : 'set-password',
    name,
    password: await hashed(password, scheme),
  };
}

/** @throws Failure for a password that the scheme cannot hold */
export async function hashed(password: string, scheme: string | undefined): Promise<string> {
  try {
    return await hashPassword(password, scheme);
  } catch (error) {
    // Such as a password that the scheme cannot hold.
    if (isPop3Error(error)) throw new Failure(EXIT.badInput, error.message);
    throw error;
  }
}

/** Why a change was not made, and what to do. */
function refusal(outcome: Exclude<UsersFileOutcome, 'done'>, name: string, file: string): Failure {
  return outcome === 'exists'
    ? new Failure(
        EXIT.badInput,
        `${name} is in ${file} already; to change the password: pop3d user passwd ${name} --users ${file}`,
      )
    : noSuchUser(name, file);
}

/** The end of a command about somebody who is not in the file. */
export function noSuchUser(name: string, file: string): Failure {
  return new Failure(
    EXIT.noSuchUser,
    `${name} is not in ${file}; to see who is: pop3d user list --users ${file}`,
  );
}

/** A users file that is not there. */
class MissingFile extends Failure {}

/** Does something with a users file. @throws Failure that says what the system has against it */
export async function explained<T>(file: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') {
      throw new MissingFile(
        EXIT.badInput,
        `${file} is not there; pop3d user add NAME --users ${file} makes it, in a folder that exists`,
      );
    }
    const exitCode = exitCodeOfSystemError(error);
    if (exitCode === null) throw error;
    throw new Failure(exitCode, `${file}: ${(error as Error).message}`);
  }
}
