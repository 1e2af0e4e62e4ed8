import type { Capabilities } from '../capability.js';
import type { ScanListing, UniqueIdListing } from '../client/message-maps.js';
import type { Status } from '../client/options.js';
import { type ClientCommand, parseCommand, type Verb } from '../command.js';
import { isPop3Error, Pop3Error, usage } from '../errors.js';
import { andThen } from '../maybe-promise.js';
import { parseScanLine, type ResponseCode } from '../response.js';
import { encodeUtf8 } from '../text.js';
import type { ClientOptions, Connector } from './client-options.js';
import type { Reply } from './converse.js';
import type { Fetched } from './fetched.js';
import { type Link, openLink } from './link.js';
import {
  abandoning,
  type BodyReader,
  type CallOptions,
  type MessageBody,
  type MessagesOptions,
  messageBody,
  type Pop3Message,
} from './message.js';
import { MessageLoop } from './message-loop.js';
import { readScanListing, readUniqueIds } from './read-listing.js';
import { refusalOf } from './refusal.js';
import type { ReplyBody } from './reply-body.js';
import { withoutSecrets } from './secrets.js';
import { untilAborted } from './until-aborted.js';

/** Number of messages, and their octets; null where the server gives none that can be. */
export interface DropListing {
  readonly messages: number;
  readonly octets: number | null;
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
  /** Whether a `+OK` is followed by lines, for a command that is not known here. Default false. */
  readonly multiline?: boolean;
}

/** What a reconnection costs. */
export interface Reconnection {
  /** Messages that were marked as deleted, which they are not any more. Numbers may have changed. */
  readonly lostMarks: readonly { readonly number: number; readonly uniqueId: string | null }[];
}

type ContentCommand =
  | { readonly verb: 'RETR'; readonly messageNumber: number }
  | { readonly verb: 'TOP'; readonly messageNumber: number; readonly lines: number };

/** How many DELE are sent ahead of their answers. */
const DELETIONS_AHEAD = 256;

/**
 * Connects, encrypts and logs in. Nothing is sent in the clear that `allowPlaintext` does not allow.
 *
 * @throws Pop3Error with a `code`, what the server said, and whether trying again makes sense; `signal.reason` when aborted.
 */
export async function openClient(connector: Connector, options: ClientOptions = {}): Promise<Pop3Client> {
  options.signal?.throwIfAborted();
  return new Pop3Client(connector, options, await openLink(connector, options, options.signal));
}

/**
 * A session with a maildrop. Calls wait for each other, so that their answers cannot be mixed up; while the body of a message
 * is read, or messages are fetched ahead, other calls are an error at once and never wait in silence.
 *
 * After an error other than `POP3_REFUSED`, `POP3_USAGE` and `POP3_UNSUPPORTED` the connection is gone, the server deletes
 * nothing, and {@link reconnect} makes a new one.
 */
export class Pop3Client implements AsyncDisposable {
  readonly #connector: Connector;
  readonly #options: ClientOptions;
  #link: Link;
  readonly #marks = new Set<number>();
  /** Known once they were asked for: a mark that is lost is told with its unique-id. */
  #uniqueIds: UniqueIdListing | null = null;
  /** Resolves when the calls before are done. */
  #turn: Promise<void> = Promise.resolve();
  /** What is being read, and keeps other calls out. */
  #body: ReplyBody | null = null;
  /** The loop that fetches messages ahead, and keeps other calls out, too. */
  #loop: MessageLoop | null = null;
  /** The message that is read on when its loop was left: its answer may still be under way. */
  #unfinished: Fetched | null = null;
  readonly #received: { octets: number; total: number | null } = { octets: 0, total: null };
  /** Whether a session broke off with several commands in flight: the server may have lied about PIPELINING. */
  #pipeliningFailed = false;
  /** Ends a reconnection that is under way. */
  #reconnecting: AbortController | null = null;
  /** Whether it was the caller who ended the session. */
  #left = false;

