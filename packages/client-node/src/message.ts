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
