import { Pop3Error } from '@pop3/core';
import type { ReplyBody } from '@pop3/core/driver';

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

export interface BodySource {
  readonly signal: AbortSignal | undefined;
  /** Ends the session: what is under way cannot be taken back. */
  readonly leave: (reason: unknown) => void;
  /** Told of octets as they are given. */
  readonly received?: (octets: number) => void;
}

/** @param open - gets the body, when the first octets are wanted */
export function messageBody(open: () => Promise<ReplyBody>, source: BodySource): MessageBody {
  let read = false;
  return {
    [Symbol.asyncIterator]() {
      if (read) throw new Pop3Error('POP3_USAGE', 'A body can be read once; ask for the message again.');
      read = true;
      return octetsOf(open, source);
    },
  };
}

async function* octetsOf(
  open: () => Promise<ReplyBody>,
  { signal, leave, received }: BodySource,
): AsyncGenerator<Uint8Array, undefined, undefined> {
  const abort = () => leave(signal?.reason);
  const body = await open();
  signal?.throwIfAborted();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    for await (const chunk of body) {
      received?.(chunk.length);
      yield chunk;
    }
  } finally {
    signal?.removeEventListener('abort', abort);
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
