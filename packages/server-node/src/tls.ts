import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, type SecureContextOptions, TLSSocket } from 'node:tls';
import type { Peer, PeerCertificate } from '@pop3/core';

/**
 * What TLS needs. `cert` and `key` are PEM; with `ca`, clients may present a certificate of these authorities and log
 * in by AUTH EXTERNAL. TLS 1.2 is the least version (RFC 8996, RFC 8997) unless `minVersion` says otherwise.
 */
export interface TlsOptions
  extends Pick<
    SecureContextOptions,
    'cert' | 'key' | 'passphrase' | 'ca' | 'ciphers' | 'minVersion' | 'maxVersion'
  > {
  readonly cert: NonNullable<SecureContextOptions['cert']>;
  readonly key: NonNullable<SecureContextOptions['key']>;
}

/** The certificates in use. Replacing them affects the next handshake and no connection that stands. */
export class Certificates {
  #context: SecureContext;
  #asksForCertificate: boolean;

  /** @throws Error of OpenSSL when certificate and key do not belong together or cannot be read. */
  constructor(options: TlsOptions) {
    this.#context = contextOf(options);
    this.#asksForCertificate = options.ca !== undefined;
  }

  /** @throws as the constructor; then the old ones stay. */
  replace(options: TlsOptions): void {
    this.#context = contextOf(options);
    this.#asksForCertificate = options.ca !== undefined;
  }

  /** Does the handshake as a server. Rejects when it fails; the socket is of no use then. */
  handshake(plain: Socket): Promise<{ socket: TLSSocket; peer: Peer }> {
    return new Promise((resolve, reject) => {
      const socket = new TLSSocket(plain, {
        isServer: true,
        secureContext: this.#context,
        requestCert: this.#asksForCertificate,
        // A certificate that cannot be verified is no login, but no reason to refuse a password either.
        rejectUnauthorized: false,
        allowHalfOpen: true,
      } as ConstructorParameters<typeof TLSSocket>[1]);
      const lost = () => reject(new Error('The connection was lost during the TLS handshake.'));
      socket.once('error', reject);
      plain.once('close', lost);
      socket.once('secure', () => {
        socket.off('error', reject);
        plain.off('close', lost);
        resolve({ socket, peer: peerOf(socket, plain.remoteAddress ?? null) });
      });
    });
  }
}

function contextOf(options: TlsOptions): SecureContext {
  return createSecureContext({ minVersion: 'TLSv1.2', ...options });
}

function peerOf(socket: TLSSocket, address: string | null): Peer {
  return { address, tls: true, certificate: socket.authorized ? certificateOf(socket) : null };
}

function certificateOf(socket: TLSSocket): PeerCertificate | null {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const commonName = /^CN=(.*)$/m.exec(certificate.subject ?? '')?.[1] ?? null;
  const emailAddresses = (certificate.subjectAltName ?? '')
    .split(', ')
    .filter((name) => name.startsWith('email:'))
    .map((name) => name.slice('email:'.length));
  const fingerprint256 = certificate.fingerprint256.replaceAll(':', '').toLowerCase();
  return { commonName, emailAddresses, fingerprint256 };
}
