import type { MaybePromise } from '../adapter.js';
import type { Capabilities } from '../capability.js';
import type { ClientFailure, ClientSessionOptions, ClientState, Status } from '../client/options.js';
import { type ClientAction, ClientSession } from '../client/session.js';
import { type ClientCommand, describeCommand } from '../command.js';
import { Pop3Error, usage } from '../errors.js';
import { andThen, isPending } from '../maybe-promise.js';
import type { SaslClientMechanism } from '../sasl/mechanism.js';
import type { Awaited, ClientChannel } from './client-channel.js';
import { Pending } from './pending.js';
import { ReplyBody } from './reply-body.js';

export interface ConverseOptions {
  readonly channel: ClientChannel;
  readonly session?: ClientSessionOptions;
  /** Told once when it is over before its time, with what everything outstanding rejects with. Must not throw. */
  readonly onFailure?: (error: unknown) => void;
}

/** The first line of a server. With `-ERR` the session is over: the server is full, or does not want this client. */
export interface Greeting {
  readonly status: Status;
  /** Null where the server has no APOP (RFC 1939 section 7). */
  readonly apopTimestamp: string | null;
}

/** The answer to a command. A refusal is an answer like any other. */
export interface Reply {
  readonly command: ClientCommand;
  readonly status: Status;
  /** The lines of a multi-line response; null for a single line. Nothing more is read before it was, or is discarded. */
  readonly body: ReplyBody | null;
}

export interface AuthenticateOptions {
  /** Whether the first response may stand on the AUTH line, where it fits into 255 octets (RFC 5034 section 4). Default true. */
  readonly initialResponse?: boolean;
}

/** How an exchange ended. */
export interface Authentication {
  readonly status: Status;
  /** What the server said is wrong before it refused (`problem` of a SASL exchange); null where it said nothing. */
  readonly problem: string | null;
}

/** Who is told of an answer, or that there will be none. Neither may throw, nor send another command. */
export interface ReplyTaker {
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

type Trace = NonNullable<ClientSessionOptions['trace']>;

/** A command that was sent, and who waits for the answer to it. */
interface Sent {
  readonly command: ClientCommand;
  readonly reply: ReplyTaker;
}

type Outcome = 'go on' | 'wait' | 'stop';

/** Runs a {@link ClientSession} over a channel. The channel is not closed; its owner does that, told by `onFailure`. */
export function converse(options: ConverseOptions): Conversation {
  return new Conversation(options);
}

/**
 * A session with a server, as promises. Every `send()` goes out at once, so commands are pipelined by sending several before
 * awaiting the first; whether the server can do that, the caller has to know (RFC 2449 section 6.6). Nothing is read while a
 * part of a body waits for its reader, so memory is bounded by one chunk of the channel.
 *
 * A refusal is a value. When the session fails, everything outstanding rejects with the same `Pop3Error`: `POP3_PROTOCOL`,
 * `POP3_CLOSED`, or what the channel rejected with.
 */
export class Conversation {
  readonly #channel: ClientChannel;
  readonly #session: ClientSession;
  readonly #onFailure: ConverseOptions['onFailure'];
  readonly #sent: Sent[] = [];
  readonly #greeting = new Pending<Greeting>();
  #running = false;
  /** What is made of the value that is waited for. */
  #done: ((value: unknown) => void) | null = null;
  /** Whether commands wait to be written. */
  #unsent = false;
  #error: unknown = null;
  #over = false;
  /** The body whose end has not come yet. */
  #body: ReplyBody | null = null;
  /** Chunks that wait for their readers. */
  #unread = 0;
  /** What is waited for; null when that has come. */
  #awaited: Awaited | null = null;
  /** The answer to STLS, until the handshake is done. */
  #upgrading: Reply | null = null;
  #answerChallenge: ((challenge: Uint8Array) => MaybePromise<Uint8Array | null>) | null = null;

  /** @internal Use {@link converse}. */
  constructor({ channel, session, onFailure }: ConverseOptions) {
    this.#channel = channel;
    this.#onFailure = onFailure;
    this.#session = new ClientSession(
      session?.trace ? { ...session, trace: this.#guard(session.trace) } : session,
    );
  }

  get state(): ClientState {
    return this.#session.state;
  }

  /** Whether it has ended, for whatever reason. */
  get over(): boolean {
    return this.#over;
  }

  /** Commands without an answer, or without all of it. */
  get pending(): number {
    return this.#session.pending;
  }

  /** Waits for the greeting. */
  greeting(): Promise<Greeting> {
    this.#run();
    return this.#greeting.promise;
  }

  /**
   * Sends a command and waits for the first line of its answer; to STLS, also for the handshake.
   *
   * @throws Pop3Error `POP3_USAGE` at once, where {@link ClientSession.send} does, and for STLS when the channel has no TLS.
   */
  send(command: ClientCommand): Promise<Reply> {
    const reply = new Pending<Reply>();
    this.sendFor(reply, command);
    return reply.promise;
  }

