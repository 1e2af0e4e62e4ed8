import { CR, LF } from './octets.js';

/**
 * Finds where the answer to TOP ends in the octets of a message as stored, with any line ends: after the header,
 * the blank line and so many lines of the body (RFC 1939 section 7). What is shorter belongs to the answer whole.
 *
 * A line ends with LF or CRLF; a CR elsewhere is part of its line.
 */
export class TopCutter {
  #inHeader = true;
  #bodyLinesLeft: number;
  // The two octets before the next one. A message starts as if it followed a blank line.
  #last = LF;
  #beforeLast = LF;

  /** @param lines - lines of the body after the blank line; 0 for the header alone, and no number is too large */
  constructor(lines: number) {
    this.#bodyLinesLeft = lines;
  }

  /** Whether the end of the answer has been found: nothing after it has to be read. */
  get done(): boolean {
    return !this.#inHeader && this.#bodyLinesLeft <= 0;
  }

  /** How many octets of the next chunk of the message, from its start on, belong to the answer. */
  cut(chunk: Uint8Array): number {
    let at = this.#inHeader ? this.#endOfHeader(chunk) : 0;
    if (this.#inHeader) return at;
    while (this.#bodyLinesLeft > 0) {
      const lineFeed = chunk.indexOf(LF, at);
      if (lineFeed === -1) return chunk.length;
      at = lineFeed + 1;
      this.#bodyLinesLeft--;
    }
    return at;
  }

  /** Where the line after the blank line starts, or where the chunk ends. */
  #endOfHeader(chunk: Uint8Array): number {
    let last = this.#last;
    let beforeLast = this.#beforeLast;
    for (let at = 0; at < chunk.length; at++) {
      const octet = chunk[at] as number;
      if (octet === LF && (last === LF || (last === CR && beforeLast === LF))) {
        this.#inHeader = false;
        return at + 1;
      }
      beforeLast = last;
      last = octet;
    }
    this.#last = last;
    this.#beforeLast = beforeLast;
    return chunk.length;
  }
}
