import { type ChildProcess, spawn } from 'node:child_process';
import type { Refusal } from '@pop3/core';
import { HashQueue } from './hash-queue.js';
import type { UserLookup } from './user-record.js';
import { readUserRecord } from './user-record-reader.js';

export interface CommandLookupOptions {
  /** The program, without a shell in between. */
  readonly command: string;
  readonly args?: readonly string[];
  /** How long it may run, in milliseconds, before it is killed: 5000 by default. */
  readonly timeoutMs?: number;
  /** How many run at the same time: 4 by default. 1024 more may wait; beyond, logins are refused as a temporary failure. */
  readonly maxRunning?: number;
}

const MAX_OCTETS = 256 * 1024;
/** `EX_NOUSER` of sysexits.h. */
const NO_SUCH_USER = 67;
const BUSY: Refusal = { type: 'refused', reason: 'temporary' };

/**
 * Users from a program: it gets the name as one line on its standard input, prints the JSON of a `UserRecord` and exits
 * with 0, or exits with 67 where there is no such user. Its standard error is that of this process.
 *
 * Everything else is a fault, which names the program and holds nothing of what it got or printed.
 */
export function commandLookup({
  command,
  args = [],
  timeoutMs = 5000,
  maxRunning = 4,
}: CommandLookupOptions): UserLookup {
  const queue = new HashQueue({ maxRunning });
  return {
    async find(name, { signal }) {
      const run = () =>
        // In a group of its own, so that what it has started can be ended with it.
        outputOf(
          spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'], detached: true }),
          name,
          timeoutMs,
        );
      const output = await queue.run(run, signal);
      if (output === 'busy') return BUSY;
      if (output.exit === NO_SUCH_USER) return null;
      if (output.exit !== 0) {
        const ended = typeof output.exit === 'number' ? `exited with ${output.exit}` : output.exit;
        throw new Error(`The look-up ${command} ${ended}.`);
      }
      const record = readUserRecord(jsonOf(output.text));
      if (typeof record !== 'string') return record;
      throw new Error(`The look-up ${command} printed a user that ${record}.`);
    },
  };
}

interface Output {
  readonly text: string;
  /** The exit code; words where there is none, or it does not count. */
  readonly exit: number | string;
}

function outputOf(child: ChildProcess, name: string, timeoutMs: number): Promise<Output> {
  return new Promise((resolve) => {
    const chunks: Uint8Array[] = [];
    let octets = 0;
    let trouble: string | null = null;
    const stop = (why: string) => {
      trouble ??= why;
      killGroup(child);
      // Whoever has left the group may hold the output open for as long as he likes.
      child.stdout?.destroy();
      clearTimeout(timer);
      resolve({ text: '', exit: trouble });
    };
    const timer = setTimeout(() => stop(`did not end within ${timeoutMs} ms`), timeoutMs);
    child.stdout?.on('data', (chunk: Uint8Array) => {
      octets += chunk.length;
      if (octets > MAX_OCTETS) stop(`printed more than ${MAX_OCTETS} octets`);
      else chunks.push(chunk);
    });
    // A program may know its answer before it has read the name.
    child.stdin?.on('error', () => {});
    child.stdin?.end(`${name}\n`);
    child.on('error', (error) => {
      const code = 'code' in error && typeof error.code === 'string' ? error.code : error.name;
      trouble ??= `cannot be run (${code})`;
      clearTimeout(timer);
      resolve({ text: '', exit: trouble });
    });
    child.on('close', (code, killedBy) => {
      clearTimeout(timer);
      const exit = trouble ?? code ?? `was ended by ${killedBy}`;
      resolve({ text: Buffer.concat(chunks).toString(), exit });
    });
  });
}

function killGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    /* It has ended already, with all that it had started. */
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
