import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type ChannelBindingType, isPop3Error, Pop3Error } from '@pop3/core';
import type { Awaited, OwnedChannel } from '@pop3/core/driver';
import { channelBindingOf } from './channel-binding.js';
import { Deadline } from './deadline.js';
import { isTlsError, type Secured, shakeHands, tlsFailed } from './handshake.js';
import type { Timeouts } from './options.js';
import type { ReceiveBuffer } from './receive-buffer.js';
import { nameOf, timedOut, timeoutFor, verbOf } from './timeouts.js';
import type { TlsPlan } from './tls.js';

interface Reader {
  readonly awaited: Awaited;
  readonly resolve: (chunk: Uint8Array | null) => void;
  readonly reject: (error: unknown) => void;
}

export interface SocketChannelOptions {
  /** Connected; with a listener for errors, which may come at any time. */
  readonly socket: Duplex;
  /** Where what it reads goes instead of `data` events; null where it has these. */
  readonly buffer: ReceiveBuffer | null;
  readonly timeouts: Timeouts;
  readonly tls: TlsPlan | null;
}

/**
 * A connected socket as `converse()` wants it: read when asked, and without a promise when octets are there already. While
 * nobody reads, one chunk is taken from it, and then it is paused.
 *
 * The end of a server is null; a connection that breaks rejects with `POP3_CLOSED` and what the system says as its
 * `cause`, a silent one with `POP3_TIMEOUT`. Either way the socket is destroyed, and no error of it is left unhandled.
 */
export class SocketChannel implements OwnedChannel {
  readonly #timeouts: Timeouts;
  readonly #tls: TlsPlan | null;
  readonly #deadline = new Deadline();
  readonly #buffer: ReceiveBuffer | null;
  /** What the caller gave or was connected; TLS may be on top of it. */
  readonly #plain: Duplex;
  #socket: Duplex;
  #secured: Secured | null = null;
  /** A chunk that came while nobody read; the socket is paused then, so there is at most one. */
  #chunk: Uint8Array | null = null;
  #reader: Reader | null = null;
  /** What the deadline runs for. */
  #awaited: Awaited | null = null;
  #ended = false;
  #error: Error | null = null;

  constructor({ socket, buffer, timeouts, tls }: SocketChannelOptions) {
    this.#timeouts = timeouts;
    this.#tls = tls;
    this.#plain = socket;
    this.#socket = socket;
    // Commands are small, and each of them is waited for.
    if (socket instanceof Socket) socket.setNoDelay(true);
    this.#buffer = buffer;
    if (buffer !== null) buffer.receive = this.#onData;
    this.#attach(socket);
  }

  /** Whether TLS was done here. A socket that the caller has encrypted, as to a proxy, is not meant. */
  get encrypted(): boolean {
    return this.#secured !== null;
  }

  /** See RFC 5056; null without TLS, and where the type is not defined for the connection. */
  channelBinding(type: ChannelBindingType): Uint8Array | null {
    return this.#secured && channelBindingOf(this.#secured, type);
  }

