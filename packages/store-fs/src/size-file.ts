/**
 * The file `pop3-sizes` in a Maildir: sizes of messages, so that none is read twice to be counted, also by another
 * process. It holds nothing that the messages do not: delete it at any time.
 *
 * The first line names the format. Each other line is a message: its name without flags, octets as stored, octets as
 * listed, the time of its file in milliseconds, `c` for counted or `w` for taken from `,W=` in the name, and a hash of
 * the line up to here. Lines are added at the end, and a later line on the same message replaces an earlier one. A
 * line that was cut off or damaged does not fit its hash and counts for nothing.
 */
import { closeSync, constants, fstatSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { escapedName } from './escaped-name.js';
import { hashOf, KeyIndex } from './key-index.js';
import { NAME_ENCODING } from './message-path.js';
import type { NameTable } from './name-table.js';
import type { Steps } from './steps.js';

export const SIZE_FILE_NAME = 'pop3-sizes';

const HEADER = 'pop3-sizes 1\n';

/** A file of this many octets is not one of ours: it would be the sizes of some ten million messages. */
const MAX_FILE_OCTETS = 1024 * 1024 * 1024;

const LINES_A_TURN = 4_096;
const FLUSH_OCTETS = 64 * 1024;

const LF = 0x0a;
const SPACE = 0x20;
const COUNTED = 0x63;

/** Below this many lines about messages that are gone, a file is not worth writing anew. */
const WORTHLESS_LINES = 1_000;

/** What the file says of a message. */
export interface SizeRecord {
  readonly stored: number;
  readonly wire: number;
  readonly modifiedMs: number;
  /** False for a size that was taken from the name. */
  readonly counted: boolean;
}

/** The sizes read from a file. */
export class RecordedSizes {
  readonly #names: KeyIndex;
  /** Four numbers for each line: stored, wire, time, and 1 for counted. */
  readonly #numbers: Float64Array;
  /** How many lines the file has. */
  readonly lines: number;

  /** @internal */
  constructor(octets: Buffer, starts: readonly number[], lengths: readonly number[], numbers: Float64Array) {
    this.#names = new KeyIndex(octets, starts, lengths, starts.length);
    this.#numbers = numbers;
    this.lines = starts.length;
  }

  /** The line on the message with this name, the last one, or -1. */
  lineOf(names: NameTable, entry: number): number {
    return names.findIn(this.#names, entry);
  }

  at(line: number): SizeRecord {
    const from = line * 4;
    return {
      stored: this.#numbers[from] as number,
      wire: this.#numbers[from + 1] as number,
      modifiedMs: this.#numbers[from + 2] as number,
      counted: this.#numbers[from + 3] === 1,
    };
  }

  /** Whether most of the file is about messages that are gone. */
  isMostlyAbout(gone: number): boolean {
    return gone > WORTHLESS_LINES && gone * 2 > this.lines;
  }
}

/** Reads the sizes of a Maildir; null without a file, and for one that cannot be read or is no such file. */
export function* readSizes(maildir: string): Steps<RecordedSizes | null> {
  const octets = contentOf(`${maildir}/${SIZE_FILE_NAME}`);
  if (octets === null || octets.toString(NAME_ENCODING, 0, HEADER.length) !== HEADER) return null;
  const starts: number[] = [];
  const lengths: number[] = [];
  let numbers = new Float64Array(64);
  let line = HEADER.length;
  for (let seen = 1; ; seen++) {
    const end = octets.indexOf(LF, line);
    if (end === -1) break;
    const count = starts.length;
    if (numbers.length < count * 4 + 4) {
      const grown = new Float64Array(numbers.length * 2);
      grown.set(numbers);
      numbers = grown;
    }
    const length = parseLine(octets, line, end, numbers, count * 4);
    if (length > 0) {
      starts.push(line);
      lengths.push(length);
    }
    line = end + 1;
    if (seen % LINES_A_TURN === 0) yield undefined;
  }
  return new RecordedSizes(octets, starts, lengths, numbers);
}

/** Writes the numbers of a line and returns the length of its name; 0 for a line that is damaged. */
function parseLine(octets: Buffer, start: number, end: number, numbers: Float64Array, at: number): number {
  const name = octets.indexOf(SPACE, start);
  if (name === -1 || name >= end) return 0;
  let from = name + 1;
  for (let field = 0; field < 3; field++) {
    let value = 0;
    const first = from;
    for (; from < end; from++) {
      const digit = (octets[from] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    if (from === first || octets[from] !== SPACE || !Number.isSafeInteger(value)) return 0;
    numbers[at + field] = value;
    from++;
  }
  numbers[at + 3] = octets[from] === COUNTED ? 1 : 0;
  if (octets[from + 1] !== SPACE) return 0;
  const hash = octets.toString(NAME_ENCODING, from + 2, end);
  return hash === hashOf(octets, start, from + 1).toString(36) ? name - start : 0;
}

/** Adds lines to the file of a Maildir. When that fails, it stops trying: the sizes are counted again next time. */
export class SizeRecorder {
  readonly #path: string;
  #replaces: boolean;
  #pending: Buffer[] = [];
  #pendingOctets = 0;
  #failed = false;

  /** @param replaces - whether what is in the file goes */
  constructor(maildir: string, replaces: boolean) {
    this.#path = `${maildir}/${SIZE_FILE_NAME}`;
    this.#replaces = replaces;
  }

  /** @param base - a name without flags, octets as Latin-1 characters */
  add(base: string, { stored, wire, modifiedMs, counted }: SizeRecord): void {
    if (this.#failed || modifiedMs < 0) return;
    const facts = `${escapedName(base)} ${stored} ${wire} ${modifiedMs} ${counted ? 'c' : 'w'}`;
    const octets = Buffer.from(facts, NAME_ENCODING);
    const line = `${facts} ${hashOf(octets, 0, octets.length).toString(36)}\n`;
    this.#pending.push(Buffer.from(line, NAME_ENCODING));
    this.#pendingOctets += line.length;
    if (this.#pendingOctets >= FLUSH_OCTETS) this.flush();
  }

  /** Writes what was added so far. */
  flush(): void {
    if (this.#pending.length === 0 || this.#failed) return;
    const lines = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingOctets = 0;
    try {
      if (this.#replaces || !this.#append(lines)) this.#replace(lines);
    } catch {
      this.#failed = true; /* No space, or not ours to write to. */
    }
  }

  #replace(lines: Buffer): void {
    const temporary = `${this.#path}.tmp`;
    // Only the holder of the lock writes here: what is there was left behind.
    rmSync(temporary, { force: true });
    const file = openSync(temporary, 'wx', 0o600);
    try {
      writeSync(file, HEADER);
      writeSync(file, lines);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#path);
    this.#replaces = false;
  }

  /** False when the file is not there. */
  #append(lines: Buffer): boolean {
    let file: number;
    try {
      file = openSync(this.#path, constants.O_WRONLY | constants.O_APPEND | constants.O_NOFOLLOW);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
    try {
      writeSync(file, lines);
    } finally {
      closeSync(file);
    }
    return true;
  }
}

function contentOf(path: string): Buffer | null {
  try {
    const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = fstatSync(file);
      if (!stat.isFile() || stat.size > MAX_FILE_OCTETS) return null;
      const octets = Buffer.allocUnsafeSlow(stat.size);
      let read = 0;
      while (read < octets.length) {
        const more = readSync(file, octets, read, octets.length - read, null);
        if (more === 0) break;
        read += more;
      }
      return octets.subarray(0, read);
    } finally {
      closeSync(file);
    }
  } catch {
    return null; /* None, or not ours to read: the messages say the same. */
  }
}
