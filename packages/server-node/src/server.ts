import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { type Authenticator, type MessageStore, Pop3Error, type Pop3Extension } from '@pop3/core';
import type { SaslServerMechanism } from '@pop3/core/sasl';
import { AddressCount } from './address-count.js';
import { Networks, withoutMapping } from './addresses.js';
import { Certificates } from './certificates.js';
import {
  type Arrival,
  Connection,
  type ConnectionContext,
  DIRECT,
  INTRODUCER,
  type Listening,
} from './connection.js';
import { type ConnectionInfo, publish, type TlsInfo } from './diagnostics.js';
import { completeLimits, MAX_TIMER_MS, type Pop3ServerLimits } from './limits.js';
import { LoginDelay } from './login-policy.js';
import { nodeMechanisms } from './mechanisms.js';
import { type Offer, type OfferedTo, offerTo } from './offer.js';
import { readProxyHeader } from './proxied.js';
import type { ProxyHeader } from './proxy-header.js';
import { timestamps } from './timestamp.js';
import type { TlsOptions, TlsSource } from './tls.js';

export interface Pop3ServerOptions {
  readonly store: MessageStore;
  readonly authenticator: Authenticator;
  /** Needed for listeners with `starttls` or `implicit`: certificates, or where they come from each time. */
  readonly tls?: TlsOptions | TlsSource;
  /**
   * Passwords on connections that are not encrypted. Default `allow-on-loopback`: on this machine nobody listens who
   * could not read the maildrop anyway. A proxy on this machine that serves the world, and says nothing of its clients,
   * calls for `refuse`.
   */
  readonly plaintextAuth?: 'refuse' | 'allow' | 'allow-on-loopback';
  /** Text of the greeting: printable ASCII without `<`, at most 200 characters. Default `POP3 server ready`. */
  readonly greeting?: string;
  /** Announced as IMPLEMENTATION (RFC 2449 section 6.9): printable ASCII, at most 255 characters. Default: not announced. */
  readonly implementation?: string;
  /** What is announced as EXPIRE (RFC 2449 section 6.7): days, or `never`. Default: not announced. */
  readonly expire?: number | 'never';
  /** Seconds between two logins to one maildrop, announced and enforced (RFC 2449 section 6.5). Default: none. */
  readonly loginDelaySeconds?: number;
  /** SASL mechanisms, in the order in which they are announced. Default: {@link nodeMechanisms}. */
  readonly mechanisms?: readonly SaslServerMechanism[];
  /**
   * Proxies that are believed on listeners with `proxyProtocol` or `xclient`: addresses, and networks such as
   * `10.0.0.0/8` or `2001:db8::/32`. Default: none.
   */
  readonly trustedProxies?: readonly string[];
  /** Commands that the core does not know, such as `*ENV` of `@pop3/sdps`. Default: none. */
  readonly extensions?: readonly Pop3Extension[];
  readonly limits?: Partial<Pop3ServerLimits>;
}

export interface ListenOptions {
  /** Address to listen on. Default `127.0.0.1`; the world is `::` or `0.0.0.0`. */
  readonly host?: string;
  /** Default 110, for `implicit` 995. 0 lets the system choose. */
  readonly port?: number;
  /** `starttls` announces STLS, `implicit` begins with TLS (RFC 8314). Default: `starttls` if there is a certificate. */
  readonly tls?: 'off' | 'starttls' | 'implicit';
  /**
   * The least version of TLS here. Default: that of the option `tls`, otherwise TLS 1.2. With `TLSv1` or `TLSv1.1`
   * OpenSSL's security level is lowered to 0, and old ciphers are let in, down to some that are not forward-secret.
   */
  readonly minVersion?: SecureVersion;
  /**
   * Each connection begins with a header of the PROXY protocol, version 1 or 2, before TLS and anything else. Only
   * `trustedProxies` may connect; the client that they name is the peer for all limits, policies and records.
   * Default false: a header is never looked for, and never taken for anything but a bad command.
   */
  readonly proxyProtocol?: boolean;
  /**
   * `trustedProxies` may say with XCLIENT, before the login, for whom they speak: that client is the peer from then on.
   * Others are not told of the command, and it is none for them. Default false.
   */
  readonly xclient?: boolean;
  /**
   * TLS that a trusted proxy says the client speaks with it counts as if it ended here: passwords are allowed. The way
   * from the proxy has to be as safe. Default false.
   */
  readonly trustProxyTls?: boolean;
}

