/**
 * The file `pop3-uidl` in a Maildir: unique-ids that do not follow from the names of the messages. It is not made from
 * anything else that lasts, so it belongs to the mail: back it up, and move it with the messages.
 *
 * The first line names the format; each other line is a unique-id, a space and the name of a message without flags. A
 * file without lines says that ids have been given here before, so that files of other servers are not read any more.
 * An empty file says the same.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsync,
  lstatSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { promisify } from 'node:util';
import { escapedName } from './escaped-name.js';
import { KeyIndex } from './key-index.js';
import { NAME_ENCODING } from './message-path.js';
import type { NameTable } from './name-table.js';
import { type Steps, waitFor } from './steps.js';
import { syncDirectory } from './sync-directory.js';
import { isUniqueId } from './unique-ids.js';

export const UNIQUE_ID_FILE_NAME = 'pop3-uidl';

const HEADER = 'pop3-uidl 1\n';
const LF = 0x0a;
const SPACE = 0x20;
const LINES_A_TURN = 8_192;
const WRITTEN_AT_ONCE = 1024 * 1024;

/** The unique-ids that are written down for a Maildir. */
export class WrittenIds {
  /** What the file has, or is to have: its first line and one for each id. */
  readonly octets: Buffer;
  readonly #idStarts: readonly number[];
  readonly #idLengths: readonly number[];
  readonly #names: KeyIndex;
  #ids: KeyIndex | null = null;

  /** @internal */
  constructor(
    octets: Buffer,
    idStarts: readonly number[],
    idLengths: readonly number[],
    nameLengths: readonly number[],
  ) {
    this.octets = octets;
    this.#idStarts = idStarts;
    this.#idLengths = idLengths;
    const nameStarts = idStarts.map((start, line) => start + (idLengths[line] as number) + 1);
    this.#names = new KeyIndex(octets, nameStarts, nameLengths, nameStarts.length);
  }

  /** How many ids are written down. */
  get count(): number {
    return this.#idStarts.length;
  }

  /** The id of the message with this name, or null. */
  idOf(names: NameTable, entry: number): string | null {
    const line = names.findIn(this.#names, entry);
    if (line === -1) return null;
    const start = this.#idStarts[line] as number;
    return this.octets.toString(NAME_ENCODING, start, start + (this.#idLengths[line] as number));
  }

  /** Whether a message has this id. */
  hasId(id: string): boolean {
    this.#ids ??= new KeyIndex(this.octets, this.#idStarts, this.#idLengths, this.count);
    const key = Buffer.from(id, NAME_ENCODING);
    return this.#ids.find(key, 0, key.length) !== -1;
  }

  /** What the file has to have with these lines more. */
  with(lines: readonly string[]): Buffer {
    const header = this.octets.length === 0 ? HEADER : '';
    return Buffer.concat([this.octets, Buffer.from(header + lines.join(''), NAME_ENCODING)]);
  }
}

/** No ids yet. */
export const NO_WRITTEN_IDS = new WrittenIds(Buffer.alloc(0), [], [], []);

/** A line of the file. */
export function writtenId(id: string, base: string): string {
  return `${id} ${escapedName(base)}\n`;
}

/**
 * Reads the ids of a Maildir; null without a file.
 *
 * @throws Error for a file that is not as described above: other ids than those given before would make every client
 *   fetch its mail again, so nobody gets in before a person has looked.
 */
export function* readWrittenIds(maildir: string): Steps<WrittenIds | null> {
  const path = `${maildir}/${UNIQUE_ID_FILE_NAME}`;
  const octets = contentOf(path);
  return octets === null ? null : yield* parseWrittenIds(octets, path);
}

/** @param path - for the text of an error */
export function* parseWrittenIds(octets: Buffer, path: string): Steps<WrittenIds> {
  const idStarts: number[] = [];
  const idLengths: number[] = [];
  const nameLengths: number[] = [];
  if (octets.length > 0 && octets.toString(NAME_ENCODING, 0, HEADER.length) !== HEADER) {
    throw new Error(`${path}: line 1 is not "${HEADER.trim()}"`);
  }
  for (let start = HEADER.length, line = 2; start < octets.length; line++) {
    const end = octets.indexOf(LF, start);
    const space = octets.indexOf(SPACE, start);
    if (
      end === -1 ||
      space === -1 ||
      space + 1 >= end ||
      !isUniqueId(octets.toString(NAME_ENCODING, start, space))
    ) {
      throw new Error(`${path}: line ${line} is not a unique-id, a space and the name of a message`);
    }
    idStarts.push(start);
    idLengths.push(space - start);
    nameLengths.push(end - space - 1);
    start = end + 1;
    if (line % LINES_A_TURN === 0) yield undefined;
  }
  return new WrittenIds(octets, idStarts, idLengths, nameLengths);
}

/**
 * Puts the file in place, whole or not at all.
 *
 * @param lasting - whether it has to survive a crash of the host, which takes the time of a disk
 */
export function* writeIds(maildir: string, octets: Buffer, lasting: boolean): Steps<void> {
  const path = `${maildir}/${UNIQUE_ID_FILE_NAME}`;
  const temporary = `${path}.tmp`;
  // Only the holder of the lock writes here: what is there was left behind.
  rmSync(temporary, { force: true });
  try {
    const file = openSync(temporary, 'wx', 0o600);
    try {
      for (let at = 0; at < octets.length; ) {
        if (at > 0) yield undefined;
        at += writeSync(file, octets, at, Math.min(WRITTEN_AT_ONCE, octets.length - at));
      }
      if (lasting) yield* waitFor(syncFile(file));
    } finally {
      closeSync(file);
    }
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
  if (lasting) yield* waitFor(syncDirectory(maildir));
}

const syncFile = promisify(fsync);

function contentOf(path: string): Buffer | null {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path} is not a file`);
    return readFileSync(file);
  } finally {
    closeSync(file);
  }
}

/** What tells whether the file has been replaced; empty without one. */
export function stampOfWrittenIds(maildir: string): string {
  const stat = lstatSync(`${maildir}/${UNIQUE_ID_FILE_NAME}`, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
}
