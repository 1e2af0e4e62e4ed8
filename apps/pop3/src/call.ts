import type { CommandLine } from './command-line.js';
import type { Mask } from './mask.js';
import type { Terminal } from './terminal.js';

/** One run of a command: what it was called with, where it reads and writes, and when it has to stop. */
export interface Call {
  readonly line: CommandLine;
  readonly terminal: Terminal;
  /** What must not be seen in anything that is printed. */
  readonly mask: Mask;
  /** Aborted by Ctrl-C, or when nobody reads the output any more. */
  readonly signal: AbortSignal;
}
