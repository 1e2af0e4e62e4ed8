import { CR, LF } from './octets.js';

/**
 * - a `Uint8Array`: one line without its line end; a view, valid until the next `push`
 * - `need-data`: no whole line has come yet
 * - `line-too-long`: a line above the limit has ended; its octets were dropped
 * - `overflow`: a line has exceeded the ceiling, whether its end has come or not; nothing is read after it
 */
export type LineResult = Uint8Array | 'need-data' | 'line-too-long' | 'overflow';

const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/**
 * Cuts what a peer sends into lines (RFC 1939 section 3), in any chunking and with bounded memory.
 *
 * A bare LF ends a line too: real clients send it, and no command can contain one.
 */
export class LineReader {
  readonly #ceilingOctets: number;
  #buffer: Uint8Array = NOTHING;
  #at = 0;
  /** How far the buffer is known to hold no LF. */
  #searched = 0;
  /** Octets dropped of a line that is too long, or 0. */
  #dropped = 0;

  /** @param ceilingOctets - a line of more octets than this is not even waited for */
  constructor(ceilingOctets: number) {
    this.#ceilingOctets = ceilingOctets;
  }

  /** Octets that came and were not read yet, as a view. */
  get buffered(): Uint8Array {
    return this.#buffer.subarray(this.#at);
  }

  /** Takes a chunk over; copies only when a line is split between chunks. */
  push(chunk: Uint8Array): void {
    const rest = this.#buffer.length - this.#at;
    if (rest === 0) {
      this.#buffer = chunk;
    } else {
      const joined = new Uint8Array(rest + chunk.length);
      joined.set(this.#buffer.subarray(this.#at));
      joined.set(chunk, rest);
      this.#buffer = joined;
      this.#searched -= this.#at;
    }
    if (rest === 0) this.#searched = 0;
    this.#at = 0;
  }

  /** @param maxOctets - longest line to accept, its line end included */
  next(maxOctets: number): LineResult {
    const buffer = this.#buffer;
    const at = this.#at;
    const lf = buffer.indexOf(LF, this.#searched);
    const end = lf === -1 ? buffer.length : lf + 1;
    this.#searched = end;
    if (this.#dropped > 0 || end - at > maxOctets) return this.#drop(end, lf !== -1);
    if (lf === -1) return 'need-data';
    // Whoever is idle now must not keep the chunk.
    if (end === buffer.length) this.clear();
    else this.#at = end;
    return buffer.subarray(at, lf > at && buffer[lf - 1] === CR ? lf - 1 : lf);
  }

  #drop(end: number, whole: boolean): LineResult {
    this.#dropped += end - this.#at;
    this.#at = end;
    // The same whether the end of the line came in this chunk or not: chunks are an accident of the network.
    if (this.#dropped > this.#ceilingOctets) return 'overflow';
    if (!whole) return 'need-data';
    this.#dropped = 0;
    return 'line-too-long';
  }

  /** Goes on behind so many octets of what is buffered: they were read otherwise, and not as lines. */
  skip(octets: number): void {
    this.#at += octets;
    this.#searched = this.#at;
    if (this.#at === this.#buffer.length) this.clear();
  }

  /** Forgets everything that came. STLS does this: nothing received in the clear may survive it. */
  clear(): void {
    this.#buffer = NOTHING;
    this.#at = this.#searched = this.#dropped = 0;
  }
}
