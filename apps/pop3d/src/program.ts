import { readFileSync } from 'node:fs';
import { passwordSchemes } from '@pop3/auth-node';
import { type CAC, type Command, cac } from 'cac';
import { conflictsOfDelivering, conflictsOfServing } from './config/conflicts.js';
import {
  ConfigError,
  type ConfigSources,
  type LocatedConfig,
  loadConfig,
  loadLocatedConfig,
} from './config/load.js';
import { required } from './config/required.js';
import { type Config, settings } from './config/schema.js';
import { suggestionFor } from './config/suggestion.js';
import { EXIT, exitCodeOfSystemError, Failure } from './failure.js';
import { optionTexts } from './option-texts.js';
import type { Terminal, UserAction } from './user.js';

/** Options as cac gives them. It makes numbers of digits, so values are taken from {@link optionTexts}. */
interface Options {
  readonly [flag: string]: unknown;
  readonly demo?: boolean;
  readonly long?: boolean;
}

/**
 * Runs one command of `pop3d`. What goes wrong is written to the error output, a line for each thing.
 *
 * @param args - without the names of the runtime and of the program
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const { program, rest } = programFor(args);
  try {
    return await runProgram(program, rest);
  } catch (error) {
    return report(error, program);
  }
}

function programFor(args: readonly string[]): { readonly program: CAC; readonly rest: readonly string[] } {
  const [first, second] = args;
  if (first !== 'user') return { program: mainProgram(args), rest: args };
  if (second !== 'app-password') return { program: userProgram(args.slice(1)), rest: args.slice(1) };
  return { program: appPasswordProgram(args.slice(2)), rest: args.slice(2) };
}

function mainProgram(args: readonly string[]): CAC {
  const program = cac('pop3d');
  program.option('--version', 'Show the version').help();

  withSettings(program.command('serve', 'Serve maildrops until told to stop'), SERVE_FLAGS)
    .option('--demo', 'Serve a made-up maildrop from free ports of this machine, to try it out')
    .example('  $ pop3d serve --listen 127.0.0.1:2110 --users users --maildir /srv/mail/{user}')
    .example('  $ pop3d serve --config pop3d.toml')
    .example('  $ pop3d serve --demo')
    .action((options: Options) => runServe(options, args));

  withSettings(
    program.command('check', 'Say what is wrong with a configuration, and what each listener offers'),
    SERVE_FLAGS,
  )
    .example('  $ pop3d check --config pop3d.toml')
    .action(async () => {
      const { check } = await import('./check/check.js');
      const { conflictsOfChecking } = await import('./check/conflicts.js');
      const located = locatedConfigFor(args, SERVE_FLAGS, conflictsOfChecking);
      return check(located, { output: process.stdout, error: process.stderr });
    });

  withSettings(program.command('deliver <user>', 'Deliver the message on the standard input'), DELIVER_FLAGS)
    .example('  $ pop3d deliver ann --maildir /srv/mail/{user} < message.eml')
    .action(async (user: string) => {
      const { deliver } = await import('./deliver.js');
      return deliver(user, () => configFor(args, DELIVER_FLAGS, conflictsOfDelivering), process.stdin);
    });

  // Runs as a program of its own; this is its line in the help.
  program.command('user <add|passwd|remove|list> [name]', 'Manage the users file');
  program.example('  $ pop3d serve --demo');
  return program;
}

function userProgram(args: readonly string[]): CAC {
  const program = cac('pop3d user');
  program.option('--version', 'Show the version').help();
  const descriptions = {
    add: 'Add a user; the password is asked for, or read from a pipe',
    passwd: 'Change the password of a user; it is stored in the scheme that it had',
  } as const;
  for (const action of ['add', 'passwd'] as const) {
    withSettings(program.command(`${action} <name>`, descriptions[action]), USER_FLAGS)
      .option('--scheme <SCHEME>', `How to store the password. ${schemesInHelp('SCRYPT')}`)
      .example(`  $ pop3d user ${action} ann --users users`)
      .example(`  $ pop3d user ${action} ann --users users --scheme SCRAM-SHA-256`)
      .example(`  $ pass show mail/ann | pop3d user ${action} ann --users users`)
      .action((name: string) => runUser(action, name, args));
  }
  withSettings(program.command('remove <name>', 'Remove a user; the mail stays'), USER_FLAGS)
    .example('  $ pop3d user remove ann --users users')
    .action((name: string) => runUser('remove', name, args));
  withSettings(program.command('list', 'List the names, one on a line'), LIST_FLAGS)
    .option('--long', 'Also how each password is stored, and who cannot log in, between tabs')
    .example('  $ pop3d user list --users users')
    .example('  $ pop3d user list --long --users users')
    .action((options: Options) => runUserList(options, args));
  // Runs as a program of its own; this is its line in the help.
  program.command(
    'app-password <add|list|remove> <name> [label]',
    'Manage passwords of devices and programs',
  );
  program.example('  $ pop3d user add ann --users users');
  return program;
}

function appPasswordProgram(args: readonly string[]): CAC {
  const program = cac('pop3d user app-password');
  program.option('--version', 'Show the version').help();
  const add = program.command(
    'add <name> <label>',
    'Make a password for a device or a program, and show it once',
  );
  withSettings(add, USER_FLAGS)
    .option('--expires <DATE>', 'The first day on which it is good no more, such as 2027-01-31 (UTC)')
    .option('--allow-nets <NETWORKS>', 'Where it may be used from, with commas between')
    .option('--scheme <SCHEME>', `How to store it. ${schemesInHelp('SSHA512')}`)
    .example('  $ pop3d user app-password add ann phone --users users')
    .example('  $ pop3d user app-password add ann scanner --allow-nets 192.0.2.0/24 --users users')
    .action(async (name: string, label: string) => {
      const { addAppPassword } = await import('./user-app-password.js');
      const options = {
        expires: last(args, 'expires'),
        allowNets: last(args, 'allow-nets'),
        scheme: last(args, 'scheme'),
      };
      return addAppPassword(name, label, usersFileOf(args), options, terminal());
    });
  withSettings(
    program.command('list <name>', 'List labels, with expiry and networks between tabs'),
    USER_FLAGS,
  )
    .example('  $ pop3d user app-password list ann --users users')
    .action(async (name: string) => {
      const { listAppPasswords } = await import('./user-app-password.js');
      return listAppPasswords(name, usersFileOf(args), terminal());
    });
  withSettings(program.command('remove <name> <label>', 'Take a password back'), USER_FLAGS)
    .example('  $ pop3d user app-password remove ann phone --users users')
    .action(async (name: string, label: string) => {
      const { removeAppPassword } = await import('./user-app-password.js');
      return removeAppPassword(name, label, usersFileOf(args), terminal());
    });
  program.example('  $ pop3d user app-password add ann phone --users users');
  return program;
}

function schemesInHelp(initial: string): string {
  const names = passwordSchemes.map(({ names: [name] }) => (name === initial ? `${name} (default)` : name));
  return `One of ${names.join(', ')}`;
}

async function runProgram(program: CAC, args: readonly string[]): Promise<number> {
  program.parse(['', '', ...args], { run: false });
  const { help, version } = program.options as { readonly help?: boolean; readonly version?: boolean };
  if (help === true) return EXIT.ok;
  if (version === true) {
    process.stdout.write(`pop3d ${versionOfPackage()}\n`);
    return EXIT.ok;
  }
  const [command] = args;
  if (program.matchedCommand?.commandAction === undefined) {
    if (command !== undefined && !command.startsWith('-')) throw unknownCommand(program, command);
    program.outputHelp();
    return EXIT.usage;
  }
  return ((await program.runMatchedCommand()) as number | undefined) ?? EXIT.ok;
}

const SERVE_FLAGS = settings.flatMap(({ flag }) => flag ?? []);
const DELIVER_FLAGS = ['maildir', 'users'];
const USER_FLAGS = ['users'];
const LIST_FLAGS = ['users', 'default-scheme'];

function withSettings(command: Command, flags: readonly string[]): Command {
  command.option('--config <FILE>', 'Configuration file, TOML');
  for (const { flag, placeholder, kind, flagDescription } of settings) {
    if (flag === null || !flags.includes(flag)) continue;
    const about = kind === 'list' ? `${flagDescription} May be repeated.` : flagDescription;
    command.option(placeholder === null ? `--${flag}` : `--${flag} <${placeholder}>`, about);
  }
  return command;
}

// Each command loads what it needs when it runs: a mail system starts one for each message.

async function runUser(action: UserAction, name: string, args: readonly string[]): Promise<void> {
  const { changeUser } = await import('./user.js');
  return changeUser(action, name, usersFileOf(args), last(args, 'scheme'), terminal());
}

async function runUserList(options: Options, args: readonly string[]): Promise<void> {
  const { listUsers } = await import('./user-list.js');
  const { users } = configFor(args, LIST_FLAGS);
  const file = required(users.file, '--users', 'users.file');
  const long = options.long === true;
  return listUsers(file, { defaultScheme: users.default_scheme, long }, terminal());
}

function usersFileOf(args: readonly string[]): string {
  return required(configFor(args, USER_FLAGS).users.file, '--users', 'users.file');
}

function terminal(): Terminal {
  return { input: process.stdin, output: process.stdout, error: process.stderr };
}

async function runServe(options: Options, args: readonly string[]): Promise<number> {
  const { serve, serveDemo } = await import('./serve.js');
  if (options.demo !== true) return serve(configFor(args, SERVE_FLAGS, conflictsOfServing));
  for (const [flag, why] of Object.entries(NOT_WITH_DEMO)) {
    if (options[camelCased(flag)] === undefined) continue;
    throw new Failure(EXIT.usage, `--demo ${why}; leave out --${flag}`);
  }
  return serveDemo(loadConfig({ environment: {}, flags: optionTexts(args, SERVE_FLAGS) }));
}

const NOT_WITH_DEMO = {
  users: 'brings its own users',
  'default-scheme': 'brings its own users',
  maildir: 'brings its own mail',
  'tls-cert': 'brings its own certificate',
  'tls-key': 'brings its own certificate',
  workers: 'runs in one process',
  config: 'takes its settings from flags alone',
} as const;

function configFor(
  args: readonly string[],
  flags: readonly string[],
  conflicts?: ConfigSources['conflicts'],
): Config {
  return locatedConfigFor(args, flags, conflicts).config;
}

function locatedConfigFor(
  args: readonly string[],
  flags: readonly string[],
  conflicts?: ConfigSources['conflicts'],
): LocatedConfig {
  const { POP3D_CONFIG } = process.env;
  const file = last(args, 'config') || POP3D_CONFIG || undefined;
  return loadLocatedConfig({
    file,
    environment: process.env,
    flags: optionTexts(args, flags),
    ...(conflicts !== undefined && { conflicts }),
  });
}

/** As cac names its options. */
function camelCased(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The value of a flag; where it is given twice, the last one counts. */
function last(args: readonly string[], flag: string): string | undefined {
  const value = optionTexts(args, [flag])[flag]?.at(-1);
  return value === undefined ? undefined : String(value);
}

function unknownCommand(program: CAC, command: string): Failure {
  const known = program.commands.map(({ name }) => name);
  const suggestion = suggestionFor(command, known);
  const advice = suggestion === null ? `known are ${known.join(', ')}` : `did you mean ${suggestion}?`;
  return new Failure(EXIT.usage, `unknown command ${command}; ${advice}`);
}

function report(error: unknown, program: CAC): number {
  if (error instanceof ConfigError) {
    for (const problem of error.problems) complain(problem);
    return EXIT.badConfiguration;
  }
  if (error instanceof Failure) {
    complain(error.message);
    return error.exitCode;
  }
  if (error instanceof Error && error.name === 'CACError') {
    const { name, matchedCommand } = program;
    const command = matchedCommand === undefined ? name : `${name} ${matchedCommand.name}`;
    const suggestion = optionSuggestion(error.message, program);
    complain(`${error.message.replaceAll('`', '')}${suggestion}; see ${command} --help`);
    return EXIT.usage;
  }
  const exitCode = exitCodeOfSystemError(error);
  if (exitCode !== null) {
    complain((error as Error).message);
    return exitCode;
  }
  complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return EXIT.software;
}

function optionSuggestion(message: string, { matchedCommand }: CAC): string {
  const unknown = /Unknown option `--(\w+)`/.exec(message)?.[1];
  const known = matchedCommand?.options.map(({ name }) => name) ?? [];
  const suggestion = unknown === undefined ? null : suggestionFor(unknown, known);
  if (suggestion === null) return '';
  return ` (did you mean --${suggestion.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}?)`;
}

function complain(text: string): void {
  process.stderr.write(`pop3d: ${text}\n`);
}

function versionOfPackage(): string {
  // One folder up, from the sources as from what is built.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
