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

/** Where the lines of a file are. */
interface Lines {
  /** Where the id of each line starts. */
  readonly starts: number[];
  readonly idOctets: number[];
  readonly nameOctets: number[];
}

/** The unique-ids that are written down for a Maildir. */
export class WrittenIds {
  /** What the file has, or is to have: its first line and one for each id. */
  readonly octets: Buffer;
  readonly #lines: Lines;
  readonly #names: KeyIndex;
  #ids: KeyIndex | null = null;

  /** @internal */
  constructor(octets: Buffer, lines: Lines) {
    this.octets = octets;
    this.#lines = lines;
    const nameStarts = lines.starts.map((start, line) => start + (lines.idOctets[line] as number) + 1);
    this.#names = new KeyIndex(octets, nameStarts, lines.nameOctets, nameStarts.length);
  }

  /** How many ids are written down. */
  get count(): number {
    return this.#lines.starts.length;
  }

  /** The id of the message with this name, or null. */
  idOf(names: NameTable, entry: number): string | null {
    const line = names.findIn(this.#names, entry);
    if (line === -1) return null;
    const start = this.#lines.starts[line] as number;
    return this.octets.toString(NAME_ENCODING, start, start + (this.#lines.idOctets[line] as number));
  }

  /** Whether a message has this id. */
  hasId(id: string): boolean {
    const { starts, idOctets } = this.#lines;
    this.#ids ??= new KeyIndex(this.octets, starts, idOctets, this.count);
    const key = Buffer.from(id, NAME_ENCODING);
    return this.#ids.find(key, 0, key.length) !== -1;
  }

  /** Starts a file with these ids and more. */
  extend(): WrittenIdsBuilder {
    const { starts, idOctets, nameOctets } = this.#lines;
    const lines = { starts: [...starts], idOctets: [...idOctets], nameOctets: [...nameOctets] };
    return new WrittenIdsBuilder(this.octets, lines);
  }
}

/** Adds ids. They go into memory as the file will have them, and not into a string for each. */
export class WrittenIdsBuilder {
  #octets: Buffer;
  #used: number;
  readonly #lines: Lines;

  /** @internal Use {@link WrittenIds.extend}. */
  constructor(octets: Buffer, lines: Lines) {
    const start = octets.length === 0 ? Buffer.from(HEADER) : octets;
    this.#octets = Buffer.allocUnsafeSlow(start.length + ROOM_OCTETS);
    this.#used = start.copy(this.#octets);
    this.#lines = lines;
  }

  /** @param base - a name without flags, octets as Latin-1 characters */
  add(id: string, base: string): void {
    const name = escapedName(base);
    const line = `${id} ${name}\n`;
    if (this.#used + line.length > this.#octets.length) {
      const grown = Buffer.allocUnsafeSlow(this.#octets.length * 2 + line.length);
      this.#octets.copy(grown, 0, 0, this.#used);
      this.#octets = grown;
    }
    this.#lines.starts.push(this.#used);
    this.#lines.idOctets.push(id.length);
    this.#lines.nameOctets.push(name.length);
    this.#used += this.#octets.write(line, this.#used, NAME_ENCODING);
  }

  /** The ids. The memory of the builder becomes theirs: add nothing afterwards. */
  build(): WrittenIds {
    return new WrittenIds(this.#octets.subarray(0, this.#used), this.#lines);
  }
}

/** Room for a few more ids. */
const ROOM_OCTETS = 1_024;

/** No ids yet, and no file. */
export const NO_WRITTEN_IDS = new WrittenIds(Buffer.alloc(0), { starts: [], idOctets: [], nameOctets: [] });

/**
 * Reads the ids of a Maildir; null without a file.
 *
 * @throws Error for a file that is not as described above: other ids than those given before would make every client
 *   fetch its mail again, so nobody gets in before a person has looked.
 */
export function* readWrittenIds(maildir: string): Steps<WrittenIds | null> {
  const path = `${maildir}/${UNIQUE_ID_FILE_NAME}`;
  const octets = contentOf(path);
  if (octets === null) return null;
  const lines: Lines = { starts: [], idOctets: [], nameOctets: [] };
  if (octets.length > 0 && octets.toString(NAME_ENCODING, 0, HEADER.length) !== HEADER) {
    throw new Error(`${path}: line 1 is not "${HEADER.trim()}"`);
  }
  for (let start = HEADER.length, line = 2; start < octets.length; line++) {
    const end = octets.indexOf(LF, start);
    const space = octets.indexOf(SPACE, start);
    const isLine = end !== -1 && space !== -1 && space + 1 < end;
    if (!isLine || !isUniqueId(octets.toString(NAME_ENCODING, start, space))) {
      throw new Error(`${path}: line ${line} is not a unique-id, a space and the name of a message`);
    }
    lines.starts.push(start);
    lines.idOctets.push(space - start);
    lines.nameOctets.push(end - space - 1);
    start = end + 1;
    if (line % LINES_A_TURN === 0) yield undefined;
  }
  return new WrittenIds(octets, lines);
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
