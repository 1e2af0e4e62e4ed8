import {
  type AppPassword,
  generateAppPassword,
  problemOfLabel,
  problemOfNetwork,
  readUsersFile,
  recordOf,
  type UsersFileOutcome,
  updateUsersFile,
} from '@pop3/auth-node';
import { EXIT, Failure } from './failure.js';
import { checkScheme, explained, hashed, noSuchUser, type Terminal } from './user.js';

/** What narrows an app password, as it was written. */
export interface AppPasswordOptions {
  readonly expires: string | undefined;
  readonly allowNets: string | undefined;
  readonly scheme: string | undefined;
}

/** Nobody can guess a generated password, so its hash need not be slow. */
const DEFAULT_SCHEME = 'SSHA512';
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d)?Z)?$/;

/**
 * `pop3d user app-password add NAME LABEL`: makes a password for one device or program, and shows it this once: alone on the
 * standard output.
 */
export async function addAppPassword(
  name: string,
  label: string,
  file: string,
  options: AppPasswordOptions,
  terminal: Terminal,
  now = Date.now(),
): Promise<void> {
  checkScheme(options.scheme);
  const problem = problemOfLabel(label);
  if (problem !== null) throw new Failure(EXIT.badInput, `${JSON.stringify(label)}: ${problem}`);
  const expiresAt = expiryOf(options.expires, now);
  const networks = networksOf(options.allowNets);
  const password = generateAppPassword();
  const appPassword: AppPassword = {
    label,
    stored: await hashed(password, options.scheme ?? DEFAULT_SCHEME),
    ...(expiresAt !== undefined && { expiresAt }),
    ...(networks !== undefined && { networks }),
  };
  const outcome = await explained(file, () =>
    updateUsersFile(file, { type: 'add-app-password', name, appPassword }),
  );
  if (outcome !== 'done') throw refusal(outcome, name, label, file);
  terminal.error.write(`added the app password ${label} of ${name}; it is shown this once:\n`);
  terminal.output.write(`${password}\n`);
}

/** `pop3d user app-password remove NAME LABEL`. */
export async function removeAppPassword(
  name: string,
  label: string,
  file: string,
  terminal: Terminal,
): Promise<void> {
  const problem = problemOfLabel(label);
  if (problem !== null) throw new Failure(EXIT.badInput, `${JSON.stringify(label)}: ${problem}`);
  const outcome = await explained(file, () =>
    updateUsersFile(file, { type: 'remove-app-password', name, label }),
  );
  if (outcome !== 'done') throw refusal(outcome, name, label, file);
  terminal.output.write(`removed the app password ${label} of ${name}\n`);
}

/** `pop3d user app-password list NAME`: label, expiry and networks of each, between tabs. */
export async function listAppPasswords(
  name: string,
  file: string,
  terminal: Terminal,
  now = Date.now(),
): Promise<void> {
  const { entries } = await explained(file, () => readUsersFile(file));
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry === undefined) throw noSuchUser(name, file);
  const { appPasswords, problems } = recordOf(entry);
  for (const problem of problems) terminal.error.write(`${file}:${entry.line}: ${problem}\n`);
  for (const { label, expiresAt, networks } of appPasswords) {
    const until =
      expiresAt === undefined ? '' : `${expiresAt <= now ? 'expired' : 'until'} ${timeOf(expiresAt)}`;
    const from = networks === undefined ? '' : `from ${networks.join(', ')}`;
    terminal.output.write(`${[label, until, from].join('\t').trimEnd()}\n`);
  }
}

function expiryOf(text: string | undefined, now: number): number | undefined {
  if (text === undefined) return undefined;
  const time = DATE.test(text) ? Date.parse(text) : Number.NaN;
  // A day that no month has would be one of the next.
  if (Number.isNaN(time) || !new Date(time).toISOString().startsWith(text.slice(0, 10))) {
    throw new Failure(
      EXIT.usage,
      `--expires ${text}: must be a date such as 2027-01-31, which is its first moment in UTC, or 2027-01-31T18:00Z`,
    );
  }
  if (time <= now) throw new Failure(EXIT.usage, `--expires ${text} is past`);
  return time;
}

function networksOf(text: string | undefined): string[] | undefined {
  const networks = text?.split(',').map((network) => network.trim());
  for (const network of networks ?? []) {
    const problem = problemOfNetwork(network);
    if (problem !== null) {
      throw new Failure(EXIT.usage, `--allow-nets: ${problem}; such as 192.0.2.0/24,2001:db8::/32`);
    }
  }
  return networks;
}

/** A day where that says all. */
function timeOf(time: number): string {
  return new Date(time).toISOString().replace(/T00:00:00\.000Z$|:00\.000(?=Z$)/, '');
}

function refusal(
  outcome: Exclude<UsersFileOutcome, 'done'>,
  name: string,
  label: string,
  file: string,
): Failure {
  const list = `pop3d user app-password list ${name} --users ${file}`;
  switch (outcome) {
    case 'exists':
      return new Failure(
        EXIT.badInput,
        `${name} has an app password ${label} already; remove it first, or take another label; to see all: ${list}`,
      );
    case 'no-such-app-password':
      return new Failure(EXIT.noSuchUser, `${name} has no app password ${label}; to see all: ${list}`);
    case 'no-such-user':
      return noSuchUser(name, file);
  }
}
