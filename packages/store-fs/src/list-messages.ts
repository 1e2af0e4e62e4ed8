import { lstatSync } from 'node:fs';
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
  readWrittenIds,
  stampOfWrittenIds,
  type WrittenIds,
  type WrittenIdsBuilder,
  writeIds,
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
  const written = yield* distinguished(wanted, imported, same !== null);
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
  const imported = NO_WRITTEN_IDS.extend();
  const foreign = foreignIds(maildir, dovecotUniqueId);
  if (foreign === null) return imported.build();
  const given = new Set<string>();
  const hasId = new Uint8Array(names.count);
  let seen = 0;
  for (const [base, id] of foreign.ids) {
    const key = Buffer.from(base, NAME_ENCODING);
    const message = names.findBase(key, 0, key.length);
    if (message !== -1 && hasId[message] === 0 && !given.has(id)) {
      given.add(id);
      hasId[message] = 1;
      imported.add(id, base);
    }
    if (++seen % MESSAGES_A_TURN === 0) yield undefined;
  }
  report({ type: 'unique-ids-imported', maildir, server: foreign.server, count: given.size });
  return imported.build();
}

/**
 * Gives an id of its own to each message whose default is that of another one.
 *
 * @param settled - whether messages that were in the previous index have theirs
 */
function* distinguished(
  { maildir, names, sizes }: ListingWanted,
  written: WrittenIds,
  settled: boolean,
): Steps<WrittenIds> {
  const isSettled = (message: number) => settled && sizes.before[message] !== -1;
  let more: WrittenIdsBuilder | null = null;
  for (let start = 0; start < names.count; ) {
    let end = start + 1;
    while (end < names.count && names.shareUnique(start, end)) end++;
    const isAlone = end - start === 1;
    if (isAlone ? written.count > 0 && !isSettled(start) : !range(start, end).every(isSettled)) {
      const candidates = range(start, end).filter(
        (message) => written.idOf(names.tableOf(message), names.entryOf(message)) === null,
      );
      const byDefault = defaultUniqueId(names.uniqueOf(start));
      const isTaken = written.count > 0 && written.hasId(byDefault);
      // Whoever had the default before keeps it, or may have had it, being older. Beside messages with written ids
      // nobody gets it anew: one that is gone may have had it.
      const oldest = candidates.length === end - start ? oldestOf(candidates, maildir, names) : undefined;
      const keeper = candidates.find((message) => sizes.listedBefore[message] === 1) ?? oldest;
      for (const message of candidates) {
        const base = names.baseOf(message);
        const isDefault = message === keeper && !isTaken;
        // Of several, the default is written down too: nothing else will tell who had it.
        if (isDefault && isAlone) continue;
        more ??= written.extend();
        more.add(isDefault ? byDefault : distinctUniqueId(base), base);
      }
    }
    if (Math.trunc(start / MESSAGES_A_TURN) !== Math.trunc(end / MESSAGES_A_TURN)) yield undefined;
    start = end;
  }
  return more === null ? written : more.build();
}

function oldestOf(candidates: readonly number[], maildir: string, names: MessageNames): number | undefined {
  if (candidates.length === 1) return candidates[0];
  const modified = (message: number) =>
    lstatSync(names.pathOf(maildir, message), { throwIfNoEntry: false })?.mtimeMs ?? Number.POSITIVE_INFINITY;
  return [...candidates].sort((one, other) => modified(one) - modified(other))[0];
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
