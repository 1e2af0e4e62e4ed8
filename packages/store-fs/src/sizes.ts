/**
 * What each message has in octets, without reading more than has to be read.
 *
 * - What an earlier session of this process knew, or `pop3-sizes` says, is known: messages do not change. Some of what
 *   the file says is compared with the sizes and times of the message files, and all of it when one differs.
 * - `,W=` in a name is what LIST wants, and was right when whoever delivered the message could count. At each open the
 *   newest of them are counted, more than arrive between two ordinary sessions, so that what comes in is counted
 *   before it is ever listed. Only when more are unknown than that, as at the first open of a large old Maildir, the
 *   others are taken from their names: if `,S=` there is the size of the file, if no name proved wrong so far, with
 *   the end that a last line may lack, and until they are counted when they are read for the first time.
 * - Everything else is counted, once.
 */
import { lstatSync } from 'node:fs';
import type { StoreEvent } from './events.js';
import { COUNTED, KNOWN, type MaildirIndex } from './maildir-index.js';
import { parseMaildirName } from './maildir-name.js';
import { endingOf, type Measure, measureFile, measureLongFile, Turns } from './measure.js';
import type { MessageNames } from './message-names.js';
import { isMostlyAboutGone, readSizes, type SizeRecord, SizeRecorder } from './size-file.js';
import type { Steps } from './steps.js';

/** How many sizes taken from names are counted at an open. */
const CHECKED_AT_OPEN = 128;

/** How many sizes of the size file are checked at a first open, all over the maildrop; if one is wrong, all are. */
const CHECKED_OF_FILE = 8;

/** With fewer unknown messages than this, counting them costs less than reading the size file. */
const FEW_UNKNOWN = 32;

/** What completes a last line without an end. */
const LINE_END_OCTETS = 2;

/** Asking for the size of a file is about a quarter of the work of reading it. */
const STAT_FILES = 0.25;
/** And taking what is known about a hundredth. */
const LEARN_FILES = 0.01;

/** Errors of one file, for which the others are still served. */
const ONE_FILE_ERRORS: ReadonlySet<string | undefined> = new Set([
  'EACCES',
  'EPERM',
  'EIO',
  'ELOOP',
  'EISDIR',
]);

/** The sizes of messages, in the order of their numbers. */
export interface Sizes {
  readonly stored: Float64Array;
  readonly wire: Float64Array;
  /** Bits of `MaildirIndex`; without `KNOWN` the file could not be read, and the message is not listed. */
  readonly facts: Uint8Array;
  /** Which message of the index before it was, or -1. */
  readonly before: Int32Array;
  /** 1 for a message that is known to have been listed before. */
  readonly listedBefore: Uint8Array;
  /** Messages that were removed or renamed meanwhile. */
  readonly vanished: number;
  /** Messages of the index before that are not there any more. */
  readonly missing: number;
  /** Messages whose file cannot be read. */
  readonly leftOut: number;
}

export function* findSizes(
  maildir: string,
  names: MessageNames,
  previous: MaildirIndex | null,
  report: (event: StoreEvent) => void,
): Steps<Sizes> {
  const search = new SizeSearch(maildir, names, report);
  if (previous !== null) yield* search.takeFrom(previous);
  try {
    yield* search.takeFromFile(previous !== null);
    yield* search.count();
  } finally {
    // Also when nobody waits any more: the next open goes on from here.
    search.save();
  }
  return search.result();
}

class SizeSearch {
  readonly #maildir: string;
  readonly #names: MessageNames;
  readonly #report: (event: StoreEvent) => void;
  readonly #stored: Float64Array;
  readonly #wire: Float64Array;
  readonly #facts: Uint8Array;
  readonly #before: Int32Array;
  readonly #listedBefore: Uint8Array;
  readonly #turns = new Turns();
  #recorder: SizeRecorder;
  #unknown: number;
  #missing = 0;
  #vanished = 0;
  #leftOut = 0;
  #namesAreHonest = true;

  constructor(maildir: string, names: MessageNames, report: (event: StoreEvent) => void) {
    this.#maildir = maildir;
    this.#names = names;
    this.#report = report;
    const { count } = names;
    this.#unknown = count;
    this.#stored = new Float64Array(count);
    this.#wire = new Float64Array(count);
    this.#facts = new Uint8Array(count);
    this.#before = new Int32Array(count).fill(-1);
    this.#listedBefore = new Uint8Array(count);
    this.#recorder = new SizeRecorder(maildir, false);
  }

