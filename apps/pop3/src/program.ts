import { readFileSync } from 'node:fs';
import type { CAC, Command } from 'cac';
import type { Call } from './call.js';
import { normalized, readCommandLine } from './command-line.js';
import { type Action, declareCommands } from './commands.js';
import { exitCodeOf } from './exit-code.js';
import { EXIT, Failure, ReaderGone } from './failure.js';
import { Mask } from './mask.js';
import { complain } from './say.js';
import { refuseSecretArguments } from './secret.js';
import { suggestionFor } from './suggestion.js';
import type { Terminal } from './terminal.js';
import { visibleText } from './visible.js';

/**
 * Runs one command of `pop3`. What goes wrong is one line on the error output.
 *
 * @param args - without the names of the runtime and of the program
 * @param signal - ends the command, and the connection with it
 * @returns the exit code
 */
export async function run(args: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<number> {
  const mask = new Mask();
  const program = declareCommands();
  try {
    refuseSecretArguments(args);
    const words = normalized(args);
    const command = commandOf(program, words);
    if (typeof command === 'number') return command;
    const line = readCommandLine(words, command.options);
    const action = program.runMatchedCommand() as Action;
    return await action({ line, terminal, mask, signal });
  } catch (error) {
    // What broke because of the signal says less than its reason.
    const reason = signal.aborted && !(error instanceof Failure) ? signal.reason : error;
    return report(reason, program, { terminal, mask });
  }
}

/** The command that was called, or the exit code where there is nothing to run. */
function commandOf(program: CAC, words: readonly string[]): Command | number {
  program.parse(['', '', ...words], { run: false });
  const { help, version } = program.options as { readonly help?: boolean; readonly version?: boolean };
  if (help === true) return EXIT.ok;
  if (version === true) {
    process.stdout.write(`pop3 ${versionOfPackage()}\n`);
    return EXIT.ok;
  }
  if (program.matchedCommand !== undefined) return program.matchedCommand;
  const [name] = words;
  if (name !== undefined && !name.startsWith('-')) throw unknownCommand(program, name);
  program.outputHelp();
  return EXIT.usage;
}

function unknownCommand(program: CAC, command: string): Failure {
  const known = program.commands.map(({ name }) => name);
  const suggestion = suggestionFor(command, known);
  const advice = suggestion === null ? `known are ${known.join(', ')}` : `did you mean ${suggestion}?`;
  return new Failure(EXIT.usage, `unknown command ${command}; ${advice}`);
}

function report(error: unknown, program: CAC, call: Pick<Call, 'terminal' | 'mask'>): number {
  if (error instanceof ReaderGone) return EXIT.ok;
  if (error instanceof Error && error.name === 'CACError') {
    const text = `${error.message.replaceAll('`', '')}${optionSuggestion(error.message, program)}`;
    complain(call, `${text}; see ${helpOf(program)}`);
    return EXIT.usage;
  }
  const exitCode = exitCodeOf(error);
  if (exitCode !== null) {
    complain(call, (error as Error).message);
    return exitCode;
  }
  // A defect of ours: whoever mends it needs the stack.
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  call.terminal.error.write(`pop3: ${visibleText(call.mask.masked(text))}\n`);
  return EXIT.software;
}

function helpOf({ name, matchedCommand }: CAC): string {
  return matchedCommand === undefined ? `${name} --help` : `${name} ${matchedCommand.name} --help`;
}

function optionSuggestion(message: string, { matchedCommand }: CAC): string {
  const unknown = /Unknown option `--(\w+)`/.exec(message)?.[1];
  const known = matchedCommand?.options.map(({ name }) => name) ?? [];
  const suggestion = unknown === undefined ? null : suggestionFor(unknown, known);
  if (suggestion === null) return '';
  return ` (did you mean --${suggestion.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}?)`;
}

function versionOfPackage(): string {
  // One folder up, from the sources as from what is built.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { readonly version: string }).version;
}
