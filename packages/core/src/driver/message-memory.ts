/** Octets of one piece: most messages fit, and a store that reads half a MiB at once finds room for one octet more. */
const PIECE_OCTETS = 520 * 1024;
/** Pieces kept for reuse. Where stores answer at once, one serves every session of a process. */
const MAX_SPARE = 4;
const spare: Uint8Array[] = [];

/**
 * Memory for stores to read messages into. A server that makes new memory for every message spends more on that, and
 * on collecting it, than on reading.
 */
export class MessageMemory {
  #piece: Uint8Array | null = null;

  /** Memory of so many octets or more. Only the first piece for a message is one that is used again. */
  take(octets: number): Uint8Array {
    if (octets > PIECE_OCTETS || this.#piece !== null) return new Uint8Array(octets);
    this.#piece = spare.pop() ?? new Uint8Array(PIECE_OCTETS);
    return this.#piece;
  }

  /** The message is out, and nobody reads or writes its memory any more. */
  reuse(): void {
    if (this.#piece !== null && spare.length < MAX_SPARE) spare.push(this.#piece);
    this.#piece = null;
  }

  /** The message failed, and its store may still be writing. */
  drop(): void {
    this.#piece = null;
  }
}
