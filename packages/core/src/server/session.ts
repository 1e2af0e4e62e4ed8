import type { CommitOutcome, Identity, Refusal } from '../adapter.js';
import { decodeBase64, encodeBase64 } from '../base64.js';
import { type Command, describeCommand, parseCommand, startsAuth } from '../command.js';
import { usage } from '../errors.js';
import type { ExtensionCommand, ExtensionState } from '../extension.js';
import { LineReader } from '../line-reader.js';
import type { MaildropListing } from '../listing.js';
import { CR, LF, SP, textOf } from '../octets.js';
import { encodeGreeting, encodeStatusLine, REFUSALS } from '../response.js';
import { encodeUtf8, lineOf } from '../text.js';
import { TopCutter } from '../top-cutter.js';
import { WireEncoder } from '../wire-encoder.js';
import {
  type CloseReason,
  DEFAULT_LIMITS,
  type OfferedMechanism,
  type PeerChanges,
  type ServerLimits,
  type ServerSessionOptions,
  type ServerState,
} from './options.js';
import { Output, writeNumber } from './output.js';
import type { AnswerTo, ServerAnswers, ServerRequest } from './requests.js';
import { Transaction } from './transaction.js';
import { ACCEPTED, KEEPS_USER } from './transitions.js';

/** What the caller does next. */
export type ServerAction =
  /** Get octets from the peer, then `receive()` or `receiveEnd()`. */
  | { readonly type: 'read' }
  /** Send these. They are lent: the memory is used again after the next `next()`. */
  | { readonly type: 'write'; readonly octets: Uint8Array }
  /** Do this, then `answer()`. */
  | { readonly type: 'request'; readonly request: ServerRequest }
  /** Get a chunk of the message asked for: `body()`, `bodyEnd()` or `bodyFailed()`. */
  | { readonly type: 'read-body' }
  /** Release the source of the body; exactly once for each message, also when TOP stopped early. */
  | { readonly type: 'end-body' }
  /** Everything is said; start the TLS handshake, then `tlsUpgraded()`. */
  | { readonly type: 'upgrade-tls' }
  /** Nothing can be done before the open request, body or handshake is answered. */
  | { readonly type: 'wait' }
  | { readonly type: 'close'; readonly reason: CloseReason };

type RetrieveRequest = Extract<ServerRequest, { type: 'retrieve' }>;

/** A message that is on its way out. */
interface Body {
  readonly type: 'body';
  readonly cutter: TopCutter | null;
  chunk: Uint8Array | null;
  /** Octets of the chunk that are encoded already. */
  encoded: number;
  asked: boolean;
  ended: boolean;
  /** What is done when everything is said; lines of our own have no source to release. */
  readonly after: ServerAction | null;
}

/** What the next step works on. */
type Phase =
  | { readonly type: 'greeting' | 'command' | 'sasl' }
  | { readonly type: 'asking'; readonly request: ServerRequest; asked: boolean }
  /** Lines 1 to `count`, each written by `write`; `next` is the first that is not. */
  | {
      readonly type: 'multi-line';
      readonly count: number;
      readonly write: (line: number) => void;
      next: number;
    }
  | Body
  | { readonly type: 'handshake'; asked: boolean }
  | { readonly type: 'closing'; readonly reason: CloseReason };

const GREETING: Phase = { type: 'greeting' };
const COMMAND: Phase = { type: 'command' };
const SASL: Phase = { type: 'sasl' };

const READ: ServerAction = { type: 'read' };
const READ_BODY: ServerAction = { type: 'read-body' };
const END_BODY: ServerAction = { type: 'end-body' };
const UPGRADE_TLS: ServerAction = { type: 'upgrade-tls' };
const BODY: Body = {
  type: 'body',
  cutter: null,
  chunk: null,
  encoded: 0,
  asked: false,
  ended: false,
  after: END_BODY,
};
const WAIT: ServerAction = { type: 'wait' };

/** Room for any single line, and for the terminator behind it. */
const LINE_OCTETS = 515;

/** In base64 it has to fit into one write. */
const MAX_CHALLENGE_OCTETS = 48_000;

const MISUSE = 'called out of turn or wrongly';
const LINE_TOO_LONG = 'line too long';

/**
 * The server side of a POP3 connection as a machine without transport, clock or promise (RFC 1939, 2449, 2595,
 * 3206, 5034).
 *
 * Call {@link next} again and again; each call does one step and says what to do. What the peer sends never throws;
 * calling a method out of turn throws `POP3_USAGE`. `serve()` in `@pop3/core/driver` is a ready-made loop.
 */
