import type { ConnectOpts } from 'node:net';

/**
 * Octets of the memory that is read into. Node on its own takes 64 KiB for each read; with a quarter of that, V8 collects
 * what was read more often: a message of 200 MB then takes 67 MB of resident memory at most instead of 86, 45 of which are
 * Node and the code.
 */
const SLAB_OCTETS = 16_384;
/** With less than this left, a slab is given up: the next read would be too small. */
const LEAST_OCTETS = 4_096;

/**
 * Memory for what a socket reads. What was read belongs to whoever gets it, and is never written again: only the rest of a
 * slab is read into.
 */
export class ReceiveBuffer {
  /** Who gets what was read. */
  receive: ((chunk: Uint8Array) => void) | null = null;
  #slab = Buffer.allocUnsafeSlow(SLAB_OCTETS);
  #at = 0;

  /** For `net.connect()`. */
  readonly onread: NonNullable<ConnectOpts['onread']> = {
    buffer: () => {
      if (SLAB_OCTETS - this.#at < LEAST_OCTETS) {
        this.#slab = Buffer.allocUnsafeSlow(SLAB_OCTETS);
        this.#at = 0;
      }
      return this.#slab.subarray(this.#at);
    },
    callback: (octets) => {
      const chunk = this.#slab.subarray(this.#at, this.#at + octets);
      this.#at += octets;
      this.receive?.(chunk);
      return true;
    },
  };
}
