import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { ChannelBindingType, Peer, PeerCertificate } from '@pop3/core';
import { signatureHashOf } from '@pop3/core/sasl';

const EXPORTER_OCTETS = 32;
/** Given, and empty: over TLS 1.2 that is another value than none (RFC 5705 section 4). */
const EMPTY_CONTEXT = Buffer.alloc(0);

/** The peer of a TLS connection that ends here. */
export class TlsPeer implements Peer {
  readonly address: string | null;
  readonly tls = true;
  readonly certificate: PeerCertificate | null;
  readonly #socket: TLSSocket;

  constructor(socket: TLSSocket, address: string | null) {
    this.#socket = socket;
    this.address = address;
    this.certificate = socket.authorized ? certificateOf(socket) : null;
  }

  /**
   * - `tls-exporter` over TLS 1.3: over 1.2 it needs an extended master secret, which Node does not show (RFC 9266).
   * - `tls-server-end-point` unless the session was resumed: then the client may have seen an earlier certificate.
   * - `tls-unique` over TLS 1.2 in sessions that were not resumed, which need no extended master secret (RFC 7677 section 4).
   */
  channelBinding(type: ChannelBindingType): Uint8Array | null {
    const socket = this.#socket;
    // Gone; then there is nothing to log in with either.
    if (socket.destroyed) return null;
    const version = socket.getProtocol();
    if (type === 'tls-exporter') {
      return version === 'TLSv1.3'
        ? socket.exportKeyingMaterial(EXPORTER_OCTETS, 'EXPORTER-Channel-Binding', EMPTY_CONTEXT)
        : null;
    }
    if (socket.isSessionReused()) return null;
    if (type === 'tls-unique') return version === 'TLSv1.2' ? (socket.getPeerFinished() ?? null) : null;
    const certificate = socket.getX509Certificate();
    return certificate === undefined ? null : endPointOf(certificate.raw);
  }
}

/** `tls-server-end-point` of a certificate in DER (RFC 5929 section 4). */
function endPointOf(certificate: Uint8Array): Uint8Array | null {
  const hash = signatureHashOf(certificate);
  return hash === null ? null : createHash(hash).update(certificate).digest();
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
