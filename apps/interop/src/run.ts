import { type ChildProcess, spawn } from 'node:child_process';

/** How a program ended. */
export interface Finished {
  /** The exit code, or -1 when a signal ended it. */
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface RunOptions {
  /** A private directory for HOME; the program sees nothing else of the caller's environment but PATH. */
  readonly home: string;
  readonly input?: string | Uint8Array;
  readonly environment?: Readonly<Record<string, string>>;
  /** Milliseconds after which a hanging program is killed. Default 60 000. */
  readonly timeoutMs?: number;
}

/** The environment clients run in: no configuration of the machine, no locale of its own. */
export function cleanEnvironment(home: string, more: Readonly<Record<string, string>> = {}) {
  const { PATH = '' } = process.env;
  return { PATH, HOME: home, LC_ALL: 'C.UTF-8', TERM: 'xterm', ...more };
}

/** Runs a program to its end. Does not throw when it fails: the code says so. */
export function run(program: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  const child = spawn(program, args, {
    cwd: options.home,
    env: cleanEnvironment(options.home, options.environment),
    timeout: options.timeoutMs ?? 60_000,
    killSignal: 'SIGKILL',
  });
  child.stdin.on('error', () => {
    // The program ended without reading its input to the end; its exit code tells.
  });
  child.stdin.end(options.input ?? '');
  return finished(child);
}

/** Resolves with how a program ended, and all that it has printed. */
export function finished(child: ChildProcess): Promise<Finished> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code: code ?? -1,
        stdout: Buffer.concat(stdout),
        stderr: Buffer.concat(stderr).toString('utf8'),
      }),
    );
  });
}

/**
 * Like {@link run}, for a program that must succeed.
 *
 * @throws Error with all it printed when its exit code is another one than `code`.
 */
export async function runOk(
  program: string,
  args: readonly string[],
  options: RunOptions & { readonly code?: number },
): Promise<Finished> {
  const done = await run(program, args, options);
  if (done.code === (options.code ?? 0)) return done;
  const printed = `${done.stdout.subarray(0, 4000).toString('latin1')}\n${done.stderr.slice(-4000)}`;
  throw new Error(`${program} ${args.join(' ')} ended with ${done.code}\n${printed}`);
}