  /**
   * @internal Sends a command like {@link send}, without a promise: who sends hundreds ahead need not make one for each.
   *
   * @throws Pop3Error `POP3_USAGE` as `send` does.
   */
  sendFor(reply: ReplyTaker, command: ClientCommand): void {
    if (!this.#running && this.#session.pending === 0 && this.state !== 'connecting') this.#look();
    if (this.#over) return reply.reject(this.#error);
    if (command.verb === 'STLS' && !this.#channel.upgradeTls) usage('This channel cannot do TLS.');
    this.#session.send(command);
    this.#sent.push({ command, reply });
    // Commands that are sent in one go share a write.
    if (!this.#unsent) queueMicrotask(() => this.#flush());
    this.#unsent = true;
  }

  /** What the server can do, asked where that is not known; null when it refuses to say (RFC 2449 section 5). */
  async capabilities(): Promise<Capabilities | null> {
    if (this.#session.capabilities === null) {
      const { body } = await this.send({ verb: 'CAPA' });
      await body?.discard();
    }
    return this.#session.capabilities;
  }

  /**
   * Logs in by a SASL mechanism (RFC 5034). A refusal is a value. When the mechanism cannot even begin, nothing is sent.
   *
   * @throws Pop3Error `POP3_PROTOCOL` when the server cannot prove what it has to, or says `+OK` before the exchange is
   *   complete: then it may be another one. The conversation is over.
   */
  async authenticate(
    mechanism: SaslClientMechanism,
    options: AuthenticateOptions = {},
  ): Promise<Authentication> {
    const exchange = mechanism.start();
    const first = await exchange.step(null);
    if (first.type === 'failed') usage(`${mechanism.name} cannot begin: ${first.text}.`);
    let unsent = first.response;
    let wrong: string | null = null;
    const inOneLine = (options.initialResponse ?? true) && unsent !== null && fits(mechanism.name, unsent);
    const initialResponse = inOneLine ? unsent : null;
    if (inOneLine) unsent = null;
    this.#answerChallenge = (challenge) => {
      if (unsent !== null) {
        const response = unsent;
        unsent = null;
        return response;
      }
      return andThen(exchange.step(challenge), (step) => {
        if (step.type === 'response') return step.response;
        wrong = step.text;
        return null;
      });
    };
    const command: ClientCommand = { verb: 'AUTH', mechanism: mechanism.name, initialResponse };
    const { status } = await this.send(command).finally(() => {
      this.#answerChallenge = null;
    });
    if (status.status === '+OK' && (unsent !== null || !exchange.complete))
      wrong ??= 'the server says +OK before the exchange is complete';
    if (wrong !== null) {
      const text = `${mechanism.name} with this server failed: ${wrong}. It may not be the server it claims to be.`;
      throw this.#fail(new Pop3Error('POP3_PROTOCOL', text, { verb: 'AUTH' }));
    }
    return { status, problem: exchange.problem ?? null };
  }

  /** Ends the session without a word: everything outstanding rejects with `error`. The server then removes nothing. */
  abort(error: unknown): void {
    this.#fail(error);
  }

  /** A trace that throws ends the session with its error: nobody else would hear of it, and everybody would wait. */
  #guard(trace: Trace): Trace {
    return (event) => {
      try {
        trace(event);
      } catch (error) {
        queueMicrotask(() => this.#fail(error));
      }
    };
  }

  // ----- the loop

  /** Octets that came while nobody waited belong to no answer. */
  #look(): void {
    const chunk = this.#channel.take();
    if (chunk === null) return;
    this.#session.receive(chunk);
    const action = this.#session.next();
    if (action.type === 'close') this.#close(action.failure);
  }

  /** Commands go out also while the answer to an earlier one is awaited. */
  #flush(): void {
    if (!this.#running) this.#run();
    else if (this.#unsent) this.#step();
  }

  /** Works until it has to wait for octets, for a reader of a body, or for the next command. */
  #run(): void {
    if (this.#running) return;
    this.#running = true;
    let outcome: Outcome;
    do outcome = this.#step();
    while (outcome === 'go on');
    this.#running = outcome === 'wait';
  }

  #step(): Outcome {
    if (this.#over) return 'stop';
    const action = this.#session.next();
    switch (action.type) {
      case 'read':
        return this.#unread > 0 ? 'stop' : this.#read();
      case 'write':
        this.#unsent = false;
        return this.#attempt(
          () => this.#channel.write(action.octets),
          () => undefined,
        );
      case 'greeting':
        this.#awaited = null;
        this.#greeting.resolve(action);
        return 'go on';
      case 'response':
        this.#awaited = null;
        return this.#response(action);
      case 'body':
        if (this.#body?.add(action.octets)) this.#unread++;
        return 'go on';
      case 'body-end':
        this.#awaited = null;
        this.#body?.end();
        this.#body = null;
        return 'go on';
      case 'challenge':
        this.#awaited = null;
        return this.#attempt(
          () => this.#answerChallenge?.(action.challenge) ?? null,
          (response) => this.#session.sendSaslResponse(response),
        );
      case 'upgrade-tls':
        return this.#attempt(
          () => this.#channel.upgradeTls?.(),
          () => {
            this.#session.tlsUpgraded();
            this.#sent.shift()?.reply.resolve(this.#upgrading as Reply);
          },
        );
      case 'wait':
        return 'stop';
      case 'close':
        this.#close(action.failure);
        return 'stop';
    }
  }

  #read(): Outcome {
    this.#awaited ??= this.#whatFor();
    return this.#attempt(this.#readNext, this.#received);
  }

