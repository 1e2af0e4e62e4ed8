import { decodeBase64, encodeBase64 } from '../base64.js';
import { type Capabilities, parseCapabilities } from '../capability.js';
import { type ClientCommand, describeCommand, encodeCommand } from '../command.js';
import { usage } from '../errors.js';
import { LineReader } from '../line-reader.js';
import { DIGIT_0, DIGIT_9, DOT, octetsOf, PLUS, SP, textOf } from '../octets.js';
import { apopTimestampIn, parseStatusLine } from '../response.js';
import { WireDecoder } from '../wire-decoder.js';
import type { ClientFailure, ClientLimits, ClientSessionOptions, ClientState, Status } from './options.js';
import { ACCEPTED_BY_SERVER, ANSWERED_WITH_LINES, BARRIERS, LOGINS } from './transitions.js';

/** What the caller does next. */
export type ClientAction =
  /** Get octets from the server, then `receive()` or `receiveEnd()`. */
  | { readonly type: 'read' }
  /** Send these; they are the caller's now. */
  | { readonly type: 'write'; readonly octets: Uint8Array }
  /** The server's first line. The timestamp is null where the server has no APOP (RFC 1939 section 7). */
  | { readonly type: 'greeting'; readonly status: Status; readonly apopTimestamp: string | null }
  /** The answer to the oldest command that has none, the same object; its lines follow where it is `multiline`. */
  | {
      readonly type: 'response';
      readonly command: ClientCommand;
      readonly status: Status;
      readonly multiline: boolean;
    }
  /** A part of a multi-line response, unstuffed, in the memory of what was received. */
  | { readonly type: 'body'; readonly command: ClientCommand; readonly octets: Uint8Array }
  /** The terminator has come. Without it no response is whole, however much of it there was. */
  | { readonly type: 'body-end'; readonly command: ClientCommand }
  /** Answer it with `sendSaslResponse()`; empty when the server sent what is not base64. */
  | { readonly type: 'challenge'; readonly command: ClientCommand; readonly challenge: Uint8Array }
  /** Start the TLS handshake, then `tlsUpgraded()`. */
  | { readonly type: 'upgrade-tls' }
  /** Nothing can be done before the caller sends something, or the handshake is done. */
  | { readonly type: 'wait' }
  /** It is over; the failure is null after QUIT was answered. */
  | { readonly type: 'close'; readonly failure: ClientFailure | null };

type Phase = 'greeting' | 'status' | 'body' | 'body-end' | 'sasl' | 'handshake' | 'closed';

/** 512 is the limit of RFC 2449 section 3 for a status line; see {@link ClientLimits}. */
const DEFAULT_LIMITS: ClientLimits = { maxLineOctets: 65_536, maxCapabilityOctets: 65_536 };

const READ: ClientAction = { type: 'read' };
const WAIT: ClientAction = { type: 'wait' };
const UPGRADE_TLS: ClientAction = { type: 'upgrade-tls' };
const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/**
 * The client side of a POP3 connection as a machine without transport, clock or promise (RFC 1939, 2449, 2595, 3206,
 * 5034).
 *
 * Call {@link next} again and again; each call does one step and says what to do. Commands may be pipelined: their
 * answers come in the order in which they were sent, each with the command it belongs to. What the server sends never
 * throws; what a caller may not do throws `POP3_USAGE` at once, and nothing is sent. When the stream is out of step the
 * session is over, and no command can follow. `converse()` in `@pop3/core/driver` is a ready-made loop.
 */
export class ClientSession {
  readonly #options: ClientSessionOptions;
  readonly #limits: ClientLimits;
  readonly #reader: LineReader;
  readonly #decoder: WireDecoder;
  #phase: Phase = 'greeting';
  #state: ClientState = 'connecting';
  #failure: ClientFailure | null = null;
  #inputEnded = false;
  #output: Uint8Array[] = [];

