import { DeletionMarkSet } from '../deletion-marks.js';
import type { MaildropListing } from '../listing.js';

/** The maildrop as the peer sees it in the TRANSACTION state: what was listed at the login, less what is marked. */
export class Transaction {
  readonly listing: MaildropListing;
  readonly marks: DeletionMarkSet;
  #markedOctets = 0;

  constructor(listing: MaildropListing) {
    this.listing = listing;
    this.marks = new DeletionMarkSet(listing.count);
  }

  /** Messages that are not marked. */
  get count(): number {
    return this.listing.count - this.marks.size;
  }

  /** Octets of the messages that are not marked. */
  get octets(): number {
    return this.listing.totalOctets - this.#markedOctets;
  }

  mark(messageNumber: number): void {
    this.marks.add(messageNumber);
    this.#markedOctets += this.listing.octetsOf(messageNumber);
  }

  /** Takes all marks back. */
  reset(): void {
    this.marks.clear();
    this.#markedOctets = 0;
  }
}
