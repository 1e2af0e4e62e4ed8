/** In place of a size plus one: the server gave none that can be. */
const UNKNOWN = -1;

/**
 * What a listing says by message number, packed: a maildrop of a million messages is not a million objects. Iterates in the
 * order of the numbers.
 */
export abstract class NumberedMap<V> implements ReadonlyMap<number, V> {
  /** How many numbers there are values for. */
  size = 0;
  /** The highest number that there is a value for. */
  last = 0;

  abstract get(messageNumber: number): V | undefined;

  has(messageNumber: number): boolean {
    return this.get(messageNumber) !== undefined;
  }

  *entries(): MapIterator<[number, V]> {
    for (let number = 1; number <= this.last; number++) {
      const value = this.get(number);
      if (value !== undefined) yield [number, value];
    }
  }

  *keys(): MapIterator<number> {
    for (const [number] of this.entries()) yield number;
  }

  *values(): MapIterator<V> {
    for (const [, value] of this.entries()) yield value;
  }

  [Symbol.iterator](): MapIterator<[number, V]> {
    return this.entries();
  }

  forEach(visit: (value: V, messageNumber: number, map: ReadonlyMap<number, V>) => void): void {
    for (const [number, value] of this.entries()) visit(value, number, this);
  }
}

/** Octets by message number; null for a message whose size the server does not know. */
export class ScanListing extends NumberedMap<number | null> {
  /** One more than the octets: 0 is a number without a message. */
  #sizes = new Float64Array(64);

  /** The first line counts where there are several for a message. */
  add(messageNumber: number, octets: number | null): void {
    if (this.has(messageNumber)) return;
    this.#sizes = withRoom(this.#sizes, messageNumber, (length) => new Float64Array(length));
    this.#sizes[messageNumber] = octets === null ? UNKNOWN : octets + 1;
    this.size++;
    this.last = Math.max(this.last, messageNumber);
  }

  get(messageNumber: number): number | null | undefined {
    const stored = this.#sizes[messageNumber];
    if (!stored) return undefined;
    return stored === UNKNOWN ? null : stored - 1;
  }
}

/** Unique-ids by message number. */
export class UniqueIdListing extends NumberedMap<string> {
  #octets: Uint8Array = new Uint8Array(1024);
  #used = 0;
  #starts = new Uint32Array(64);
  #lengths = new Uint16Array(64);

  /** Octets of all ids together. */
  get octets(): number {
    return this.#used;
  }

  add(messageNumber: number, uniqueId: Uint8Array): void {
    if (this.has(messageNumber)) return;
    this.#starts = withRoom(this.#starts, messageNumber, (length) => new Uint32Array(length));
    this.#lengths = withRoom(this.#lengths, messageNumber, (length) => new Uint16Array(length));
    this.#octets = withRoom(this.#octets, this.#used + uniqueId.length, (length) => new Uint8Array(length));
    this.#octets.set(uniqueId, this.#used);
    this.#starts[messageNumber] = this.#used;
    this.#lengths[messageNumber] = uniqueId.length;
    this.#used += uniqueId.length;
    this.size++;
    this.last = Math.max(this.last, messageNumber);
  }

  get(messageNumber: number): string | undefined {
    const length = this.#lengths[messageNumber];
    if (!length) return undefined;
    const start = this.#starts[messageNumber] as number;
    return String.fromCharCode(...this.#octets.subarray(start, start + length));
  }
}

function withRoom<T extends Float64Array | Uint32Array | Uint16Array | Uint8Array>(
  array: T,
  index: number,
  make: (length: number) => T,
): T {
  if (index < array.length) return array;
  const larger = make(Math.max(index + 1, array.length * 2));
  larger.set(array);
  return larger;
}
