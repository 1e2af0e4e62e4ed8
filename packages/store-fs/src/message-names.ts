import type { PathLike } from 'node:fs';
import type { Directory } from './directory.js';
import { messagePath, type Place } from './message-path.js';
import type { NameTable } from './name-table.js';
import { sharesUnique } from './order.js';

/** The message files of a Maildir in the order of their numbers. A message is the number less one here. */
export class MessageNames {
  readonly cur: Directory;
  readonly recent: Directory;
  /** By message: entries of `cur`, and those of `recent` plus the number of names in `cur`. */
  readonly #entries: Uint32Array;
  #messages: Uint32Array | null = null;

  constructor(cur: Directory, recent: Directory, entries: Uint32Array) {
    this.cur = cur;
    this.recent = recent;
    this.#entries = entries;
  }

  get count(): number {
    return this.#entries.length;
  }

  /** Memory that the names hold, in octets. */
  get heldOctets(): number {
    const found = this.#messages?.byteLength ?? 0;
    return this.cur.names.heldOctets + this.recent.names.heldOctets + this.#entries.byteLength + found;
  }

  placeOf(message: number): Place {
    return (this.#entries[message] as number) < this.cur.names.count ? 'cur' : 'new';
  }

  /** The table that holds the name of a message. */
  tableOf(message: number): NameTable {
    return this.placeOf(message) === 'cur' ? this.cur.names : this.recent.names;
  }

  /** Where in that table its name is. */
  entryOf(message: number): number {
    const entry = this.#entries[message] as number;
    const inCur = this.cur.names.count;
    return entry < inCur ? entry : entry - inCur;
  }

  /** The name of the file, octets as Latin-1 characters. */
  nameOf(message: number): string {
    return this.tableOf(message).nameOf(this.entryOf(message));
  }

  /** The name without flags, octets as Latin-1 characters. */
  baseOf(message: number): string {
    return this.tableOf(message).baseOf(this.entryOf(message));
  }

  /** The name up to any comma or flags, octets as Latin-1 characters. */
  uniqueOf(message: number): string {
    return this.tableOf(message).uniqueOf(this.entryOf(message));
  }

  /** Whether a comma follows the part of the name that should be like no other. */
  hasFields(message: number): boolean {
    const table = this.tableOf(message);
    const entry = this.entryOf(message);
    return table.uniqueOctets[entry] !== table.baseOctets[entry];
  }

  pathOf(maildir: string, message: number): PathLike {
    return messagePath(maildir, this.placeOf(message), this.nameOf(message));
  }

  /** Where the file of a message is in directories that were read later, or null. */
  locateIn(cur: Directory, recent: Directory, message: number): { place: Place; name: string } | null {
    const table = this.tableOf(message);
    const entry = this.entryOf(message);
    const inCur = cur.names.find(table, entry);
    if (inCur !== -1) return { place: 'cur', name: cur.names.nameOf(inCur) };
    const inNew = recent.names.find(table, entry);
    return inNew === -1 ? null : { place: 'new', name: recent.names.nameOf(inNew) };
  }

  /** The message with the base of one of other names, or -1. */
  find(names: MessageNames, message: number): number {
    return this.findEntry(names.tableOf(message), names.entryOf(message));
  }

  /** The message with the base of an entry of a table, or -1. */
  findEntry(table: NameTable, entry: number): number {
    const messages = this.#messagesByEntry();
    const { cur, recent } = this;
    const inCur = table === cur.names ? entry : cur.names.find(table, entry);
    const found = inCur === -1 ? 0 : (messages[inCur] as number);
    if (found !== 0) return found - 1;
    const inNew = table === recent.names ? entry : recent.names.find(table, entry);
    return inNew === -1 ? -1 : (messages[cur.names.count + inNew] as number) - 1;
  }

  /** The message with this base, or -1. */
  findBase(octets: Uint8Array, start: number, end: number): number {
    const messages = this.#messagesByEntry();
    const inCur = this.cur.names.findBase(octets, start, end);
    const found = inCur === -1 ? 0 : (messages[inCur] as number);
    if (found !== 0) return found - 1;
    const inNew = this.recent.names.findBase(octets, start, end);
    return inNew === -1 ? -1 : (messages[this.cur.names.count + inNew] as number) - 1;
  }

  /** Whether the names of two messages differ in nothing but what comes after the first comma. */
  shareUnique(one: number, other: number): boolean {
    return sharesUnique(this.tableOf(one), this.entryOf(one), this.tableOf(other), this.entryOf(other));
  }

  /** These messages only. */
  without(left: (message: number) => boolean): MessageNames {
    return new MessageNames(
      this.cur,
      this.recent,
      this.#entries.filter((_, message) => !left(message)),
    );
  }

  /** Message numbers by entry; 0 for an entry that is no message of its own. */
  #messagesByEntry(): Uint32Array {
    if (this.#messages === null) {
      this.#messages = new Uint32Array(this.cur.names.count + this.recent.names.count);
      for (let message = 0; message < this.count; message++) {
        this.#messages[this.#entries[message] as number] = message + 1;
      }
    }
    return this.#messages;
  }
}
