import { type BigIntStats, lstatSync, renameSync } from 'node:fs';
import type { Directory } from './directory.js';
import type { StoreEvent } from './events.js';
import { baseOf } from './maildir-name.js';
import { MessageNames } from './message-names.js';
import { messagePath, type Place } from './message-path.js';
import { arrivalOrder, sharesBase } from './order.js';
import { uniqueName } from './unique-name.js';

/**
 * The messages of a Maildir in the order of their numbers, each once.
 *
 * A name can be there twice: a message was renamed while the directories were read, and only one of the two is left;
 * it has two links, and is one message; or two messages have one name, against the rules of Maildir. Then one of them
 * is renamed, as Dovecot does, because a name is all that tells messages apart.
 *
 * @returns `'changed'` when a message was renamed
 */
export function arrange(
  maildir: string,
  cur: Directory,
  recent: Directory,
  report: (event: StoreEvent) => void,
): MessageNames | 'changed' {
  const order = arrivalOrder(cur.names, recent.names);
  const sameBase = (one: number, other: number) => {
    const inCur = cur.names.count;
    const [a, x] = one < inCur ? [cur.names, one] : [recent.names, one - inCur];
    const [b, y] = other < inCur ? [cur.names, other] : [recent.names, other - inCur];
    return sharesBase(a, x, b, y);
  };
  let kept = 0;
  let hasRenamed = false;
  for (let i = 0; i < order.length; i++) {
    const entry = order[i] as number;
    const before = kept === 0 ? -1 : (order[kept - 1] as number);
    if (before === -1 || !sameBase(before, entry)) {
      order[kept++] = entry;
      continue;
    }
    const [one, other] = [fileOf(maildir, cur, recent, before), fileOf(maildir, cur, recent, entry)];
    if (other.stat === undefined) continue;
    if (one.stat === undefined) {
      order[kept - 1] = entry;
      continue;
    }
    if (one.stat.ino === other.stat.ino && one.stat.dev === other.stat.dev) continue;
    if (renamed(maildir, other, report)) hasRenamed = true;
  }
  return hasRenamed ? 'changed' : new MessageNames(cur, recent, order.slice(0, kept));
}

interface NamedFile {
  readonly place: Place;
  readonly name: string;
  readonly stat: BigIntStats | undefined;
}

function fileOf(maildir: string, cur: Directory, recent: Directory, entry: number): NamedFile {
  const inCur = cur.names.count;
  const place = entry < inCur ? 'cur' : 'new';
  const name = entry < inCur ? cur.names.nameOf(entry) : recent.names.nameOf(entry - inCur);
  const path = messagePath(maildir, place, name);
  return { place, name, stat: lstatSync(path, { bigint: true, throwIfNoEntry: false }) };
}

/** Gives a message another name with the same sizes and flags. False when that cannot be done: it is listed later. */
function renamed(maildir: string, file: NamedFile, report: (event: StoreEvent) => void): boolean {
  const comma = baseOf(file.name).indexOf(',');
  const info = baseOf(file.name).length;
  const { start, host } = uniqueName();
  const to = `${start}.${host}${file.name.slice(comma === -1 ? info : comma)}`;
  try {
    renameSync(messagePath(maildir, file.place, file.name), messagePath(maildir, file.place, to));
  } catch {
    return false; /* Gone meanwhile, or not ours to rename. */
  }
  report({ type: 'duplicate-renamed', maildir, from: file.name, to });
  return true;
}
