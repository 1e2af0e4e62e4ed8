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
import { escapedName, unescapedName } from './escaped-name.js';
import { hashOf } from './key-index.js';
import { NAME_ENCODING } from './message-path.js';
import type { Steps } from './steps.js';

export const SIZE_FILE_NAME = 'pop3-sizes';

const HEADER = 'pop3-sizes 1\n';

/** Some three thousand lines, which is a millisecond of work. */
const READ_OCTETS = 256 * 1024;
const FLUSH_OCTETS = 64 * 1024;
/** A name of 255 octets, all of them escaped, and numbers. */
const MAX_LINE_OCTETS = 1_024;
const HASH_OCTETS = 9;

const LF = 0x0a;
const SPACE = 0x20;
const PERCENT = 0x25;
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

/** Told of each line: octets that hold a name without flags, from where to where, and what the line says of it. */
export type OnSize = (octets: Uint8Array, start: number, end: number, size: SizeRecord) => void;

/**
 * Reads the sizes of a Maildir, line by line: a large file is never in memory as a whole.
 *
 * @returns how many lines there were; null without a file, and for one that cannot be read or is no such file
 */
export function* readSizes(maildir: string, onSize: OnSize): Steps<number | null> {
  const file = opened(`${maildir}/${SIZE_FILE_NAME}`);
  if (file === null) return null;
  try {
    const chunk = Buffer.allocUnsafeSlow(READ_OCTETS);
    const line = new SizeLine(chunk);
    let lines = -1;
    let kept = 0;
    for (;;) {
      const read = readSync(file, chunk, kept, READ_OCTETS - kept, null);
      const length = kept + read;
      let start = 0;
      for (let end = lineEnd(chunk, start, length); end !== -1; end = lineEnd(chunk, start, length)) {
        if (lines === -1 && chunk.toString(NAME_ENCODING, start, end + 1) !== HEADER) return null;
        if (lines++ >= 0) line.tell(start, end, onSize);
        start = end + 1;
      }
      if (read === 0) return lines === -1 ? null : lines;
      // No line of ours is that long.
      if (start === 0 && length === READ_OCTETS) return null;
      chunk.copy(chunk, 0, start, length);
      kept = length - start;
      if (length === READ_OCTETS) yield undefined;
    }
  } catch {
    return null; /* A disk that fails: the messages say the same. */
  } finally {
    closeSync(file);
  }
}

function lineEnd(chunk: Buffer, start: number, length: number): number {
  const end = chunk.indexOf(LF, start);
  return end < length ? end : -1;
}

/** Takes lines apart without making strings of them. */
class SizeLine {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  /** Passes over a line that is damaged. */
  tell(start: number, end: number, onSize: OnSize): void {
    const octets = this.#octets;
    const name = octets.indexOf(SPACE, start);
    if (name === -1 || name >= end) return;
    this.#at = name + 1;
    const stored = this.#number(end);
    const wire = this.#number(end);
    const modifiedMs = this.#number(end);
    const kind = this.#at;
    if (stored === -1 || wire === -1 || modifiedMs === -1 || octets[kind + 1] !== SPACE) return;
    if (octets.toString(NAME_ENCODING, kind + 2, end) !== hashOf(octets, start, kind + 1).toString(36))
      return;
    const size = { stored, wire, modifiedMs, counted: octets[kind] === COUNTED };
    if (!octets.subarray(start, name).includes(PERCENT)) {
      onSize(octets, start, name, size);
      return;
    }
    const spelled = Buffer.from(unescapedName(octets.toString(NAME_ENCODING, start, name)), NAME_ENCODING);
    onSize(spelled, 0, spelled.length, size);
  }

  /** The number in the next field, or -1. */
  #number(end: number): number {
    const start = this.#at;
    let value = 0;
    for (; this.#at < end; this.#at++) {
      const digit = (this.#octets[this.#at] as number) - 0x30;
      if (digit < 0 || digit > 9) break;
      value = value * 10 + digit;
    }
    const isField = this.#at > start && this.#octets[this.#at] === SPACE && Number.isSafeInteger(value);
    this.#at++;
    return isField ? value : -1;
  }
}

/** Whether most lines of a file are about messages that are gone. */
export function isMostlyAboutGone(lines: number, found: number): boolean {
  const gone = lines - found;
  return gone > WORTHLESS_LINES && gone * 2 > lines;
}

/** Adds lines to the file of a Maildir. When that fails, it stops trying: the sizes are counted again next time. */
export class SizeRecorder {
  readonly #path: string;
  #replaces: boolean;
  #pending: Buffer | null = null;
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
    this.#pending ??= Buffer.allocUnsafeSlow(FLUSH_OCTETS + MAX_LINE_OCTETS);
    const start = this.#pendingOctets;
    const facts = `${escapedName(base)} ${stored} ${wire} ${modifiedMs} ${counted ? 'c' : 'w'}`;
    if (facts.length + HASH_OCTETS > MAX_LINE_OCTETS) return;
    const end = start + this.#pending.write(facts, start, NAME_ENCODING);
    const hash = ` ${hashOf(this.#pending, start, end).toString(36)}\n`;
    this.#pendingOctets = end + this.#pending.write(hash, end, NAME_ENCODING);
    if (this.#pendingOctets >= FLUSH_OCTETS) this.flush();
  }

  /** Writes what was added so far. */
  flush(): void {
    if (this.#pending === null || this.#pendingOctets === 0 || this.#failed) return;
    const lines = this.#pending.subarray(0, this.#pendingOctets);
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
    try {
      const file = openSync(temporary, 'wx', 0o600);
      try {
        writeSync(file, HEADER);
        writeSync(file, lines);
      } finally {
        closeSync(file);
      }
      renameSync(temporary, this.#path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
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

function opened(path: string): number | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return null; /* None, or not ours to read: the messages say the same. */
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  return null;
}
