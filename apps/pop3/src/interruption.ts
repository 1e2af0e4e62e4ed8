import type { Writable } from 'node:stream';
import { EXIT, Failure } from './failure.js';
import { outputFailure } from './output.js';

/** By the numbers that shells add to 128. */
const EXIT_BY_SIGNAL = { SIGINT: EXIT.interrupted, SIGTERM: 143, SIGHUP: 129 } as const;

/**
 * A signal that is aborted when somebody wants the command to end: by Ctrl-C, by closing what reads the output, or
 * by a disk that is full. A second Ctrl-C ends the process at once.
 */
export function interruption(output: Writable): AbortSignal {
  const controller = new AbortController();
  for (const [name, exitCode] of Object.entries(EXIT_BY_SIGNAL)) {
    process.once(name, () => controller.abort(new Failure(exitCode, 'interrupted; nothing was deleted')));
  }
  output.on('error', (error) => controller.abort(outputFailure(error)));
  // Whoever would be told of it is the one who has gone.
  process.stderr.on('error', () => {});
  return controller.signal;
}
