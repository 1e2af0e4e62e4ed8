import { constants, randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { createServer, type SecureVersion, type Server, type TLSSocket } from 'node:tls';
import { peekServerName } from './client-hello.js';
import { MAX_TIMER_MS } from './limits.js';
import { dnsNamesOf, ServerNames } from './server-names.js';
import {
  type CertificateOptions,
  checkKeys,
  checkTicketKeys,
  checkVersions,
  ciphersOf,
  DEFAULT_MIN_VERSION,
  sessionIdContextOf,
  TICKET_KEY_OCTETS,
  type TlsOptions,
  type TlsSource,
} from './tls.js';

/** As IANA has it; a client that speaks ALPN and does not speak this is at the wrong port (RFC 7301 section 3.2). */
const ALPN = ['pop3'];

/** Seconds in which a session can be resumed: mail clients look for mail every few minutes. */
const SESSION_SECONDS = 3_600;
/** The same where it brings a client certificate back, which may have been withdrawn meanwhile. */
const CERTIFIED_SESSION_SECONDS = 300;

/** What handshakes are done with. What replaces it affects the next handshake and no connection that stands. */
export class Certificates {
  readonly #mapsCertificates: boolean;
  /** For those who bring none. Kept when certificates change, so that sessions can be resumed all the same. */
  readonly #ticketKeys = randomBytes(TICKET_KEY_OCTETS);
  /** By the ends of the connection: that is what a socket and the TLS socket over it have in common. */
  readonly #underWay = new Map<string, HandshakeUnderWay>();
  #source: TlsSource | null = null;
  #options: TlsOptions;
  /** What the source gave last and cannot be used, and why. */
  #unusable: TlsOptions | null = null;
  #problem: string | null = null;
  /** By the least version that a listener wants. */
  #servers: ReadonlyMap<SecureVersion | null, ServersByName>;

  /**
   * @param mapsCertificates - whether a certificate of a client can be a login; otherwise none is asked for (RFC 8314
   *   section 4.5)
   * @throws Error of OpenSSL when certificate and key do not belong together or cannot be read; Pop3Error `POP3_USAGE`
   *   for ticket keys of another length, and for versions that leave none.
   */
  constructor(tls: TlsOptions | TlsSource, mapsCertificates: boolean) {
    this.#mapsCertificates = mapsCertificates;
    this.#options = 'current' in tls ? tls.current() : tls;
    this.#source = 'current' in tls ? tls : null;
    this.#servers = this.#serversOf(this.#options, [null]);
  }

  /** @throws as the constructor; then the old ones stay. */
  replace(tls: TlsOptions | TlsSource): void {
    this.#use('current' in tls ? tls.current() : tls);
    this.#source = 'current' in tls ? tls : null;
    this.#unusable = this.#problem = null;
  }

  /** Makes ready for listeners with a least version of their own. @throws Error of OpenSSL where it cannot be. */
  prepare(minVersion: SecureVersion | null): void {
    if (this.#servers.has(minVersion)) return;
    this.#servers = this.#serversOf(this.#options, [...this.#servers.keys(), minVersion]);
  }

  /**
   * Asks the source whether there are other certificates now. Those that cannot be used leave the old ones in place.
   *
   * @param report - told why they cannot be used, once and not with every handshake
   */
  refresh(report: (error: unknown) => void): void {
    if (this.#source === null) return;
    let options: TlsOptions | null = null;
    try {
      options = this.#source.current();
      if (options === this.#unusable) return;
      if (options !== this.#options) this.#use(options);
      this.#unusable = this.#problem = null;
    } catch (error) {
      this.#unusable = options;
      if (this.#problem === String(error)) return;
      this.#problem = String(error);
      report(error);
    }
  }

  /** Does the handshake as a server. Rejects when it fails; the socket is of no use then. */
  handshake(plain: Socket, minVersion: SecureVersion | null): Promise<TLSSocket> {
    const ends = endsOf(plain);
    const { first, names } = this.#servers.get(minVersion) as ServersByName;
    return new Promise<TLSSocket>((succeeded, failed) => {
      const lost = () => failed(new Error('The connection was lost during the TLS handshake.'));
      const begin = (server: Server) => {
        if (plain.destroyed) lost();
        else server.emit('connection', plain);
      };
      this.#underWay.set(ends, { succeeded, failed });
      plain.once('close', lost);
      // Who ends its side here will never have a session. The TLS socket takes this over from the plain one.
      plain.allowHalfOpen = false;
      if (names === null) begin(first);
      else peekServerName(plain).then((name) => begin((name && names.find(name)) || first), failed);
    }).finally(() => this.#underWay.delete(ends));
  }

  #use(options: TlsOptions): void {
    this.#servers = this.#serversOf(options, [...this.#servers.keys()]);
    this.#options = options;
  }

  #serversOf(
    options: TlsOptions,
    versions: readonly (SecureVersion | null)[],
  ): Map<SecureVersion | null, ServersByName> {
    checkTicketKeys(options);
    return new Map(versions.map((version) => [version, this.#serversByName(options, version)]));
  }

  #serversByName(options: TlsOptions, version: SecureVersion | null): ServersByName {
    const first = this.#serverOf(options, options, version);
    const { certificates = [] } = options;
    if (certificates.length === 0) return { first, names: null };
    const names = new ServerNames<Server>();
    names.add(dnsNamesOf(options.cert), first);
    for (const certificate of certificates) {
      names.add(dnsNamesOf(certificate.cert), this.#serverOf(certificate, options, version));
    }
    return { first, names };
  }

  #serverOf(certificate: CertificateOptions, options: TlsOptions, version: SecureVersion | null): Server {
    const { cert, key, passphrase } = certificate;
    const { maxVersion } = options;
    const minVersion = version ?? options.minVersion ?? DEFAULT_MIN_VERSION;
    const ciphers = ciphersOf(minVersion, options.ciphers);
    const ca = this.#mapsCertificates ? options.ca : undefined;
    const requestCert = ca !== undefined;
    checkVersions(minVersion, maxVersion);
    const server = createServer({
      cert,
      key,
      ...(passphrase !== undefined && { passphrase }),
      minVersion,
      ...(maxVersion !== undefined && { maxVersion }),
      ciphers,
      ALPNProtocols: ALPN,
      ...(requestCert && { ca }),
      requestCert,
      // A certificate that cannot be verified is no login, but no reason to refuse a password either.
      rejectUnauthorized: false,
      ticketKeys: options.ticketKeys ?? this.#ticketKeys,
      sessionIdContext: sessionIdContextOf({ minVersion, ciphers, ca }),
      sessionTimeout: requestCert ? CERTIFIED_SESSION_SECONDS : SESSION_SECONDS,
      // A second handshake would be work for nothing, and would change what tls-unique is.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION | constants.SSL_OP_NO_COMPRESSION,
      // The time to log in counts already; to Node, 0 means two minutes.
      handshakeTimeout: MAX_TIMER_MS,
    });
    // After OpenSSL, which says more of what it cannot read.
    checkKeys(certificate);
    server.on('secureConnection', (socket) => {
      socket.on('error', requestCert ? brokenOrUnverified : broken);
      socket.allowHalfOpen = true;
      this.#underWay.get(endsOf(socket))?.succeeded(socket);
    });
    server.on('tlsClientError', (error, socket) => this.#underWay.get(endsOf(socket))?.failed(error));
    return server;
  }
}

/** They never listen: they are the public way to a TLS server that verifies certificates of clients and resumes sessions. */
interface ServersByName {
  /** For clients that name no server, or an unknown one. */
  readonly first: Server;
  /** Null where there is only one. */
  readonly names: ServerNames<Server> | null;
}

interface HandshakeUnderWay {
  succeeded(socket: TLSSocket): void;
  failed(error: Error): void;
}

/** What is no TLS, or was changed on its way, ends the connection: Node only reports it, and would wait for more. */
function broken(this: Socket): void {
  this.destroy();
}

/** The same where clients present certificates: what was wrong with one is reported as well, and ends nothing. */
function brokenOrUnverified(this: Socket, error: Error & { readonly library?: string }): void {
  if (error.library === 'SSL routines') this.destroy();
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
