import { type Dir, type Dirent, opendirSync, readdirSync, statSync } from 'node:fs';
import { NAME_ENCODING } from './message-path.js';
import { type NameTable, NameTableBuilder, NO_NAMES } from './name-table.js';
import type { Steps } from './steps.js';

/** What is in `new` or `cur` of a Maildir, and until when that holds. */
export interface Directory {
  readonly names: NameTable;
  /** When a name was last added, removed or changed, by the clock of the file system; 0 without the directory. */
  readonly modifiedNs: bigint;
  readonly inode: bigint;
  /**
   * Whether every later change gives another `modifiedNs`. File systems note times by a clock that ticks some hundred
   * times a second or once a second: what is read in the tick of a change may miss another change of that tick.
   */
  readonly settled: boolean;
}

/** A Maildir that others write into without a pause is taken as it was read the last time. */
const MAX_READS = 4;

/** Names read before other sessions get a turn: about one millisecond. */
const NAMES_A_TURN = 2_048;
const NAMES_AT_ONCE = 1_024;

/**
 * Up to so many octets, what most file systems give a directory of a thousand messages, all names are read by one call:
 * an open directory costs five times as much as the names of ten messages.
 */
const SMALL_DIRECTORY_OCTETS = 65_536;

/** Whether a directory is still as it was read, by one system call. */
export function stands(path: string, before: Directory): boolean {
  return before.settled && isSame(before, stampOf(path));
}

/**
 * Reads a directory of messages, unless it stands as before.
 *
 * A rename while the names are read can hide a message that was there all the time, and changes the time of the
 * directory: it is read again until that stays.
 *
 * @param fileSystemTimeNs - asked before the first name is read
 */
export function* readDirectory(
  path: string,
  before: Directory | null,
  fileSystemTimeNs: () => bigint,
): Steps<Directory> {
  let stamp = stampOf(path);
  if (before?.settled && isSame(before, stamp)) return before;
  for (let reads = 1; ; reads++) {
    const startedNs = fileSystemTimeNs();
    const names = yield* readNames(path, stamp, before?.names ?? NO_NAMES);
    const after = stampOf(path);
    const calm = isSame(stamp, after);
    if (calm || reads === MAX_READS) {
      const { modifiedNs, inode } = stamp;
      return { modifiedNs, inode, names, settled: calm && startedNs > modifiedNs };
    }
    stamp = after;
  }
}

function* readNames(path: string, { inode, octets }: Stamp, before: NameTable): Steps<NameTable> {
  if (inode === 0n) return NO_NAMES;
  const names = new NameTableBuilder(before);
  let directory: Dir;
  try {
    if (octets <= SMALL_DIRECTORY_OCTETS) {
      for (const entry of readdirSync(path, { encoding: NAME_ENCODING, withFileTypes: true })) {
        if (isMessage(entry)) names.add(entry.name);
      }
      return names.build();
    }
    directory = opendirSync(path, { encoding: NAME_ENCODING, bufferSize: NAMES_AT_ONCE });
  } catch (error) {
    if (isAbsent(error)) return NO_NAMES;
    throw error;
  }
  try {
    let read = 0;
    for (let entry = directory.readSync(); entry !== null; entry = directory.readSync()) {
      if (isMessage(entry)) names.add(entry.name);
      if (++read % NAMES_A_TURN === 0) yield undefined;
    }
  } finally {
    directory.closeSync();
  }
  return names.build();
}

/**
 * Every regular file that is not hidden. Not links: they would let whoever can write into the Maildir read what only
 * this program can.
 */
function isMessage(entry: Dirent): boolean {
  return entry.isFile() && !entry.name.startsWith('.');
}

interface Stamp extends Pick<Directory, 'modifiedNs' | 'inode'> {
  /** Size of the directory itself. */
  readonly octets: number;
}

function stampOf(path: string): Stamp {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  if (stat === undefined) return NOWHERE;
  return { modifiedNs: stat.mtimeNs, inode: stat.ino, octets: Number(stat.size) };
}

const NOWHERE: Stamp = { modifiedNs: 0n, inode: 0n, octets: 0 };

function isSame(one: Pick<Stamp, 'modifiedNs' | 'inode'>, other: Stamp): boolean {
  return one.modifiedNs === other.modifiedNs && one.inode === other.inode;
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT';
}
