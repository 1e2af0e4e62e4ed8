import { readFileSync } from 'node:fs';
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
}

/**
 * Runs one command of `pop3d`. What goes wrong is written to the error output, a line for each thing.
 *
 * @param args - without the names of the runtime and of the program
 * @returns the exit code
 */
export async function run(args: readonly string[]): Promise<number> {
  const [first, ...rest] = args;
  const program = first === 'user' ? userProgram(rest) : mainProgram(args);
  try {
    return await runProgram(program, first === 'user' ? rest : args);
  } catch (error) {
    return report(error, program);
  }
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
      .option('--scheme <SCHEME>', 'How to store the password: SCRYPT (default), BLF-CRYPT or PLAIN')
      .example(`  $ pop3d user ${action} ann --users users`)
      .example(`  $ pass show mail/ann | pop3d user ${action} ann --users users`)
      .action((name: string) => runUser(action, name, args));
  }
  withSettings(program.command('remove <name>', 'Remove a user; the mail stays'), USER_FLAGS)
    .example('  $ pop3d user remove ann --users users')
    .action((name: string) => runUser('remove', name, args));
  withSettings(program.command('list', 'List the names, one on a line'), USER_FLAGS)
    .example('  $ pop3d user list --users users')
    .action(() => runUser('list', '', args));
  program.example('  $ pop3d user add ann --users users');
  return program;
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
  const { changeUser, listUsers } = await import('./user.js');
  const file = required(configFor(args, USER_FLAGS).users.file, '--users', 'users.file');
  const terminal: Terminal = { input: process.stdin, output: process.stdout, error: process.stderr };
  if (action === 'list') return listUsers(file, terminal);
  return changeUser(action, name, file, last(args, 'scheme'), terminal);
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