  /** @internal Use {@link openClient}. */
  constructor(connector: Connector, options: ClientOptions, link: Link) {
    this.#connector = connector;
    this.#options = options;
    this.#link = link;
    options.signal?.addEventListener('abort', this.#abort, { once: true });
  }

  /** The text of the greeting. */
  get greeting(): string {
    return this.#link.greeting;
  }

  /** Whether the connection is encrypted. */
  get encrypted(): boolean {
    return this.#link.channel.encrypted;
  }

  /** How it logged in: a SASL mechanism, `APOP` or `USER`; null when it has not. */
  get mechanism(): string | null {
    return this.#link.mechanism;
  }

  /** What the server can do now (RFC 2449 section 5); null when it refuses to say. */
  async capabilities(options: CallOptions = {}): Promise<Capabilities | null> {
    const { asksForCapabilities, conversation } = this.#link;
    return this.#call(options, async () => (asksForCapabilities ? conversation.capabilities() : null));
  }

  /** Number of messages and their octets, as the server counts them, which may be wrong: `list()` says what is there. */
  async stat(options: CallOptions = {}): Promise<DropListing> {
    const { status } = await this.#ask({ verb: 'STAT' }, options);
    const numbers = scanned(status.text);
    if (numbers === null) throw this.#unreadable('STAT', status.text);
    return { messages: numbers[0], octets: numbers[1] };
  }

  /** Sizes by message number, gaps left out; null where the server gives none that can be. They are hints. */
  list(options?: CallOptions): Promise<ReadonlyMap<number, number | null>>;
  list(messageNumber: number, options?: CallOptions): Promise<number | null>;
  async list(
    first: number | CallOptions = {},
    second: CallOptions = {},
  ): Promise<ReadonlyMap<number, number | null> | number | null> {
    if (typeof first !== 'number') return this.#list(first);
    const { status } = await this.#ask({ verb: 'LIST', messageNumber: first }, second);
    if (status.text === '') return (await this.#list(second)).get(first) ?? null;
    const [number, octets] = scanned(status.text) ?? [first, null];
    if (number !== first) throw this.#unreadable('LIST', status.text);
    return octets;
  }

  /** Unique-ids by message number (RFC 1939 section 7). Two messages may have the same, on servers that are wrong. */
  uniqueIds(options?: CallOptions): Promise<ReadonlyMap<number, string>>;
  uniqueIds(messageNumber: number, options?: CallOptions): Promise<string>;
  async uniqueIds(
    first: number | CallOptions = {},
    second: CallOptions = {},
  ): Promise<ReadonlyMap<number, string> | string> {
    if (typeof first !== 'number') return this.#identify(first);
    const { status } = await this.#ask({ verb: 'UIDL', messageNumber: first }, second);
    // Some servers leave the number out; some answer with a line of their listing, behind an empty text.
    const [, number, uniqueId = (await this.#identify(second)).get(first)] =
      /^(?:(\d+)[ \t]+)?(\S.*?)\s*$/.exec(status.text) ?? [];
    if (uniqueId === undefined || (number !== undefined && Number(number) !== first))
      throw this.#unreadable('UIDL', status.text);
    return uniqueId;
  }

  /**
   * The messages that the listing has when it starts, in order. Without `pipeline` a message is fetched when its body is
   * read; with it, the next ones are asked for meanwhile. Other calls have to wait for the end of the loop then.
   *
   * Going on to the next message drops what was not read of the last one, and who still reads it is told. Messages belong to
   * the session: after `reconnect()` they are an error, and so is going on with the loop.
   */
  async *messages(options: MessagesOptions = {}): AsyncGenerator<Pop3Message, void, undefined> {
    const link = this.#link;
    const loop = await this.#loopOver(options);
    try {
      // Short, as a generator is dear to compile, and runs many times.
      for (let at = 0; at < loop.numbers.length; at++) {
        const fetched = this.#fetchedFor(loop, link, at);
        yield this.#message(loop, link, at, fetched);
        this.#leaveMessage(loop, link, fetched);
      }
    } finally {
      this.#leaveLoop(loop);
    }
  }

  /** The message as octets. `RETR` goes out when they are asked for. */
  retrieve(messageNumber: number, options: CallOptions = {}): MessageBody {
    return this.#content({ verb: 'RETR', messageNumber }, options);
  }

  /** The header of a message and so many lines of its text. */
  top(messageNumber: number, lines: number, options: CallOptions = {}): MessageBody {
    checkNumber(lines, 0);
    return this.#content({ verb: 'TOP', messageNumber, lines }, options);
  }

  /**
   * Marks a message: it goes when {@link quit} does, and not before. Nothing is sent until then.
   *
   * @throws Pop3Error `POP3_USAGE` for what is no message number.
   */
  delete(messageNumber: number): void {
    checkNumber(messageNumber, 1);
    this.#marks.add(messageNumber);
  }

  /** Takes all marks back, here and at the server, where some mark messages that were read (RFC 1939 section 5, RSET). */
  async reset(options: CallOptions = {}): Promise<void> {
    this.#marks.clear();
    await this.#ask({ verb: 'RSET' }, options);
  }

  /** Keeps the session alive (RFC 1939 section 5). */
  async noop(options: CallOptions = {}): Promise<void> {
    await this.#ask({ verb: 'NOOP' }, options);
  }

  /**
   * Any command that only asks: one that this package does not know, such as `XTND`, or STAT, LIST, UIDL, RETR, TOP, NOOP and
   * CAPA with their answers as they come.
   *
   * @throws Pop3Error `POP3_USAGE` for commands that change the session, which have methods of their own; for CR, LF or NUL,
   *   and for a line of more than 255 octets.
   */
  async command(
    keyword: string,
    argument: string | null = null,
    options: CommandOptions = {},
  ): Promise<CommandReply> {
    const command = commandOf(keyword, argument, options.multiline ?? false);
    const { status, body } = await this.#ask(command, options);
    return {
      code: status.code,
      text: status.text,
      body:
        body &&
        messageBody({
          open: () => body,
          signal: options.signal,
          leave: this.#leave,
          received: null,
        }),
    };
  }

  /**
   * Deletes what is marked when it is called, and ends the session: the only place where mail can go. When the connection is
   * lost before QUIT was sent, this rejects, and the server deletes nothing (RFC 1939 section 6).
   */
  async quit(options: CallOptions = {}): Promise<QuitResult> {
    const marks = [...this.#marks];
    return this.#call(options, async () => {
      const failed: FailedDeletion[] = [];
      const asked: number[] = [];
      for (const [number, status] of (await this.#sendMarks(marks)).reverse()) {
        if (status.status === '+OK') asked.push(number);
        else failed.push({ ...this.#named(number), error: this.#refused('DELE', status) });
      }
      const error = await this.#sayQuit();
      this.#marks.clear();
      if (error === null) return { deleted: asked, failed };
      return {
        deleted: [],
        failed: [...failed, ...asked.map((number) => ({ ...this.#named(number), error }))],
      };
    });
  }

  /** Drops the connection: nothing is deleted (RFC 1939 section 6). `await using` does this, too. */
  async close(): Promise<void> {
    const closed = new Pop3Error('POP3_CLOSED', 'The client was closed.');
    this.#reconnecting?.abort(closed);
    this.#leave(closed);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Drops the connection, whatever became of it, connects and logs in again. Marks are lost with the old session, and
   * message numbers may have changed.
   */
  async reconnect({ signal }: CallOptions = {}): Promise<Reconnection> {
    const { conversation } = this.#link;
    this.#pipeliningFailed ||= conversation.over && !this.#left && conversation.pending > 1;
    const closed = this.close();
    const session = this.#options.signal;
    const reconnecting = new AbortController();
    this.#reconnecting = reconnecting;
    await closed;
    const any = AbortSignal.any(
      [reconnecting.signal, signal, session].filter((given) => given !== undefined),
    );
    any.throwIfAborted();
    const link = await openLink(this.#connector, this.#options, any);
    // Between its being there and our taking it, the signal may be aborted, too.
    if (any.aborted) link.channel.destroy();
    any.throwIfAborted();
    this.#link = link;
    // Not before: what is marked meanwhile is a message of the old session.
    const lostMarks = Array.from(this.#marks, (number) => this.#named(number));
    this.#marks.clear();
    this.#uniqueIds = null;
    this.#loop = null;
    this.#unfinished = null;
    this.#body = null;
    this.#left = false;
    session?.addEventListener('abort', this.#abort, { once: true });
    return { lostMarks };
  }

  // ----- calls, one after the other

  get #pipelines(): boolean {
    if (this.#pipeliningFailed || this.#options.pipelining === 'off') return false;
    return this.#link.capabilities?.has('PIPELINING') ?? false;
  }

  /** Runs when the calls before are done. */
  async #call<T>({ signal }: CallOptions, work: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    this.#checkFree();
    const before = this.#turn;
    let done = () => {};
    this.#turn = new Promise<void>((resolve) => {
      done = resolve;
    });
    try {
      await untilAborted(signal, before);
      signal?.throwIfAborted();
      this.#checkFree();
      return await abandoning(signal, this.#leave, async () => {
        // The rest of a body that was left is its server's answer still.
        if (!this.#pipelines) await this.#body?.discard();
        return work();
      });
    } finally {
      // Whoever does not wait any more lets nobody pass those who still do.
      void before.then(done);
    }
  }

  #checkFree(): void {
    if (this.#loop !== null) usage('Messages are fetched ahead: end the loop first, or give it no pipeline.');
    if ((this.#body !== null && !this.#body.settled) || this.#unfinished?.settled === false)
      usage('A body is being read: read it to its end first, or leave its loop.');
  }

  /** Numbers mean something in the session that has listed them, and in no other. */
  #checkSession(link: Link): void {
    if (this.#link !== link) usage('The message is of a session that is over: list the messages again.');
  }

  async #ask(command: ClientCommand, options: CallOptions, reader?: BodyReader): Promise<Reply> {
    return this.#call(options, async () => {
      const reply = this.#accepted(await this.#link.conversation.send(command));
      // Before the next call has its turn.
      if (reader?.left) void reply.body?.return();
      return reply;
    });
  }

  /** An answer whose body is now being read. */
  #accepted(reply: Reply): Reply {
    const { command, status, body } = reply;
    if (status.status === '-ERR') throw this.#refused(command.verb ?? command.keyword, status);
    this.#body = body;
    return reply;
  }

  #refused(verb: string, status: Status): Pop3Error {
    const { capabilities, secrets } = this.#link;
    return refusalOf(verb, status, { capabilities, secrets });
  }

  #list(options: CallOptions): Promise<ScanListing> {
    return this.#readListing('LIST', options, (body) => readScanListing(body, this.#options.limits));
  }

  async #identify(options: CallOptions): Promise<UniqueIdListing> {
    this.#uniqueIds = await this.#readListing('UIDL', options, (body) =>
      readUniqueIds(body, this.#options.limits),
    );
    return this.#uniqueIds;
  }

  #readListing<T>(
    verb: 'LIST' | 'UIDL',
    options: CallOptions,
    read: (body: ReplyBody) => Promise<T>,
  ): Promise<T> {
    return this.#call(options, async () => {
      const { body } = this.#accepted(await this.#link.conversation.send({ verb, messageNumber: null }));
      try {
        return await read(body as ReplyBody);
      } catch (error) {
        // What cannot be read to its end leaves nothing to go on with.
        this.#leave(error);
        throw error;
      }
    });
  }

  /** What was answered is not what was asked: the stream may be out of step. */
  #unreadable(verb: string, text: string): Pop3Error {
    const serverText = withoutSecrets(text, this.#link.secrets);
    const message = `The answer of the server to ${verb} cannot be read: ${JSON.stringify(serverText)}. The connection was given up.`;
    const error = new Pop3Error('POP3_PROTOCOL', message, { verb, serverText });
    this.#leave(error);
    return error;
  }

  // ----- messages

  async #loopOver(options: MessagesOptions): Promise<MessageLoop> {
    const { where, pipeline = 1, ...call } = options;
    if (!Number.isSafeInteger(pipeline) || pipeline < 1)
      usage(`pipeline is a number from 1, not ${pipeline}.`);
    const sizes = await this.#list(call);
    const uniqueIds = await this.#identify(call).catch(nullIfRefused);
    const loop = new MessageLoop({ sizes, uniqueIds, where, window: this.#pipelines ? pipeline : 1, call });
    this.#received.total = loop.octets === null ? null : this.#received.octets + loop.octets;
    return loop;
  }

  /** The answer for a message that was asked for ahead, as are others then; null where nothing is. */
  #fetchedFor(loop: MessageLoop, link: Link, at: number): Fetched | null {
    this.#checkSession(link);
    if (!loop.fetchesAhead) return null;
    if (this.#loop !== loop) this.#checkFree();
    this.#loop = loop;
    return loop.fetch(at, link.conversation);
  }

  #message(loop: MessageLoop, link: Link, at: number, fetched: Fetched | null): Pop3Message {
    const { number, octets, uniqueId } = loop.facts(at);
    const { call } = loop;
    return {
      number,
      octets,
      uniqueId,
      body: (own) => {
        this.#checkSession(link);
        const command = { verb: 'RETR', messageNumber: number } as const;
        return this.#content(command, own === undefined ? call : { ...call, ...own }, octets, fetched);
      },
      top: (lines, own) => {
        this.#checkSession(link);
        return this.top(number, lines, { ...call, ...own });
      },
      delete: () => {
        this.#checkSession(link);
        this.delete(number);
      },
    };
  }

  #leaveMessage(loop: MessageLoop, link: Link, fetched: Fetched | null): void {
    this.#checkSession(link);
    if (fetched === null) this.#body?.abandon();
    else loop.pass();
  }

  #leaveLoop(loop: MessageLoop): void {
    if (this.#loop !== loop) return;
    this.#loop = null;
    this.#unfinished = loop.leave() ?? this.#unfinished;
  }

  /**
   * @param total - octets as far as they are known
   * @param fetched - the answer, where the command was sent already
   */
  #content(
    command: ContentCommand,
    options: CallOptions,
    total: number | null = null,
    fetched: Fetched | null = null,
  ): MessageBody {
    checkNumber(command.messageNumber, 1);
    const { onProgress } = this.#options;
    const link = this.#link;
    return messageBody({
      open: (reader) => {
        this.#checkSession(link);
        const reply = fetched?.take(reader)
          ? andThen(fetched.arrived ?? fetched.reply(), (answer) => this.#accepted(answer))
          : this.#ask(command, options, reader);
        return andThen(reply, ({ body }) => body as ReplyBody);
      },
      signal: options.signal,
      leave: (reason) => void (this.#link === link && this.#leave(reason)),
      received: onProgress === undefined ? null : this.#counter(command.messageNumber, total, onProgress),
    });
  }

  #counter(
    number: number,
    total: number | null,
    onProgress: NonNullable<ClientOptions['onProgress']>,
  ): (octets: number) => void {
    let octets = 0;
    return (length) => {
      octets += length;
      this.#received.octets += length;
      onProgress({ number, octets, total, session: { ...this.#received } });
    };
  }

  // ----- the end

  /** Sends DELE for these, in windows where the server can do that, and gives the answers. */
  async #sendMarks(marks: number[]): Promise<[number, Status][]> {
    const answers: [number, Status][] = [];
    // From the highest number down: where a server removes at once, the others keep their numbers.
    marks.sort((a, b) => b - a);
    const window = this.#pipelines ? DELETIONS_AHEAD : 1;
    for (let at = 0; at < marks.length; at += window) {
      const sent = marks.slice(at, at + window).map(async (messageNumber): Promise<[number, Status]> => {
        const { status } = await this.#link.conversation.send({ verb: 'DELE', messageNumber });
        return [messageNumber, status];
      });
      answers.push(...(await Promise.all(sent)));
    }
    return answers;
  }

  /** Why it is not known that the server has done what it was asked for; null when it is. */
  async #sayQuit(): Promise<Pop3Error | null> {
    const { conversation, channel } = this.#link;
    const sent = !conversation.over;
    try {
      const { status } = await conversation.send({ verb: 'QUIT' });
      channel.end();
      return status.status === '+OK' ? null : this.#refused('QUIT', status);
    } catch (error) {
      channel.destroy();
      // Some servers close the connection instead of answering; what they have deleted, the next session shows.
      if (sent && isPop3Error(error)) return error;
      throw error;
    } finally {
      this.#options.signal?.removeEventListener('abort', this.#abort);
    }
  }

  #named(number: number): { readonly number: number; readonly uniqueId: string | null } {
    return { number, uniqueId: this.#uniqueIds?.get(number) ?? null };
  }

  readonly #abort = (): void => this.#leave(this.#options.signal?.reason);

  readonly #leave = (error: unknown): void => {
    this.#left ||= !this.#link.conversation.over;
    // What has ended by QUIT says goodbye still.
    this.#link.conversation.abort(error);
    this.#options.signal?.removeEventListener('abort', this.#abort);
  };
}

/** A server that has them, but not now, is none that has none: whoever knows its mail by unique-id would get all of it again. */
function nullIfRefused(error: unknown): null {
  if (isPop3Error(error) && error.code === 'POP3_REFUSED' && !error.retryable) return null;
  throw error;
}

/** What these change, nothing here has to follow. */
const ASKING: readonly Verb[] = ['STAT', 'LIST', 'UIDL', 'RETR', 'TOP', 'NOOP', 'CAPA'];

function commandOf(keyword: string, argument: string | null, multiline: boolean): ClientCommand {
  const line = argument === null ? keyword : `${keyword} ${argument}`;
  const parsed = parseCommand(encodeUtf8(line));
  const verb = parsed.ok ? parsed.command.verb : parsed.verb;
  if (verb === null) return { verb: null, keyword, argument, multiline };
  if (!ASKING.includes(verb))
    usage(
      `${verb} changes the session, and is no plain command here: there is a method or an option for it.`,
    );
  if (parsed.ok) return parsed.command;
  return usage(`${verb}: ${parsed.problem}.`);
}

/** STAT and `LIST n` have their numbers in the status text; null where they are none. */
function scanned(text: string): readonly [number: number, octets: number | null] | null {
  const lines: [number, number | null][] = [];
  parseScanLine(encodeUtf8(text), (...line) => lines.push(line));
  return lines[0] ?? null;
}

/** `encodeCommand()` refuses these, too; here it is the caller who is told, and not the reader of a body. */
function checkNumber(value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) usage(`${value} is no whole number from ${least}.`);
}
