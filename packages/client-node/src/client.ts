import type { Capabilities, Pop3Error, ResponseCode } from '@pop3/core';
import type { MessageBody, Pop3Message } from './message.js';
import type { ConnectOptions } from './options.js';

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
  readonly where?: (message: Pick<Pop3Message, 'number' | 'octets' | 'uniqueId'>) => boolean;
}

/** What `quit()` did. */
export interface QuitResult {
  /** The server has removed these. */
  readonly deleted: readonly number[];
  /** It has not, or has not said so: look again by unique-id in the next session. */
  readonly failed: readonly FailedDeletion[];
}

export interface FailedDeletion {
  readonly number: number;
  readonly uniqueId: string | null;
  readonly error: Pop3Error;
}

/** The answer to a command of the caller's. */
export interface CommandReply {
  readonly code: ResponseCode | null;
  readonly text: string;
  /** The lines behind it, for a multi-line answer. */
  readonly body: MessageBody | null;
}

export interface CommandOptions extends CallOptions {
  /** Whether a `+OK` is followed by lines. Default false. */
  readonly multiline?: boolean;
}

/** What a reconnection costs. */
export interface Reconnection {
  /** Messages that were marked as deleted, which they are not any more. Numbers may have changed. */
  readonly lostMarks: readonly { readonly number: number; readonly uniqueId: string | null }[];
}

export interface Pop3Client extends AsyncDisposable {
  /** The text of the greeting. */
  readonly greeting: string;
  /** Whether the connection is encrypted. */
  readonly encrypted: boolean;
  /** How it logged in: a SASL mechanism, `APOP` or `USER`; null when it has not. */
  readonly mechanism: string | null;
  /** What the server can do now; asked again after STLS and the login. Null when it refuses to say. */
  capabilities(options?: CallOptions): Promise<Capabilities | null>;
  /** Number of messages and their octets, as the server counts them. */
  stat(options?: CallOptions): Promise<{ readonly messages: number; readonly octets: number }>;
  /** Sizes by message number, gaps left out; null where the server gives none that can be. */
  list(options?: CallOptions): Promise<ReadonlyMap<number, number | null>>;
  list(messageNumber: number, options?: CallOptions): Promise<number | null>;
  /** Unique-ids by message number. Two messages may have the same, on servers that are wrong. */
  uniqueIds(options?: CallOptions): Promise<ReadonlyMap<number, string>>;
  uniqueIds(messageNumber: number, options?: CallOptions): Promise<string>;
  /** The messages that the listing has, in order. */
  messages(options?: MessagesOptions): AsyncIterableIterator<Pop3Message, undefined>;
  retrieve(messageNumber: number, options?: CallOptions): MessageBody;
  top(messageNumber: number, lines: number, options?: CallOptions): MessageBody;
  /** Marks a message: it goes when `quit()` does, and not before. */
  delete(messageNumber: number): void;
  /** Takes all marks back, here and at the server. */
  reset(options?: CallOptions): Promise<void>;
  /** Keeps the session alive. */
  noop(options?: CallOptions): Promise<void>;
  /** A command that this package does not know, such as `XTND`. */
  command(keyword: string, argument?: string | null, options?: CommandOptions): Promise<CommandReply>;
  /** Deletes what is marked, and ends the session. The only place where mail can go. */
  quit(options?: CallOptions): Promise<QuitResult>;
  /** Drops the connection: nothing is deleted (RFC 1939 section 6). `await using` does this, too. */
  close(): Promise<void>;
  /** Connects and logs in again, whatever became of the last connection. */
  reconnect(options?: CallOptions): Promise<Reconnection>;
}

/** Connects, encrypts and logs in. */
export declare function connectPop3(options: ConnectOptions): Promise<Pop3Client>;
