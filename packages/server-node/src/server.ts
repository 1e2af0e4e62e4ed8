import { randomBytes } from 'node:crypto';
import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net';
import { hostname } from 'node:os';
import { type Authenticator, type MessageStore, Pop3Error } from '@pop3/core';
import { Connection, type ConnectionContext } from './connection.js';
import { type ConnectionInfo, publish } from './diagnostics.js';
import { completeLimits, type Pop3ServerLimits } from './limits.js';
import { LoginDelay } from './login-policy.js';
import { Certificates, type TlsOptions } from './tls.js';

export interface Pop3ServerOptions {
  readonly store: MessageStore;
  readonly authenticator: Authenticator;
  /** Needed for listeners with `starttls` or `implicit`. */
  readonly tls?: TlsOptions;
  /**
   * Passwords on connections that are not encrypted. Default `allow-on-loopback`: on this machine nobody listens who
   * could not read the maildrop anyway. A proxy on this machine that serves the world calls for `refuse`.
   */
  readonly plaintextAuth?: 'refuse' | 'allow' | 'allow-on-loopback';
  /** Text of the greeting. Default `POP3 server ready`. */
  readonly greeting?: string;
  /** Announced as IMPLEMENTATION (RFC 2449 section 6.9). Default: not announced. */
  readonly implementation?: string;
  /** What is announced as EXPIRE (RFC 2449 section 6.7): days, or `never`. Default: not announced. */
  readonly expire?: number | 'never';
  /** Seconds between two logins to one maildrop, announced and enforced (RFC 2449 section 6.5). Default: none. */
  readonly loginDelaySeconds?: number;
  readonly limits?: Partial<Pop3ServerLimits>;
}

export interface ListenOptions {
  /** Address to listen on. Default `127.0.0.1`; the world is `::` or `0.0.0.0`. */
  readonly host?: string;
  /** Default 110, for `implicit` 995. 0 lets the system choose. */
  readonly port?: number;
  /** `starttls` announces STLS, `implicit` begins with TLS (RFC 8314). Default: `starttls` if there is a certificate. */
  readonly tls?: 'off' | 'starttls' | 'implicit';
}

export interface Pop3Server extends AsyncDisposable {
  /** Starts to listen and says where. May be called for several addresses. Rejects as `net.Server` does. */
  listen(options?: ListenOptions): Promise<AddressInfo>;
  /**
   * Replaces the certificates. Connections that stand keep theirs.
   *
   * @throws Error of OpenSSL for what cannot be used; then the old ones stay.
   */
  updateTls(tls: TlsOptions): void;
  /**
   * Stops to listen, ends connections where nobody is logged in, and waits for the others. After `drainMs`, by default
   * 10 seconds, they end too, without UPDATE.
   */
  close(options?: { readonly drainMs?: number }): Promise<void>;
  /** Connections at the moment. */
  readonly connections: number;
}

