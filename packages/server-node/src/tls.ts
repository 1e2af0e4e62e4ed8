import type { Socket } from 'node:net';
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from 'node:tls';
import type { Peer, PeerCertificate } from '@pop3/core';
import { MAX_TIMER_MS } from './limits.js';

/**
 * What TLS needs. `cert` and `key` are PEM; with `ca`, and an authenticator that accepts `external`, clients may present
 * a certificate of these authorities and log in by AUTH EXTERNAL. TLS 1.2 is the least version (RFC 8996, RFC 8997) unless `minVersion` says otherwise.
 */
export interface TlsOptions
  extends Pick<
    SecureContextOptions,
    'cert' | 'key' | 'passphrase' | 'ca' | 'ciphers' | 'minVersion' | 'maxVersion'
  > {
  readonly cert: NonNullable<SecureContextOptions['cert']>;
  readonly key: NonNullable<SecureContextOptions['key']>;
}

/** What handshakes are done with. Replacing it affects the next handshake and no connection that stands. */
export class Certificates {
  /** Never listens: it is the public way to a TLS server that verifies certificates of clients and resumes sessions. */
  #server: Server;
  /** By the ends of the connection: that is what a socket and the TLS socket over it have in common. */
  readonly #underWay = new Map<string, HandshakeUnderWay>();
  readonly #mapsCertificates: boolean;

  /**
   * @param mapsCertificates - whether a certificate of a client can be a login; otherwise none is asked for (RFC 8314
   *   section 4.4)
   * @throws Error of OpenSSL when certificate and key do not belong together or cannot be read.
   */
  constructor(options: TlsOptions, mapsCertificates: boolean) {
    this.#mapsCertificates = mapsCertificates;
    this.#server = this.#serverOf(options);
  }

  /** @throws as the constructor; then the old ones stay. */
  replace(options: TlsOptions): void {
    this.#server = this.#serverOf(options);
  }

  /** Does the handshake as a server. Rejects when it fails; the socket is of no use then. */
  handshake(plain: Socket, address: string): Promise<{ socket: TLSSocket; peer: Peer }> {
    const ends = endsOf(plain);
    const finished = new Promise<TLSSocket>((succeeded, failed) => {
      const lost = () => failed(new Error('The connection was lost during the TLS handshake.'));
      this.#underWay.set(ends, { succeeded, failed });
      plain.once('close', lost);
      // Who ends its side here will never have a session. The TLS socket takes this over from the plain one.
      plain.allowHalfOpen = false;
      if (plain.destroyed) lost();
      else this.#server.emit('connection', plain);
    });
    return finished
      .then((socket) => ({ socket, peer: peerOf(socket, address) }))
      .finally(() => this.#underWay.delete(ends));
  }

  #serverOf(options: TlsOptions): Server {
    const server = createServer({
      minVersion: 'TLSv1.2',
      ...options,
      requestCert: this.#mapsCertificates && options.ca !== undefined,
      // A certificate that cannot be verified is no login, but no reason to refuse a password either.
      rejectUnauthorized: false,
      // The time to log in counts already; to Node, 0 means two minutes.
      handshakeTimeout: MAX_TIMER_MS,
    });
    server.on('secureConnection', (socket) => {
      socket.on('error', () => {});
      socket.allowHalfOpen = true;
      this.#underWay.get(endsOf(socket))?.succeeded(socket);
    });
    server.on('tlsClientError', (error, socket) => this.#underWay.get(endsOf(socket))?.failed(error));
    return server;
  }
}

interface HandshakeUnderWay {
  succeeded(socket: TLSSocket): void;
  failed(error: Error): void;
}

function endsOf({ remoteAddress, remotePort, localAddress, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}

function peerOf(socket: TLSSocket, address: string): Peer {
  return { address, tls: true, certificate: socket.authorized ? certificateOf(socket) : null };
}

function certificateOf(socket: TLSSocket): PeerCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  // Not from `certificate.subject`, where it is escaped. A name in several parts is an array, and nobody's login.
  const name: unknown = socket.getPeerCertificate().subject?.CN;
  const commonName = typeof name === 'string' ? name : null;
  const emailAddresses = (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith('email:'))
    .map((name) => name.slice('email:'.length));
  const fingerprint256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return { commonName, emailAddresses, fingerprint256 };
}
