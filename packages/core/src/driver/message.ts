import type { MaybePromise } from '../adapter.js';
import { usage } from '../errors.js';
import { isPending } from '../maybe-promise.js';
import type { ReplyBody } from './reply-body.js';

/**
 * A message, or the head of one, as octets with CRLF line ends, unstuffed: to be read once. `RETR` or `TOP` goes out when the
 * first octets are asked for. A message that breaks off, or is refused, rejects with a `Pop3Error`; it ends only when it is
 * whole.
 *
 * `pipeline(body, createWriteStream(path))` and `Readable.from(body)` take it as it is.
 */
export interface MessageBody extends AsyncIterable<Uint8Array> {
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined>;
}

/** A message of the maildrop, as `messages()` gives it. */
export interface Pop3Message {
  /** 1-based; fixed as long as the session lives. */
  readonly number: number;
  /** What the server says it has, before dot-stuffing; a hint only. Null where it says nothing that can be. */
  readonly octets: number | null;
  /** Fixed for as long as the message exists (RFC 1939 section 7); null where the server has none. */
  readonly uniqueId: string | null;
  /** The whole message. */
  body(options?: { readonly signal?: AbortSignal }): MessageBody;
  /** The header and so many lines of the text. */
  top(lines: number, options?: { readonly signal?: AbortSignal }): MessageBody;
  /** Marks it: it goes when `quit()` does, and not before. */
  delete(): void;
}

/** What the listings say of a message. */
export type MessageFacts = Pick<Pop3Message, 'number' | 'octets' | 'uniqueId'>;

/** What every call can be given: ends it, and the connection with it, since an answer may be under way. */
export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface MessagesOptions extends CallOptions {
  /**
   * How many messages are asked for ahead, where the server announces PIPELINING and nothing spoke against it. They are
   * fetched whether their `body()` is called or not, so say with `where` which ones you want. Default 1: none ahead.
   */
  readonly pipeline?: number;
  /** Which messages to give. Default: all. */
  readonly where?: (message: MessageFacts) => boolean;
}

export interface BodySource {
  /** Gets the body, when the first octets are wanted: at once where it has come already. Drops it when the reader has left. */
  readonly open: (reader: BodyReader) => MaybePromise<ReplyBody>;
  readonly signal: AbortSignal | undefined;
  /** Ends the session: what is under way cannot be taken back. */
  readonly leave: (reason: unknown) => void;
  /** Told of octets as they are given; null when nobody counts them. */
  readonly received: ((octets: number) => void) | null;
}

export function messageBody(source: BodySource): MessageBody {
  let read = false;
  return {
    [Symbol.asyncIterator]() {
      if (read) usage('A body can be read once; ask for the message again.');
      read = true;
      return new BodyReader(source);
    },
  };
}

type Result = IteratorResult<Uint8Array, undefined>;

/** Passes on what the body gives, without a promise of its own where nobody watches. */
export class BodyReader implements AsyncIterator<Uint8Array, undefined> {
  readonly #source: BodySource;
  readonly #watched: boolean;
  #body: ReplyBody | null = null;
  #opening = false;
  /** Whether nobody comes for more: a stream that is destroyed does not wait for what it has asked for. */
  left = false;

  constructor(source: BodySource) {
    this.#source = source;
    this.#watched = source.signal !== undefined || source.received !== null;
  }

  next(): Promise<Result> {
    const next = this.#body === null ? this.#start() : this.#body.next();
    return this.#watched ? this.#watch(next) : next;
  }

  async return(): Promise<Result> {
    this.#forget();
    this.left = true;
    await this.#body?.return();
    return { done: true, value: undefined };
  }

  #start(): Promise<Result> {
    if (this.#opening) usage('A body is read chunk by chunk, each when the one before it has come.');
    if (this.left) return Promise.resolve({ done: true, value: undefined });
    this.#opening = true;
    try {
      this.#source.signal?.throwIfAborted();
      const opened = this.#source.open(this);
      return isPending(opened)
        ? Promise.resolve(opened).then((body) => this.#begin(body))
        : this.#begin(opened);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #begin(body: ReplyBody): Promise<Result> {
    const { signal } = this.#source;
    this.#body = body;
    // Whoever has gone meanwhile does not come for it.
    if (this.left) return body.return();
    signal?.addEventListener('abort', this, { once: true });
    if (signal?.aborted) this.handleEvent();
    return body.next();
  }

  async #watch(next: Promise<Result>): Promise<Result> {
    try {
      const result = await next;
      if (result.done) this.#forget();
      else this.#source.received?.(result.value.length);
      return result;
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** It was aborted. A method, and no closure for each message. */
  handleEvent(): void {
    this.#source.leave(this.#source.signal?.reason);
  }

  #forget(): void {
    this.#source.signal?.removeEventListener('abort', this);
  }
}

/** Works until the signal says that it should not: then the session is left, which ends the work. */
export async function abandoning<T>(
  signal: AbortSignal | undefined,
  leave: (reason: unknown) => void,
  work: () => Promise<T>,
): Promise<T> {
  if (signal === undefined) return work();
  const abort = () => leave(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await work();
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
