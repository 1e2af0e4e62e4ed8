import type { Authenticator, Maildrop, MessageStore, Peer } from '../src/adapter.js';
import type { ByteChannel } from '../src/driver/index.js';
import { MaildropListing } from '../src/listing.js';
import { wireOctetsOf } from '../src/octet-counter.js';
import { latin1, octets } from './stored-message.js';

/** A connection without a network: what the client says is put in, what the server says can be read. */
export class MemoryChannel implements ByteChannel {
  readonly #input: (Uint8Array | null)[] = [];
  readonly #watchers = new Set<() => void>();
  readonly #events: string[] | null;
  #reader: ((chunk: Uint8Array | null) => void) | null = null;
  /** Everything the server has said. */
  output = '';
  reads = 0;
  yields = 0;
  /** What becomes of a write; by default it is done when it returns. */
  onWrite: (octets: Uint8Array) => void | Promise<void> = () => undefined;
  upgradeTls?: () => Peer | Promise<Peer>;

  /** @param events - told of every line that is said, too: `S: +OK bye` */
  constructor(said = '', events: string[] | null = null) {
    this.#events = events;
    if (said !== '') this.say(said);
  }

  say(text: string): void {
    this.#put(octets(text));
  }

  /** The client sends no more, or the owner has closed the channel. */
  end(): void {
    this.#put(null);
  }

  read(): Uint8Array | null | Promise<Uint8Array | null> {
    this.reads++;
    const chunk = this.#input.shift();
    if (chunk !== undefined) return chunk;
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }

  write(chunk: Uint8Array): void | Promise<void> {
    const said = latin1(chunk);
    this.output += said;
    this.#events?.push(
      ...said
        .split('\r\n')
        .filter(Boolean)
        .map((line) => `S: ${line}`),
    );
    const done = this.onWrite(chunk);
    for (const watch of this.#watchers) watch();
    return done;
  }

  yield(): void {
    this.yields++;
  }

  /** Resolves when the server has said this. */
  said(text: string): Promise<void> {
    return new Promise((resolve) => {
      const watch = () => {
        if (!this.output.includes(text)) return;
        this.#watchers.delete(watch);
        resolve();
      };
      this.#watchers.add(watch);
      watch();
    });
  }

  /** Drops what has come and was not read, as a transport does at the start of TLS. */
  drop(): void {
    this.#input.length = 0;
  }

  #put(chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) this.#input.push(chunk);
    else reader(chunk);
  }
}

/** A promise with its two ends, for work that takes as long as a test wants. */
export class Pending<T> {
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;
  readonly promise: Promise<T> = new Promise((resolve, reject) => {
    this.resolve = resolve;
    this.reject = reject;
  });
}

export const acceptsEverybody: Authenticator = {
  accepts: ['password', 'apop', 'external'],
  authenticate: (credentials) => {
    const username = 'username' in credentials ? credentials.username : 'ann';
    return { type: 'accepted', identity: { maildrop: username, username } };
  },
};

/** One maildrop in memory; `events` is told of all that is done with it. */
export function storeOf(
  messages: readonly string[],
  events: string[] = [],
  changes: Partial<Maildrop> = {},
): MessageStore {
  const stored = messages.map(octets);
  const listing = MaildropListing.of(
    stored.map((message, i) => ({ octets: wireOctetsOf(message), uniqueId: `id-${i + 1}` })),
  );
  return {
    open({ maildrop }) {
      events.push(`open ${maildrop}`);
      return {
        listing,
        retrieve: (messageNumber) => stored[messageNumber - 1] ?? 'gone',
        ...changes,
        commitDeletes(deletions, context) {
          events.push(`commit ${[...deletions].join(' ')}`);
          return changes.commitDeletes?.(deletions, context) ?? { removed: deletions.size, failed: 0 };
        },
        release() {
          events.push('release');
          return changes.release?.();
        },
      };
    },
  };
}
