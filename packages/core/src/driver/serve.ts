import type {
  Authenticator,
  AuthOutcome,
  Body,
  Credentials,
  Identity,
  Maildrop,
  MaybePromise,
  MessageStore,
  Peer,
  Refusal,
  ScramForm,
  ScramKeys,
  StoreContext,
} from '../adapter.js';
import type { ExtensionContext, Pop3Extension } from '../extension.js';
import { andThen, isPending } from '../maybe-promise.js';
import { EXTERNAL } from '../sasl/external.js';
import { LOGIN } from '../sasl/login.js';
import {
  type SaslServerContext,
  type SaslServerExchange,
  type SaslServerMechanism,
  usableMechanisms,
} from '../sasl/mechanism.js';
import { PLAIN } from '../sasl/plain.js';
import type { CloseReason, PeerChanges, ServerSessionOptions } from '../server/options.js';
import type { AnswerTo, ServerRequest } from '../server/requests.js';
import { ServerSession } from '../server/session.js';
import { wireKernel } from '../wire-kernel.js';
import { MessageMemory } from './message-memory.js';

/** A connection, as far as a session needs one. */
export interface ByteChannel {
  /** The next octets, which then belong to the session, or null when the peer has ended. */
  read(): MaybePromise<Uint8Array | null>;
  /**
   * Sends these. They are lent until it returns, or until the promise that it returns is settled: return one only
   * when the peer is slower than we are.
   */
  write(octets: Uint8Array): MaybePromise<void>;
  /** Does the TLS handshake as the server and forgets all that was received before it. Left out: no STLS. */
  upgradeTls?(): MaybePromise<Peer>;
  /** Lets other connections run. Called between steps that would otherwise follow each other without a pause. */
  yield?(): MaybePromise<void>;
}

export interface ServeOptions {
  readonly channel: ByteChannel;
  readonly authenticator: Authenticator;
  readonly store: MessageStore;
  /** Who is at the other end. Default: nothing is known. */
  readonly peer?: Peer;
  /** Default: PLAIN, LOGIN and EXTERNAL. Those that cannot work with the authenticator are not announced. */
  readonly mechanisms?: readonly SaslServerMechanism[];
  /** Commands that the core does not know. Default: none. */
  readonly extensions?: readonly Pop3Extension[];
  /** What the session is told beside what follows from the rest. */
  readonly session?: Omit<ServerSessionOptions, keyof PeerChanges | 'userPass' | 'extensions'> & {
    /** Passwords on a connection that is not encrypted. Default `refuse`. A function decides for each peer. */
    readonly plaintextAuth?: 'refuse' | 'allow' | ((peer: Peer) => 'refuse' | 'allow');
  };
  /** Ends the session at once, without UPDATE. With the reason `'autologout'` it is reported as such. */
  readonly signal?: AbortSignal;
  /**
   * A broken adapter: the peer is told of a temporary failure and nothing else. Must not throw. An `AbortError` after
   * the end of the session is none.
   */
  onFault?(fault: { readonly during: Fault; readonly error: unknown }): void;
}

/** What was under way when an adapter threw; `session` when it gave what no type allows, which ends the session. */
export type Fault = ServerRequest['type'] | 'read-body' | 'release' | 'session';

const UNKNOWN_PEER: Peer = { address: null, tls: false, certificate: null };
const DEFAULT_MECHANISMS: readonly SaslServerMechanism[] = [PLAIN, LOGIN, EXTERNAL];
const FAULT: Refusal = { type: 'refused', reason: 'temporary' };
/** What an adapter may answer; anything else is a fault of it. */
const ANSWERS: Record<ServerRequest['type'], readonly string[]> = {
  authenticate: ['accepted', 'refused'],
  'sasl-start': ['accepted', 'refused', 'challenge'],
  'sasl-step': ['accepted', 'refused', 'challenge'],
  'open-maildrop': ['opened', 'refused'],
  retrieve: ['message', 'gone', 'refused'],
  extension: ['replied', 'refused'],
  commit: ['committed', 'refused'],
};
/** After so many octets or messages without a pause, other connections get their turn. */
const MAX_OCTETS_AT_ONCE = 1 << 20;
const MAX_MESSAGES_AT_ONCE = 64;
/** An UPDATE that has begun is finished, whatever becomes of the connection. */
const NEVER_ABORTED = new AbortController().signal;

