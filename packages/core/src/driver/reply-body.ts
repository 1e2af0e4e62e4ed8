import type { ClientCommand } from '../command.js';
import { Pop3Error, usage } from '../errors.js';
import { Pending } from './pending.js';

interface Reader {
  readonly resolve: (result: IteratorResult<Uint8Array, undefined>) => void;
  readonly reject: (error: unknown) => void;
}

const DONE: IteratorResult<Uint8Array, undefined> = { done: true, value: undefined };

/**
 * The lines of a multi-line response as octets, unstuffed and without the terminator (RFC 1939 section 3), to be read once.
 * Chunks are the reader's. It ends only behind the terminator: a response that breaks off rejects.
 *
 * Whoever stops early, by leaving the loop or by {@link discard}, lets the rest be read and dropped. To its reader it ends then
 * only when it was the reader who left: otherwise half of a message would pass for a whole one.
 */
export class ReplyBody implements AsyncIterableIterator<Uint8Array, undefined> {
  readonly command: ClientCommand;
  readonly #consumed: (chunks: number) => void;
  #chunks: Uint8Array[] = [];
  #ended = false;
  /** Why its end does not come any more. */
  #failure: { readonly error: unknown } | null = null;
  #discarded = false;
  /** Why its reader does not get the rest, where it was not the reader who left. */
  #taken: { readonly error: unknown } | null = null;
  #reader: Reader | null = null;
  /** For those who wait for the end of what is dropped. */
  #dropped: Pending<void> | null = null;

  /** @internal Made by a conversation. `consumed` is told how many chunks wait no longer. */
  constructor(command: ClientCommand, consumed: (chunks: number) => void) {
    this.command = command;
    this.#consumed = consumed;
  }

  /** Whether nobody can read more of it: its end has been read, it was left, or it has failed. */
  get settled(): boolean {
    return (this.#ended && this.#chunks.length === 0) || this.#discarded || this.#failure !== null;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws Pop3Error `POP3_USAGE` while the chunk that was asked for before has not come. */
  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#reader !== null) usage('A body is read chunk by chunk, each when the one before it has come.');
    const value = this.#chunks.shift();
    if (value !== undefined) {
      this.#consumed(1);
      return Promise.resolve({ done: false, value });
    }
    if (this.#failure !== null) return Promise.reject(this.#failure.error);
    if (this.#taken !== null) return Promise.reject(this.#taken.error);
    if (this.#ended || this.#discarded) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#reader = { resolve, reject };
      this.#consumed(0);
    });
  }

  /** The loop was left. The rest is dropped as it comes; the next command does not wait for it here. */
  return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#reader?.resolve(DONE);
    this.#reader = null;
    this.#drop();
    return Promise.resolve(DONE);
  }

  /** Drops the rest, and waits for its end. Whoever reads it is told that it is not whole. */
  discard(): Promise<void> {
    this.abandon();
    this.#dropped ??= new Pending();
    if (this.#failure !== null) this.#dropped.reject(this.#failure.error);
    if (this.#ended) this.#dropped.resolve();
    return this.#dropped.promise;
  }

  /** @internal Drops the rest as it comes, where it is not its reader who leaves. */
  abandon(): void {
    if (this.settled) return;
    const error = notWhole();
    this.#taken = { error };
    this.#reader?.reject(error);
    this.#reader = null;
    this.#drop();
  }

  /** @internal Takes the next chunk over; whether it waits for the reader. */
  add(chunk: Uint8Array): boolean {
    if (this.#discarded) return false;
    const reader = this.#reader;
    if (reader === null) {
      this.#chunks.push(chunk);
      return true;
    }
    this.#reader = null;
    reader.resolve({ done: false, value: chunk });
    return false;
  }

  /** @internal The terminator has come. */
  end(): void {
    this.#ended = true;
    this.#reader?.resolve(DONE);
    this.#dropped?.resolve();
  }

  /** @internal It does not come any more. */
  fail(error: unknown): void {
    this.#failure = { error };
    this.#reader?.reject(error);
    this.#dropped?.reject(error);
  }

  #drop(): void {
    if (this.#discarded) return;
    this.#discarded = true;
    const waiting = this.#chunks.length;
    this.#chunks = [];
    this.#consumed(waiting);
  }
}

function notWhole(): Pop3Error {
  return new Pop3Error(
    'POP3_USAGE',
    'The body was left before its end: what was read of it is not the whole. Read it to its end before you go on.',
  );
}
