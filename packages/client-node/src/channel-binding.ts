import { createHash } from 'node:crypto';
import type { ChannelBindingType } from '@pop3/core';
import { signatureHashOf } from '@pop3/core/sasl';
import type { Secured } from './handshake.js';

const EXPORTER_OCTETS = 32;
/** Given, and empty: over TLS 1.2 that is another value than none (RFC 5705 section 4). */
const EMPTY_CONTEXT = Buffer.alloc(0);

/**
 * What a login can be bound to in the TLS connection to a server; null where that is not defined, or not safe:
 * - `tls-exporter` over TLS 1.3: over 1.2 it needs an extended master secret, which Node does not show (RFC 9266).
 * - `tls-server-end-point` of the certificate that the server has shown (RFC 5929 section 4)
 * - `tls-unique` over TLS 1.2: the first Finished, which is the client's, as sessions are never resumed here
 *   (RFC 5929 section 3)
 */
export function channelBindingOf(
  { socket, certificate }: Secured,
  type: ChannelBindingType,
): Uint8Array | null {
  if (socket.destroyed || socket.isSessionReused()) return null;
  const version = socket.getProtocol();
  switch (type) {
    case 'tls-exporter':
      return version === 'TLSv1.3'
        ? socket.exportKeyingMaterial(EXPORTER_OCTETS, 'EXPORTER-Channel-Binding', EMPTY_CONTEXT)
        : null;
    case 'tls-unique':
      return version === 'TLSv1.2' ? (socket.getFinished() ?? null) : null;
    case 'tls-server-end-point': {
      const hash = signatureHashOf(certificate.raw);
      return hash === null ? null : createHash(hash).update(certificate.raw).digest();
    }
  }
}
