import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { it, onTestFinished, vi } from 'vitest';
import { run } from '../src/program.js';

/** The program that was built. */
export const CLI = join(import.meta.dirname, '../dist/cli.js');

/** The environment without settings of whoever runs the tests. */
const CLEAN_ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('POP3_') && name !== 'NO_COLOR'),
);

export interface Result {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  /** What the shell of a terminal is told behind the command, such as a pipe. */
  readonly redirect?: string;
}

/** Runs the program that was built to its end. */
export async function pop3(
  args: readonly string[],
  { input = '', ...options }: RunOptions = {},
): Promise<Result> {
  const running = new Running(process.execPath, [CLI, ...args], options);
  running.process.stdin?.on('error', () => {});
  running.process.stdin?.end(input);
  return running.ended;
}

/** Calls the program within this process: for what ends before anything is connected. */
export async function called(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Result> {
  for (const name of Object.keys(process.env)) if (name.startsWith('POP3_')) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const [input, output, error] = [new PassThrough(), new PassThrough(), new PassThrough()];
  try {
    const exitCode = await run(args, { input, output, error }, new AbortController().signal);
    return { exitCode, stdout: String(output.read() ?? ''), stderr: String(error.read() ?? '') };
  } finally {
    vi.unstubAllEnvs();
  }
}

/** Tests that need a terminal; the command `script` of other systems has other arguments. */
export const itOnTerminal = it.skipIf(process.platform !== 'linux');

/** Runs it on a terminal of its own, which everything goes to that it prints. */
export function pop3OnTerminal(args: readonly string[], options: RunOptions = {}): Running {
  const words = [process.execPath, CLI, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const env = { TERM: 'xterm', ...options.env };
  return new Running('script', ['-qec', [...words, options.redirect].join(' '), '/dev/null'], {
    ...options,
    env,
  });
}

/** A running program. */
export class Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Result>;
  stdout = '';
  stderr = '';
  #changed: (() => void)[] = [];

  constructor(program: string, args: readonly string[], { env = {}, cwd }: RunOptions = {}) {
    if (!existsSync(CLI)) throw new Error(`${CLI} is not there: run the build first.`);
    // Detached: the terminal of whoever runs the tests is not its terminal.
    this.process = spawn(program, args, { cwd, env: { ...CLEAN_ENVIRONMENT, ...env }, detached: true });
    this.process.stdout?.on('data', (chunk) => this.#got('stdout', chunk));
    this.process.stderr?.on('data', (chunk) => this.#got('stderr', chunk));
    this.ended = new Promise((resolve, reject) => {
      this.process.once('error', reject);
      this.process.once('close', (exitCode) => {
        this.#notify();
        resolve({ exitCode, stdout: this.stdout, stderr: this.stderr });
      });
    });
    onTestFinished(async () => {
      if (this.process.exitCode === null) this.process.kill('SIGKILL');
      await this.ended.catch(() => {});
    });
  }

  /** Waits for the output to match, without what steers a terminal; fails when the program ends before. */
  printed(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(stripVTControlCharacters(this[stream]));
        if (match !== null) return resolve(match);
        if (this.process.exitCode !== null || this.process.signalCode !== null) {
          return reject(new Error(`It ended without ${pattern}:\n${this.stdout}\n${this.stderr}`));
        }
        this.#changed.push(look);
      };
      look();
    });
  }

  /** Presses keys. */
  type(keys: string): void {
    this.process.stdin?.write(keys);
  }

  #got(stream: 'stdout' | 'stderr', chunk: Buffer): void {
    this[stream] += chunk.toString();
    this.#notify();
  }

  #notify(): void {
    const waiting = this.#changed;
    this.#changed = [];
    for (const look of waiting) look();
  }
}
