import { CR, LF } from './octets.js';
import { wireKernel } from './wire-kernel.js';

/** Below this many octets the kernel is not worth a copy. Measured in bench/wire. */
const MIN_KERNEL_OCTETS = 64;

/**
 * Counts the octets a stored message has as transmitted: every line end as CRLF, a missing last one completed,
 * before dot-stuffing. It is the size LIST and STAT give, exactly what `WireEncoder` sends without the stuffing
 * and the terminator.
 *
 * @see RFC 1939 section 11
 */
export class OctetCounter {
  #octets = 0;
  #last = LF;

  /** Counts the next chunk of the message, of any length. The chunk is only read. */
  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    this.#octets += chunk.length + bareLineFeeds(this.#last, chunk);
    this.#last = chunk[chunk.length - 1] as number;
  }

  /** Octets of the message so far, were it to end here; 0 for an empty message. */
  get octets(): number {
    return this.#last === LF ? this.#octets : this.#octets + 2;
  }
}

/** The octets of a whole message as transmitted; see {@link OctetCounter}. */
export function wireOctetsOf(message: Uint8Array): number {
  const counter = new OctetCounter();
  counter.add(message);
  return counter.octets;
}

/** How many LF have no CR before them. Each of them grows by one octet on the wire. */
function bareLineFeeds(before: number, octets: Uint8Array): number {
  const kernel = octets.length < MIN_KERNEL_OCTETS ? null : wireKernel();
  if (kernel !== null) return kernel.bareLineFeeds(before, octets);
  let count = 0;
  let last = before;
  for (let i = 0; i < octets.length; i++) {
    const octet = octets[i] as number;
    if (octet === LF && last !== CR) count++;
    last = octet;
  }
  return count;
}
