import { nextOctet } from './next-octet.js';
import { CR, DOT, LF } from './octets.js';

export interface WireDecoderOptions {
  /**
   * Takes a response whose first line ends in a bare LF for one whose lines all may: `.` LF ends it, too. Some
   * servers on Unix send this. A response whose first line ends in CRLF is read strictly all the same: a lone dot
   * between bare LFs in a message does not cut it short. Default false.
   */
  readonly acceptBareLf?: boolean;
}

/** What one chunk held of a multi-line response. */
export interface WireDecoded {
  /** The content, its line ends as they came, the last one included; in the memory of the chunk where possible. */
  readonly content: Uint8Array;
  /** Octets of the chunk used: all, unless `done`. What is left belongs to the next response, and is as it came. */
  readonly consumed: number;
  /** Whether the terminator was found. A response without it is not whole, however much of it there is. */
  readonly done: boolean;
}

/**
 * Reads a multi-line response after its status line: removes the stuffing and finds the terminator, in any chunking
 * (RFC 1939 section 3). Afterwards it is ready for the next response.
 *
 * A line ends in CRLF. A bare LF or CR is content, and a dot after it is no stuffing, unless
 * {@link WireDecoderOptions.acceptBareLf} says otherwise. A chunk is the decoder's from then on, and whoever gets the
 * content: what follows a removed dot is moved up in place, which is cheaper than a view for every piece.
 */
export class WireDecoder {
  readonly #acceptBareLf: boolean;
  /** The dot that starts a line is held back: what follows shows whether it was stuffing. So is a CR after it. */
  #place: 'line-start' | 'dot' | 'dot-cr' | 'line' = 'line-start';
  /** Whether a bare LF ends a line of this response; undecided until its first LF. */
  #bareLf: 'undecided' | 'ends-line' | 'content';
  #last = LF;

  constructor(options: WireDecoderOptions = {}) {
    this.#acceptBareLf = options.acceptBareLf ?? false;
    this.#bareLf = this.#acceptBareLf ? 'undecided' : 'content';
  }

  /** Decodes the next chunk of the response, of any length. */
  decode(chunk: Uint8Array): WireDecoded {
    const content = new Content(chunk);
    let at = 0;
    while (at < chunk.length) {
      const octet = chunk[at] as number;
      switch (this.#place) {
        case 'line-start':
          if (octet !== DOT) {
            this.#place = 'line';
            break;
          }
          content.keepTo(at);
          content.skipTo(++at);
          this.#place = 'dot';
          break;
        case 'dot':
          if (octet === LF && this.#bareLf !== 'content') return this.#done(content, at + 1);
          if (octet === CR) at++;
          this.#place = octet === CR ? 'dot-cr' : 'line';
          break;
        case 'dot-cr':
          if (octet === LF) return this.#done(content, at + 1);
          if (at === 0) content.startsWithHeldCr();
          this.#place = 'line';
          break;
        case 'line':
          at = this.#bareLf === 'undecided' ? this.#firstLine(chunk, at) : this.#nextLine(chunk, at);
      }
    }
    if (this.#place !== 'dot-cr') content.keepTo(at);
    if (at > 0) this.#last = chunk[at - 1] as number;
    return { content: content.octets(), consumed: at, done: false };
  }

  /** The end of the first line shows how lines end. Where it ends, or the chunk does. */
  #firstLine(chunk: Uint8Array, from: number): number {
    const lineFeed = nextOctet(chunk, LF, from);
    if (lineFeed === -1) return chunk.length;
    const afterCr = (lineFeed === 0 ? this.#last : chunk[lineFeed - 1]) === CR;
    this.#bareLf = afterCr ? 'content' : 'ends-line';
    this.#place = 'line-start';
    return lineFeed + 1;
  }

  /** Dots are rarer than line ends, so they are looked for. The next one that starts a line, or where the chunk ends. */
  #nextLine(chunk: Uint8Array, from: number): number {
    let dot = nextOctet(chunk, DOT, from);
    while (dot !== -1 && !this.#startsLine(chunk, dot)) dot = nextOctet(chunk, DOT, dot + 1);
    const at = dot === -1 ? chunk.length : dot;
    if (dot !== -1 || this.#startsLine(chunk, at)) this.#place = 'line-start';
    return at;
  }

  /** @param at - not the start of the chunk: there, `#place` says it */
  #startsLine(chunk: Uint8Array, at: number): boolean {
    if (at === 0 || chunk[at - 1] !== LF) return false;
    return this.#bareLf === 'ends-line' || (at === 1 ? this.#last : chunk[at - 2]) === CR;
  }

  #done(content: Content, consumed: number): WireDecoded {
    this.#place = 'line-start';
    this.#bareLf = this.#acceptBareLf ? 'undecided' : 'content';
    this.#last = LF;
    return { content: content.octets(), consumed, done: true };
  }
}

/** The parts of a chunk that are content, moved together in place. */
class Content {
  readonly #chunk: Uint8Array;
  #from = 0;
  #kept = 0;
  #heldCr = false;

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk;
  }

  /** What comes before `end` and was not skipped is content. */
  keepTo(end: number): void {
    if (this.#kept !== this.#from) this.#chunk.copyWithin(this.#kept, this.#from, end);
    this.#kept += end - this.#from;
    this.#from = end;
  }

  skipTo(start: number): void {
    this.#from = start;
  }

  /** A CR of the chunk before turned out to be no part of a terminator. */
  startsWithHeldCr(): void {
    this.#heldCr = true;
  }

  octets(): Uint8Array {
    const kept = this.#kept === this.#chunk.length ? this.#chunk : this.#chunk.subarray(0, this.#kept);
    if (!this.#heldCr) return kept;
    const whole = new Uint8Array(kept.length + 1);
    whole[0] = CR;
    whole.set(kept, 1);
    return whole;
  }
}
