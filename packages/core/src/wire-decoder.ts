import { nextLineFeed } from './line-feed.js';
import { CR, DOT, LF } from './octets.js';

/**
 * Views made of one chunk. A chunk of nothing but stuffed dots would become thousands; what comes after these is
 * copied into one array, four times as fast. Measured in bench/wire.
 */
const MAX_VIEWS = 256;

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
  /** The content, in order, its line ends as they came, the last one included. Views on the chunk where possible. */
  readonly segments: readonly Uint8Array[];
  /** Octets of the chunk used: all, unless `done`. What is left belongs to the next response. */
  readonly consumed: number;
  /** Whether the terminator was found. A response without it is not whole, however much of it there is. */
  readonly done: boolean;
}

/**
 * Reads a multi-line response after its status line: removes the stuffing and finds the terminator, in any chunking
 * (RFC 1939 section 3). Afterwards it is ready for the next response.
 *
 * A line ends in CRLF. A bare LF or CR is content, and a dot after it is no stuffing, unless
 * {@link WireDecoderOptions.acceptBareLf} says otherwise. Chunks are passed on, not copied: do not write to a chunk
 * after handing it over.
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
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      const octet = chunk[at] as number;
      switch (this.#place) {
        case 'line-start':
          if (octet !== DOT) {
            this.#place = 'line';
            break;
          }
          content.add(start, at);
          start = ++at;
          this.#place = 'dot';
          break;
        case 'dot':
          if (octet === LF && this.#bareLf !== 'content') return this.#done(content, at + 1);
          if (octet === CR) at++;
          this.#place = octet === CR ? 'dot-cr' : 'line';
          break;
        case 'dot-cr':
          if (octet === LF) return this.#done(content, at + 1);
          if (at === 0) content.addHeldCr();
          this.#place = 'line';
          break;
        case 'line': {
          const lineFeed = nextLineFeed(chunk, at);
          if (lineFeed === -1) {
            at = chunk.length;
            break;
          }
          const before = lineFeed === 0 ? this.#last : chunk[lineFeed - 1];
          if (this.#endsLine(before === CR)) this.#place = 'line-start';
          at = lineFeed + 1;
        }
      }
    }
    if (this.#place !== 'dot-cr') content.add(start, at);
    if (at > 0) this.#last = chunk[at - 1] as number;
    return { segments: content.segments(), consumed: at, done: false };
  }

  #endsLine(afterCr: boolean): boolean {
    if (this.#bareLf === 'undecided') this.#bareLf = afterCr ? 'content' : 'ends-line';
    return afterCr || this.#bareLf === 'ends-line';
  }

  #done(content: Content, consumed: number): WireDecoded {
    this.#place = 'line-start';
    this.#bareLf = this.#acceptBareLf ? 'undecided' : 'content';
    this.#last = LF;
    return { segments: content.segments(), consumed, done: true };
  }
}

/** The parts of a chunk that are content: views first, and one copy of what comes after too many of them. */
class Content {
  readonly #chunk: Uint8Array;
  readonly #segments: Uint8Array[] = [];
  #copied: Uint8Array | null = null;
  #copiedOctets = 0;

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk;
  }

  add(from: number, to: number): void {
    if (from === to) return;
    if (this.#segments.length < MAX_VIEWS) {
      this.#segments.push(this.#chunk.subarray(from, to));
      return;
    }
    this.#copied ??= new Uint8Array(this.#chunk.length - from);
    for (let at = from; at < to; at++) this.#copied[this.#copiedOctets++] = this.#chunk[at] as number;
  }

  /** A CR of the chunk before, which turned out to be no part of a terminator. */
  addHeldCr(): void {
    this.#segments.push(Uint8Array.of(CR));
  }

  segments(): readonly Uint8Array[] {
    if (this.#copied !== null) this.#segments.push(this.#copied.subarray(0, this.#copiedOctets));
    return this.#segments;
  }
}
