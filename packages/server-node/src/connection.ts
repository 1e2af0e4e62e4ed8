import type { Socket } from 'node:net';
import type { SecureVersion, TLSSocket } from 'node:tls';
import type {
  Authenticator,
  CloseReason,
  Credentials,
  MessageStore,
  Peer,
  Pop3Extension,
  Refusal,
  ServerTrace,
} from '@pop3/core';
import { serve } from '@pop3/core/driver';
import type { SaslServerMechanism } from '@pop3/core/sasl';
import type { AddressCount } from './address-count.js';
import type { Certificates } from './certificates.js';
import { type ConnectionInfo, type FaultEvent, publish, type TlsInfo } from './diagnostics.js';
import type { completeLimits } from './limits.js';
import { type LoginDelay, withPolicy } from './login-policy.js';
import { sessionOptionsOf } from './session-options.js';
import { SocketChannel, type Waiting } from './socket-channel.js';
import { TlsPeer } from './tls-peer.js';
import { type IntroducedClient, xclientExtensions } from './xclient.js';

/** What every connection of a server shares. */
export interface ConnectionContext {
  readonly store: MessageStore;
  readonly authenticator: Authenticator;
  readonly limits: ReturnType<typeof completeLimits>;
  readonly certificates: Certificates | null;
  readonly perAddress: AddressCount;
  readonly plaintextAuth: 'refuse' | 'allow' | 'allow-on-loopback';
  readonly loginDelay: LoginDelay | null;
  readonly mechanisms: readonly SaslServerMechanism[];
  readonly extensions: readonly Pop3Extension[];
  readonly greeting: string | undefined;
  readonly implementation: string | null;
  readonly expire: number | 'never' | null;
  /** A timestamp that was never used before (RFC 1939 section 7). */
  apopTimestamp(): string;
}

/** What the connections of one listener have in common. */
export interface Listening {
  readonly tls: 'off' | 'starttls' | 'implicit';
  /** Null for what the certificates say. */
  readonly minVersion: SecureVersion | null;
  /** Whether each connection begins with a PROXY header. */
  readonly proxyProtocol: boolean;
  /** Whether trusted proxies may say with XCLIENT for whom they speak. */
  readonly xclient: boolean;
  /** Whether TLS that a trusted proxy says the client speaks with it counts as TLS. */
  readonly trustProxyTls: boolean;
  /** Port of ours. */
  localPort: number;
}

/** How a connection came. */
export interface Arrival {
  /** False where a proxy does not say, or not yet, for whom it speaks: then nothing good follows from the address. */
  readonly addressKnown: boolean;
  /** Whether the peer is a proxy that is believed when it says by XCLIENT for whom it speaks. */
  readonly mayIntroduce: boolean;
  /** TLS between the client and a proxy that is believed in this. */
  readonly proxyTls: TlsInfo | null;
}

/** One for all that come without a proxy. */
export const DIRECT: Arrival = { addressKnown: true, mayIntroduce: false, proxyTls: null };
/** One for all proxies that will say for whom they speak. */
export const INTRODUCER: Arrival = { addressKnown: false, mayIntroduce: true, proxyTls: null };

/** TLS that a proxy speaks of without details. */
const UNKNOWN_TLS: TlsInfo = { version: 'unknown', cipher: 'unknown', resumed: false, serverName: null };

/** How long a peer may take to close its side after ours has said the last word. */
const LINGER_MS = 2_000;

/** One connection from its start to its end: the handshake, the session, the clocks, the record of it. */
export class Connection implements Waiting {
  readonly #socket: Socket;
  #info: ConnectionInfo;
  readonly #context: ConnectionContext;
  readonly #listening: Listening;
  readonly #mayIntroduce: boolean;
  #addressKnown: boolean;
  /** By XCLIENT: then the TLS of this connection is that of a proxy. */
  #introduced = false;
  #countedAddress: string | null;
  readonly #abort = new AbortController();
  readonly #startedAt = performance.now();
  #channel: SocketChannel | null = null;
  #peer: Peer;
  #clock: NodeJS.Timeout;
  #sendClock: NodeJS.Timeout | null = null;
  #state: 'working' | 'reading' | 'sending' = 'working';
  /** Whether a command was answered since the last wait for the peer. */
  #answered = false;

  #tls: TlsInfo | null;
  #username: string | null = null;
  #credentials: Credentials['type'] | null = null;
  #maildrop: string | null = null;
  #retrieved = 0;
  #removed = 0;
  #failed = 0;