  readonly #readNext = (): MaybePromise<Uint8Array | null> => this.#channel.read(this.#awaited as Awaited);

  readonly #received = (chunk: Uint8Array | null): void => {
    if (chunk === null) this.#session.receiveEnd();
    else this.#session.receive(chunk);
  };

  #whatFor(): Awaited {
    if (this.#body !== null) return { type: 'body', command: this.#body.command };
    const [sent] = this.#sent;
    return sent === undefined ? { type: 'greeting' } : { type: 'status', command: sent.command };
  }

  #response({ command, status, multiline }: Extract<ClientAction, { type: 'response' }>): 'go on' {
    if (multiline) this.#body = new ReplyBody(command, (chunks) => this.#consumed(chunks));
    const reply: Reply = { command, status, body: this.#body };
    if (command.verb === 'STLS' && status.status === '+OK') this.#upgrading = reply;
    else this.#sent.shift()?.reply.resolve(reply);
    return 'go on';
  }

  /** Goes on at once where nothing has to be waited for. */
  #attempt<T>(work: () => MaybePromise<T>, done: (value: T) => void): Outcome {
    try {
      const value = work();
      if (isPending(value)) {
        this.#done = done as (value: unknown) => void;
        value.then(this.#proceed, this.#giveUp);
        return 'wait';
      }
      if (!this.#over) done(value);
    } catch (error) {
      this.#fail(error);
    }
    return 'go on';
  }

  // What has come is looked at before anything else can happen: a command that is sent now must not overtake it.
  readonly #proceed = (value: unknown): void => {
    this.#running = false;
    try {
      if (!this.#over) this.#done?.(value);
    } catch (error) {
      this.#fail(error);
    }
    this.#run();
  };

  readonly #giveUp = (error: unknown): void => void this.#fail(error);

  #consumed(chunks: number): void {
    this.#unread -= chunks;
    if (this.#unread === 0) this.#run();
  }

  #close(failure: ClientFailure | null): void {
    const error = errorOf(failure, this.#body?.command ?? this.#sent[0]?.command ?? null);
    this.#fail(error, failure !== null);
  }

  /** @param early - before QUIT was answered */
  #fail(error: unknown, early = true): unknown {
    if (this.#over) return this.#error;
    this.#over = true;
    this.#error = error;
    this.#session.abort();
    this.#greeting.reject(error);
    this.#body?.fail(error);
    this.#body = null;
    for (const { reply } of this.#sent.splice(0)) reply.reject(error);
    if (early) this.#onFailure?.(error);
    return error;
  }
}

function fits(name: string, response: Uint8Array): boolean {
  return `AUTH ${name} \r\n`.length + Math.ceil(response.length / 3) * 4 <= 255;
}

const WHAT_HAPPENED: Record<Exclude<ClientFailure, 'peer-closed'>, string> = {
  'greeting-refused': 'refused to talk',
  'bad-greeting': 'is no POP3 server: its first line is neither +OK nor -ERR',
  'bad-status-line': 'sent something else than an answer: the session is out of step',
  'unexpected-data': 'sent what nobody has asked for',
  'line-too-long': 'sent a line without an end',
  'too-many-capabilities': 'sent a list of capabilities without an end',
  aborted: 'was left',
};

function errorOf(failure: ClientFailure | null, command: ClientCommand | null): Pop3Error {
  const verb = command === null ? null : (command.verb ?? command.keyword);
  if (failure === null) return new Pop3Error('POP3_CLOSED', 'The session is over: QUIT was answered.');
  if (failure === 'peer-closed') {
    const before = command === null ? 'its greeting' : `it had answered ${describeCommand(command)}`;
    const text = `The server closed the connection before ${before}.`;
    return new Pop3Error('POP3_CLOSED', text, { verb, retryable: true });
  }
  const fate = verb === 'QUIT' ? 'it is not known whether messages were deleted' : 'no message was deleted';
  const text = `The server ${WHAT_HAPPENED[failure]}. The connection was given up, and ${fate}.`;
  return new Pop3Error('POP3_PROTOCOL', text, { verb });
}