type Request<T extends ServerRequest['type']> = Extract<ServerRequest, { type: T }>;
type Chunks = Iterator<Uint8Array> | AsyncIterator<Uint8Array>;

/**
 * Runs a {@link ServerSession} over a channel until it ends, and says why it did. Never rejects: a fault of an adapter
 * goes to `onFault`, a fault of the channel is a peer that has gone. The channel is not closed; its owner does that,
 * and also on an abort: then a pending `read` gives null and a pending `write` settles.
 *
 * The maildrop is released before the promise resolves, and before QUIT is answered: whoever has read that answer can
 * log in again at once. An adapter that does not stop when it is told to is not waited for, so that it cannot hold a
 * connection for ever; what it still opens is released then. Only an UPDATE that has begun is always waited for.
 */
export async function serve(options: ServeOptions): Promise<CloseReason> {
  let driver: Driver;
  try {
    driver = new Driver(options);
  } catch (error) {
    // A mechanism that cannot say whether it is available, for example: not one word was said yet.
    options.onFault?.({ during: 'session', error });
    return 'aborted';
  }
  return driver.run();
}

class Driver {
  readonly #options: ServeOptions;
  readonly #session: ServerSession;
  /** Made when an adapter first looks at the signal: most never do, and it is not cheap. */
  #abort: AbortController | null = null;
  #ended = false;
  /** What every adapter is told; the signal and the peer as they are when it looks. */
  readonly #context: SaslServerContext;
  readonly #messageContext: StoreContext;
  /** Resolves when nothing under way is worth waiting for. */
  readonly #givenUp: Promise<CloseReason>;
  #giveUp: (reason: CloseReason) => void = () => {};
  /** Whether an adapter is at work on something that may be left to itself when the session ends. */
  #atWork = false;
  #peer: Peer;
  #exchange: SaslServerExchange | null = null;
  #maildrop: Maildrop | null = null;
  #identity: Identity | null = null;
  /** The body that is being read, until it ends or fails by itself: then there is nothing to return any more. */
  #chunks: Chunks | null = null;
  /** The chunk that was pulled before the message was promised to the peer. */
  #first: IteratorResult<Uint8Array> | null = null;
  readonly #memory = new MessageMemory();
  #octetsAtOnce = 0;
  #messagesAtOnce = 0;