  constructor(
    socket: Socket,
    info: ConnectionInfo,
    arrival: Arrival,
    listening: Listening,
    context: ConnectionContext,
  ) {
    this.#socket = socket;
    this.#info = info;
    this.#mayIntroduce = arrival.mayIntroduce;
    this.#addressKnown = arrival.addressKnown;
    // A proxy has as many connections as it has clients: those count.
    this.#countedAddress = arrival.mayIntroduce ? null : info.address;
    this.#listening = listening;
    this.#context = context;
    this.#tls = arrival.proxyTls;
    this.#peer = { address: this.#peerAddress, tls: this.#tls !== null, certificate: null };
    this.#clock = setTimeout(() => this.stop('autologout'), context.limits.loginTimeoutMs);
    socket.on('error', () => {});
    socket.on('close', () => this.#abort.abort('peer-closed'));
  }

  /** Whether somebody has logged in: then a server that shuts down lets the session go on for a while. */
  get loggedIn(): boolean {
    return this.#maildrop !== null;
  }

  /** Null while a proxy has not said for whom it speaks: its own address must open nothing for somebody else. */
  get #peerAddress(): string | null {
    return this.#addressKnown ? this.#info.address : null;
  }

  /** The address that it counts for, if any. */
  get countedAddress(): string | null {
    return this.#countedAddress;
  }

