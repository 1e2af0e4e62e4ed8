import { heldOctetsOf, type MaildirIndex } from './maildir-index.js';

/**
 * The indexes of the Maildirs used last, as many as fit into a number of octets. Sessions that use an index keep it for
 * themselves, whether it is here or not.
 */
export class IndexCache {
  readonly #limitOctets: number;
  /** By directory, the one used longest ago first. */
  readonly #indexes = new Map<string, Cached>();
  #heldOctets = 0;

  constructor(limitOctets: number) {
    this.#limitOctets = limitOctets;
  }

  /** The index of a Maildir, which then is the one used last, or null. */
  take(maildir: string): MaildirIndex | null {
    const cached = this.#indexes.get(maildir);
    if (cached === undefined) return null;
    this.#indexes.delete(maildir);
    this.#indexes.set(maildir, cached);
    return cached.index;
  }

  put(maildir: string, index: MaildirIndex): void {
    const before = this.#indexes.get(maildir);
    if (before?.index === index) return;
    this.#indexes.delete(maildir);
    this.#heldOctets -= before?.octets ?? 0;
    const octets = heldOctetsOf(index);
    // One that fills the cache would keep all others out of it.
    if (octets > this.#limitOctets) return;
    this.#indexes.set(maildir, { index, octets });
    this.#heldOctets += octets;
    for (const [oldest, { octets: freed }] of this.#indexes) {
      if (this.#heldOctets <= this.#limitOctets) return;
      this.#indexes.delete(oldest);
      this.#heldOctets -= freed;
    }
  }
}

interface Cached {
  readonly index: MaildirIndex;
  readonly octets: number;
}
