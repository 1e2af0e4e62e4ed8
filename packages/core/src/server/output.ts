import { CR, LF } from '../octets.js';

/**
 * Replies are gathered up to this size, and a body flows in pieces of it. A drain of small messages costs a tenth less
 * than with 64 KiB, since the peer is woken less often; a peer that stops reading holds as much memory.
 */
const CAPACITY = 262_144;
/** Buffers kept for reuse. With writes that finish at once, one buffer serves every session of a process. */
const MAX_SPARE = 8;
const spare: Uint8Array[] = [];

const NONE = /* @__PURE__ */ new Uint8Array(0);

/**
 * What a session has to say but has not handed out yet. It has memory only while it holds something, so an idle
 * connection costs nothing here.
 */
export class Output {
  #buffer: Uint8Array = NONE;
  #used = 0;
  /** In the hands of the caller. What is said meanwhile, such as the answer to a request, goes to another buffer. */
  #lent: Uint8Array = NONE;

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Whether `octets` more fit. */
  hasRoom(octets: number): boolean {
    return CAPACITY - this.#used >= octets;
  }

  /** The buffer, to be written to from {@link used} on; then tell {@link advance}. */
  get buffer(): Uint8Array {
    if (this.#buffer === NONE) this.#buffer = spare.pop() ?? new Uint8Array(CAPACITY);
    return this.#buffer;
  }

  get used(): number {
    return this.#used;
  }

  advance(used: number): void {
    this.#used = used;
  }

  /** ASCII text and CRLF. */
  line(text: string): void {
    const { buffer } = this;
    for (let i = 0; i < text.length; i++) buffer[this.#used++] = text.charCodeAt(i);
    buffer[this.#used++] = CR;
    buffer[this.#used++] = LF;
  }

  /** Hands out everything gathered; the memory stays lent until {@link reclaim}. */
  lend(): Uint8Array {
    const octets = this.#buffer.subarray(0, this.#used);
    this.#lent = this.#buffer;
    this.#buffer = NONE;
    this.#used = 0;
    return octets;
  }

  /** The caller is done with what was lent. */
  reclaim(): void {
    if (this.#lent !== NONE && spare.length < MAX_SPARE) spare.push(this.#lent);
    this.#lent = NONE;
  }

  /** Forgets everything. The memory may still be in the hands of a caller, so it is not used again. */
  discard(): void {
    this.#lent = this.#buffer = NONE;
    this.#used = 0;
  }
}

/** Writes a whole number in decimal digits and returns the position after it. */
export function writeNumber(value: number, target: Uint8Array, at: number): number {
  const end = value < 10 ? at : writeNumber(Math.floor(value / 10), target, at);
  target[end] = 0x30 + (value % 10);
  return end + 1;
}
