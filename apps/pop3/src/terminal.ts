import { openSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { ReadStream, WriteStream } from 'node:tty';

/** A stream that may be a terminal. */
export type MaybeTerminal<Stream> = Stream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** Where a command reads and writes. */
export interface Terminal {
  readonly input: MaybeTerminal<Readable>;
  readonly output: MaybeTerminal<Writable>;
  readonly error: MaybeTerminal<Writable>;
}

/** Where a person can be asked something. */
export interface Questioning {
  readonly input: Readable;
  readonly output: Writable;
  close(): void;
}

/** The terminal of whoever called, also where all streams are pipes; null where there is none. */
export function openTerminal({ input, error }: Terminal): Questioning | null {
  try {
    const keys = new ReadStream(openSync('/dev/tty', 'r'));
    const screen = new WriteStream(openSync('/dev/tty', 'w'));
    return {
      input: keys,
      output: screen,
      close: () => {
        keys.destroy();
        screen.destroy();
      },
    };
  } catch {
    // No terminal belongs to this process, or the system has no such file: Windows.
    if (input.isTTY !== true || error.isTTY !== true) return null;
    return { input, output: error, close: () => input.pause() };
  }
}
