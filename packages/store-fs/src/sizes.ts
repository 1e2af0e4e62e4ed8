/**
 * What each message has in octets, without reading more than has to be read.
 *
 * - What an earlier session of this process knew, or `pop3-sizes` says, is known: messages do not change. Some of what
 *   the file says is compared with the sizes and times of the message files, and all of it when one differs.
 * - `,W=` in a name is what LIST wants, and was right when whoever delivered the message could count. At each open the
 *   newest of them are counted, more than arrive between two ordinary sessions, so that what comes in is counted
 *   before it is ever listed. Only when more are unknown than that, as at the first open of a large old Maildir, the
 *   others are taken from their names: if `,S=` there is the size of the file, if no name proved wrong so far, and
 *   until they are counted when they are read for the first time.
 * - Everything else is counted, once.
 */
import { lstatSync } from 'node:fs';
import type { StoreEvent } from './events.js';
import { COUNTED, KNOWN, type MaildirIndex } from './maildir-index.js';
import { parseMaildirName } from './maildir-name.js';
import { type Measure, measureFile, Turns } from './measure.js';
import type { MessageNames } from './message-names.js';
import { type RecordedSizes, readSizes, type SizeRecord, SizeRecorder } from './size-file.js';
import type { Steps } from './steps.js';

/** How many sizes taken from names are counted at an open, and how many of the size file are checked. */
const CHECKED_AT_OPEN = 128;

/** With fewer unknown messages than this, counting them costs less than reading the size file. */
const FEW_UNKNOWN = 32;

const MESSAGES_A_TURN = 8_192;

/** Asking for the size of a file is about a quarter of the work of reading it. */
const STAT_FILES = 0.25;

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
      if ((message + 1) % MESSAGES_A_TURN === 0) yield undefined;
    }
  }

  /** @param later - whether this process has sizes of this Maildir already */
  *takeFromFile(later: boolean): Steps<void> {
    if (this.#unknown === 0 || (later && this.#unknown < FEW_UNKNOWN)) return;
    const recorded = yield* readSizes(this.#maildir);
    this.#recorder = new SizeRecorder(this.#maildir, recorded === null);
    if (recorded === null) return;
    const lines = new Int32Array(this.#names.count).fill(-1);
    let found = 0;
    for (let message = 0; message < this.#names.count; message++) {
      if (!this.#isKnown(message)) {
        const line = recorded.lineOf(this.#names.tableOf(message), this.#names.entryOf(message));
        lines[message] = line;
        if (line !== -1) found++;
      }
      if ((message + 1) % MESSAGES_A_TURN === 0) yield undefined;
    }
    yield* this.#takeLines(recorded, lines, found);
    // Only a first search sees all that the file is about.
    if (!later && recorded.isMostlyAbout(recorded.lines - found)) this.#recordAnew(recorded, lines);
  }

  *count(): Steps<void> {
    if (this.#unknown === 0) return;
    const claims: number[] = [];
    for (let message = this.#names.count - 1; message >= 0; message--) {
      if (this.#isKnown(message)) continue;
      if (this.#claimOf(message) !== null) claims.push(message);
      else yield* this.#measure(message);
    }
    let honest = true;
    for (const [at, message] of claims.entries()) {
      if (at >= CHECKED_AT_OPEN && honest && this.#believe(message)) {
        if (this.#turns.spend(STAT_FILES, 0)) yield undefined;
        continue;
      }
      const measured = yield* this.#measure(message);
      honest &&= measured === null || isHonest(this.#claimOf(message) as Claim, measured);
    }
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

  *#takeLines(recorded: RecordedSizes, lines: Int32Array, found: number): Steps<void> {
    const differs = this.#someDiffer(recorded, lines, found);
    for (let message = 0; message < lines.length; message++) {
      const line = lines[message] as number;
      if (line !== -1) {
        const record = recorded.at(line);
        this.#listedBefore[message] = 1;
        if (!differs || this.#isAsRecorded(message, record)) this.#learn(message, record);
      }
      if (this.#turns.spend(differs ? STAT_FILES : 1 / 128, 0)) yield undefined;
    }
  }

  /** Whether the size or the time of some of the files is not what was recorded. */
  #someDiffer(recorded: RecordedSizes, lines: Int32Array, found: number): boolean {
    const step = Math.max(1, Math.ceil(found / CHECKED_AT_OPEN));
    let seen = 0;
    for (let message = 0; message < lines.length; message++) {
      const line = lines[message] as number;
      if (line === -1 || seen++ % step !== 0) continue;
      if (!this.#isAsRecorded(message, recorded.at(line))) return true;
    }
    return false;
  }

  #isAsRecorded(message: number, { stored, modifiedMs }: SizeRecord): boolean {
    const stat = lstatSync(this.#names.pathOf(this.#maildir, message), { throwIfNoEntry: false });
    return stat !== undefined && stat.size === stored && Math.trunc(stat.mtimeMs) === modifiedMs;
  }

  /** Leaves out what is about messages that are gone. */
  #recordAnew(recorded: RecordedSizes, lines: Int32Array): void {
    this.#recorder = new SizeRecorder(this.#maildir, true);
    for (let message = 0; message < lines.length; message++) {
      const line = lines[message] as number;
      if (line === -1 || !this.#isKnown(message)) continue;
      this.#recorder.add(this.#names.baseOf(message), recorded.at(line));
    }
  }

  /** Takes what the name says, if the file has the size that the name says too. */
  #believe(message: number): boolean {
    const claim = this.#claimOf(message) as Claim;
    const stat = lstatSync(this.#names.pathOf(this.#maildir, message), { throwIfNoEntry: false });
    if (stat === undefined || !stat.isFile() || stat.size !== claim.stored) return false;
    const record = { ...claim, modifiedMs: Math.trunc(stat.mtimeMs), counted: false };
    this.#learn(message, record);
    this.#recorder.add(this.#names.baseOf(message), record);
    return true;
  }

  *#measure(message: number): Steps<Measure | null> {
    try {
      const measured = yield* measureFile(this.#names.pathOf(this.#maildir, message), this.#turns);
      const record = { ...measured, counted: true };
      this.#learn(message, record);
      this.#recorder.add(this.#names.baseOf(message), record);
      return measured;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') this.#vanished++;
      else if (ONE_FILE_ERRORS.has(code)) this.#leaveOut(message, error as Error);
      else throw error;
      return null;
    }
  }

  #leaveOut(message: number, error: Error): void {
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
  return claim.stored === stored && (claim.wire === wire || claim.wire + 2 === wire);
}
