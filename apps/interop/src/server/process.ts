import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

/** How long a server may take to start or to stop, in milliseconds; a hang fails the test with the server's output. */
const PATIENCE_MS = 30_000;

/** A server process in a process group of its own. */
export interface ServerProcess {
  readonly pid: number;
  log(): string;
  stop(): Promise<void>;
  kill(): Promise<void>;
}

/**
 * Starts a program and waits until what it has printed satisfies `ready`.
 *
 * @throws Error with its output when it ends or stays silent instead.
 */
export async function startProcess<T>(
  program: string,
  args: readonly string[],
  ready: (printed: string) => T | undefined,
  environment: NodeJS.ProcessEnv = {},
): Promise<{ process: ServerProcess; found: T }> {
  const env = { ...process.env, ...environment };
  const child = spawn(program, args, { detached: true, env, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = exitOf(child);
  let printed = '';
  const found = new Promise<T>((resolve) => {
    const add = (chunk: string) => {
      printed += chunk;
      const result = ready(printed);
      if (result !== undefined) resolve(result);
    };
    child.stdout.setEncoding('utf8').on('data', add);
    child.stderr.setEncoding('utf8').on('data', add);
  });
  const signalGroup = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-child.pid!, signal);
    } catch {
      // The whole group is gone already.
    }
  };
  // A test run that is interrupted leaves nothing behind.
  const killGroup = (): void => signalGroup('SIGKILL');
  process.once('exit', killGroup);
  void exited.then(() => process.removeListener('exit', killGroup));
  const started = await Promise.race([
    found.then((value) => ({ value })),
    exited.then(() => undefined),
    patience(child),
  ]);
  if (started === undefined) {
    killGroup();
    throw new Error(`${program} ${args.join(' ')} did not start:\n${printed}`);
  }
  return {
    found: started.value,
    process: {
      pid: child.pid!,
      log: () => printed,
      async stop() {
        child.kill('SIGTERM');
        const code = await Promise.race([exited, patience(child)]);
        killGroup();
        if (code !== 0) throw new Error(`${program} ended with ${code} after SIGTERM:\n${printed}`);
      },
      async kill() {
        killGroup();
        await exited;
      },
    },
  };
}

/** The exit code, or null after a signal. */
async function exitOf(child: ChildProcess): Promise<number | null> {
  const [code] = await once(child, 'close');
  return code as number | null;
}

/** Undefined after {@link PATIENCE_MS}, unless the process ends before. */
function patience(child: ChildProcess): Promise<undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
    child.once('close', () => clearTimeout(timer));
    timer.unref();
  });
}
