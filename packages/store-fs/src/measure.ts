import { closeSync, constants, fstatSync, openSync, type PathLike, readSync } from 'node:fs';
import { OctetCounter } from '@pop3/core';
import type { Steps } from './steps.js';

/** What counting the octets of a message file gives. */
export interface Measure {
  /** Octets of the file. */
  readonly stored: number;
  /** Octets as LIST gives them (RFC 1939 section 11). */
  readonly wire: number;
  /** When the file was last written, in whole milliseconds since 1970. */
  readonly modifiedMs: number;
}

/** No link is followed, and nothing that has taken the place of a file is waited for. */
export const OPEN_MESSAGE = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const LF = 0x0a;

const FILES_A_TURN = 64;
const OCTETS_A_TURN = 1024 * 1024;
const READ_OCTETS = 128 * 1024;

/** Written to by whoever measures, between two turns; never handed out. */
let scratch: Buffer | undefined;

/** Lets other sessions have a turn after one or two milliseconds of reading. */
export class Turns {
  #files = 0;
  #octets = 0;

  spend(files: number, octets: number): void {
    this.#files += files;
    this.#octets += octets;
  }

  /** Whether enough was done for one turn. The next one starts then. */
  over(): boolean {
    if (this.#files < FILES_A_TURN && this.#octets < OCTETS_A_TURN) return false;
    this.#files = 0;
    this.#octets = 0;
    return true;
  }
}

/**
 * Counts the octets of a message file by reading it.
 *
 * @returns null for a long file: {@link measureLongFile} does not keep others waiting
 * @throws what the file system says
 */
export function measureFile(path: PathLike): Measure | null {
  const file = openSync(path, OPEN_MESSAGE);
  try {
    const { mtimeMs, size } = fstatSync(file);
    if (size > READ_OCTETS) return null;
    scratch ??= Buffer.allocUnsafeSlow(READ_OCTETS);
    const counter = new OctetCounter();
    let stored = 0;
    for (;;) {
      const octets = readSync(file, scratch, 0, READ_OCTETS, null);
      if (octets > 0) counter.add(scratch.subarray(0, octets));
      stored += octets;
      // What is there at the time is what counts; a file that grows is no message yet.
      if (stored >= size || octets === 0) break;
    }
    return { stored, wire: counter.octets, modifiedMs: Math.trunc(mtimeMs) };
  } finally {
    closeSync(file);
  }
}

/** What can be seen of a message file without reading it: its size, its time, and how it ends. */
export interface Ending {
  readonly stored: number;
  readonly modifiedMs: number;
  /** Whether the last octet is an LF; true for an empty message, which has nothing to end. */
  readonly endsInLineEnd: boolean;
}

/** Looks at the last octet of a file. Null when there is no such file, or it cannot be read. */
export function endingOf(path: PathLike): Ending | null {
  let file: number;
  try {
    file = openSync(path, OPEN_MESSAGE);
  } catch {
    return null; /* Whoever counts it will meet the error again, and says so. */
  }
  try {
    const stat = fstatSync(file);
    if (!stat.isFile()) return null;
    const { size, mtimeMs } = stat;
    const last = Buffer.alloc(1, LF);
    if (size > 0) readSync(file, last, 0, 1, size - 1);
    return { stored: size, modifiedMs: Math.trunc(mtimeMs), endsInLineEnd: last[0] === LF };
  } finally {
    closeSync(file);
  }
}

/**
 * Counts the octets of a file of any length.
 *
 * @throws what the file system says
 */
export function* measureLongFile(path: PathLike, turns: Turns): Steps<Measure> {
  const file = openSync(path, OPEN_MESSAGE);
  try {
    const { mtimeMs } = fstatSync(file);
    scratch ??= Buffer.allocUnsafeSlow(READ_OCTETS);
    const counter = new OctetCounter();
    let stored = 0;
    for (;;) {
      const octets = readSync(file, scratch, 0, READ_OCTETS, null);
      if (octets === 0) return { stored, wire: counter.octets, modifiedMs: Math.trunc(mtimeMs) };
      counter.add(scratch.subarray(0, octets));
      stored += octets;
      turns.spend(0, octets);
      if (turns.over()) yield undefined;
    }
  } finally {
    closeSync(file);
  }
}
