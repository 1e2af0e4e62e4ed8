import { MaildropListing } from '@pop3/core';
import type { StoreEvent } from './events.js';
import { type DovecotUniqueId, foreignIds } from './foreign-ids.js';
import { type MaildirIndex, WRITTEN_ID } from './maildir-index.js';
import type { MessageNames } from './message-names.js';
import { NAME_ENCODING } from './message-path.js';
import type { Sizes } from './sizes.js';
import type { Steps } from './steps.js';
import {
  NO_WRITTEN_IDS,
  parseWrittenIds,
  readWrittenIds,
  stampOfWrittenIds,
  type WrittenIds,
  writeIds,
  writtenId,
} from './unique-id-file.js';
import { defaultUniqueId, distinctUniqueId } from './unique-ids.js';

const MESSAGES_A_TURN = 8_192;

export interface ListingWanted {
  readonly maildir: string;
  readonly names: MessageNames;
  /** The bits `WRITTEN_ID` of its facts are set here. */
  readonly sizes: Sizes;
  readonly previous: MaildirIndex | null;
  readonly dovecotUniqueId: DovecotUniqueId;
  readonly report: (event: StoreEvent) => void;
}

export type ListedMessages = Pick<MaildirIndex, 'listing' | 'writtenIdsStamp' | 'hasWrittenIds'>;

/** Gives each message its unique-id, and writes those down that have to be, before anybody hears of them. */
export function* listMessages(wanted: ListingWanted): Steps<ListedMessages> {
  const { maildir, names, sizes } = wanted;
  const stamp = stampOfWrittenIds(maildir);
  const same = stamp !== '' && stamp === wanted.previous?.writtenIdsStamp ? wanted.previous : null;
  // What is not new has its id already, and where nothing is written there is nothing to read.
  if (same !== null && (!same.hasWrittenIds || !sizes.before.includes(-1)) && !hasNewNeighbours(wanted)) {
    const listing = yield* buildListing(wanted, same, NO_WRITTEN_IDS);
    return { listing, writtenIdsStamp: stamp, hasWrittenIds: same.hasWrittenIds };
  }
  const read = stamp === '' ? null : yield* readWrittenIds(maildir);
  // Nobody has been given an id in an empty maildrop: another server's messages may still be moved here.
  if (read === null && names.count === 0) {
    return { listing: MaildropListing.of([]), writtenIdsStamp: '', hasWrittenIds: false };
  }
  const imported = read ?? (yield* importedIds(wanted));
  const written = yield* distinguished(wanted, imported);
  if (written !== read) yield* save(wanted, written);
  const listing = yield* buildListing(wanted, null, written);
  return { listing, writtenIdsStamp: stampOfWrittenIds(maildir), hasWrittenIds: written.count > 0 };
}

function* buildListing(
  { names, sizes }: ListingWanted,
  previous: MaildirIndex | null,
  written: WrittenIds,
): Steps<MaildropListing> {
  const { facts } = sizes;
  const listing = MaildropListing.builder(names.count);
  for (let message = 0; message < names.count; message++) {
    const before = previous === null ? -1 : (sizes.before[message] as number);
    let id: string | null = null;
    if (previous !== null && before !== -1) {
      if (((facts[message] as number) & WRITTEN_ID) !== 0) id = previous.listing.uniqueIdOf(before + 1);
    } else if (written.count > 0) {
      id = written.idOf(names.tableOf(message), names.entryOf(message));
    }
    facts[message] =
      id === null ? (facts[message] as number) & ~WRITTEN_ID : (facts[message] as number) | WRITTEN_ID;
    listing.add(sizes.wire[message] as number, id ?? defaultUniqueId(names.uniqueOf(message)));
    if ((message + 1) % MESSAGES_A_TURN === 0) yield undefined;
  }
  return listing.build();
}

/** Whether a message that is new shares the unique part of its name with another. */
function hasNewNeighbours({ names, sizes }: ListingWanted): boolean {
  for (
    let message = sizes.before.indexOf(-1);
    message !== -1;
    message = sizes.before.indexOf(-1, message + 1)
  ) {
    if (message > 0 && names.shareUnique(message - 1, message)) return true;
    if (message + 1 < names.count && names.shareUnique(message, message + 1)) return true;
  }
  return false;
}

/** What the server before us gave to messages that are there, except what more than one message would have. */
function* importedIds({ maildir, names, dovecotUniqueId, report }: ListingWanted): Steps<WrittenIds> {
  const foreign = foreignIds(maildir, dovecotUniqueId);
  const lines: string[] = [];
  if (foreign !== null) {
    const given = new Set<string>();
    const messages = new Set<number>();
    let seen = 0;
    for (const [base, id] of foreign.ids) {
      const key = Buffer.from(base, NAME_ENCODING);
      const message = names.findBase(key, 0, key.length);
      if (message !== -1 && !messages.has(message) && !given.has(id)) {
        given.add(id);
        messages.add(message);
        if (id !== defaultUniqueId(names.uniqueOf(message))) lines.push(writtenId(id, base));
      }
      if (++seen % MESSAGES_A_TURN === 0) yield undefined;
    }
    report({ type: 'unique-ids-imported', maildir, server: foreign.server, count: messages.size });
  }
  return yield* parseWrittenIds(NO_WRITTEN_IDS.with(lines), maildir);
}

/** Gives an id of its own to each message whose default is that of another one. */
function* distinguished({ maildir, names, sizes }: ListingWanted, written: WrittenIds): Steps<WrittenIds> {
  const lines: string[] = [];
  for (let start = 0; start < names.count; ) {
    let end = start + 1;
    while (end < names.count && names.shareUnique(start, end)) end++;
    if (end - start > 1 || written.count > 0) {
      const candidates = range(start, end).filter(
        (message) => written.idOf(names.tableOf(message), names.entryOf(message)) === null,
      );
      const byDefault = defaultUniqueId(names.uniqueOf(start));
      const isTaken = written.count > 0 && written.hasId(byDefault);
      // Whoever may have had the default before keeps it.
      const keeper = candidates.find((message) => sizes.listedBefore[message] === 1) ?? candidates[0];
      for (const message of candidates) {
        if (message === keeper && !isTaken) continue;
        const base = names.baseOf(message);
        lines.push(writtenId(distinctUniqueId(base), base));
      }
    }
    if (Math.trunc(start / MESSAGES_A_TURN) !== Math.trunc(end / MESSAGES_A_TURN)) yield undefined;
    start = end;
  }
  return lines.length === 0 ? written : yield* parseWrittenIds(written.with(lines), maildir);
}

function* save({ maildir, report }: ListingWanted, written: WrittenIds): Steps<void> {
  try {
    yield* writeIds(maildir, written.octets, written.count > 0);
  } catch (error) {
    // A full disk must not keep a user from deleting mail. What was imported or told apart is so again next time.
    report({ type: 'unique-ids-not-written', maildir, error: error as Error });
  }
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, offset) => start + offset);
}