  #tls: boolean;
  /** Commands that were not answered yet, or not to the end; those before `#answered` are done. */
  #commands: ClientCommand[] = [];
  #answered = 0;
  /** Whether the last answer was a line of a listing, to which some servers add the listing. */
  #listingMayFollow = false;
  #capabilities: Capabilities | null = null;
  #capabilityText = '';
  /** Whether the exchange was cancelled: another challenge is no answer to that, and could go on for ever. */
  #cancelled = false;

  constructor(options: ClientSessionOptions = {}) {
    this.#options = options;
    this.#limits = { ...DEFAULT_LIMITS, ...options.limits };
    this.#reader = new LineReader(this.#limits.maxLineOctets);
    const { indexOf } = options;
    this.#decoder = new WireDecoder({ acceptBareLf: true, ...(indexOf && { indexOf }) });
    this.#tls = options.tls ?? false;
  }

  get state(): ClientState {
    return this.#state;
  }

  /** How many commands have no answer yet, or not all of it. */
  get pending(): number {
    return this.#commands.length - this.#answered;
  }

  /**
   * What the server has announced (RFC 2449 section 5); null before it was asked. Forgotten after STLS and after a login:
   * what was said in the clear may be a lie, and what is on offer changes.
   */
  get capabilities(): Capabilities | null {
    return this.#capabilities;
  }

