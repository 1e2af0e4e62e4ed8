/**
 * The messages that DELE has marked since login (RFC 1939 section 5), as message numbers in ascending order.
 * A store reads them in `commitDeletes`; only the session changes them.
 */
export interface DeletionMarks extends Iterable<number> {
  /** How many messages are marked. */
  readonly size: number;
  /** @param messageNumber - 1-based */
  has(messageNumber: number): boolean;
}

/** One bit for each message, so that a maildrop of a million costs 125 kB, and nothing before the first mark. */
export class DeletionMarkSet implements DeletionMarks {
  readonly #count: number;
  #bits: Uint32Array | null = null;
  #size = 0;

  /** @param count - messages in the maildrop; numbers above it are never marked */
  constructor(count: number) {
    this.#count = count;
  }

  get size(): number {
    return this.#size;
  }

  has(messageNumber: number): boolean {
    const word = this.#bits?.[messageNumber >>> 5] ?? 0;
    return ((word >>> (messageNumber & 31)) & 1) === 1;
  }

  /** Marks a message of this maildrop that is not marked yet. */
  add(messageNumber: number): void {
    if (messageNumber < 1 || messageNumber > this.#count || this.has(messageNumber)) return;
    this.#bits ??= new Uint32Array((this.#count >>> 5) + 1);
    this.#bits[messageNumber >>> 5]! |= 1 << (messageNumber & 31);
    this.#size++;
  }

  clear(): void {
    this.#bits = null;
    this.#size = 0;
  }

  *[Symbol.iterator](): Generator<number, void, undefined> {
    for (let n = 1; this.#bits !== null && n <= this.#count; n++) if (this.has(n)) yield n;
  }
}
