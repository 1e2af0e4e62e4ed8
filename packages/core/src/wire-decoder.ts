import { type IndexOf, indexOf, nextOctet } from './next-octet.js';
import { CR, DOT, LF } from './octets.js';

export interface WireDecoderOptions {
  /**
   * Takes a response whose first line ends in a bare LF for one whose lines all may: `.` LF ends it, too. Some
   * servers on Unix send this. A response whose first line ends in CRLF is read strictly all the same: a lone dot
   * between bare LFs in a message does not cut it short. Default false.
   */
  readonly acceptBareLf?: boolean;
  /** Looks for an octet, where the platform does that faster than JavaScript. */
  readonly indexOf?: IndexOf;
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
  readonly #indexOf: IndexOf;
  /** The dot that starts a line is held back: what follows shows whether it was stuffing. So is a CR after it. */
  #place: 'line-start' | 'dot' | 'dot-cr' | 'line' = 'line-start';
  /** Whether a bare LF ends a line of this response; undecided until its first LF. */
  #bareLf: BareLf;
  #last = LF;

  constructor(options: WireDecoderOptions = {}) {
    this.#acceptBareLf = options.acceptBareLf ?? false;
    this.#indexOf = options.indexOf ?? indexOf;
    this.#bareLf = this.#acceptBareLf ? 'undecided' : 'content';
  }

  /** Decodes the next chunk of the response, of any length. */
  decode(chunk: Uint8Array): WireDecoded {
    const last = this.#last;
    const search = this.#indexOf;
    // Locals, and one way out: V8 compiles it once, and need not look at a field for each line.
    let place = this.#place;
    let bareLf = this.#bareLf;
    let at = 0;
    let done = false;
    // A CR of the chunk before turns out to be no part of a terminator.
    const heldCr = place === 'dot-cr' && chunk.length > 0 && chunk[0] !== LF;
    // Content is what was kept, moved to the start of the chunk, and what comes from here on.
    let kept = 0;
    let from = 0;
    while (at < chunk.length && !done) {
      const octet = chunk[at] as number;
      switch (place) {
        case 'line-start':
          if (octet === DOT) {
            if (kept !== from) chunk.copyWithin(kept, from, at);
            kept += at - from;
            from = ++at;
          }
          place = octet === DOT ? 'dot' : 'line';
          break;
        case 'dot':
          done = octet === LF && bareLf !== 'content';
          if (done || octet === CR) at++;
          place = octet === CR ? 'dot-cr' : 'line';
          break;
        case 'dot-cr':
          done = octet === LF;
          if (done) at++;
          place = 'line';
          break;
        case 'line': {
          const undecided = bareLf === 'undecided';
          at = undecided ? lineEnd(chunk, at, search) : dottedLine(chunk, at, last, bareLf, search);
          // The end of the first line shows how lines end.
          if (undecided && chunk[at - 1] === LF)
            bareLf = octetBefore(chunk, at - 1, last) === CR ? 'content' : 'ends-line';
          if (at < chunk.length || startsLine(chunk, at, last, bareLf)) place = 'line-start';
        }
      }
    }
    if (!done && place !== 'dot-cr') {
      if (kept !== from) chunk.copyWithin(kept, from, at);
      kept += at - from;
    }
    this.#place = done ? 'line-start' : place;
    this.#bareLf = done && this.#acceptBareLf ? 'undecided' : bareLf;
    this.#last = done ? LF : octetBefore(chunk, at, last);
    const content = kept === chunk.length ? chunk : chunk.subarray(0, kept);
    return { content: heldCr ? withCrBefore(content) : content, consumed: at, done };
  }
}

type BareLf = 'undecided' | 'ends-line' | 'content';

/** Behind the end of the line, or where the chunk ends. */
function lineEnd(chunk: Uint8Array, from: number, search: IndexOf): number {
  const { length } = chunk;
  const lineFeed = nextOctet(chunk, LF, from, search);
  return lineFeed === -1 ? length : lineFeed + 1;
}

/** The next dot that starts a line, or where the chunk ends. Dots are rarer than line ends, so they are looked for. */
function dottedLine(chunk: Uint8Array, from: number, last: number, bareLf: BareLf, search: IndexOf): number {
  let dot = nextOctet(chunk, DOT, from, search);
  while (dot !== -1 && !startsLine(chunk, dot, last, bareLf)) dot = nextOctet(chunk, DOT, dot + 1, search);
  return dot === -1 ? chunk.length : dot;
}

/** @param at - not the start of the chunk: there, the place says it */
function startsLine(chunk: Uint8Array, at: number, last: number, bareLf: BareLf): boolean {
  if (at === 0 || chunk[at - 1] !== LF) return false;
  return bareLf === 'ends-line' || octetBefore(chunk, at - 1, last) === CR;
}

function octetBefore(chunk: Uint8Array, at: number, last: number): number {
  return at === 0 ? last : (chunk[at - 1] as number);
}

function withCrBefore(content: Uint8Array): Uint8Array {
  const whole = new Uint8Array(content.length + 1);
  whole[0] = CR;
  whole.set(content, 1);
  return whole;
}