export class ServerSession {
  readonly #options: ServerSessionOptions;
  readonly #limits: ServerLimits;
  readonly #reader: LineReader;
  readonly #output = new Output();
  #phase: Phase = GREETING;
  #state: ServerState = 'authorization';
  #inputEnded = false;

  #tls: 'off' | 'offered' | 'active';
  #mechanisms: readonly OfferedMechanism[];
  #plaintextAuth: 'refuse' | 'allow';
  /** The name of the last USER, as long as PASS may follow. */
  #username: string | null = null;
  #identity: Identity | null = null;
  #badCommands = 0;
  #authFailures = 0;

  #transaction: Transaction | null = null;
  #encoder: WireEncoder | null = null;

  constructor(options: ServerSessionOptions = {}) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#reader = new LineReader(this.#limits.maxSaslLineOctets);
    this.#tls = options.tls ?? 'off';
    this.#mechanisms = options.saslMechanisms ?? [];
    this.#plaintextAuth = options.plaintextAuth ?? 'refuse';
  }

  get state(): ServerState {
    return this.#state;
  }

  /**
   * Does one step. The caller must have carried out the last action before: what a `write` lent is taken back here.
   * While an answer or a chunk is awaited, output gathered so far comes as one more `write`, then `wait`.
   */
  next(): ServerAction {
    this.#output.reclaim();
    for (;;) {
      if (!this.#output.hasRoom(LINE_OCTETS)) return this.#flush();
      const action = this.#step(this.#phase);
      if (action !== null) return action;
    }
  }

  /** Takes octets from the peer over; nothing is parsed yet. */
  receive(chunk: Uint8Array): void {
    if (this.#state !== 'closed') this.#reader.push(chunk);
  }

  /** The peer sends no more. What it has sent is still answered: a QUIT before the end counts. */
  receiveEnd(): void {
    this.#inputEnded = true;
  }

  /**
   * Answers the open request.
   *
   * @throws Pop3Error `POP3_USAGE` when this request is not the open one, what answers it is no answer, or a challenge
   *   has more than 48 000 octets.
   */
  answer<R extends ServerRequest>(request: R, answer: AnswerTo<R>): void;
  answer(request: ServerRequest, answer: ServerAnswers[ServerRequest['type']]): void {
    // What was removed is told also when nobody is left to hear the answer.
    if (answer.type === 'committed') this.#options.trace?.(answer);
    if (this.#state === 'closed') return;
    if (this.#phase.type !== 'asking' || this.#phase.request !== request) usage(MISUSE);
    if (answer.type === 'challenge' && answer.challenge.length > MAX_CHALLENGE_OCTETS) usage(MISUSE);
    this.#phase = COMMAND;
    switch (answer.type) {
      case 'refused':
        return this.#refused(request, answer);
      case 'challenge':
        this.#output.line(`+ ${encodeBase64(answer.challenge)}`);
        this.#phase = SASL;
        return;
      case 'accepted':
        this.#identity = answer.identity;
        return this.#ask({ type: 'open-maildrop', identity: answer.identity });
      case 'opened':
        return this.#opened(answer.listing);
      case 'gone':
        return this.#error('[SYS/TEMP] message was removed by another program');
      case 'message':
        return this.#startBody(request as RetrieveRequest);
      case 'replied':
        return this.#replied(answer);
      case 'committed':
        return this.#committed(answer);
      default:
        usage(MISUSE);
    }
  }

  /**
   * The next chunk of the body, of any length. It belongs to the session from now on.
   *
   * @throws Pop3Error `POP3_USAGE` when no chunk was asked for, or this is none: text would go out as NULs.
   */
  body(chunk: Uint8Array): void {
    const body = this.#askedBody();
    if (body === null) return;
    if (!ArrayBuffer.isView(chunk)) usage(MISUSE);
    const wanted = body.cutter?.cut(chunk) ?? chunk.length;
    body.chunk = wanted === chunk.length ? chunk : chunk.subarray(0, wanted);
    body.encoded = 0;
    body.ended = body.cutter?.done ?? false;
  }

  /** The body is complete. */
  bodyEnd(): void {
    const body = this.#askedBody();
    if (body !== null) body.ended = true;
  }

  /** The body cannot be completed. Closes without a terminator: half a message must not pass for a whole one. */
  bodyFailed(): void {
    if (this.#askedBody() !== null) this.#close('body-failed');
  }

  /**
   * The connection is encrypted now. Everything learnt before is forgotten (RFC 2595 section 4).
   *
   * @param changes - mechanisms on offer from now on, such as EXTERNAL with a client certificate
   */
  tlsUpgraded(changes: Omit<PeerChanges, 'tls'> = {}): void {
    if (this.#state === 'closed') return;
    if (this.#phase.type !== 'handshake' || !this.#phase.asked) usage(MISUSE);
    this.#reader.clear();
    this.#change({ ...changes, tls: 'active' });
    this.#phase = COMMAND;
  }

  /** Ends the session without a word, never through UPDATE (RFC 1939 sections 3 and 6). */
  abort(reason: 'autologout' | 'peer-closed' | 'aborted'): void {
    if (this.#state === 'closed') return;
    this.#output.discard();
    this.#close(reason);
  }

  // ----- steps: each returns an action, or null when the next step can follow at once

  #step(phase: Phase): ServerAction | null {
    switch (phase.type) {
      case 'greeting':
        return this.#greet();
      case 'command':
      case 'sasl':
        return this.#readLine(phase.type);
      case 'asking':
        return this.#asking(phase);
      case 'multi-line':
        return this.#writeLines(phase);
      case 'body':
        return this.#encodeBody(phase);
      case 'handshake':
        return this.#output.isEmpty ? this.#once(phase, UPGRADE_TLS) : this.#flush();
      case 'closing':
        return this.#flushOr({ type: 'close', reason: phase.reason });
    }
  }

  #greet(): null {
    const { greeting = 'POP3 server ready', apopTimestamp = null, greetingCode = null } = this.#options;
    this.#status(encodeGreeting(greeting, apopTimestamp, greetingCode));
    this.#phase = COMMAND;
    return null;
  }

  #readLine(type: 'command' | 'sasl'): ServerAction | null {
    const { maxCommandOctets, maxSaslLineOctets } = this.#limits;
    const long = type === 'sasl' || startsAuth(this.#reader.buffered);
    const line = this.#reader.next(long ? maxSaslLineOctets : maxCommandOctets);
    if (line === 'need-data') {
      if (!this.#inputEnded || !this.#output.isEmpty) return this.#flushOr(READ);
      this.#close('peer-closed');
    } else if (line === 'overflow') {
      this.#error(LINE_TOO_LONG);
      this.#close('line-too-long');
    } else if (line === 'line-too-long') {
      this.#phase = COMMAND;
      this.#username = null;
      this.#bad(LINE_TOO_LONG);
    } else if (type === 'sasl') {
      this.#saslResponse(line);
    } else {
      this.#command(line);
    }
    return null;
  }

  /** What was said before an UPDATE or a login leaves first; before a message it may share a write with it. */
  #asking(phase: Extract<Phase, { type: 'asking' }>): ServerAction {
    if (phase.request.type !== 'retrieve' && !this.#output.isEmpty) return this.#flush();
    return this.#once(phase, { type: 'request', request: phase.request });
  }

  #writeLines(phase: Extract<Phase, { type: 'multi-line' }>): ServerAction | null {
    while (phase.next <= phase.count) {
      if (!this.#output.hasRoom(LINE_OCTETS)) return this.#flush();
      phase.write(phase.next++);
    }
    this.#output.line('.');
    this.#phase = COMMAND;
    return null;
  }

  #encodeBody(body: Body): ServerAction | null {
    const output = this.#output;
    this.#encoder ??= new WireEncoder(this.#options.kernel);
    if (body.chunk !== null) {
      this.#encoder.encode(body.chunk, body.encoded, output.buffer, output.used);
      body.encoded += this.#encoder.consumed;
      output.advance(output.used + this.#encoder.produced);
      if (body.encoded < body.chunk.length) return this.#flush();
      body.chunk = null;
      return null;
    }
    if (body.ended) {
      output.advance(this.#encoder.end(output.buffer, output.used));
      this.#phase = COMMAND;
      return body.after;
    }
    return this.#once(body, READ_BODY);
  }

  /** Says an action the first time; afterwards there is nothing to do but wait. */
  #once(phase: { asked: boolean }, action: ServerAction): ServerAction {
    if (phase.asked) return this.#flushOr(WAIT);
    phase.asked = true;
    return action;
  }

  #flushOr(action: ServerAction): ServerAction {
    return this.#output.isEmpty ? action : this.#flush();
  }

  #flush(): ServerAction {
    return { type: 'write', octets: this.#output.lend() };
  }

  // ----- what the peer says

  #command(line: Uint8Array): void {
    const parsed = parseCommand(line);
    const verb = parsed.ok ? parsed.command.verb : parsed.verb;
    const username = this.#username;
    const state =
      this.#state === 'transaction' ? 'transaction' : username === null ? 'authorization' : 'user-given';
    if (verb === null || !KEEPS_USER.includes(verb)) this.#username = null;
    const extension = verb === null ? this.#extensionNamed(line) : null;
    this.#options.trace?.({
      type: 'command',
      // Put into words only for those who read them.
      get command() {
        if (extension !== null) return `${extension.verb} ***`;
        return parsed.ok ? describeCommand(parsed.command) : `${verb ?? '?'} (${parsed.problem})`;
      },
    });
    if (extension !== null) return this.#extend(extension, line);
    // Some clients show a person only what PASS was answered, so this repeats the answer to USER.
    if (verb === 'PASS' && state === 'authorization' && !this.#plaintextAllowed)
      return this.#noPlaintext('[AUTH] ');
    if (verb !== null && !ACCEPTED[state].includes(verb))
      return this.#bad(`${verb} is not valid in this state`);
    if (!parsed.ok) return this.#bad(parsed.problem);
    this.#run(parsed.command, username ?? '');
  }

  #run(command: Command, username: string): void {
    switch (command.verb) {
      case 'USER':
        return this.#user(command.name);
      case 'PASS': {
        const { password } = command;
        return this.#ask({
          type: 'authenticate',
          credentials: { type: 'password', username, password, authorizationId: '' },
        });
      }
      case 'APOP':
        return this.#apop(command.name, command.digest);
      case 'AUTH':
        return this.#auth(command.mechanism, command.initialResponse);
      case 'STLS':
        return this.#stls();
      case 'CAPA':
        this.#ok('capabilities follow');
        return this.#lines(this.#capabilities().map(lineOf));
      case 'QUIT':
        if (this.#state !== 'transaction') return this.#bye();
        this.#enter('update');
        return this.#ask({ type: 'commit', deletions: this.#open.marks });
      case 'STAT':
        return this.#ok(`${this.#open.count} ${this.#open.octets}`);
      case 'LIST':
      case 'UIDL':
        return this.#list(command.verb, command.messageNumber);
      case 'RETR':
        return this.#retrieve(command.messageNumber, null);
      case 'TOP':
        return this.#retrieve(command.messageNumber, command.lines);
      case 'DELE':
        return this.#delete(command.messageNumber);
      case 'RSET':
        this.#open.reset();
        return this.#ok('no message is marked');
      case 'NOOP':
        return this.#ok('nothing done');
    }
  }

  #user(name: string): void {
    if (this.#options.userPass === false) return this.#bad('USER is not supported');
    // No response code: RFC 3206 section 5 advises against one here.
    if (!this.#plaintextAllowed) return this.#noPlaintext('');
    this.#username = name;
    // The same answer for every name: who has an account here is nobody's business (RFC 1939 section 13).
    this.#ok('send PASS');
  }

  #apop(username: string, digest: string): void {
    const timestamp = this.#options.apopTimestamp;
    if (!timestamp) return this.#bad('APOP is not supported');
    this.#ask({ type: 'authenticate', credentials: { type: 'apop', username, timestamp, digest } });
  }

  #auth(name: string | null, initialResponse: Uint8Array | null): void {
    // Asked by clients from before CAPA; never specified, answered by everybody.
    if (name === null) {
      this.#ok('mechanisms follow');
      return this.#lines(this.#offered());
    }
    const mechanism = this.#mechanisms.find((known) => known.name === name);
    if (mechanism === undefined) return this.#bad('mechanism is not supported');
    if (mechanism.plaintext && !this.#plaintextAllowed) return this.#noPlaintext('[AUTH] ');
    this.#ask({ type: 'sasl-start', mechanism: name, initialResponse });
  }

  #noPlaintext(code: string): void {
    const advice = this.#tls === 'offered' ? ', send STLS first' : '';
    this.#bad(`${code}passwords are refused without TLS${advice}`);
  }

  #extensionNamed(line: Uint8Array): ExtensionCommand | null {
    const [verb = ''] = textOf(line).split(' ', 1);
    // A sharp s in upper case is SS, hence the length.
    const names = ({ verb: known }: ExtensionCommand) =>
      known === verb.toUpperCase() && known.length === verb.length;
    return this.#options.extensions?.find(names) ?? null;
  }

  #extend({ verb, states }: ExtensionCommand, line: Uint8Array): void {
    if (!states.includes(this.#state as ExtensionState))
      return this.#bad(`${verb} is not valid in this state`);
    const argument = line.length === verb.length ? null : line.subarray(verb.length + 1);
    this.#ask({ type: 'extension', verb, argument, marks: this.#transaction?.marks ?? null });
  }

  #saslResponse(line: Uint8Array): void {
    this.#phase = COMMAND;
    const text = textOf(line);
    if (text === '*') return this.#bad('cancelled');
    const response = decodeBase64(text);
    if (response === null) return this.#bad('bad base64');
    this.#ask({ type: 'sasl-step', response });
  }

  #stls(): void {
    if (this.#tls !== 'offered') return this.#bad('STLS is not available');
    // Whatever was sent behind STLS came in the clear and must not be run inside TLS (RFC 2595 section 4).
    this.#reader.clear();
    this.#ok('begin TLS');
    this.#phase = { type: 'handshake', asked: false };
  }

  #list(verb: 'LIST' | 'UIDL', messageNumber: number | null): void {
    const { listing, count } = this.#open;
    if (messageNumber === null) {
      this.#ok(`${count} messages`);
      this.#multiLine(listing.count, (n) => this.#listLine(verb, n));
    } else if (this.#exists(messageNumber)) {
      const value = verb === 'LIST' ? listing.octetsOf(messageNumber) : listing.uniqueIdOf(messageNumber);
      this.#ok(`${messageNumber} ${value}`);
    }
  }

  /** Without a string for each line: a maildrop may have a million. */
  #listLine(verb: 'LIST' | 'UIDL', messageNumber: number): void {
    const { listing, marks } = this.#open;
    if (marks.has(messageNumber)) return;
    const { buffer, used } = this.#output;
    let at = writeNumber(messageNumber, buffer, used);
    buffer[at++] = SP;
    at =
      verb === 'LIST'
        ? writeNumber(listing.octetsOf(messageNumber), buffer, at)
        : listing.writeUniqueId(messageNumber, buffer, at);
    buffer[at++] = CR;
    buffer[at++] = LF;
    this.#output.advance(at);
  }

  #retrieve(messageNumber: number, topLines: number | null): void {
    if (this.#exists(messageNumber)) this.#ask({ type: 'retrieve', messageNumber, topLines });
  }

  #delete(messageNumber: number): void {
    if (!this.#exists(messageNumber)) return;
    this.#open.mark(messageNumber);
    this.#ok('marked; QUIT removes it');
  }

  /** Says so when a message is not there, or not any more. */
  #exists(messageNumber: number): boolean {
    const { listing, marks } = this.#open;
    if (messageNumber < 1 || messageNumber > listing.count) {
      this.#error(`no such message, there are ${listing.count}`);
    } else if (marks.has(messageNumber)) {
      this.#error('message is marked');
    } else {
      return true;
    }
    return false;
  }

  // ----- what the caller answers

  #ask(request: ServerRequest): void {
    this.#phase = { type: 'asking', request, asked: false };
  }

  #opened(listing: MaildropListing): void {
    this.#transaction = new Transaction(listing);
    this.#enter('transaction');
    // The host may have put more into the identity than a log should see.
    const { maildrop, username } = this.#identity as Identity;
    this.#options.trace?.({
      type: 'opened',
      identity: { maildrop, username },
      messages: listing.count,
      octets: listing.totalOctets,
    });
    this.#ok(`${listing.count} messages (${listing.totalOctets} octets)`);
  }

  #startBody(request: RetrieveRequest): void {
    const { messageNumber, topLines } = request;
    this.#options.trace?.({ type: 'retrieved', messageNumber, topLines });
    this.#ok(
      topLines === null ? `${this.#open.listing.octetsOf(messageNumber)} octets` : 'top of message follows',
    );
    const cutter = topLines === null ? null : new TopCutter(topLines);
    this.#phase = { ...BODY, cutter };
  }

  #replied(reply: Extract<AnswerTo<ServerRequest>, { type: 'replied' }>): void {
    const { status, code, text, lines, changes } = reply;
    if (changes) this.#change(changes);
    if (status === '+OK') this.#badCommands = 0;
    this.#status(encodeStatusLine(status, code ?? null, text));
    if (status === '+OK' && lines) this.#lines(lines);
  }

  #change({ saslMechanisms, plaintextAuth, tls }: PeerChanges): void {
    this.#mechanisms = saslMechanisms ?? this.#mechanisms;
    this.#plaintextAuth = plaintextAuth ?? this.#plaintextAuth;
    this.#tls = tls ?? this.#tls;
  }

  #committed({ failed }: CommitOutcome): void {
    if (failed === 0) return this.#bye();
    this.#error(`[SYS/TEMP] ${failed} messages not removed`);
    this.#close('commit-failed');
  }

  #refused(request: ServerRequest, { reason, text }: Refusal): void {
    const [code, fixedText] = REFUSALS[reason];
    this.#status(encodeStatusLine('-ERR', code, text ?? fixedText));
    if (request.type === 'commit') this.#close('commit-failed');
    if (reason !== 'bad-credentials') return;
    if (++this.#authFailures >= this.#limits.maxAuthFailures) this.#close('too-many-auth-failures');
  }

  #askedBody(): Body | null {
    if (this.#state === 'closed') return null;
    const phase = this.#phase;
    if (phase.type !== 'body' || !phase.asked) return usage(MISUSE);
    phase.asked = false;
    return phase;
  }

  /** Only what the TRANSACTION state accepts comes here. */
  get #open(): Transaction {
    return this.#transaction as Transaction;
  }

  // ----- what is on offer

  get #plaintextAllowed(): boolean {
    return this.#tls === 'active' || this.#plaintextAuth === 'allow';
  }

  #offered(): string[] {
    return this.#mechanisms
      .filter((mechanism) => !mechanism.plaintext || this.#plaintextAllowed)
      .map((mechanism) => mechanism.name);
  }

  #capabilities(): string[] {
    const { userPass, implementation, expire, loginDelaySeconds } = this.#options;
    const capabilities = ['TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING'];
    if (userPass !== false && this.#plaintextAllowed) capabilities.push('USER');
    const mechanisms = this.#offered();
    if (mechanisms.length > 0) capabilities.push(`SASL ${mechanisms.join(' ')}`);
    // Announced exactly while it can be used; RFC 2595 and RFC 2449 disagree about the rest.
    if (this.#tls === 'offered' && this.#state === 'authorization') capabilities.push('STLS');
    if (expire != null) capabilities.push(`EXPIRE ${expire}`.toUpperCase());
    if (loginDelaySeconds != null) capabilities.push(`LOGIN-DELAY ${loginDelaySeconds}`);
    if (implementation != null) capabilities.push(`IMPLEMENTATION ${implementation}`);
    for (const { states, capabilities: announced = [] } of this.#options.extensions ?? []) {
      if (states.includes(this.#state as ExtensionState)) capabilities.push(...announced);
    }
    return capabilities;
  }

  // ----- what is said

  // Every text here is ours: printable, short, and no brackets but those of a response code.
  #ok(text: string): void {
    this.#badCommands = 0;
    this.#status(`+OK ${text}`);
  }

  #error(text: string): void {
    this.#status(`-ERR ${text}`);
  }

  #status(line: string): void {
    this.#output.line(line);
    this.#options.trace?.({ type: 'status', line });
  }

  /** Whatever is in a line, it cannot break out: it goes the way of a message. */
  #lines(lines: readonly string[]): void {
    this.#phase = { ...BODY, chunk: encodeUtf8(lines.join('\n')), ended: true, after: null };
  }

  #multiLine(count: number, write: (line: number) => void): void {
    this.#phase = { type: 'multi-line', count, write, next: 1 };
  }

  /** A command that no sane client sends; too many of them in a row end the session. */
  #bad(text: string): void {
    const last = ++this.#badCommands >= this.#limits.maxBadCommands;
    this.#error(last ? 'too many bad commands' : text);
    if (last) this.#close('too-many-bad-commands');
  }

  #bye(): void {
    this.#ok('bye');
    this.#close('quit');
  }

  #close(reason: CloseReason): void {
    this.#enter('closed');
    this.#reader.clear();
    this.#phase = { type: 'closing', reason };
  }

  #enter(state: ServerState): void {
    this.#state = state;
    this.#options.trace?.({ type: 'state', state });
  }
}
