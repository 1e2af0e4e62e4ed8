import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';

/** The program that was built. */
export const CLI = join(import.meta.dirname, '../dist/cli.js');

/** The environment without settings of whoever runs the tests. */
const CLEAN_ENVIRONMENT = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !name.startsWith('POP3D_')),
);

export interface Result {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the program that was built to its end. */
export async function pop3d(
  args: readonly string[],
  {
    input = '',
    env = {},
    cwd,
  }: {
    readonly input?: string | Buffer;
    readonly env?: Record<string, string>;
    readonly cwd?: string;
  } = {},
): Promise<Result> {
  const running = new Running(args, env, cwd);
  running.process.stdin?.on('error', () => {});
  running.process.stdin?.end(input);
  return running.ended;
}

/** Starts a server, and waits until it listens. It is stopped when the test has ended. */
export async function serve(args: readonly string[], env: Record<string, string> = {}): Promise<Running> {
  const running = new Running(['serve', ...args], env);
  await running.printed(/^listening .*\n/m);
  return running;
}

/** A running program. */
export class Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Result>;
  stdout = '';
  stderr = '';
  #changed: (() => void)[] = [];

  constructor(args: readonly string[], env: Record<string, string> = {}, cwd?: string) {
    if (!existsSync(CLI)) throw new Error(`${CLI} is not there: run the build first.`);
    this.process = spawn(process.execPath, [CLI, ...args], { cwd, env: { ...CLEAN_ENVIRONMENT, ...env } });
    this.process.stdout?.on('data', (chunk) => this.#got('stdout', chunk));
    this.process.stderr?.on('data', (chunk) => this.#got('stderr', chunk));
    this.ended = new Promise((resolve) => {
      this.process.once('close', (exitCode) => {
        this.#notify();
        resolve({ exitCode, stdout: this.stdout, stderr: this.stderr });
      });
    });
    onTestFinished(async () => {
      if (this.process.exitCode === null) this.process.kill('SIGKILL');
      await this.ended;
    });
  }

  /** Where it listens, in the order of the lines. */
  get endpoints(): { readonly kind: string; readonly host: string; readonly port: number }[] {
    return [...this.stdout.matchAll(/^listening (\w+) (.*):(\d+)$/gm)].map(([, kind, host, port]) => ({
      kind: kind as string,
      host: host as string,
      port: Number(port),
    }));
  }

  /** Waits for the output to match; fails when the program ends before. */
  printed(pattern: RegExp, stream: 'stdout' | 'stderr' = 'stdout'): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(this[stream]);
        if (match !== null) return resolve(match);
        if (this.process.exitCode !== null || this.process.signalCode !== null) {
          return reject(new Error(`It ended without ${pattern}:\n${this.stdout}\n${this.stderr}`));
        }
        this.#changed.push(look);
      };
      look();
    });
  }

  /** The JSON lines of its log. */
  get log(): Record<string, unknown>[] {
    return this.stderr
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  signal(name: NodeJS.Signals): void {
    this.process.kill(name);
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

/** A POP3 client that knows lines, and nothing else. */
export class Client {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  greeting = '';
  #received = '';
  #wake: () => void = () => {};
  #ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#received += chunk.toString('latin1');
      this.#wake();
    });
    socket.on('error', () => {});
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#ended = true;
        this.#wake();
        resolve();
      });
    });
    onTestFinished(() => void socket.destroy());
  }

  /** Connects and reads the greeting. */
  static async open(port: number, { tls = false, host = '127.0.0.1' } = {}): Promise<Client> {
    const options = { port, host };
    const socket = tls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options);
    const client = new Client(socket);
    client.greeting = await client.line();
    return client;
  }

  /** Sends a line and returns the first line of the answer. */
  say(command: string): Promise<string> {
    this.socket.write(`${command}\r\n`);
    return this.line();
  }

  /** Sends a line and returns a multi-line answer without its terminator. */
  async sayMultiline(command: string): Promise<string[]> {
    const lines = [await this.say(command)];
    for (let line = await this.line(); line !== '.'; line = await this.line()) lines.push(line);
    return lines;
  }

  async logIn(user: string, password: string): Promise<string> {
    await this.say(`USER ${user}`);
    return this.say(`PASS ${password}`);
  }

  /** The next line; empty when the server has closed. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#received.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#received.slice(0, end);
        this.#received = this.#received.slice(end + 2);
        return line;
      }
      if (this.#ended) return '';
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
