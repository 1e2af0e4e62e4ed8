import type { ConnectOpts } from 'node:net';

/** Octets of the memory that is read into: what Node on its own takes. Many small messages come in one read. */
const SLAB_OCTETS = 65_536;
/**
 * The same within a long message. V8 counts objects rather than the memory behind them, and lets 32 MB of it wait to be
 * collected. Short messages are so many objects that it never comes to that; of a long one the slabs have to be smaller. A
 * message of 200 MB takes 64 MB of resident memory, 89 with the larger ones; 45 of these are Node and the code.
 */
const LONG_SLAB_OCTETS = 8_192;
/** A message is long when so many octets of it have come. */
const LONG_OCTETS = 1 << 20;

/**
 * Memory for what a socket reads. What was read belongs to whoever gets it, and is never written again: only the rest of a
 * slab is read into.
 */
export class ReceiveBuffer {
  /** Who gets what was read. */
  receive: ((chunk: Uint8Array) => void) | null = null;
  #slab = slabOf(SLAB_OCTETS);
  #at = 0;
  /** Of what is being waited for. */
  #octets = 0;

  /** For `net.connect()`. */
  readonly onread: NonNullable<ConnectOpts['onread']> = {
    buffer: () => {
      // Into less than half of a slab, reads would become small, and twice as many.
      if (this.#at > this.#slab.length / 2) {
        this.#slab = slabOf(this.#octets < LONG_OCTETS ? SLAB_OCTETS : LONG_SLAB_OCTETS);
        this.#at = 0;
      }
      return this.#at === 0 ? this.#slab : this.#slab.subarray(this.#at);
    },
    callback: (octets) => {
      const chunk = this.#slab.subarray(this.#at, this.#at + octets);
      this.#at += octets;
      this.#octets += octets;
      this.receive?.(chunk);
      return true;
    },
  };

  /** Something else is waited for: what comes may be short again. */
  restart(): void {
    this.#octets = 0;
  }
}

/** Not filled with zeros, which takes ten times as long. Nobody is given what was not read; `buffer` of a chunk holds it. */
function slabOf(octets: number): Uint8Array {
  return new Uint8Array(Buffer.allocUnsafeSlow(octets).buffer);
}
