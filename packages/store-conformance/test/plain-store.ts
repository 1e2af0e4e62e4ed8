import {
  type Body,
  type CommitOutcome,
  type Identity,
  MaildropListing,
  type MaybePromise,
  type MessageStore,
  type StoreContext,
} from '@pop3/core';
import type { StoreConformanceOptions, StoreUnderTest } from '../src/index.js';
import { wireOctets } from '../src/wire-form.js';

/** What outlives a program: maildrops by name. */
export type Disk = Map<string, Box>;

export interface Entry {
  readonly uniqueId: string;
  readonly content: Uint8Array;
}

/** One maildrop on the disk. */
export class Box {
  entries: Entry[] = [];
  deliveries = 0;
  holder: object | null = null;
  /** What cannot be removed. */
  readonly stuck = new Set<Entry>();

  remove(entry: Entry): void {
    if (this.stuck.has(entry)) throw new Error('the disk says no');
    this.entries = this.entries.filter((other) => other !== entry);
  }
}

/** The parts of a correct store. A mutant replaces one of them by a wrong one. */
export interface Parts {
  boxOf(disk: Disk, identity: Identity): Box;
  /** What is kept of a delivery. */
  keep(message: Uint8Array): Uint8Array;
  /** The unique-id of the next message. */
  nextId(box: Box, content: Uint8Array): string;
  /** Runs when a store is made on a disk that has been used before. */
  restart(disk: Disk): void;
  /** @param program - one for each store, as a process is */
  lock(box: Box, session: object, signal: AbortSignal, program: object): MaybePromise<boolean>;
  unlock(box: Box, session: object): MaybePromise<void>;
  octetsOf(content: Uint8Array): number;
  /** What is in a box when it is opened. */
  entriesOf(box: Box, program: object): readonly Entry[];
  /** The listing when a box is opened. */
  list(entries: readonly Entry[], octetsOf: (content: Uint8Array) => number): MaildropListing;
  /** The listing whenever it is looked at later. */
  listing(listed: MaildropListing, box: Box): MaildropListing;
  find(box: Box, entries: readonly Entry[], messageNumber: number): Entry | undefined;
  /** What retrieve gives for a message that is no longer in the box. */
  gone(): 'gone' | Body;
  read(entry: Entry, box: Box, signal: AbortSignal, context: StoreContext): Body;
  top(entry: Entry, lines: number): Body;
  commit(
    box: Box,
    entries: readonly Entry[],
    marked: readonly number[],
    signal: AbortSignal,
  ): MaybePromise<CommitOutcome>;
}

const CHUNK_OCTETS = 4096;

export const CORRECT: Parts = {
  boxOf: (disk, { maildrop }) => boxNamed(disk, maildrop),
  keep: (message) => message.slice(),
  nextId: (box) => `id-${box.deliveries}`,
  restart: () => {},
  lock: (box, session) => {
    if (box.holder !== null) return false;
    box.holder = session;
    return true;
  },
  unlock: (box, session) => {
    if (box.holder === session) box.holder = null;
  },
  octetsOf: wireOctets,
  entriesOf: (box) => [...box.entries],
  list: (entries, octetsOf) =>
    MaildropListing.of(entries.map(({ uniqueId, content }) => ({ uniqueId, octets: octetsOf(content) }))),
  listing: (listed) => listed,
  find: (box, entries, messageNumber) => {
    const entry = entries[messageNumber - 1] as Entry;
    return box.entries.includes(entry) ? entry : undefined;
  },
  gone: () => 'gone',
  read: ({ content }) => chunksOf(content),
  top: ({ content }) => chunksOf(content),
  commit: (box, entries, marked) => {
    const outcome = { removed: 0, failed: 0 };
    for (const messageNumber of marked) {
      try {
        box.remove(entries[messageNumber - 1] as Entry);
        outcome.removed++;
      } catch {
        outcome.failed++;
      }
    }
    return outcome;
  },
};

/** A store that answers everything late and in chunks, with what the parts say. */
export function plainStore(disk: Disk, parts: Parts): MessageStore {
  const program = {};
  return {
    async open(identity, { signal }) {
      const box = parts.boxOf(disk, identity);
      const session = {};
      if (!(await parts.lock(box, session, signal, program))) return { type: 'refused', reason: 'in-use' };
      const entries = parts.entriesOf(box, program);
      const listed = parts.list(entries, parts.octetsOf);
      return {
        get listing() {
          return parts.listing(listed, box);
        },
        async retrieve(messageNumber, context) {
          const entry = parts.find(box, entries, messageNumber);
          return entry === undefined ? parts.gone() : parts.read(entry, box, context.signal, context);
        },
        async top(messageNumber, lines) {
          const entry = parts.find(box, entries, messageNumber);
          return entry === undefined ? parts.gone() : parts.top(entry, lines);
        },
        async commitDeletes(deletions, context) {
          return parts.commit(box, entries, [...deletions], context.signal);
        },
        async release() {
          await parts.unlock(box, session);
        },
      };
    },
  };
}

interface PlainUnderTest extends StoreUnderTest {
  readonly disk: Disk;
  readonly seeded: readonly Entry[];
}

/** How the kit reaches a plain store, with every hook. */
export function plainAdapter(parts: Parts): StoreConformanceOptions<PlainUnderTest> {
  const identity = { maildrop: 'ann', username: 'ann' };
  const deliver = (disk: Disk, message: Uint8Array): void => {
    const box = boxNamed(disk, 'ann');
    box.deliveries++;
    const content = parts.keep(message);
    box.entries.push({ uniqueId: parts.nextId(box, content), content });
  };
  const restarted = (disk: Disk): MessageStore => {
    parts.restart(disk);
    return plainStore(disk, parts);
  };
  return {
    open(seed) {
      const disk: Disk = new Map();
      for (const message of seed) deliver(disk, message);
      const seeded = [...boxNamed(disk, 'ann').entries];
      return { store: plainStore(disk, parts), identity, disk, seeded };
    },
    deliver: ({ disk }, message) => deliver(disk, message),
    removeBehind: ({ disk, seeded }, position) => boxNamed(disk, 'ann').remove(seeded[position - 1] as Entry),
    failDeletes: ({ disk, seeded }, positions) => {
      for (const position of positions) boxNamed(disk, 'ann').stuck.add(seeded[position - 1] as Entry);
    },
    reopen: ({ disk }) => restarted(disk),
    secondStore: ({ disk }) => plainStore(disk, parts),
  };
}

export function boxNamed(disk: Disk, name: string): Box {
  const box = disk.get(name) ?? new Box();
  disk.set(name, box);
  return box;
}

export async function* chunksOf(content: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  for (let at = 0; at < content.length; at += CHUNK_OCTETS) yield content.slice(at, at + CHUNK_OCTETS);
}