  constructor(options: ServeOptions) {
    this.#options = options;
    this.#peer = options.peer ?? UNKNOWN_PEER;
    const signal = () => this.#signal();
    const peer = () => this.#peer;
    this.#context = {
      get signal() {
        return signal();
      },
      get peer() {
        return peer();
      },
      authenticate: (credentials) => this.#authenticate(credentials),
      scramKeys: (username, form) => this.#scramKeys(username, form),
    };
    this.#messageContext = {
      get signal() {
        return signal();
      },
      memory: (octets) => this.#memory.take(octets),
    };
    this.#givenUp = new Promise((resolve) => {
      this.#giveUp = resolve;
    });
    const { authenticator, channel, extensions, session } = options;
    this.#session = new ServerSession({
      kernel: wireKernel(),
      ...session,
      apopTimestamp: authenticator.accepts.includes('apop') ? (session?.apopTimestamp ?? null) : null,
      userPass: authenticator.accepts.includes('password'),
      extensions: extensions ?? [],
      tls: channel.upgradeTls === undefined ? 'off' : 'offered',
      ...this.#changes(),
    });
  }

  async run(): Promise<CloseReason> {
    const { signal } = this.#options;
    const stop = () => this.#stop(signal?.reason === 'autologout' ? 'autologout' : 'aborted');
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    try {
      return await Promise.race([this.#loop(), this.#givenUp]);
    } catch (error) {
      this.#fault('session', error);
      this.#stop('aborted');
      return 'aborted';
    } finally {
      signal?.removeEventListener('abort', stop);
      this.#end();
      const returned = this.#endBody();
      // A body whose next chunk is still awaited ends with that chunk, if it ever comes.
      if (!this.#atWork) await returned;
      await this.#release();
    }
  }

  async #loop(): Promise<CloseReason> {
    for (;;) {
      const action = this.#session.next();
      switch (action.type) {
        case 'close':
          return action.reason;
        case 'read':
          await this.#read();
          break;
        case 'write': {
          const pending = this.#write(action.octets);
          if (pending !== undefined) await pending;
          break;
        }
        case 'request':
          if (action.request.type !== 'retrieve') {
            await this.#work(action.request);
          } else {
            const pending = this.#retrieve(action.request);
            if (pending !== undefined) await this.#conclude(pending);
          }
          break;
        case 'read-body': {
          const pending = this.#readBody();
          if (pending !== undefined) await this.#conclude(pending);
          break;
        }
        case 'end-body':
          if (this.#chunks === null) {
            this.#memory.reuse();
          } else {
            // Cut off by TOP: its source may have begun to write the next chunk.
            this.#memory.drop();
            await this.#endBody();
          }
          if (++this.#messagesAtOnce >= MAX_MESSAGES_AT_ONCE) await this.#yield();
          break;
        case 'upgrade-tls':
          await this.#upgradeTls();
          break;
        case 'wait':
          throw new Error('The session waits for an answer that nobody owes it.');
      }
    }
  }

  /** Ends the session at once; work that is under way is told that nobody waits for it. */
  #stop(reason: 'autologout' | 'peer-closed' | 'aborted'): void {
    this.#session.abort(reason);
    this.#end();
    if (this.#atWork) this.#giveUp(reason);
  }

  // ----- the channel: what breaks here is a peer that has gone

  async #read(): Promise<void> {
    try {
      const read = this.#options.channel.read();
      const chunk = isPending(read) ? await read : read;
      if (isPending(read)) this.#octetsAtOnce = this.#messagesAtOnce = 0;
      if (chunk === null) this.#session.receiveEnd();
      else this.#session.receive(chunk);
    } catch {
      this.#stop('peer-closed');
    }
  }

  #write(octets: Uint8Array): Promise<void> | undefined {
    const gone = () => this.#stop('peer-closed');
    try {
      const written = this.#options.channel.write(octets);
      this.#octetsAtOnce += octets.length;
      if (isPending(written)) return Promise.resolve(written).catch(gone);
      if (this.#octetsAtOnce >= MAX_OCTETS_AT_ONCE) return this.#yield();
    } catch {
      gone();
    }
    return undefined;
  }

  async #yield(): Promise<void> {
    this.#octetsAtOnce = this.#messagesAtOnce = 0;
    await this.#options.channel.yield?.();
  }

  async #upgradeTls(): Promise<void> {
    try {
      this.#peer = (await this.#options.channel.upgradeTls?.()) ?? this.#peer;
    } catch {
      return this.#stop('peer-closed');
    }
    this.#session.tlsUpgraded(this.#changes());
  }

  // ----- the adapters: what breaks here is a fault

  async #work(request: Exclude<ServerRequest, Request<'retrieve'>>): Promise<void> {
    let answer: AnswerTo<ServerRequest>;
    this.#atWork = request.type !== 'commit';
    try {
      answer = await this.#answerTo(request);
      if (!ANSWERS[request.type].includes(answer.type))
        throw new Error(`${answer.type} answers no ${request.type}`);
    } catch (error) {
      if (request.type === 'open-maildrop') await this.#release();
      this.#fault(request.type, error);
      answer = FAULT;
    }
    this.#atWork = false;
    this.#session.answer<ServerRequest>(request, answer);
  }

  #answerTo(request: Exclude<ServerRequest, Request<'retrieve'>>): MaybePromise<AnswerTo<typeof request>> {
    switch (request.type) {
      case 'authenticate':
        return this.#authenticate(request.credentials);
      case 'sasl-start':
      case 'sasl-step':
        return this.#sasl(request);
      case 'open-maildrop':
        return this.#open(request);
      case 'extension':
        return this.#extend(request);
      case 'commit':
        return this.#commit(request);
    }
  }

  #authenticate(credentials: Credentials): MaybePromise<AuthOutcome> {
    return this.#options.authenticator.authenticate(credentials, this.#context);
  }

  #scramKeys(username: string, form: ScramForm): MaybePromise<ScramKeys | Refusal> {
    const { authenticator } = this.#options;
    if (authenticator.scramKeys === undefined)
      throw new Error(`An authenticator that accepts ${form} needs scramKeys().`);
    return authenticator.scramKeys(username, form, this.#context);
  }

  #sasl(request: Request<'sasl-start' | 'sasl-step'>): MaybePromise<AnswerTo<typeof request>> {
    if (request.type === 'sasl-step') return this.#exchange?.step(request.response) ?? FAULT;
    const mechanism = this.#mechanisms().find(({ name }) => name === request.mechanism);
    this.#exchange = mechanism?.start(this.#context) ?? null;
    return this.#exchange?.step(request.initialResponse) ?? FAULT;
  }

  async #extend({ verb, argument, marks }: Request<'extension'>): Promise<AnswerTo<Request<'extension'>>> {
    const extension = this.#options.extensions?.find((known) => known.verb === verb) as Pop3Extension;
    const before = this.#peer;
    const context: ExtensionContext = {
      signal: this.#signal(),
      peer: before,
      identity: this.#identity,
      maildrop: this.#maildrop,
      isMarked: (messageNumber) => marks?.has(messageNumber) ?? false,
    };
    const reply = await extension.run(argument, context);
    this.#peer = context.peer;
    return { ...reply, type: 'replied', ...(this.#peer !== before && { changes: this.#changes() }) };
  }

  /** What follows from who is at the other end. */
  #changes(): PeerChanges & Required<Omit<PeerChanges, 'tls'>> {
    const { plaintextAuth = 'refuse' } = this.#options.session ?? {};
    return {
      saslMechanisms: this.#mechanisms(),
      plaintextAuth: typeof plaintextAuth === 'function' ? plaintextAuth(this.#peer) : plaintextAuth,
      ...(this.#peer.tls && { tls: 'active' }),
    };
  }

  async #open({ identity }: Request<'open-maildrop'>): Promise<AnswerTo<Request<'open-maildrop'>>> {
    const opened = await this.#options.store.open(identity, this.#context);
    if (!('listing' in opened)) return opened;
    this.#maildrop = opened;
    this.#identity = identity;
    // Nobody waits for it any more.
    if (this.#ended) await this.#release();
    return { type: 'opened', listing: opened.listing };
  }

  async #commit({ deletions }: Request<'commit'>): Promise<AnswerTo<Request<'commit'>>> {
    try {
      const { removed, failed } =
        deletions.size === 0
          ? { removed: 0, failed: 0 }
          : await this.#opened.commitDeletes(deletions, { signal: NEVER_ABORTED });
      // What does not add up is not known, and must not be told as done.
      if (removed + failed !== deletions.size) {
        throw new Error(
          `A commit of ${deletions.size} marked messages gave removed ${removed}, failed ${failed}.`,
        );
      }
      return { type: 'committed', removed, failed };
    } finally {
      await this.#release();
    }
  }

  /** The first chunk is there before the peer is told that the message follows: what fails until then is still an `-ERR`. */
  #retrieve(request: Request<'retrieve'>): Promise<Conclusion> | undefined {
    const { messageNumber, topLines } = request;
    const maildrop = this.#opened;
    const answer = (first: IteratorResult<Uint8Array> | null) => {
      this.#first = first;
      if (first === null) this.#memory.reuse();
      this.#session.answer(request, { type: first === null ? 'gone' : 'message' });
    };
    const fail = (error: unknown) => {
      this.#chunks = null;
      this.#memory.drop();
      this.#fault('retrieve', error);
      this.#session.answer<ServerRequest>(request, FAULT);
    };
    return attempt(
      () => {
        const retrieved =
          topLines !== null && maildrop.top !== undefined
            ? maildrop.top(messageNumber, topLines, this.#messageContext)
            : maildrop.retrieve(messageNumber, this.#messageContext);
        return andThen(retrieved, (body) => {
          const whole = body !== 'gone' && ArrayBuffer.isView(body);
          this.#chunks = body === 'gone' || whole ? null : chunksOf(body);
          if (this.#ended) {
            // Nobody waits for it any more, and it may not have stopped yet.
            this.#memory.drop();
            void this.#endBody();
            return null;
          }
          return whole ? { done: false, value: body } : (this.#chunks?.next() ?? null);
        });
      },
      answer,
      fail,
    );
  }

  #readBody(): Promise<Conclusion> | undefined {
    return attempt(
      () => {
        const first = this.#first;
        this.#first = null;
        return first ?? this.#chunks?.next() ?? DONE;
      },
      (next) => {
        if (!next.done) return this.#session.body(next.value);
        this.#chunks = null;
        this.#session.bodyEnd();
      },
      (error) => {
        this.#chunks = null;
        this.#fault('read-body', error);
        this.#session.bodyFailed();
      },
    );
  }

  /** Sends what has been said so far while something is awaited. The session hears of it only when that is done. */
  async #conclude(pending: Promise<Conclusion>): Promise<void> {
    this.#atWork = true;
    for (let action = this.#session.next(); action.type === 'write'; action = this.#session.next()) {
      await this.#write(action.octets);
    }
    const conclude = await pending;
    this.#atWork = false;
    conclude();
  }

  async #endBody(): Promise<void> {
    const chunks = this.#chunks;
    this.#chunks = null;
    try {
      await chunks?.return?.();
    } catch (error) {
      this.#fault('read-body', error);
    }
  }

  async #release(): Promise<void> {
    const maildrop = this.#maildrop;
    this.#maildrop = null;
    try {
      await maildrop?.release();
    } catch (error) {
      this.#fault('release', error);
    }
  }

  #fault(during: Fault, error: unknown): void {
    // Who stops because nobody waits any more is not broken.
    if (this.#ended && isAbortError(error)) return;
    this.#options.onFault?.({ during, error });
  }

  #mechanisms(): SaslServerMechanism[] {
    const { mechanisms = DEFAULT_MECHANISMS, authenticator } = this.#options;
    return usableMechanisms(mechanisms, authenticator, this.#context);
  }

  #end(): void {
    this.#ended = true;
    this.#abort?.abort(endedReason());
  }

  #signal(): AbortSignal {
    this.#abort ??= new AbortController();
    if (this.#ended) this.#abort.abort(endedReason());
    return this.#abort.signal;
  }

  get #opened(): Maildrop {
    if (this.#maildrop === null) throw new Error('No maildrop is open.');
    return this.#maildrop;
  }
}

function isAbortError(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'name' in error && error.name === 'AbortError';
}

/** One for all sessions: what an error costs is the stack that it takes along. */
let ended: DOMException | undefined;
function endedReason(): DOMException {
  ended ??= new DOMException('The session has ended.', 'AbortError');
  return ended;
}

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

function chunksOf(body: Exclude<Body, Uint8Array>): Chunks {
  return Symbol.asyncIterator in body ? body[Symbol.asyncIterator]() : body[Symbol.iterator]();
}

/** What remains to be told to the session. */
type Conclusion = () => void;

/** Works without a promise where nothing has to be waited for; otherwise returns one that never rejects. */
function attempt<T>(
  work: () => MaybePromise<T>,
  done: (result: T) => void,
  failed: (error: unknown) => void,
): Promise<Conclusion> | undefined {
  let result: MaybePromise<T>;
  try {
    result = work();
  } catch (error) {
    failed(error);
    return undefined;
  }
  if (isPending(result)) {
    return Promise.resolve(result).then(
      (value) => () => done(value),
      (error) => () => failed(error),
    );
  }
  done(result);
  return undefined;
}
