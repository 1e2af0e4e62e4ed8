import type { ScanListing, UniqueIdListing } from '../client/message-maps.js';
import type { Conversation } from './converse.js';
import { Fetched } from './fetched.js';
import type { CallOptions, MessageFacts, MessagesOptions } from './message.js';

/** No more messages are asked for ahead when they have so many octets: leaving a loop early should cost little. */
const OCTETS_AHEAD = 1 << 22;

export interface MessageLoopOptions {
  readonly sizes: ScanListing;
  /** Null where the server has none. */
  readonly uniqueIds: UniqueIdListing | null;
  readonly where: MessagesOptions['where'];
  /** How many are asked for ahead; with 1, none is. */
  readonly window: number;
  readonly call: CallOptions;
}

/** What a loop over messages goes by: which are wanted, and which of them were asked for before anybody wants them. */
export class MessageLoop {
  /** Those that are wanted. Numbers only: a maildrop of a million messages is not a million objects. */
  readonly numbers: readonly number[];
  /** All of them together, as far as the server says it; null when it does not of one. */
  readonly octets: number | null;
  readonly call: CallOptions;
  readonly #options: MessageLoopOptions;
  /** How many of the numbers were asked for. */
  #asked = 0;
  /** Those that were and are not done with, oldest first: the one that the loop has is among them. */
  readonly #ahead: Fetched[] = [];

  constructor(options: MessageLoopOptions) {
    this.#options = options;
    this.call = options.call;
    const { sizes, where } = options;
    const numbers: number[] = [];
    let total: number | null = 0;
    for (let number = 1; number <= sizes.last; number++) {
      const octets = sizes.get(number);
      if (octets === undefined || (where !== undefined && !where(this.#factsOf(number)))) continue;
      numbers.push(number);
      total = total === null || octets === null ? null : total + octets;
    }
    this.numbers = numbers;
    this.octets = total;
  }

  get fetchesAhead(): boolean {
    return this.#options.window > 1;
  }

  facts(at: number): MessageFacts {
    return this.#factsOf(this.numbers[at] as number);
  }

  /** The answer for the message at this place. When few are under way, more are asked for first. */
  fetch(at: number, conversation: Conversation): Fetched {
    if (this.#ahead.length <= this.#options.window / 2) this.#fetchAhead(at, conversation);
    return this.#ahead[0] as Fetched;
  }

  /** The loop goes on: what was not read of the oldest message is dropped. */
  pass(): void {
    this.#ahead.shift()?.leave();
  }

  /** Drops what nobody reads. Who is reading a message when the loop is left may read it to its end: that one is returned. */
  leave(): Fetched | null {
    let unfinished: Fetched | null = null;
    for (const fetched of this.#ahead) {
      if (fetched.taken) unfinished = fetched;
      else fetched.leave();
    }
    return unfinished;
  }

  /** Asks for messages until so many, or so many octets, are under way. */
  #fetchAhead(at: number, conversation: Conversation): void {
    const { sizes, window } = this.#options;
    this.#asked = Math.max(this.#asked, at);
    let octets = 0;
    for (let i = at; i < this.#asked; i++) octets += sizes.get(this.numbers[i] as number) ?? 0;
    while (this.#asked < this.numbers.length && this.#ahead.length < window && octets <= OCTETS_AHEAD) {
      const messageNumber = this.numbers[this.#asked++] as number;
      octets += sizes.get(messageNumber) ?? 0;
      const fetched = new Fetched();
      conversation.sendFor(fetched, { verb: 'RETR', messageNumber });
      this.#ahead.push(fetched);
    }
  }

  #factsOf(number: number): MessageFacts {
    const { sizes, uniqueIds } = this.#options;
    return { number, octets: sizes.get(number) ?? null, uniqueId: uniqueIds?.get(number) ?? null };
  }
}
