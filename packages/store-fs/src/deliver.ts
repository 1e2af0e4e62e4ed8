import {
  type BigIntStats,
  closeSync,
  fstatSync,
  fsync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { OctetCounter } from '@pop3/core';
import { messagePath, NAME_ENCODING } from './message-path.js';
import { syncDirectory } from './sync-directory.js';
import { defaultUniqueId } from './unique-ids.js';
import { uniqueName } from './unique-name.js';

export interface DeliverOptions {
  /** Whether to make the Maildir when it is not there, and the directories above it: false by default. */
  readonly create?: boolean;
  /** Whether the message survives a crash of the host once this is done: true by default. */
  readonly fsync?: boolean;
  /** The host in the name of the file: that of this system by default. */
  readonly host?: string;
  /** Stops a delivery before the message is in the Maildir. */
  readonly signal?: AbortSignal;
}

/** A message that was delivered. */
export interface Delivered {
  /** The name of its file in `new`. */
  readonly name: string;
  /** The unique-id it will have. */
  readonly uniqueId: string;
  /** Octets as POP3 will list them (RFC 1939 section 11). */
  readonly octets: number;
}

/** Readers of a Maildir may remove what has been in `tmp` for so long. */
const STALE_DELIVERY_MS = 36 * 60 * 60 * 1000;

const LF = 0x0a;
const FOLDER_MARK = 'maildirfolder';

/**
 * Delivers a message into a Maildir, whole or not at all: it is written into `tmp`, made to last, and renamed into
 * `new`. The name says the octets as stored and, unless the last line has no end, those with CRLF line ends.
 *
 * @param maildir - the directory that holds `tmp`, `new` and `cur`
 * @param message - with any line ends; only read, and stored as it is
 * @throws what the file system says, or the message; then there is nothing in the Maildir
 */
export async function deliverToMaildir(
  maildir: string,
  message: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  options: DeliverOptions = {},
): Promise<Delivered> {
  const lasting = options.fsync ?? true;
  options.signal?.throwIfAborted();
  if (options.create === true) await createMaildir(maildir, lasting);
  const { start, host } = uniqueName(options.host);
  const temporary = `${maildir}/tmp/${start}.${host}`;
  const file = openSync(temporary, 'wx', 0o600);
  try {
    let written: Written;
    let stat: BigIntStats;
    try {
      written = await write(file, message, options.signal);
      if (lasting) await synced(file);
      stat = fstatSync(file, { bigint: true });
    } finally {
      closeSync(file);
    }
    options.signal?.throwIfAborted();
    // The inode makes the name like no other, whatever processes and hosts call themselves.
    const unique = `${start}V${stat.dev.toString(16)}I${stat.ino.toString(16)}.${host}`;
    const name = `${unique}${sizesInName(written)}`;
    renameSync(temporary, `${maildir}/new/${name}`);
    if (lasting) await syncDirectory(`${maildir}/new`);
    return { name, uniqueId: defaultUniqueId(unique), octets: written.octets };
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/**
 * Removes what deliveries that never ended have left in `tmp` of a Maildir more than 36 hours ago.
 *
 * @param nowMs - the time, in milliseconds since 1970
 * @returns how many files were removed
 * @throws what the file system says
 */
export function removeStaleDeliveries(maildir: string, nowMs: number = Date.now()): number {
  let removed = 0;
  for (const name of readdirSync(`${maildir}/tmp`, NAME_ENCODING)) {
    const path = messagePath(maildir, 'tmp', name);
    const stat = lstatSync(path, { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile()) continue;
    // A copy of an old file has an old mtime, and is written to all the same.
    if (nowMs - Math.max(stat.mtimeMs, stat.ctimeMs) <= STALE_DELIVERY_MS) continue;
    try {
      unlinkSync(path);
      removed++;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  return removed;
}

interface Written {
  readonly stored: number;
  readonly octets: number;
  readonly endsInLineEnd: boolean;
}

async function write(
  file: number,
  message: Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  signal: AbortSignal | undefined,
): Promise<Written> {
  const counter = new OctetCounter();
  let stored = 0;
  let last = LF;
  for await (const chunk of message instanceof Uint8Array ? [message] : message) {
    signal?.throwIfAborted();
    for (let at = 0; at < chunk.length; ) at += writeSync(file, chunk, at, chunk.length - at);
    counter.add(chunk);
    stored += chunk.length;
    last = chunk.at(-1) ?? last;
  }
  return { stored, octets: counter.octets, endsInLineEnd: last === LF };
}

/** `,W=` does not count the end of a last line that has none, POP3 does: such a message is counted when it is listed. */
function sizesInName({ stored, octets, endsInLineEnd }: Written): string {
  return endsInLineEnd ? `,S=${stored},W=${octets}` : `,S=${stored}`;
}

async function createMaildir(maildir: string, lasting: boolean): Promise<void> {
  if (['tmp', 'cur', 'new'].every((place) => isThere(`${maildir}/${place}`))) return;
  const first = mkdirSync(maildir, { recursive: true, mode: 0o700 });
  for (const place of ['tmp', 'cur', 'new'])
    mkdirSync(`${maildir}/${place}`, { recursive: true, mode: 0o700 });
  // What Maildir++ has in folders, and only there.
  if (basename(maildir).startsWith('.'))
    writeFileSync(`${maildir}/${FOLDER_MARK}`, '', { flag: 'a', mode: 0o600 });
  if (!lasting) return;
  await syncDirectory(maildir);
  await syncDirectory(dirname(first ?? maildir));
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

const synced = promisify(fsync);