export interface Pop3Server extends AsyncDisposable {
  /**
   * Starts to listen and says where. May be called for several addresses. Rejects as `net.Server` does.
   *
   * @throws Pop3Error `POP3_USAGE` for `starttls` and `implicit` without a certificate, for `proxyProtocol` or
   *   `xclient` without `trustedProxies`, and after {@link close}.
   */
  listen(options?: ListenOptions): Promise<AddressInfo>;
  /** What a client would be told that it can do, without listening anywhere. Rejects where an adapter breaks. */
  offers(to: OfferedTo): Promise<Offer>;
  /**
   * Replaces the certificates, or where they come from. Connections that stand keep theirs, and sessions can still be
   * resumed unless other `ticketKeys`, `ca` or ciphers come along.
   *
   * @throws Error of OpenSSL for what cannot be used; then the old ones stay.
   */
  updateTls(tls: TlsOptions | TlsSource): void;
  /**
   * Stops to listen, ends connections where nobody is logged in, and waits for the others. After `drainMs`, by default
   * 10 seconds, they end too, without UPDATE; an UPDATE that has begun is finished. Nothing is left open when it
   * resolves. A later call can only end the waiting
   * sooner.
   *
   * @throws Pop3Error `POP3_USAGE` for a `drainMs` that is no whole number from 0.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
  /** Connections at the moment. */
  readonly connections: number;
}

/**
 * A POP3 server over a store and an authenticator.
 *
 * @throws Pop3Error `POP3_USAGE` for limits that cannot be, and for what cannot be announced.
 */
export function createPop3Server(options: Pop3ServerOptions): Pop3Server {
  return new NodeServer(options);
}

const DEFAULT_DRAIN_MS = 10_000;
const BACKLOG = 4_096;
/** Counts connections of this process; events name them by it. */
let connectionCount = 0;

class NodeServer implements Pop3Server {
  readonly #context: ConnectionContext;
  readonly #certificates: Certificates | null;
  /** Null for those that could not listen. */
  readonly #listeners: Promise<Listener | null>[] = [];
  readonly #connections = new Set<Connection>();
  readonly #perAddress: AddressCount;
  /** Null where none is. */
  readonly #trustedProxies: Networks | null;
  /** Those whose PROXY header has not come yet. */
  readonly #unannounced = new Set<Socket>();
  #closing: Promise<void> | null = null;
  /** One for each call of `close`; the first to come ends the drain. */
  readonly #deadlines: NodeJS.Timeout[] = [];
  #allGone: (() => void) | null = null;

