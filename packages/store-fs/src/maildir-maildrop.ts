import { lstatSync, unlinkSync } from 'node:fs';
import {
  type Body,
  type CommitOutcome,
  type DeletionMarks,
  type Maildrop,
  type MaildropListing,
  type MaybePromise,
  type StoreContext,
  wireOctetsOf,
} from '@pop3/core';
import { type Directory, readDirectory, stands } from './directory.js';
import type { StoreEvent } from './events.js';
import type { FileBody } from './file-body.js';
import type { MaildirLock } from './lock.js';
import { COUNTED, KNOWN, type MaildirIndex } from './maildir-index.js';
import { measureFile, measureLongFile, Turns } from './measure.js';
import { messagePath, type Place } from './message-path.js';
import type { MessageReader, Unread } from './message-reader.js';
import { SizeRecorder } from './size-file.js';
import { run, type Steps, waitFor } from './steps.js';
import { syncDirectory } from './sync-directory.js';

/** Some two milliseconds of unlinking, on a file system that does not wait for its disk. */
const DELETES_A_TURN = 64;

export interface MaildirMaildropParts {
  readonly maildir: string;
  readonly lock: MaildirLock;
  readonly index: MaildirIndex;
  readonly reader: MessageReader;
  /** Whether deletions are made to last before they count as done. */
  readonly lasting: boolean;
  readonly report: (event: StoreEvent) => void;
}

/** A Maildir that is locked for one session. */
export class MaildirMaildrop implements Maildrop {
  readonly listing: MaildropListing;
  readonly #maildir: string;
  readonly #lock: MaildirLock;
  readonly #index: MaildirIndex;
  readonly #reader: MessageReader;
  readonly #lasting: boolean;
  readonly #report: (event: StoreEvent) => void;
  /** The directories as last read in this session, once a file was not where it had been. */
  #latest: { readonly cur: Directory; readonly recent: Directory } | null = null;
  #recorder: SizeRecorder | null = null;
  /** Those that still have a file open. */
  readonly #bodies = new Set<FileBody>();

  constructor(parts: MaildirMaildropParts) {
    this.listing = parts.index.listing;
    this.#maildir = parts.maildir;
    this.#lock = parts.lock;
    this.#index = parts.index;
    this.#reader = parts.reader;
    this.#lasting = parts.lasting;
    this.#report = parts.report;
  }

