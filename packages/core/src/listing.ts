import { usage } from './errors.js';

/** RFC 1939 section 7: a unique-id has 1 to 70 octets, each from 0x21 to 0x7E. */
const MAX_UNIQUE_ID_OCTETS = 70;

/**
 * Sizes and unique-ids of the messages of a maildrop, fixed while it is locked (RFC 1939 sections 5 and 7).
 *
 * Packed into three arrays: a maildrop of 100 000 messages is not 100 000 objects. Message numbers are 1-based.
 * Make one with {@link MaildropListing.builder} or {@link MaildropListing.of}.
 */
export class MaildropListing {
  /** Number of messages. */
  readonly count: number;
  /** Sum of all sizes, in octets. */
  readonly totalOctets: number;
  readonly #octets: Float64Array;
  readonly #ids: Uint8Array;
  /** Where the unique-id of message n starts (at n - 1) and ends (at n). */
  readonly #starts: Uint32Array;

  /** @internal Use {@link MaildropListing.builder}. */
  constructor(
    count: number,
    totalOctets: number,
    octets: Float64Array,
    ids: Uint8Array,
    starts: Uint32Array,
  ) {
    this.count = count;
    this.totalOctets = totalOctets;
    this.#octets = octets;
    this.#ids = ids;
    this.#starts = starts;
  }

  /** @param expectedCount - a hint; saves growing when the number of messages is known */
  static builder(expectedCount = 16): MaildropListingBuilder {
    return new MaildropListingBuilder(expectedCount);
  }

  /** A listing of few messages, written as objects. */
  static of(messages: Iterable<{ readonly octets: number; readonly uniqueId: string }>): MaildropListing {
    const builder = MaildropListing.builder();
    for (const { octets, uniqueId } of messages) builder.add(octets, uniqueId);
    return builder.build();
  }

  /**
   * Octets of a message as transmitted: every line end counted as CRLF, a missing last one completed, before
   * dot-stuffing (RFC 1939 section 11).
   *
   * @throws Pop3Error `POP3_USAGE` when the number is not in the listing.
   */
  octetsOf(messageNumber: number): number {
    return this.#octets[this.#index(messageNumber)] as number;
  }

  /**
   * The unique-id of a message (RFC 1939 section 7): 1 to 70 octets from 0x21 to 0x7E.
   *
   * @throws Pop3Error `POP3_USAGE` when the number is not in the listing.
   */
  uniqueIdOf(messageNumber: number): string {
    const index = this.#index(messageNumber);
    const ids = this.#ids.subarray(this.#starts[index], this.#starts[index + 1]);
    return String.fromCharCode(...ids);
  }

  /**
   * Writes the unique-id of a message at `at` and returns the position after it. `target` needs room for 70 octets.
   *
   * @throws Pop3Error `POP3_USAGE` when the number is not in the listing.
   */
  writeUniqueId(messageNumber: number, target: Uint8Array, at: number): number {
    const index = this.#index(messageNumber);
    const end = this.#starts[index + 1] as number;
    let to = at;
    for (let from = this.#starts[index] as number; from < end; from++)
      target[to++] = this.#ids[from] as number;
    return to;
  }

  #index(messageNumber: number): number {
    if (!Number.isInteger(messageNumber) || messageNumber < 1 || messageNumber > this.count) {
      usage(`There is no message ${messageNumber}: the listing has numbers 1 to ${this.count}.`);
    }
    return messageNumber - 1;
  }
}

/** Collects messages in the order of their numbers. */
export class MaildropListingBuilder {
  #count = 0;
  #totalOctets = 0;
  #octets: Float64Array;
  #ids: Uint8Array;
  #starts: Uint32Array;

  /** @internal Use {@link MaildropListing.builder}. */
  constructor(expectedCount: number) {
    this.#octets = new Float64Array(expectedCount);
    this.#starts = new Uint32Array(expectedCount + 1);
    this.#ids = new Uint8Array(expectedCount * 32);
  }

  /**
   * Adds the next message.
   *
   * @param octets - as {@link MaildropListing.octetsOf} gives them
   * @param uniqueId - 1 to 70 characters from 0x21 to 0x7E, unique in the maildrop and never reused
   * @throws Pop3Error `POP3_USAGE` for a size that is no count of octets, or an id that cannot go on the wire.
   */
  add(octets: number, uniqueId: string): this {
    if (!Number.isSafeInteger(octets) || octets < 0) usage(`A message cannot have ${octets} octets.`);
    const start = this.#starts[this.#count] as number;
    this.#reserve(start + uniqueId.length);
    for (let i = 0; i < uniqueId.length; i++) {
      const octet = uniqueId.charCodeAt(i);
      if (octet < 0x21 || octet > 0x7e) usage('A unique-id holds visible ASCII only (RFC 1939 section 7).');
      this.#ids[start + i] = octet;
    }
    if (uniqueId.length < 1 || uniqueId.length > MAX_UNIQUE_ID_OCTETS) {
      usage(
        `A unique-id has 1 to ${MAX_UNIQUE_ID_OCTETS} octets (RFC 1939 section 7), not ${uniqueId.length}.`,
      );
    }
    this.#octets[this.#count] = octets;
    this.#starts[++this.#count] = start + uniqueId.length;
    this.#totalOctets += octets;
    return this;
  }

  /** The listing of all that was added. The builder's memory becomes the listing's: add nothing afterwards. */
  build(): MaildropListing {
    const count = this.#count;
    const ids = this.#ids.subarray(0, this.#starts[count]);
    return new MaildropListing(count, this.#totalOctets, this.#octets, ids, this.#starts);
  }

  #reserve(idOctets: number): void {
    if (this.#count >= this.#octets.length) {
      const capacity = Math.max(16, this.#count * 2);
      this.#octets = grown(this.#octets, new Float64Array(capacity));
      this.#starts = grown(this.#starts, new Uint32Array(capacity + 1));
    }
    if (idOctets > this.#ids.length) {
      this.#ids = grown(this.#ids, new Uint8Array(Math.max(1024, idOctets + (idOctets >> 1))));
    }
  }
}

function grown<T extends Float64Array | Uint32Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
