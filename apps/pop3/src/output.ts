import { once } from 'node:events';
import type { Writable } from 'node:stream';

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
