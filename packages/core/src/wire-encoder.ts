import { CR, DOT, LF } from './octets.js';
import type { WireKernel } from './wire-kernel.js';

/** Below this many octets the kernel is not worth two copies. Measured in bench/wire. */
const MIN_KERNEL_OCTETS = 64;

/**
 * Turns the octets of a message as stored, with any line ends, into what goes out between the status line and the
 * next response (RFC 1939 sections 3 and 5): every LF without a CR before it becomes CRLF, a missing last line end
 * is completed, and a dot at the start of a line is doubled. A bare CR is no line end: it stays, and starts no line.
 *
 * Chunks may be cut anywhere. For each, call {@link encode} until all of it is consumed, then {@link end} once.
 */
export class WireEncoder {
  // All that has to be known of what came before. A message starts as if an LF had just gone out.
  #last = LF;
  #consumed = 0;
  #produced = 0;
  readonly #kernel: WireKernel | null;

  /**
   * @param kernel - does the same about twelve times faster: `wireKernel()`. Default: none, so that who does not want
   *   WebAssembly does not get it
   */
  constructor(kernel: WireKernel | null = null) {
    this.#kernel = kernel;
  }

  /** Octets of the source used by the last {@link encode}. */
  get consumed(): number {
    return this.#consumed;
  }

  /** Octets put into the target by the last {@link encode}. */
  get produced(): number {
    return this.#produced;
  }

  /**
   * Encodes `source` from `from` on into `target` from `at` on, until all is consumed or fewer than two octets of
   * room are left. Call again, from `from + consumed`, when there is room again. The source is only read.
   */
  encode(source: Uint8Array, from: number, target: Uint8Array, at: number): void {
    let read = from;
    let write = at;
    const kernel = this.#kernel;
    while (kernel !== null && Math.min(source.length - read, target.length - write) >= MIN_KERNEL_OCTETS) {
      kernel.encode(this.#last, source, read, target, write);
      read += kernel.consumed;
      write += kernel.produced;
      this.#last = source[read - 1] as number;
    }
    let last = this.#last;
    const stop = target.length - 1;
    for (; read < source.length && write < stop; read++) {
      const octet = source[read] as number;
      if (octet === LF) {
        if (last !== CR) target[write++] = CR;
      } else if (octet === DOT && last === LF) {
        target[write++] = DOT;
      }
      target[write++] = octet;
      last = octet;
    }
    this.#last = last;
    this.#consumed = read - from;
    this.#produced = write - at;
  }

  /**
   * Completes the last line if it has to be, terminates the response and returns the position after it: at most
   * five octets further. Afterwards the encoder is ready for the next message.
   */
  end(target: Uint8Array, at: number): number {
    let write = at;
    if (this.#last !== LF) {
      target[write++] = CR;
      target[write++] = LF;
    }
    target[write++] = DOT;
    target[write++] = CR;
    target[write++] = LF;
    this.#last = LF;
    return write;
  }
}