  /** Runs to the end of the session. Never rejects. The socket may close a little later. */
  async run(): Promise<void> {
    const { tls } = this.#listening;
    publish.connected.publish(this.#info);
    const socket = tls === 'implicit' ? await this.#handshake(this.#socket) : this.#socket;
    try {
      if (socket !== null) await this.#serve(socket, tls === 'starttls');
    } catch (error) {
      // A defect of ours ends this connection, not the server.
      this.#fault({ during: 'session', error });
      this.#socket.destroy();
    }
    clearTimeout(this.#clock);
  }

  /** Ends the session at once, and without UPDATE. */
  stop(reason: 'autologout' | 'aborted'): void {
    this.#abort.abort(reason);
    // Who does not take what we send, or shakes no hands, would not take a goodbye either.
    if (this.#state === 'reading') this.#channel?.stopReading();
    else this.#socket.destroy();
  }

  reading(): void {
    this.#state = 'reading';
    // Octets that make no command put nothing off, or one of them now and then would hold the lock for ever.
    if (this.loggedIn && this.#answered) this.#clock.refresh();
    this.#answered = false;
  }

  received(): void {
    this.#state = 'working';
  }

  sending(): void {
    this.#state = 'sending';
    this.#sendClock = setTimeout(() => this.stop('aborted'), this.#context.limits.sendTimeoutMs);
  }

  sent(): void {
    this.#state = 'working';
    if (this.#sendClock !== null) clearTimeout(this.#sendClock);
  }

  async #handshake(plain: Socket): Promise<Socket | null> {
    try {
      const { socket, peer } = await this.#secured(plain);
      this.#peer = peer;
      return socket;
    } catch {
      plain.destroy();
      return null;
    }
  }

  async #secured(plain: Socket): Promise<{ socket: Socket; peer: Peer }> {
    const certificates = this.#context.certificates as Certificates;
    certificates.refresh((error) => this.#fault({ during: 'tls', error }));
    try {
      const socket = await certificates.handshake(plain, this.#listening.minVersion);
      this.#tls = tlsInfoOf(socket);
      const address = this.#peerAddress;
      return {
        socket,
        peer: this.#introduced ? introducedPeer(address, true) : new TlsPeer(socket, address),
      };
    } catch (error) {
      publish.rejected.publish({ ...this.#info, reason: 'tls-handshake-failed', error });
      throw error;
    }
  }

  async #serve(socket: Socket, offerTls: boolean): Promise<void> {
    const shared = this.#context;
    const channel = new SocketChannel(socket, this, offerTls ? (plain) => this.#secured(plain) : null);
    this.#channel = channel;
    const reason = await serve({
      channel,
      peer: this.#peer,
      signal: this.#abort.signal,
      mechanisms: shared.mechanisms,
      extensions: this.#mayIntroduce
        ? [...xclientExtensions((client, before) => this.#introduce(client, before)), ...shared.extensions]
        : shared.extensions,
      ...withPolicy(shared, {
        delayMs: shared.limits.failedLoginDelayMs,
        maxDelayMs: shared.limits.maxFailedLoginDelayMs,
        loginDelay: shared.loginDelay,
        accepted: ({ type }) => {
          this.#credentials = type;
        },
        refused: (credentials, refusal) => this.#loginRefused(credentials, refusal),
      }),
      session: {
        ...sessionOptionsOf(shared),
        ...(this.#mayIntroduce && { greetingCode: 'XCLIENT' }),
        trace: (event) => this.#trace(event),
      },
      onFault: (fault) => this.#fault(fault),
    });
    this.#goodbye(channel);
    this.#record(reason);
  }

  /** A trusted proxy says for whom it speaks; all that follows is about that client. */
  #introduce(client: IntroducedClient, before: Peer): Peer {
    const { address, port } = this.#info;
    const proxy = this.#info.proxy ?? address;
    this.#info = {
      ...this.#info,
      address: client.address ?? address,
      port: client.port ?? port,
      proxy,
      ...(client.session !== null && { proxySession: client.session }),
    };
    if (client.address !== null) this.#count(client.address);
    const tls = before.tls || (client.tls === true && this.#listening.trustProxyTls);
    if (tls) this.#tls ??= UNKNOWN_TLS;
    this.#introduced = true;
    return introducedPeer(this.#peerAddress, tls);
  }

  #count(address: string): void {
    const { perAddress } = this.#context;
    this.#addressKnown = true;
    if (this.#countedAddress !== null) perAddress.leave(this.#countedAddress);
    this.#countedAddress = perAddress.enter(address) ? address : null;
    if (this.#countedAddress !== null) return;
    publish.rejected.publish({ ...this.#info, reason: 'too-many-connections-from-address' });
    // The login may stand behind it already, so there is no answer.
    this.stop('aborted');
  }

  #trace(event: ServerTrace): void {
    if (event.type === 'status') {
      this.#answered = true;
    } else if (event.type === 'opened') {
      this.#username = event.identity.username;
      this.#maildrop = event.identity.maildrop;
      this.#context.loginDelay?.loggedIn(event.identity.maildrop);
      clearTimeout(this.#clock);
      this.#clock = setTimeout(() => this.#autologout(), this.#context.limits.autologoutMs);
    } else if (event.type === 'retrieved') {
      if (event.topLines === null) this.#retrieved++;
    } else if (event.type === 'committed') {
      this.#removed = event.removed;
      this.#failed = event.failed;
    }
    if (publish.trace.hasSubscribers) publish.trace.publish({ ...this.#info, event });
  }

  /** Only a peer that we wait for is idle; a long answer is not (RFC 1939 section 3). */
  #autologout(): void {
    if (this.#state === 'reading') this.stop('autologout');
    else this.#clock.refresh();
  }

  #loginRefused(credentials: Credentials, { reason }: Refusal): void {
    publish.loginRefused.publish({
      ...this.#info,
      tls: this.#tls,
      username: usernameOf(credentials),
      credentials: credentials.type,
      reason,
    });
  }

  #fault(fault: Pick<FaultEvent, 'during' | 'error'>): void {
    publish.fault.publish({ ...this.#info, ...fault });
  }

  #goodbye(channel: SocketChannel): void {
    if (this.#socket.destroyed) return;
    channel.end();
    const linger = setTimeout(() => this.#socket.destroy(), LINGER_MS);
    this.#socket.once('close', () => clearTimeout(linger));
  }

  #record(reason: CloseReason): void {
    if (!publish.session.hasSubscribers) return;
    publish.session.publish({
      ...this.#info,
      // To the session, whoever ends it from outside has aborted it.
      reason: this.#abort.signal.reason === 'peer-closed' && reason === 'aborted' ? 'peer-closed' : reason,
      tls: this.#tls,
      username: this.#username,
      credentials: this.#username === null ? null : this.#credentials,
      maildrop: this.#maildrop,
      retrieved: this.#retrieved,
      removed: this.#removed,
      failed: this.#failed,
      octetsReceived: this.#socket.bytesRead,
      octetsSent: this.#socket.bytesWritten,
      durationMs: Math.round(performance.now() - this.#startedAt),
    });
  }
}

/** Neither the certificate nor the bindings of the proxy are the client's. */
function introducedPeer(address: string | null, tls: boolean): Peer {
  return { address, tls, certificate: null };
}

/** What a log can hold: a client may ask for any octets. */
const SERVER_NAME = /^[\x21-\x7e]{1,255}$/;

function tlsInfoOf(socket: TLSSocket): TlsInfo {
  const serverName = socket.servername || '';
  return {
    version: socket.getProtocol() ?? 'unknown',
    cipher: socket.getCipher().name,
    resumed: socket.isSessionReused(),
    serverName: SERVER_NAME.test(serverName) ? serverName : null,
  };
}

/** Who the peer says it is; null for nobody. */
function usernameOf(credentials: Credentials): string | null {
  if (credentials.type === 'anonymous') return null;
  return (credentials.type === 'external' ? credentials.authorizationId : credentials.username) || null;
}
