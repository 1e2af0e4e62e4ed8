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

const FILES_A_TURN = 64;
const OCTETS_A_TURN = 1024 * 1024;
const READ_OCTETS = 128 * 1024;

/** Written to by whoever measures, between two turns; never handed out. */
let scratch: Buffer | undefined;

/** Lets other sessions have a turn after one or two milliseconds of reading. */
export class Turns {
  #files = 0;
  #octets = 0;

  /** Whether what was done since the last turn is enough for one. */
  spend(files: number, octets: number): boolean {
    this.#files += files;
    this.#octets += octets;
    if (this.#files < FILES_A_TURN && this.#octets < OCTETS_A_TURN) return false;
    this.#files = 0;
    this.#octets = 0;
    return true;
  }
}

/**
 * Counts the octets of a message file by reading it.
 *
 * @throws what the file system says
 */
export function* measureFile(path: PathLike, turns: Turns): Steps<Measure> {
  const file = openSync(path, OPEN_MESSAGE);
  try {
    const { mtimeMs } = fstatSync(file);
    const counter = new OctetCounter();
    scratch ??= Buffer.allocUnsafeSlow(READ_OCTETS);
    let stored = 0;
    for (;;) {
      const octets = readSync(file, scratch, 0, READ_OCTETS, null);
      if (octets === 0) break;
      counter.add(octets === READ_OCTETS ? scratch : scratch.subarray(0, octets));
      stored += octets;
      if (turns.spend(0, octets)) yield undefined;
    }
    if (turns.spend(1, 0)) yield undefined;
    return { stored, wire: counter.octets, modifiedMs: Math.trunc(mtimeMs) };
  } finally {
    closeSync(file);
  }
}
