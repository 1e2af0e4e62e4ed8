import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'vite';
import { onTestFinished } from 'vitest';

let bundle: Promise<string> | undefined;

/**
 * Starts a process that runs `script`, a module that can import this package as `@pop3/store-fs`. It talks by
 * `process.send` and is ended with the test.
 */
export async function startChild(script: string, ...args: string[]): Promise<Child> {
  bundle ??= bundled();
  const directory = mkdtempSync(join(tmpdir(), 'pop3-store-fs-child-'));
  const file = join(directory, 'child.mjs');
  writeFileSync(file, script.replaceAll('@pop3/store-fs', await bundle));
  const child = fork(file, args, { execArgv: [] });
  onTestFinished(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(directory, { recursive: true });
  });
  return new Child(child);
}

export class Child {
  readonly #process: ChildProcess;
  readonly #messages: unknown[] = [];
  #waiting: ((message: unknown) => void) | null = null;

  constructor(process: ChildProcess) {
    this.#process = process;
    process.on('message', (message) => {
      if (this.#waiting === null) this.#messages.push(message);
      else this.#waiting(message);
      this.#waiting = null;
    });
  }

  /** The next message that the process sends. */
  async next(): Promise<unknown> {
    if (this.#messages.length > 0) return this.#messages.shift();
    return new Promise((resolve, reject) => {
      this.#waiting = resolve;
      this.#process.once('exit', (code) => reject(new Error(`the process ended with ${code}`)));
    });
  }

  send(message: string): void {
    this.#process.send(message);
  }

  /** Ends the process as `kill -9` does, and waits until it is gone. */
  async kill(): Promise<void> {
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  /** Stops the process, or lets it go on. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(signal);
  }
}

/** The package as one file that Node can run. */
async function bundled(): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'pop3-store-fs-bundle-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  await build({
    configFile: false,
    logLevel: 'error',
    root: fileURLToPath(new URL('..', import.meta.url)),
    resolve: { conditions: ['@pop3/source'] },
    ssr: { noExternal: true, resolve: { conditions: ['@pop3/source'] } },
    build: {
      ssr: fileURLToPath(new URL('../src/index.ts', import.meta.url)),
      outDir: directory,
      minify: false,
      rollupOptions: { output: { entryFileNames: 'store-fs.mjs' } },
    },
  });
  return join(directory, 'store-fs.mjs');
}