  constructor(options: Pop3ServerOptions) {
    checkAnnouncements(options);
    const { authenticator, loginDelaySeconds } = options;
    this.#certificates =
      options.tls === undefined
        ? null
        : new Certificates(options.tls, authenticator.accepts.includes('external'));
    const limits = completeLimits(options.limits ?? {});
    this.#perAddress = new AddressCount(limits.maxConnectionsPerAddress);
    this.#trustedProxies = options.trustedProxies?.length ? new Networks(options.trustedProxies) : null;
    this.#context = {
      store: options.store,
      authenticator,
      limits,
      perAddress: this.#perAddress,
      certificates: this.#certificates,
      plaintextAuth: options.plaintextAuth ?? 'allow-on-loopback',
      loginDelay: loginDelaySeconds === undefined ? null : new LoginDelay(loginDelaySeconds),
      greeting: options.greeting,
      implementation: options.implementation ?? null,
      expire: options.expire ?? null,
      mechanisms: options.mechanisms ?? nodeMechanisms(),
      extensions: options.extensions ?? [],
      apopTimestamp: timestamps(),
    };
  }

  get connections(): number {
    return this.#connections.size;
  }

  listen(options: ListenOptions = {}): Promise<AddressInfo> {
    const { host = '127.0.0.1', port, tls, minVersion = null } = options;
    const { proxyProtocol = false, xclient = false, trustProxyTls = false } = options;
    const mode = tls ?? (this.#certificates === null ? 'off' : 'starttls');
    if (mode !== 'off' && this.#certificates === null) {
      throw new Pop3Error(
        'POP3_USAGE',
        `A listener with tls: '${mode}' needs the option tls with a certificate and a key.`,
      );
    }
    if ((proxyProtocol || xclient) && this.#trustedProxies === null) {
      throw new Pop3Error(
        'POP3_USAGE',
        'A listener with proxyProtocol or xclient needs the option trustedProxies.',
      );
    }
    if (this.#closing !== null) throw new Pop3Error('POP3_USAGE', 'This server is closed.');
    // The port is asked for once: a socket would ask the kernel for it.
    const listening: Listening = {
      tls: mode,
      minVersion,
      proxyProtocol,
      xclient,
      trustProxyTls,
      localPort: 0,
    };
    if (mode !== 'off') this.#certificates?.prepare(minVersion);
    // A client may end its side and still wait for answers to what it has sent.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket, listening),
    );
    const started = new Promise<AddressInfo>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host, port: port ?? (mode === 'implicit' ? 995 : 110), backlog: BACKLOG }, () => {
        const address = listener.address() as AddressInfo;
        listener.off('error', reject);
        // No descriptor left, for example. The next connection may be luckier.
        listener.on('error', (error) => {
          publish.listenerFailed.publish({ localAddress: address.address, localPort: address.port, error });
        });
        listening.localPort = address.port;
        resolve(address);
      });
    });
    this.#listeners.push(
      started.then(
        () => listener,
        () => null,
      ),
    );
    return started;
  }

  offers(to: OfferedTo): Promise<Offer> {
    return offerTo(this.#context, to);
  }

  updateTls(tls: TlsOptions | TlsSource): void {
    if (this.#certificates === null) {
      throw new Pop3Error('POP3_USAGE', 'This server was made without TLS; make it with the option tls.');
    }
    this.#certificates.replace(tls);
  }

  close({ drainMs = DEFAULT_DRAIN_MS }: { readonly drainMs?: number } = {}): Promise<void> {
    if (!Number.isInteger(drainMs) || drainMs < 0 || drainMs > MAX_TIMER_MS) {
      throw new Pop3Error(
        'POP3_USAGE',
        `drainMs is ${drainMs}; it must be a whole number from 0 to ${MAX_TIMER_MS}.`,
      );
    }
    this.#deadlines.push(setTimeout(() => this.#stopAll(), drainMs));
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #stopAll(): void {
    for (const connection of this.#connections) connection.stop('aborted');
  }

  async #close(): Promise<void> {
    for (const socket of this.#unannounced) socket.destroy();
    for (const connection of this.#connections) if (!connection.loggedIn) connection.stop('aborted');
    await Promise.all(this.#listeners.map(async (started) => closed(await started)));
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        this.#allGone = resolve;
      });
    }
    for (const deadline of this.#deadlines) clearTimeout(deadline);
  }

  #accept(socket: Socket, listening: Listening): void {
    // Gone before it was looked at, or too late.
    if (socket.remoteAddress === undefined || this.#closing !== null) return void socket.destroy();
    // One peer, one address, whether the listener is for IPv4 or for everything.
    const address = withoutMapping(socket.remoteAddress);
    const info: ConnectionInfo = {
      connection: ++connectionCount,
      address,
      port: socket.remotePort ?? 0,
      localPort: listening.localPort,
    };
    if (this.#connections.size + this.#unannounced.size >= this.#context.limits.maxConnections) {
      return reject(socket, info, listening, 'too-many-connections');
    }
    if (listening.proxyProtocol) void this.#announced(socket, info, listening);
    else this.#admit(socket, info, this.#mayIntroduce(info, listening) ? INTRODUCER : DIRECT, listening);
  }

  #mayIntroduce({ address }: ConnectionInfo, { xclient }: Listening): boolean {
    return xclient && this.#trustedProxies?.includes(address) === true;
  }

  /** Waits for what a proxy says of its client, and takes its word for it. */
  async #announced(socket: Socket, info: ConnectionInfo, listening: Listening): Promise<void> {
    socket.on('error', () => {});
    if (!this.#trustedProxies?.includes(info.address)) {
      publish.rejected.publish({ ...info, reason: 'untrusted-proxy' });
      return void socket.destroy();
    }
    this.#unannounced.add(socket);
    const header = await readProxyHeader(socket, this.#context.limits.proxyHeaderTimeoutMs);
    this.#unannounced.delete(socket);
    if (this.#closing !== null || socket.destroyed || header.type === 'gone') return void socket.destroy();
    if (header.type === 'rejected') {
      publish.rejected.publish({ ...info, ...header });
      return void socket.destroy();
    }
    const client = header.type === 'proxied' ? { ...info, ...header.source, proxy: info.address } : info;
    // Nobody knows whether it is a proxy that an unknown client speaks through.
    const mayIntroduce = header.type !== 'unknown' && this.#mayIntroduce(client, listening);
    const arrival: Arrival = {
      addressKnown: header.type !== 'unknown' && !mayIntroduce,
      mayIntroduce,
      proxyTls: listening.trustProxyTls ? proxyTlsOf(header) : null,
    };
    this.#admit(socket, client, arrival, listening);
  }

  #admit(socket: Socket, info: ConnectionInfo, arrival: Arrival, listening: Listening): void {
    if (!arrival.mayIntroduce && !this.#perAddress.enter(info.address)) {
      return reject(socket, info, listening, 'too-many-connections-from-address');
    }
    const connection = new Connection(socket, info, arrival, listening, this.#context);
    this.#connections.add(connection);
    void this.#run(connection, socket);
  }

  async #run(connection: Connection, socket: Socket): Promise<void> {
    await connection.run();
    if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
    this.#connections.delete(connection);
    const { countedAddress } = connection;
    if (countedAddress !== null) this.#perAddress.leave(countedAddress);
    if (this.#connections.size === 0) this.#allGone?.();
  }
}

function proxyTlsOf(header: ProxyHeader): TlsInfo | null {
  if (header.type !== 'proxied' || header.tls === null) return null;
  const { version, cipher } = header.tls;
  return {
    version: version ?? 'unknown',
    cipher: cipher ?? 'unknown',
    resumed: false,
    serverName: header.authority,
  };
}

/** Resolves when the last connection that came by this listener is gone, also those that were only turned away. */
function closed(listener: Listener | null): Promise<unknown> | null {
  return listener && new Promise((resolve) => listener.close(resolve));
}

// Clients take the first `<...>` for an APOP timestamp, and a real one has to fit into the 512 octets as well.
const GREETING = /^[\x20-\x3b\x3d-\x7e]{0,200}$/;
const IMPLEMENTATION = /^(?! )[\x20-\x7e]{1,255}(?<! )$/;

/** What goes on the wire as it was given has to be what the wire can carry. */
function checkAnnouncements(options: Pop3ServerOptions): void {
  const { greeting = '', implementation = '-', expire = 'never', loginDelaySeconds = 1 } = options;
  const carried = {
    greeting: GREETING.test(greeting),
    implementation: IMPLEMENTATION.test(implementation),
    expire: expire === 'never' || (Number.isSafeInteger(expire) && expire >= 0),
    loginDelaySeconds: Number.isSafeInteger(loginDelaySeconds) && loginDelaySeconds >= 1,
  };
  for (const [name, fits] of Object.entries(carried)) {
    if (!fits)
      throw new Pop3Error('POP3_USAGE', `${name} cannot be announced; Pop3ServerOptions says what can.`);
  }
}

/** A word of explanation where the peer can read one, then the end. */
function reject(
  socket: Socket,
  info: ConnectionInfo,
  { tls, proxyProtocol }: Listening,
  reason: 'too-many-connections' | 'too-many-connections-from-address',
): void {
  publish.rejected.publish({ ...info, reason });
  socket.on('error', () => {});
  // Nothing is said before the header of a proxy has come; then there is an address.
  const early = proxyProtocol && reason === 'too-many-connections';
  if (tls === 'implicit' || early) return void socket.destroy();
  socket.write('-ERR [SYS/TEMP] too many connections, try again later\r\n');
  socket.destroySoon();
}
