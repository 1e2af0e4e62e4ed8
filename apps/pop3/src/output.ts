import { once } from 'node:events';
import { createWriteStream, fstatSync } from 'node:fs';
import type { Writable } from 'node:stream';
import { systemCodeOf } from './exit-code.js';
import { EXIT, Failure, ReaderGone } from './failure.js';
import type { MaybeTerminal } from './terminal.js';

/** What the system says when whoever reads has gone, as `head` does. */
const GONE: readonly (string | null)[] = ['EPIPE', 'ECONNRESET', 'EOF'];

/**
 * The standard output. Where it is a file, not what Node makes of it: a disk that is nearly full takes a part of what is
 * written, and nobody would be told.
 */
export function standardOutput(): MaybeTerminal<Writable> {
  const { fd } = process.stdout;
  return fstatSync(fd).isFile() ? createWriteStream('', { fd, autoClose: false }) : process.stdout;
}

/** Writes, and waits while the other side cannot keep up. */
export async function write(
  output: Writable,
  chunk: Uint8Array | string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (output.write(chunk)) return;
  await once(output, 'drain', { signal });
}

/** Why an output takes no more. Only a reader who has gone is no trouble: behind a full disk, a message is not whole. */
export function outputFailure(error: Error): Failure | ReaderGone {
  if (GONE.includes(systemCodeOf(error))) return new ReaderGone();
  return new Failure(EXIT.cannotWrite, `the output cannot be written: ${error.message}`);
}
