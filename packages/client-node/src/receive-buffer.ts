import type { ConnectOpts } from 'node:net';

/**
 * Octets of the memory that is read into. Node on its own takes 64 KiB for each read. V8 counts objects rather than the
 * memory behind them, so the less each holds, the less of it waits to be collected: a message of 200 MB takes at most 64 MB
 * of resident memory, 70 with 16 KiB, 86 with 64 KiB; 45 of these are Node and the code.
 */
const SLAB_OCTETS = 8_192;
/** With less than this left, a slab is given up: the next read would be too small. */
const LEAST_OCTETS = 2_048;

/**
 * Memory for what a socket reads. What was read belongs to whoever gets it, and is never written again: only the rest of a
 * slab is read into.
 */
export class ReceiveBuffer {
  /** Who gets what was read. */
  receive: ((chunk: Uint8Array) => void) | null = null;
  #slab = new Uint8Array(SLAB_OCTETS);
  #at = 0;

  /** For `net.connect()`. */
  readonly onread: NonNullable<ConnectOpts['onread']> = {
    buffer: () => {
      if (SLAB_OCTETS - this.#at < LEAST_OCTETS) {
        this.#slab = new Uint8Array(SLAB_OCTETS);
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