  /** Does one step. The caller must have carried out the last action before. */
  next(): ClientAction {
    let action: ClientAction | null;
    do action = this.#step();
    while (action === null);
    // Nothing goes out before all that came was understood: behind an answer that is none, there is no DELE.
    const idle = action === READ || action === WAIT;
    return idle && this.#output.length > 0
      ? { type: 'write', octets: joined(this.#output.splice(0)) }
      : action;
  }

  /** Takes octets from the server over; nothing is parsed yet. */
  receive(chunk: Uint8Array): void {
    if (this.#phase !== 'closed') this.#reader.push(chunk);
  }

  /** The server sends no more. What it has sent still counts. */
  receiveEnd(): void {
    this.#inputEnded = true;
  }

  /**
   * Sends a command as soon as `next()` is called. Its object comes back with the answer.
   *
   * @throws Pop3Error `POP3_USAGE` for a command that cannot be written ({@link encodeCommand}), that the server cannot
   *   accept in this state (RFC 1939 sections 4 and 5), or that may not be pipelined: nothing goes out before the greeting,
   *   behind QUIT, or behind STLS, PASS, APOP and AUTH until they are answered (RFC 2449 section 6.6, RFC 2595 section 4),
   *   nor before the handshake that STLS has asked for.
   */
  send(command: ClientCommand): void {
    // What came before it was sent is no answer to it.
    if (this.#phase === 'status' && this.pending === 0) while (this.#idle() === null);
    if (this.#phase === 'closed') usage('The session is over.');
    if (this.#phase === 'handshake') usage('The connection is not encrypted yet.');
    if (this.#state === 'connecting') usage('The server has not said its greeting yet.');
    const octets = encodeCommand(command);
    const { verb } = command;
    const last = this.#commands.at(-1)?.verb;
    if (this.pending > 0 && last && BARRIERS.includes(last)) usage(`${last} has not been answered yet.`);
    if (verb === 'STLS' && this.pending > 0) usage('STLS cannot be pipelined.');
    if (verb !== null && !ACCEPTED_BY_SERVER[this.#state].includes(verb))
      usage(`${verb} is not for the state ${this.#state}.`);
    if (verb === 'STLS' && this.#tls) usage('The connection is encrypted already.');
    this.#options.trace?.({
      type: 'command',
      get command() {
        return describeCommand(command);
      },
    });
    this.#commands.push(command);
    this.#output.push(octets);
    if (verb === 'QUIT' && this.#state === 'transaction') this.#enter('update');
  }

  /**
   * Answers a challenge; null cancels the exchange (RFC 5034 section 4).
   *
   * @throws Pop3Error `POP3_USAGE` when none is open.
   */
  sendSaslResponse(response: Uint8Array | null): void {
    if (this.#phase !== 'sasl') usage('No challenge is open.');
    if (this.#reader.buffered.length > 0) return void this.#fail('unexpected-data');
    this.#output.push(octetsOf(`${response === null ? '*' : encodeBase64(response)}\r\n`));
    this.#cancelled = response === null;
    this.#phase = 'status';
  }

  /**
   * The connection is encrypted now. Everything learnt before is forgotten (RFC 2595 section 4).
   *
   * @throws Pop3Error `POP3_USAGE` when no handshake is open.
   */
  tlsUpgraded(): void {
    if (this.#phase === 'closed') return;
    if (this.#phase !== 'handshake') usage('No handshake is open.');
    this.#tls = true;
    this.#capabilities = null;
    this.#phase = 'status';
  }

  /** Ends the session without a word. The server then removes nothing (RFC 1939 section 6). */
  abort(): void {
    this.#fail('aborted');
  }

  // ----- steps: each returns an action, or null when the next step can follow at once

  #step(): ClientAction | null {
    switch (this.#phase) {
      case 'greeting':
        return this.#readLine();
      case 'status':
        return this.pending === 0 ? this.#idle() : this.#readLine();
      case 'body':
        return this.#body();
      case 'body-end':
        return this.#bodyEnd();
      case 'sasl':
        return this.#reader.buffered.length > 0 ? this.#fail('unexpected-data') : WAIT;
      case 'handshake':
        // Said in the clear by somebody who wants it to be taken for the server's word inside TLS (CVE-2011-0411).
        return this.#reader.buffered.length > 0 ? this.#fail('unexpected-data') : UPGRADE_TLS;
      case 'closed':
        return { type: 'close', failure: this.#failure };
    }
  }

  #readLine(): ClientAction | null {
    const line = this.#reader.next(this.#limits.maxLineOctets);
    if (line === 'need-data') return this.#inputEnded ? this.#fail('peer-closed') : READ;
    if (typeof line === 'string') return this.#fail('line-too-long');
    return this.#phase === 'greeting' ? this.#greeting(line) : this.#response(line);
  }

  /** Nothing is outstanding: what comes now was not asked for, but for what some servers add to a single line. */
  #idle(): ClientAction | null {
    const { buffered } = this.#reader;
    if (buffered.length === 0) return WAIT;
    // The first octet decides: half a line must not become the start of the answer to the next command.
    const line = this.#isAddition(buffered.subarray(0, 1), false)
      ? this.#reader.next(this.#limits.maxLineOctets)
      : buffered;
    if (line === 'need-data') return WAIT;
    return typeof line !== 'string' && this.#isAddition(line) ? null : this.#fail('unexpected-data');
  }

  /** `LIST n` and `UIDL n` are answered in several lines by some: lines of a listing, and a lone dot. */
  #isAddition(line: Uint8Array, whole = true): boolean {
    const [first = 0] = line;
    if (first !== DOT) return this.#listingMayFollow && first >= DIGIT_0 && first <= DIGIT_9;
    const expected = this.#listingMayFollow && line.length === 1;
    if (whole) this.#listingMayFollow = false;
    return expected;
  }

  #greeting(line: Uint8Array): ClientAction | null {
    const status = this.#statusOf(line);
    if (status === null) return this.#fail('bad-greeting');
    this.#options.trace?.({ type: 'greeting', status });
    if (status.status === '+OK') {
      this.#phase = 'status';
      this.#enter('authorization');
    } else {
      this.#fail('greeting-refused');
    }
    return {
      type: 'greeting',
      status,
      apopTimestamp: status.status === '+OK' ? apopTimestampIn(status.text) : null,
    };
  }

  #response(line: Uint8Array): ClientAction | null {
    const command = this.#commands[this.#answered] as ClientCommand;
    const asksForMore = line[0] === PLUS && (line.length === 1 || line[1] === SP);
    if (asksForMore && command.verb === 'AUTH' && command.mechanism !== null && !this.#cancelled) {
      this.#phase = 'sasl';
      const challenge = decodeBase64(textOf(line.subarray(2)).trim()) ?? NOTHING;
      return { type: 'challenge', command, challenge };
    }
    const status = this.#statusOf(line);
    if (status === null) return this.#isAddition(line) ? null : this.#fail('bad-status-line');
    this.#options.trace?.({ type: 'response', status });
    const multiline = status.status === '+OK' && hasLines(command);
    if (multiline) {
      this.#phase = 'body';
      this.#capabilityText = '';
    } else {
      this.#answer();
      this.#cancelled = false;
      this.#follow(command, status.status === '+OK');
    }
    return { type: 'response', command, status, multiline };
  }

  /** What an answer changes. */
  #follow({ verb }: ClientCommand, ok: boolean): void {
    this.#listingMayFollow = ok && (verb === 'LIST' || verb === 'UIDL');
    if (verb === 'QUIT') this.#close(null);
    else if (ok && verb === 'STLS') this.#phase = 'handshake';
    else if (ok && verb !== null && LOGINS.includes(verb)) {
      this.#capabilities = null;
      this.#enter('transaction');
    }
  }

  #body(): ClientAction | null {
    const chunk = this.#reader.buffered;
    if (chunk.length === 0) return this.#inputEnded ? this.#fail('peer-closed') : READ;
    const { content, consumed, done } = this.#decoder.decode(chunk);
    this.#reader.skip(consumed);
    if (done) this.#phase = 'body-end';
    const command = this.#commands[this.#answered] as ClientCommand;
    if (command.verb === 'CAPA') {
      this.#capabilityText += textOf(content);
      if (this.#capabilityText.length > this.#limits.maxCapabilityOctets)
        return this.#fail('too-many-capabilities');
    }
    return content.length === 0 ? null : { type: 'body', command, octets: content };
  }

  #bodyEnd(): ClientAction {
    const command = this.#answer();
    this.#listingMayFollow = false;
    this.#phase = 'status';
    if (command.verb === 'CAPA') this.#capabilities = parseCapabilities(this.#capabilityText.split(/\r?\n/));
    return { type: 'body-end', command };
  }

  /** The oldest command is answered. */
  #answer(): ClientCommand {
    const command = this.#commands[this.#answered++] as ClientCommand;
    // Taken out many at a time: one by one, a thousand in flight would be moved a thousand times.
    if (this.#answered >= 64 || this.pending === 0) this.#commands.splice(0, this.#answered);
    if (this.#commands.length === 0 || this.#answered >= 64) this.#answered = 0;
    return command;
  }

  #statusOf(line: Uint8Array): Status | null {
    if (this.#options.acceptLowerCaseStatus) {
      const [, word = ''] = /^(\+ok|-err)(?: |$)/i.exec(textOf(line.subarray(0, 5))) ?? [];
      if (word !== '') {
        const rest = line.subarray(word.length);
        return this.#statusWith(parseStatusLine(joined([octetsOf(word.toUpperCase()), rest])));
      }
    }
    return this.#statusWith(parseStatusLine(line));
  }

  #statusWith(status: ReturnType<typeof parseStatusLine>): Status | null {
    return status === null || status.status === '+' ? null : status;
  }

  #enter(state: ClientState): void {
    this.#state = state;
    this.#options.trace?.({ type: 'state', state });
  }

  #fail(failure: ClientFailure): null {
    if (this.#phase !== 'closed') this.#close(failure);
    return null;
  }

  #close(failure: ClientFailure | null): void {
    this.#phase = 'closed';
    this.#failure = failure;
    this.#output = [];
    this.#reader.clear();
    this.#enter('closed');
  }
}

function hasLines(command: ClientCommand): boolean {
  switch (command.verb) {
    case null:
      return command.multiline;
    case 'AUTH':
      return command.mechanism === null;
    case 'LIST':
    case 'UIDL':
      return command.messageNumber === null;
    default:
      return ANSWERED_WITH_LINES.includes(command.verb);
  }
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
