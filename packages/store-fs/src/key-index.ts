/**
 * Finds keys that lie in one piece of memory, such as names in a file: an open hash table of positions. A hundred
 * thousand keys take one megabyte, and not an object each.
 */
export class KeyIndex {
  readonly #octets: Uint8Array;
  readonly #starts: ArrayLike<number>;
  readonly #lengths: ArrayLike<number>;
  /** Positions plus one; 0 is free. A power of two of them, at most half taken. */
  readonly #slots: Uint32Array;
  readonly #mask: number;

  /**
   * @param octets - where the keys lie; not copied
   * @param starts - where each key starts
   * @param lengths - how long it is
   */
  constructor(octets: Uint8Array, starts: ArrayLike<number>, lengths: ArrayLike<number>, count: number) {
    this.#octets = octets;
    this.#starts = starts;
    this.#lengths = lengths;
    let capacity = 8;
    while (capacity < count * 2) capacity *= 2;
    this.#slots = new Uint32Array(capacity);
    this.#mask = capacity - 1;
    for (let position = 0; position < count; position++) {
      const start = starts[position] as number;
      this.#slots[this.#slotOf(octets, start, start + (lengths[position] as number))] = position + 1;
    }
  }

  /** Memory, without the keys themselves. */
  get octets(): number {
    return this.#slots.byteLength;
  }

  /** The position of a key, the last one of equal keys, or -1. */
  find(octets: Uint8Array, start: number, end: number): number {
    return (this.#slots[this.#slotOf(octets, start, end)] as number) - 1;
  }

  #slotOf(octets: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    let slot = hashOf(octets, start, end) & this.#mask;
    for (;;) {
      const taken = slots[slot] as number;
      if (taken === 0 || this.#equals(taken - 1, octets, start, end)) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #equals(position: number, octets: Uint8Array, start: number, end: number): boolean {
    if (this.#lengths[position] !== end - start) return false;
    const own = this.#starts[position] as number;
    // From the end: the names of a Maildir start and differ alike, but hosts and sizes at the end cost little.
    for (let i = end - start - 1; i >= 0; i--) {
      if (this.#octets[own + i] !== octets[start + i]) return false;
    }
    return true;
  }
}

/** FNV-1a, 32 bits: for tables and for noticing damage, not against anybody who wants collisions. */
export function hashOf(octets: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let i = start; i < end; i++) hash = Math.imul(hash ^ (octets[i] as number), 0x01000193);
  return hash >>> 0;
}
