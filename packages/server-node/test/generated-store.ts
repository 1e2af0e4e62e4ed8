import { type Maildrop, MaildropListing, type MessageStore } from '@pop3/core';

const LINE = 'One line of this message is like the others, and none of them begins with a dot.\r\n';
const LINES_PER_CHUNK = 800;
const CHUNK = Buffer.from(LINE.repeat(LINES_PER_CHUNK));

/** A store whose only message is made while it is read: as long as it has to be, and in no memory. */
export class GeneratedStore implements MessageStore {
  /** Octets of the message. */
  readonly octets: number;
  /** Octets pulled so far, over all readers. */
  pulled = 0;
  /** Bodies that were begun and not given back. */
  reading = 0;
  readonly #chunks: number;
  readonly #turn: (() => Promise<unknown>) | undefined;

  /**
   * @param octets - at least so many
   * @param turn - awaited before each chunk: a disk that takes its time
   */
  constructor(octets: number, turn?: () => Promise<unknown>) {
    this.#chunks = Math.ceil(octets / CHUNK.length);
    this.octets = this.#chunks * CHUNK.length;
    this.#turn = turn;
  }

  /** The octets of the message again, to compare with. */
  *content(): Generator<Uint8Array> {
    for (let i = 0; i < this.#chunks; i++) yield CHUNK;
  }

  open(): Maildrop {
    return {
      listing: MaildropListing.of([{ octets: this.octets, uniqueId: 'generated' }]),
      retrieve: () => this.#body(),
      commitDeletes: ({ size }) => ({ removed: 0, failed: size }),
      release() {},
    };
  }

  async *#body(): AsyncGenerator<Uint8Array> {
    this.reading++;
    try {
      for (let i = 0; i < this.#chunks; i++) {
        await this.#turn?.();
        this.pulled += CHUNK.length;
        yield CHUNK;
      }
    } finally {
      this.reading--;
    }
  }
}