/**
 * A POP3 server over a store and an authenticator.
 *
 * @throws Pop3Error `POP3_USAGE` for limits that cannot be.
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
  readonly #listeners = new Set<Listener>();
  readonly #connections = new Set<Connection>();
  readonly #perAddress = new Map<string, number>();
  #closing: Promise<void> | null = null;
  #allGone: (() => void) | null = null;

  constructor(options: Pop3ServerOptions) {
    this.#certificates = options.tls === undefined ? null : new Certificates(options.tls);
    const { loginDelaySeconds } = options;
    this.#context = {
      store: options.store,
      authenticator: options.authenticator,
      limits: completeLimits(options.limits ?? {}),
      certificates: this.#certificates,
      plaintextAuth: options.plaintextAuth ?? 'allow-on-loopback',
      loginDelay: loginDelaySeconds === undefined ? null : new LoginDelay(loginDelaySeconds),
      greeting: options.greeting,
      implementation: options.implementation ?? null,
      expire: options.expire ?? null,
      apopTimestamp: timestamps(),
    };
  }

  get connections(): number {
    return this.#connections.size;
  }

  listen({ host = '127.0.0.1', port, tls }: ListenOptions = {}): Promise<AddressInfo> {
    const mode = tls ?? (this.#certificates === null ? 'off' : 'starttls');
    if (mode !== 'off' && this.#certificates === null) {
      throw new Pop3Error(
        'POP3_USAGE',
        `A listener with tls: '${mode}' needs the option tls with a certificate and a key.`,
      );
    }
    if (this.#closing !== null) throw new Pop3Error('POP3_USAGE', 'This server is closed.');
    // A client may end its side and still wait for answers to what it has sent.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.#accept(socket, mode),
    );
    this.#listeners.add(listener);
    listener.once('close', () => this.#listeners.delete(listener));
    return new Promise((resolve, reject) => {
      listener.once('error', (error) => {
        this.#listeners.delete(listener);
        reject(error);
      });
      listener.listen({ host, port: port ?? (mode === 'implicit' ? 995 : 110), backlog: BACKLOG }, () =>
        resolve(listener.address() as AddressInfo),
      );
    });
  }

  updateTls(tls: TlsOptions): void {
    if (this.#certificates === null) {
      throw new Pop3Error('POP3_USAGE', 'This server was made without TLS; make it with the option tls.');
    }
    this.#certificates.replace(tls);
  }

  close({ drainMs = DEFAULT_DRAIN_MS }: { readonly drainMs?: number } = {}): Promise<void> {
    this.#closing ??= this.#close(drainMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(drainMs: number): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    for (const connection of this.#connections) if (!connection.loggedIn) connection.stop('aborted');
    if (this.#connections.size === 0) return;
    const deadline = setTimeout(() => {
      for (const connection of this.#connections) connection.stop('aborted');
    }, drainMs);
    await new Promise<void>((resolve) => {
      this.#allGone = resolve;
    });
    clearTimeout(deadline);
  }

  #accept(socket: Socket, mode: 'off' | 'starttls' | 'implicit'): void {
    const address = socket.remoteAddress;
    // Gone before it was looked at.
    if (address === undefined) return void socket.destroy();
    const info: ConnectionInfo = {
      connection: ++connectionCount,
      address,
      port: socket.remotePort ?? 0,
      localPort: socket.localPort ?? 0,
    };
    const { maxConnections, maxConnectionsPerAddress } = this.#context.limits;
    const fromAddress = this.#perAddress.get(address) ?? 0;
    if (this.#connections.size >= maxConnections) return reject(socket, info, mode, 'too-many-connections');
    if (fromAddress >= maxConnectionsPerAddress) {
      return reject(socket, info, mode, 'too-many-connections-from-address');
    }
    this.#perAddress.set(address, fromAddress + 1);
    const connection = new Connection(socket, info, this.#context);
    this.#connections.add(connection);
    void this.#run(connection, socket, mode, address);
  }

  async #run(
    connection: Connection,
    socket: Socket,
    mode: 'off' | 'starttls' | 'implicit',
    address: string,
  ): Promise<void> {
    await connection.run(mode);
    if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve));
    this.#connections.delete(connection);
    const left = (this.#perAddress.get(address) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(address);
    else this.#perAddress.set(address, left);
    if (this.#connections.size === 0) this.#allGone?.();
  }
}

/** A word of explanation where the peer can read one, then the end. */
function reject(
  socket: Socket,
  info: ConnectionInfo,
  mode: 'off' | 'starttls' | 'implicit',
  reason: 'too-many-connections' | 'too-many-connections-from-address',
): void {
  publish.rejected.publish({ ...info, reason });
  socket.on('error', () => {});
  if (mode === 'implicit') return void socket.destroy();
  socket.write('-ERR [SYS/TEMP] too many connections, try again later\r\n');
  socket.destroySoon();
}

/** `<digits.digits@host>`: other forms are legal and break clients that are known. Random, so that none comes twice. */
function timestamps(): () => string {
  const host = hostname().replace(/[^A-Za-z0-9.-]/g, '') || 'localhost';
  return () => {
    const random = randomBytes(16);
    return `<${random.readBigUInt64BE(0)}.${random.readBigUInt64BE(8)}@${host}>`;
  };
}
