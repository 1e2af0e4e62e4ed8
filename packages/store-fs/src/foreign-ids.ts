/**
 * The unique-ids that Dovecot and Courier gave to the messages of a Maildir, from the files those servers keep there.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync } from 'node:fs';
import { baseOf } from './maildir-name.js';
import { NAME_ENCODING } from './message-path.js';
import { isUniqueId } from './unique-ids.js';

export const DOVECOT_FILE_NAME = 'dovecot-uidlist';
export const COURIER_FILE_NAME = 'courierpop3dsizelist';

/** What Dovecot knows of a message, for the unique-id it gave. */
export interface DovecotMessage {
  readonly uid: number;
  readonly uidValidity: number;
  /** The name of the message without flags, which is `%f` of Dovecot and its `%g` unless a file says otherwise. */
  readonly base: string;
}

/** Forms the unique-id of a message as one Dovecot server is configured to. */
export type DovecotUniqueId = (message: DovecotMessage) => string;

/** Dovecot's default `pop3_uidl_format`, `%08Xu%08Xv`: despite the `X`, the digits are in lower case. */
export function defaultDovecotUniqueId({ uid, uidValidity }: DovecotMessage): string {
  return hex(uid) + hex(uidValidity);
}

/** The ids of one server. */
export interface ForeignIds {
  readonly server: 'dovecot' | 'courier';
  /** Names without flags, octets as Latin-1 characters, and the id of each. */
  readonly ids: Iterable<readonly [base: string, id: string]>;
}

/**
 * The ids that the last of the other servers gave, or null when there was none: of two files the one written last.
 *
 * @throws what the file system says of a file that is there and cannot be read
 */
export function foreignIds(maildir: string, dovecotUniqueId: DovecotUniqueId): ForeignIds | null {
  const dovecot = `${maildir}/${DOVECOT_FILE_NAME}`;
  const courier = `${maildir}/${COURIER_FILE_NAME}`;
  const writtenMs = { dovecot: modifiedMs(dovecot), courier: modifiedMs(courier) };
  if (writtenMs.dovecot === null && writtenMs.courier === null) return null;
  if ((writtenMs.dovecot ?? 0) >= (writtenMs.courier ?? 0)) {
    return { server: 'dovecot', ids: parseDovecotUidlist(textOf(dovecot), dovecotUniqueId) };
  }
  return { server: 'courier', ids: parseCourierSizeList(textOf(courier)) };
}

/**
 * Reads a `dovecot-uidlist`. Version 3 starts with `3 V<uidvalidity> N<next uid> G<guid>`; its lines are a uid, fields
 * of which `P` is an id that wins over the format, and after a colon the name. Version 1, also Courier's, starts with
 * `1 <uidvalidity> <next uid>`; its lines are a uid and the name. Lines of another form are passed over.
 */
export function* parseDovecotUidlist(
  text: string,
  dovecotUniqueId: DovecotUniqueId = defaultDovecotUniqueId,
): Generator<readonly [base: string, id: string]> {
  const [header, lines] = firstLine(text);
  const version1 = /^1 (\d+) \d+$/.exec(header);
  const uidValidity = Number(version1?.[1] ?? /^3 (?:.* )?V(\d+)(?: |$)/.exec(header)?.[1]);
  if (!Number.isSafeInteger(uidValidity)) return;
  const form = version1 === null ? /^(\d+)((?: [^ :][^ ]*)*) :(.+)$/ : /^(\d+)() (.+)$/;
  for (const line of linesOf(lines)) {
    const [, uid, fields, name] = form.exec(line) ?? [];
    if (uid === undefined || fields === undefined || name === undefined) continue;
    const base = baseOf(name);
    const kept = / P([^ ]+)/.exec(fields)?.[1];
    const id = kept ?? dovecotUniqueId({ uid: Number(uid), uidValidity, base });
    if (isUniqueId(id)) yield [base, id];
  }
}

/**
 * Reads a `courierpop3dsizelist`. Its first line is a slash and the version, which was without one in the beginning.
 * The lines are a name, a size, and from version 1 on the uid, from version 2 on `:` and a uidvalidity, from version 3
 * on `:` and whether the header is UTF-8. The id is `UID<uid>-<uidvalidity>`, without the part that is 0 or missing,
 * and the name for a message without uid.
 */
export function* parseCourierSizeList(text: string): Generator<readonly [base: string, id: string]> {
  const version = /^\/([1-3]) /.exec(text)?.[1];
  if (version === undefined && text.startsWith('/')) return;
  const form = COURIER_LINES[Number(version ?? 0)] as RegExp;
  for (const line of linesOf(version === undefined ? text : firstLine(text)[1])) {
    const [, name, uid, uidValidity] = form.exec(line) ?? [];
    if (name === undefined) continue;
    const base = baseOf(name);
    const id = courierId(base, Number(uid ?? 0), Number(uidValidity ?? 0));
    if (isUniqueId(id)) yield [base, id];
  }
}

/** By version. Names may hold spaces. */
const COURIER_LINES = [
  /^(.+) \d+$/,
  /^(.+) \d+ (\d+)$/,
  /^(.+) \d+ (\d+):(\d+)$/,
  /^(.+) \d+ (\d+):(\d+):\d+$/,
] as const;

function courierId(base: string, uid: number, uidValidity: number): string {
  if (uid !== 0) return uidValidity === 0 ? `UID${uid}` : `UID${uid}-${uidValidity}`;
  return base.replace(/[^!#-&(-*,-~]/g, (character) => `+${hexPair(character)}`);
}

function hexPair(character: string): string {
  return character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0');
}

function hex(value: number): string {
  return value.toString(16).padStart(8, '0');
}

function firstLine(text: string): [line: string, rest: string] {
  const end = text.indexOf('\n');
  return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)];
}

/** Whole lines only: a file that was cut off ends in half an id. */
function* linesOf(text: string): Generator<string> {
  for (let start = 0; ; ) {
    const end = text.indexOf('\n', start);
    if (end === -1) return;
    yield text.slice(start, end);
    start = end + 1;
  }
}

function modifiedMs(path: string): number | null {
  return lstatSync(path, { throwIfNoEntry: false })?.mtimeMs ?? null;
}

function textOf(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    if (!fstatSync(file).isFile()) throw new Error(`${path} is not a file`);
    return readFileSync(file, NAME_ENCODING);
  } finally {
    closeSync(file);
  }
}
