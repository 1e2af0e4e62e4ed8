import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { buffer } from 'node:stream/consumers';
import { askHidden } from './ask.js';
import type { Call } from './call.js';
import { EXIT, Failure } from './failure.js';
import { openTerminal } from './terminal.js';

/** Where a password or a token comes from. Never from the arguments, which every user of the machine can read. */
export type SecretSource = () => Promise<string>;

const SAFE_WAYS = 'set POP3_PASSWORD, or give --password-env NAME or --password-command COMMAND';
/** What people try. cac would take the next argument for its value, and parts of it into an error. */
const FORBIDDEN = /^--?(?:pass(?:word|wd)?|token|access-token|secret)(?:=|$)|^-p/i;

/** @throws Failure when a secret seems to be among the arguments; its text holds none */
export function refuseSecretArguments(args: readonly string[]): void {
  const flag = args.find((arg) => FORBIDDEN.test(arg));
  if (flag === undefined) return;
  const name = flag.startsWith('-p') ? '-p' : flag.replace(/=.*/s, '');
  const text = `${name} is not taken: every user of this machine can see arguments, and the shell remembers them`;
  throw new Failure(EXIT.usage, `${text}; leave it out to be asked, ${SAFE_WAYS}`);
}

/** Where the password comes from: what a flag names, otherwise POP3_PASSWORD, otherwise the terminal. */
export function passwordSource(call: Call, question: string): SecretSource {
  const { POP3_PASSWORD } = process.env;
  const named = namedSource(call, 'password');
  if (named !== null) return named;
  if (POP3_PASSWORD) return async () => POP3_PASSWORD;
  return () => askForPassword(question, call);
}

/** Where a token comes from; null where no flag says so. */
export function tokenSource(call: Call): SecretSource | null {
  return namedSource(call, 'token');
}

function namedSource(call: Call, kind: 'password' | 'token'): SecretSource | null {
  const { line } = call;
  const variable = line.value(`${kind}-env`);
  const command = line.value(`${kind}-command`);
  if (variable !== null && command !== null) {
    throw new Failure(EXIT.usage, `--${kind}-env and --${kind}-command: give one of them`);
  }
  if (variable !== null) return async () => fromEnvironment(variable, kind);
  if (command !== null) return () => fromCommand(command, kind, call);
  return null;
}

function fromEnvironment(variable: string, kind: string): string {
  const secret = process.env[variable];
  if (secret) return secret;
  throw new Failure(
    EXIT.noInput,
    `--${kind}-env ${variable}: the environment has no such variable, or it is empty`,
  );
}

/** The first line of what a command of the shell prints. */
async function fromCommand(command: string, kind: string, { terminal, signal }: Call): Promise<string> {
  // It may ask its user something, but must not eat what is piped to us.
  const stdin = terminal.input.isTTY === true ? 'inherit' : 'ignore';
  const child = spawn(command, { shell: true, stdio: [stdin, 'pipe', 'inherit'], signal });
  const closed = once(child, 'close') as Promise<[code: number | null, killedBy: string | null]>;
  const [printed, [code, killedBy]] = await Promise.all([buffer(child.stdout), closed]);
  const [secret = ''] = printed.toString('utf8').split(/\r?\n/, 1);
  if (code === 0 && secret !== '') return secret;
  const what = code === 0 ? 'has printed nothing' : `has ended with ${code ?? killedBy}`;
  throw new Failure(EXIT.noInput, `the command of --${kind}-command ${what}`);
}

async function askForPassword(question: string, { terminal, signal }: Call): Promise<string> {
  const opened = openTerminal(terminal);
  if (opened === null) {
    throw new Failure(EXIT.usage, `there is no terminal to ask for the password on; ${SAFE_WAYS}`);
  }
  try {
    const password = await askHidden(question, opened, signal);
    if (password === '') throw new Failure(EXIT.usage, 'the password is empty');
    return password;
  } finally {
    opened.close();
  }
}