  retrieve(messageNumber: number, context: StoreContext): MaybePromise<Body | 'gone'> {
    // Throws for a number that is not in the listing.
    const listedOctets = this.listing.octetsOf(messageNumber);
    const message = messageNumber - 1;
    const { stored, wire } = this.#index;
    const isAsListed = wire[message] === listedOctets;
    if (isAsListed && this.#latest === null && this.#reader.readsAtOnce(stored[message] as number)) {
      const body = this.#open(message, this.#listedFile(message), context);
      if (body !== 'absent' && body !== 'changed') return body;
    }
    return run(this.#retrieveSlowly(message, context), context);
  }

  commitDeletes(deletions: DeletionMarks): MaybePromise<CommitOutcome> {
    return run(this.#commit(deletions));
  }

  release(): void {
    for (const body of this.#bodies) body.close();
    this.#recorder?.flush();
    this.#recorder = null;
    this.#lock.release();
  }

  *#retrieveSlowly(message: number, context: StoreContext): Steps<Body | 'gone'> {
    const { stored, wire, facts } = this.#index;
    const listedOctets = this.listing.octetsOf(message + 1);
    for (let attempt = 1; ; attempt++) {
      const file = yield* this.#find(message);
      if (file === null) return 'gone';
      // A long message is counted before its first octet goes out; of a short one the body is there to be counted.
      const isUncounted =
        ((facts[message] as number) & COUNTED) === 0 && !this.#reader.readsAtOnce(stored[message] as number);
      if (isUncounted || wire[message] !== listedOctets) yield* this.#count(message, file);
      const body = this.#open(message, file, context);
      if (body !== 'absent' && body !== 'changed') return body;
      if (attempt === 3) throw new Error(`${this.#pathOf(file)} changes again and again`);
      if (body === 'changed') yield* this.#count(message, file);
    }
  }

  #open(message: number, file: FoundFile, context: StoreContext): Body | Unread {
    const path = messagePath(this.#maildir, file.place, file.name);
    const octets = this.#index.stored[message] as number;
    if (this.#reader.readsAtOnce(octets)) {
      const body = this.#reader.readAtOnce(path, octets, context);
      return typeof body === 'string' || this.#hasItsSize(message, body) ? body : 'changed';
    }
    const body = this.#reader.openBody(path, octets, context.signal, (closed) => this.#bodies.delete(closed));
    if (typeof body !== 'string') this.#bodies.add(body);
    return body;
  }

  #pathOf({ place, name }: FoundFile): string {
    return `${this.#maildir}/${place}/${name}`;
  }

  /** Where a message is now, when its file is not where it was: programs that set flags rename it. */
  *#find(message: number): Steps<FoundFile | null> {
    const { names } = this.#index;
    const first = this.#listedFile(message);
    if (this.#latest === null && this.#isThere(first)) return first;
    for (let reads = 0; ; reads++) {
      const found =
        this.#latest === null ? null : names.locateIn(this.#latest.cur, this.#latest.recent, message);
      if (found !== null && this.#isThere(found)) return found;
      if (this.#latest !== null && this.#latestStands()) return null;
      // A rename in the moment of reading can hide a message: once more before it counts as gone.
      if (reads === 2) return null;
      const recent = yield* this.#read('new');
      const cur = yield* this.#read('cur');
      this.#latest = { recent, cur };
    }
  }

  #listedFile(message: number): FoundFile {
    const { names } = this.#index;
    return { place: names.placeOf(message), name: names.nameOf(message) };
  }

  #read(place: Place): Steps<Directory> {
    return readDirectory(`${this.#maildir}/${place}`, null, this.#lock.fileSystemTimeNs);
  }

  #latestStands(): boolean {
    if (this.#latest === null) return false;
    const { cur, recent } = this.#latest;
    return stands(`${this.#maildir}/new`, recent) && stands(`${this.#maildir}/cur`, cur);
  }

  #isThere({ place, name }: FoundFile): boolean {
    return lstatSync(messagePath(this.#maildir, place, name), { throwIfNoEntry: false }) !== undefined;
  }

  /** Compares a message that was read whole with its size, the first time. */
  #hasItsSize(message: number, body: Uint8Array): boolean {
    const { facts, wire } = this.#index;
    if (((facts[message] as number) & COUNTED) !== 0) return true;
    if (wireOctetsOf(body) !== wire[message]) return false;
    facts[message] = (facts[message] as number) | COUNTED;
    return true;
  }

  /**
   * Counts a message anew, so that the next session lists it right.
   *
   * @throws Error when it is not what this session has listed
   */
  *#count(message: number, { place, name }: FoundFile): Steps<void> {
    const { stored, wire, facts, names } = this.#index;
    const path = messagePath(this.#maildir, place, name);
    const measured = measureFile(path) ?? (yield* measureLongFile(path, new Turns()));
    this.#recorder ??= new SizeRecorder(this.#maildir, false);
    this.#recorder.add(names.baseOf(message), { ...measured, counted: true });
    const isNews = wire[message] !== measured.wire;
    const listedOctets = this.listing.octetsOf(message + 1);
    stored[message] = measured.stored;
    wire[message] = measured.wire;
    facts[message] = (facts[message] as number) | KNOWN | COUNTED;
    if (measured.wire === listedOctets) return;
    this.#index.current = false;
    const octets = measured.wire;
    if (isNews) this.#report({ type: 'size-corrected', maildir: this.#maildir, name, listedOctets, octets });
    throw new Error(
      `${this.#pathOf({ place, name })} has ${octets} octets and was listed with ${listedOctets}: the next session lists it right`,
    );
  }

  *#commit(deletions: DeletionMarks): Steps<CommitOutcome> {
    if (deletions.size === 0) return { removed: 0, failed: 0 };
    if (!this.#lock.held()) throw new Error(`The lock of ${this.#maildir} was taken by another process`);
    const changed = new Set<Place>();
    let removed = 0;
    let failed = 0;
    for (const messageNumber of deletions) {
      const error = yield* this.#delete(messageNumber - 1, changed);
      if (error === null) removed++;
      else failed++;
      if ((removed + failed) % DELETES_A_TURN === 0) yield undefined;
    }
    if (this.#lasting)
      for (const place of changed) yield* waitFor(syncDirectory(`${this.#maildir}/${place}`));
    return { removed, failed };
  }

  /** Deletes the file of a message. Null when it is gone, also when it was so before. */
  *#delete(message: number, changed: Set<Place>): Steps<Error | null> {
    let file: FoundFile | null = this.#listedFile(message);
    // Renamed more than once while it is being deleted, it stays until the next session.
    for (let attempt = 0; attempt < 3 && file !== null; attempt++) {
      try {
        unlinkSync(messagePath(this.#maildir, file.place, file.name));
        changed.add(file.place);
        return null;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
          this.#report({
            type: 'delete-failed',
            maildir: this.#maildir,
            name: file.name,
            error: error as Error,
          });
          return error as Error;
        }
      }
      file = yield* this.#find(message);
    }
    return file === null ? null : new Error('The message is renamed again and again.');
  }
}

interface FoundFile {
  readonly place: Place;
  readonly name: string;
}
