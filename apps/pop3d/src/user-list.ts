import { type PasswdEntry, readUsersFile, recordOf, usersFile } from '@pop3/auth-node';
import { explained, type Terminal } from './user.js';

/** How users are listed. */
export interface ListOptions {
  /** The scheme of passwords without one in front. */
  readonly defaultScheme: string | undefined;
  /** Whether to tell more than names. */
  readonly long: boolean;
}

/** `pop3d user list`: the names, one on a line; with `--long` how each can log in, between tabs. */
export async function listUsers(file: string, options: ListOptions, terminal: Terminal): Promise<void> {
  const { entries, problems } = await explained(file, () => readUsersFile(file));
  for (const { line, message } of problems) terminal.error.write(`${file}:${line}: ${message}\n`);
  if (!options.long) {
    for (const { name } of entries) terminal.output.write(`${name}\n`);
    return;
  }
  const wrong = await explained(file, () => problemsByLine(file, options.defaultScheme));
  for (const entry of entries) terminal.output.write(`${longLine(entry, wrong.get(entry.line) ?? [])}\n`);
}

/** What those who check logins have against each line. */
function problemsByLine(file: string, defaultScheme: string | undefined): Map<number, string[]> {
  const problems = new Map<number, string[]>();
  usersFile(file, {
    defaultScheme: defaultScheme ?? null,
    onProblem({ line, message }) {
      if (line !== null) problems.set(line, [...(problems.get(line) ?? []), message]);
    },
  });
  return problems;
}

function longLine(entry: PasswdEntry, problems: readonly string[]): string {
  const { record, appPasswords } = recordOf(entry);
  const [, scheme = '-'] = /^\{([^}]*)\}/.exec(entry.password) ?? [];
  const remarks = [...problems];
  if (record.disabled === true) remarks.push('cannot log in: nologin');
  // Where there are problems and no password is left, they say so themselves.
  else if (record.passwords.length === 0 && problems.length === 0) remarks.push('cannot log in: no password');
  if (appPasswords.length > 0) {
    remarks.push(appPasswords.length === 1 ? '1 app password' : `${appPasswords.length} app passwords`);
  }
  if (record.networks !== undefined) {
    remarks.push(record.networks.length === 0 ? 'from nowhere' : `from ${record.networks.join(', ')}`);
  }
  return [entry.name, scheme, remarks.join('; ')].join('\t').trimEnd();
}