  /**
   * The deadline of a greeting or a status runs from the first read for it to its end, however many reads it takes: octets
   * that drip do not renew it. That of a body runs anew for each read, but for capabilities: no person waits for their length.
   */
  read(awaited: Awaited): Uint8Array | null | Promise<Uint8Array | null> {
    const chunk = this.take();
    if (chunk !== null) return chunk;
    if (this.#error !== null) return Promise.reject(this.#errorFor(awaited, this.#error));
    if (this.#ended) return null;
    if (awaited !== this.#awaited) this.#buffer?.restart();
    const renewed = awaited.type === 'body' && awaited.command.verb !== 'CAPA';
    if (awaited !== this.#awaited || renewed) {
      this.#awaited = awaited;
      this.#deadline.start(this.#timeouts[timeoutFor(awaited)], this.#late);
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    return new Promise((resolve, reject) => {
      this.#reader = { awaited, resolve, reject };
    });
  }

  take(): Uint8Array | null {
    const chunk = this.#chunk;
    this.#chunk = null;
    return chunk;
  }

  write(octets: Uint8Array): void {
    // Whoever reads is told what became of it.
    if (this.#socket.writable) this.#socket.write(octets);
    // What is sent while nobody waits begins another wait: the next command, which may be the same object as the last
    // one, or a step of SASL.
    if (this.#reader === null) this.#awaited = null;
  }

  /**
   * Rejects with `POP3_TLS`, with `POP3_TIMEOUT`, with `POP3_CLOSED` when the server has ended before, and with
   * `POP3_PROTOCOL` when it has said anything in the clear before. The socket is destroyed then.
   */
  async upgradeTls(): Promise<void> {
    const tls = this.#tls;
    if (tls === null) throw new Pop3Error('POP3_USAGE', "With tls: 'off' there is no TLS.");
    const plain = this.#socket;
    this.#detach(plain);
    let late: Pop3Error | null = null;
    this.#deadline.start(this.#timeouts.tlsMs, () => {
      late = timedOut('The TLS handshake was not done', 'tlsMs', this.#timeouts);
      this.destroy();
    });
    try {
      if (this.#chunk !== null || plain.readableLength > 0) throw new Pop3Error('POP3_PROTOCOL', INJECTED);
      if (this.#ended) throw lost('the TLS handshake', 'STLS', this.#error);
      this.#secured = await shakeHands(plain, tls);
    } catch (error) {
      this.destroy();
      throw late ?? error;
    }
    this.#deadline.stop();
    this.#socket = this.#secured.socket;
    this.#attach(this.#socket);
  }

  /** Says goodbye after QUIT: TLS ends with an alert (RFC 8314 section 3.4), and what the server still sends is dropped. */
  end(): void {
    const socket = this.#socket;
    this.#finish(null);
    this.#detach(socket);
    socket.resume();
    this.#deadline.start(this.#timeouts.commandMs, () => this.destroy());
    socket.end(() => this.destroy());
  }

  /** Closes at once. */
  destroy(): void {
    this.#finish(null);
    this.#chunk = null;
    this.#deadline.clear();
    this.#socket.destroy();
    this.#plain.destroy();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    const reader = this.#reader;
    if (reader === null) {
      this.#chunk = chunk;
      this.#socket.pause();
      return;
    }
    this.#reader = null;
    reader.resolve(chunk);
  };

  // A Buffer is another kind of object than what the core makes of it: code that meets both is compiled twice.
  readonly #onBuffer = ({ buffer, byteOffset, length }: Buffer): void =>
    this.#onData(new Uint8Array(buffer, byteOffset, length));

  readonly #onEnd = (): void => this.#finish(null);

  readonly #onError = (error: Error): void => this.#finish(error);

  readonly #late = (): void => {
    if (this.#reader === null) {
      // What was waited for came in time, or is not waited for now: to read it again is another wait.
      this.#awaited = null;
      return;
    }
    const { awaited } = this.#reader;
    const what = `The server did not send ${nameOf(awaited)}`;
    const hint = awaited.type === 'greeting' && !this.encrypted ? WAITS_FOR_TLS : '';
    this.#finish(timedOut(what, timeoutFor(awaited), this.#timeouts, verbOf(awaited), hint));
    this.destroy();
  };

  /** Nothing comes any more; `error` says why, unless the server has ended. */
  #finish(error: Error | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#error = error;
    const reader = this.#reader;
    this.#reader = null;
    if (error === null) reader?.resolve(null);
    else reader?.reject(this.#errorFor(reader.awaited, error));
  }

  #errorFor(awaited: Awaited, cause: Error): Pop3Error {
    if (isPop3Error(cause)) return cause;
    const verb = verbOf(awaited);
    if (this.#tls !== null && isTlsError(cause)) return tlsFailed(cause, this.#tls, verb);
    return lost(nameOf(awaited), verb, cause);
  }

  #attach(socket: Duplex): void {
    socket.on('data', this.#onBuffer);
    socket.on('end', this.#onEnd);
    socket.on('error', this.#onError);
    socket.on('close', this.#onEnd);
  }

  #detach(socket: Duplex): void {
    // Behind STLS, what comes in the clear must reach nobody.
    if (this.#buffer !== null) this.#buffer.receive = null;
    socket.off('data', this.#onBuffer);
    socket.off('end', this.#onEnd);
    socket.off('error', this.#onError);
    socket.off('close', this.#onEnd);
  }
}

const WAITS_FOR_TLS = " On a port for TLS, such as 995, it waits for tls: 'implicit'.";
const INJECTED =
  'Octets came in the clear where TLS should begin: somebody in between may have put them there (CVE-2011-0411). The connection was given up.';

function lost(
  what: string,
  verb: string | null,
  cause: (Error & { readonly code?: string }) | null,
): Pop3Error {
  const why = cause === null ? 'the server closed it' : (cause.code ?? cause.message);
  const text = `The connection was lost before ${what}: ${why}.`;
  return new Pop3Error('POP3_CLOSED', text, { verb, retryable: true, ...(cause !== null && { cause }) });
}
