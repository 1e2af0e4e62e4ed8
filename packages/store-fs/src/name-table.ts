import { escapedName, isPlainName } from './escaped-name.js';
import { KeyIndex } from './key-index.js';
import { arrivalOf, baseOf } from './maildir-name.js';
import { NAME_ENCODING } from './message-path.js';

/**
 * The names of the message files of one directory, packed: 100 000 names are not 100 000 strings. An entry is the
 * 0-based position of a name, in the order of the directory.
 */
export class NameTable {
  readonly count: number;
  /** All names, one after the other. */
  readonly octets: Buffer;
  /** Where the name of entry n starts (at n) and ends (at n + 1). */
  readonly starts: Uint32Array;
  /** How many octets of a name come before its flags. */
  readonly baseOctets: Uint16Array;
  /** How many octets come before any comma and before the flags. */
  readonly uniqueOctets: Uint16Array;
  /** When the messages arrived, in microseconds since 1970. */
  readonly arrivals: Float64Array;
  /** Whether every name is ASCII and needs no escapes. */
  readonly plain: boolean;
  #bases: KeyIndex | null = null;

  /** @internal Use {@link NameTableBuilder}. */
  constructor(
    count: number,
    octets: Buffer,
    starts: Uint32Array,
    baseOctets: Uint16Array,
    uniqueOctets: Uint16Array,
    arrivals: Float64Array,
    plain: boolean,
  ) {
    this.count = count;
    this.octets = octets;
    this.starts = starts;
    this.baseOctets = baseOctets;
    this.uniqueOctets = uniqueOctets;
    this.arrivals = arrivals;
    this.plain = plain;
  }

  /** Memory that the table holds, in octets. */
  get heldOctets(): number {
    return this.octets.length + this.arrivals.length * 16 + (this.#bases?.octets ?? 0);
  }

  /** The whole name of an entry, octets as Latin-1 characters. */
  nameOf(entry: number): string {
    return this.octets.toString(NAME_ENCODING, this.starts[entry], this.starts[entry + 1]);
  }

  /** The name of an entry without its flags, octets as Latin-1 characters. */
  baseOf(entry: number): string {
    const start = this.starts[entry] as number;
    return this.octets.toString(NAME_ENCODING, start, start + (this.baseOctets[entry] as number));
  }

  /** The part of the name that should be like no other, octets as Latin-1 characters. */
  uniqueOf(entry: number): string {
    const start = this.starts[entry] as number;
    return this.octets.toString(NAME_ENCODING, start, start + (this.uniqueOctets[entry] as number));
  }

  /** Finds the base of an entry among keys that are escaped names, or gives -1. */
  findIn(keys: KeyIndex, entry: number): number {
    const start = this.starts[entry] as number;
    if (this.plain) return keys.find(this.octets, start, start + (this.baseOctets[entry] as number));
    const key = Buffer.from(escapedName(this.baseOf(entry)), NAME_ENCODING);
    return keys.find(key, 0, key.length);
  }

  /** The entry whose base is that of an entry of another table, or -1. */
  find(table: NameTable, entry: number): number {
    const start = table.starts[entry] as number;
    return this.findBase(table.octets, start, start + (table.baseOctets[entry] as number));
  }

  /** The entry with this base, or -1. */
  findBase(octets: Uint8Array, start: number, end: number): number {
    this.#bases ??= new KeyIndex(this.octets, this.starts, this.baseOctets, this.count);
    return this.#bases.find(octets, start, end);
  }
}

/** Where no message is. */
export const NO_NAMES = new NameTable(
  0,
  Buffer.alloc(0),
  new Uint32Array(1),
  new Uint16Array(0),
  new Uint16Array(0),
  new Float64Array(0),
  true,
);

/** Collects names in the order of the directory. */
export class NameTableBuilder {
  #count = 0;
  #octets: Buffer;
  #starts: Uint32Array;
  #baseOctets: Uint16Array;
  #uniqueOctets: Uint16Array;
  #arrivals: Float64Array;
  #plain = true;

  /** @param like - the names as they were, which saves growing */
  constructor(like: NameTable) {
    // Room for some more, and memory that is not used is not there.
    const capacity = Math.max(16, Math.ceil(like.count * 1.125));
    this.#octets = Buffer.allocUnsafeSlow(Math.max(2_048, Math.ceil(like.octets.length * 1.125)));
    this.#starts = new Uint32Array(capacity + 1);
    this.#baseOctets = new Uint16Array(capacity);
    this.#uniqueOctets = new Uint16Array(capacity);
    this.#arrivals = new Float64Array(capacity);
  }

  /** @param name - octets as Latin-1 characters */
  add(name: string): void {
    const entry = this.#count;
    const start = this.#starts[entry] as number;
    this.#reserve(start + name.length);
    this.#octets.write(name, start, NAME_ENCODING);
    const base = baseOf(name);
    const comma = base.indexOf(',');
    const unique = comma === -1 ? base : base.slice(0, comma);
    this.#baseOctets[entry] = base.length;
    this.#uniqueOctets[entry] = unique.length;
    this.#arrivals[entry] = arrivalOf(unique);
    this.#starts[entry + 1] = start + name.length;
    this.#plain &&= isPlainName(name);
    this.#count++;
  }

  /** The names. The memory of the builder becomes theirs: add nothing afterwards. */
  build(): NameTable {
    const count = this.#count;
    if (count === 0) return NO_NAMES;
    const used = this.#starts[count] as number;
    // A quarter too much is less than a copy costs for a moment.
    const octets = used * 1.25 < this.#octets.length ? copied(this.#octets, used) : this.#octets;
    return new NameTable(
      count,
      octets,
      this.#starts,
      this.#baseOctets,
      this.#uniqueOctets,
      this.#arrivals,
      this.#plain,
    );
  }

  #reserve(octets: number): void {
    if (octets > this.#octets.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(octets, this.#octets.length * 2));
      this.#octets.copy(grown);
      this.#octets = grown;
    }
    if (this.#count < this.#baseOctets.length) return;
    const capacity = this.#count * 2;
    this.#starts = grown(this.#starts, new Uint32Array(capacity + 1));
    this.#baseOctets = grown(this.#baseOctets, new Uint16Array(capacity));
    this.#uniqueOctets = grown(this.#uniqueOctets, new Uint16Array(capacity));
    this.#arrivals = grown(this.#arrivals, new Float64Array(capacity));
  }
}

function copied(octets: Buffer, length: number): Buffer {
  const copy = Buffer.allocUnsafeSlow(length);
  octets.copy(copy, 0, 0, length);
  return copy;
}

function grown<T extends Float64Array | Uint32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