  *takeFrom(previous: MaildirIndex): Steps<void> {
    this.#missing = previous.names.count;
    for (let message = 0; message < this.#names.count; message++) {
      const before = previous.names.find(this.#names, message);
      if (before !== -1) {
        this.#before[message] = before;
        this.#listedBefore[message] = 1;
        this.#stored[message] = previous.stored[before] as number;
        this.#wire[message] = previous.wire[before] as number;
        this.#facts[message] = previous.facts[before] as number;
        this.#missing--;
        this.#unknown--;
      }
      this.#turns.spend(LEARN_FILES, 0);
      if (this.#turns.over()) yield undefined;
    }
  }

  /** @param later - whether this process has sizes of this Maildir already */
  *takeFromFile(later: boolean): Steps<void> {
    if (this.#unknown === 0 || (later && this.#unknown < FEW_UNKNOWN)) return;
    const names = this.#names;
    const modifiedMs = new Float64Array(names.count).fill(-1);
    let found = 0;
    const lines = yield* readSizes(this.#maildir, (octets, start, end, size) => {
      const message = names.findBase(octets, start, end);
      if (message === -1 || this.#isKnown(message)) return;
      if (modifiedMs[message] === -1) found++;
      modifiedMs[message] = size.modifiedMs;
      this.#stored[message] = size.stored;
      this.#wire[message] = size.wire;
      this.#facts[message] = size.counted ? COUNTED : 0;
    });
    this.#recorder = new SizeRecorder(this.#maildir, lines === null);
    if (lines === null) return;
    yield* this.#believeFile(modifiedMs, found);
    // Only a first search sees all that the file is about.
    if (!later && isMostlyAboutGone(lines, found)) this.#recordAnew(modifiedMs);
  }

  *count(): Steps<void> {
    if (this.#unknown === 0) return;
    const long: number[] = [];
    const claims: number[] = [];
    for (let message = this.#names.count - 1; message >= 0; message--) {
      if (this.#isKnown(message)) continue;
      if (this.#claimOf(message) !== null) claims.push(message);
      else if (!this.#measure(message)) long.push(message);
      if (this.#turns.over()) yield undefined;
    }
    for (const [at, message] of claims.entries()) {
      const isChecked = at < CHECKED_AT_OPEN || !this.#namesAreHonest;
      if ((isChecked || !this.#believe(message)) && !this.#measure(message)) long.push(message);
      if (this.#turns.over()) yield undefined;
    }
    for (const message of long) yield* this.#measureLong(message);
  }

  save(): void {
    this.#recorder.flush();
  }

  result(): Sizes {
    return {
      stored: this.#stored,
      wire: this.#wire,
      facts: this.#facts,
      before: this.#before,
      listedBefore: this.#listedBefore,
      vanished: this.#vanished,
      missing: this.#missing,
      leftOut: this.#leftOut,
    };
  }

  /** @param modifiedMs - what the file says of the times of messages; -1 where it says nothing of the message */
  *#believeFile(modifiedMs: Float64Array, found: number): Steps<void> {
    const differs = this.#someDiffer(modifiedMs, found);
    for (let message = 0; message < modifiedMs.length; message++) {
      if (modifiedMs[message] !== -1) {
        this.#listedBefore[message] = 1;
        if (!differs || this.#isAsRecorded(message, modifiedMs)) {
          this.#facts[message] = (this.#facts[message] as number) | KNOWN;
          this.#unknown--;
        } else {
          this.#facts[message] = 0;
        }
      }
      this.#turns.spend(differs ? STAT_FILES : LEARN_FILES, 0);
      if (this.#turns.over()) yield undefined;
    }
  }

  /** Whether the size or the time of some of the messages is not what was recorded. */
  #someDiffer(modifiedMs: Float64Array, found: number): boolean {
    const step = Math.max(1, Math.ceil(found / CHECKED_OF_FILE));
    let seen = 0;
    for (let message = 0; message < modifiedMs.length; message++) {
      if (modifiedMs[message] === -1 || seen++ % step !== 0) continue;
      if (!this.#isAsRecorded(message, modifiedMs)) return true;
    }
    return false;
  }

  #isAsRecorded(message: number, modifiedMs: Float64Array): boolean {
    const stat = lstatSync(this.#names.pathOf(this.#maildir, message), { throwIfNoEntry: false });
    if (stat === undefined) return false;
    return stat.size === this.#stored[message] && Math.trunc(stat.mtimeMs) === modifiedMs[message];
  }

  /** Leaves out what is about messages that are gone. */
  #recordAnew(modifiedMs: Float64Array): void {
    this.#recorder = new SizeRecorder(this.#maildir, true);
    for (let message = 0; message < modifiedMs.length; message++) {
      if (!this.#isKnown(message)) continue;
      this.#recorder.add(this.#names.baseOf(message), {
        stored: this.#stored[message] as number,
        wire: this.#wire[message] as number,
        modifiedMs: modifiedMs[message] as number,
        counted: ((this.#facts[message] as number) & COUNTED) !== 0,
      });
    }
  }

  /** Takes what the name says, if the file has the size that the name says too. */
  #believe(message: number): boolean {
    this.#turns.spend(STAT_FILES, 0);
    const claim = this.#claimOf(message) as Claim;
    const ending = endingOf(this.#names.pathOf(this.#maildir, message));
    if (ending === null || ending.stored !== claim.stored) return false;
    const wire = claim.wire + (ending.endsInLineEnd ? 0 : LINE_END_OCTETS);
    const record = { stored: claim.stored, wire, modifiedMs: ending.modifiedMs, counted: false };
    this.#learn(message, record);
    this.#recorder.add(this.#names.baseOf(message), record);
    return true;
  }

  /** Counts a message. False for a long one, which is not read without a pause. */
  #measure(message: number): boolean {
    try {
      const measured = measureFile(this.#names.pathOf(this.#maildir, message));
      if (measured !== null) this.#measured(message, measured);
      return measured !== null;
    } catch (error) {
      this.#unreadable(message, error as NodeJS.ErrnoException);
      return true;
    }
  }

  *#measureLong(message: number): Steps<void> {
    try {
      const path = this.#names.pathOf(this.#maildir, message);
      this.#measured(message, yield* measureLongFile(path, this.#turns));
    } catch (error) {
      this.#unreadable(message, error as NodeJS.ErrnoException);
    }
  }

  #measured(message: number, measured: Measure): void {
    const claim = this.#claimOf(message);
    if (claim !== null && !isHonest(claim, measured)) this.#namesAreHonest = false;
    const { stored, wire, modifiedMs } = measured;
    // Written out: V8 keeps copies made with `...` for so long that a large Maildir costs 30 MB more.
    const record = { stored, wire, modifiedMs, counted: true };
    this.#learn(message, record);
    this.#recorder.add(this.#names.baseOf(message), record);
    this.#turns.spend(1, measured.stored);
  }

  #unreadable(message: number, error: NodeJS.ErrnoException): void {
    if (error.code === 'ENOENT') {
      this.#vanished++;
      return;
    }
    if (!ONE_FILE_ERRORS.has(error.code)) throw error;
    this.#leftOut++;
    const name = this.#names.nameOf(message);
    this.#report({ type: 'message-left-out', maildir: this.#maildir, name, error });
  }

  #learn(message: number, { stored, wire, counted }: Omit<SizeRecord, 'modifiedMs'>): void {
    this.#stored[message] = stored;
    this.#wire[message] = wire;
    this.#facts[message] = counted ? KNOWN | COUNTED : KNOWN;
    this.#unknown--;
  }

  #claimOf(message: number): Claim | null {
    if (!this.#names.hasFields(message)) return null;
    const { storedOctets, wireOctets } = parseMaildirName(this.#names.baseOf(message));
    if (storedOctets === null || wireOctets === null) return null;
    // Each octet may be an LF that becomes two.
    const possible = wireOctets >= storedOctets && wireOctets <= storedOctets * 2;
    return possible ? { stored: storedOctets, wire: wireOctets } : null;
  }

  #isKnown(message: number): boolean {
    return ((this.#facts[message] as number) & KNOWN) !== 0;
  }
}

/** What a name says of its message. */
interface Claim {
  readonly stored: number;
  readonly wire: number;
}

/** Programs that write `,W=` do not count the end of a last line that has none; POP3 does. */
function isHonest(claim: Claim, { stored, wire }: Measure): boolean {
  return claim.stored === stored && (claim.wire === wire || claim.wire + LINE_END_OCTETS === wire);
}
