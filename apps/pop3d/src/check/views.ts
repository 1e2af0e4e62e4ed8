import type { Peer } from '@pop3/core';
import type { OfferedTo } from '@pop3/server-node';
import type { ListenerConfig } from '../config/listeners.js';
import type { Config } from '../config/schema.js';

/** A client that might come to a listener, and how to speak of it. */
export interface View extends OfferedTo {
  /** Such as `before TLS, from elsewhere`. */
  readonly label: string;
  /** Views of one occasion that are offered the same are told as one, by this. */
  readonly occasion: string;
}

const LOOPBACK = '127.0.0.1';
/** Of nobody (RFC 5737): it stands for all addresses but our own. */
const ELSEWHERE = '192.0.2.1';
const BINDING = new Uint8Array(32);

/** All clients between whom a listener makes a difference. */
export function viewsOf(listener: ListenerConfig, config: Config): View[] {
  const views: View[] = [];
  if (listener.tls !== 'implicit') {
    const stls = listener.tls === 'starttls';
    const occasion = stls ? 'before TLS' : 'without TLS';
    views.push({ label: `${occasion}, from this machine`, occasion, stls, peer: peerAt(LOOPBACK) });
    if (isReachable(listener)) {
      views.push({ label: `${occasion}, from elsewhere`, occasion, stls, peer: peerAt(ELSEWHERE) });
    }
  }
  if (listener.tls !== 'off') {
    const occasion = listener.tls === 'starttls' ? 'after STLS' : 'in TLS';
    const inTls: Peer = { ...peerAt(ELSEWHERE), tls: true, channelBinding: () => BINDING };
    views.push({ label: occasion, occasion, stls: false, peer: inTls });
    if (config.server.tls_client_ca !== undefined) {
      const label = `${occasion}, with a client certificate`;
      views.push({ label, occasion, stls: false, peer: { ...inTls, certificate: CERTIFICATE } });
    }
  }
  if (listener.trustProxyTls) {
    const label = 'where the proxy says that its client uses TLS';
    views.push({ label, occasion: label, stls: false, peer: { ...peerAt(ELSEWHERE), tls: true } });
  }
  return views;
}

/** Whether somebody on another machine may be at the other end. */
function isReachable({ host, proxyProtocol, xclient }: ListenerConfig): boolean {
  return proxyProtocol || xclient || !/^(?:127\.[\d.]+|::1|localhost)$/.test(host);
}

const CERTIFICATE = {
  commonName: 'ann',
  emailAddresses: ['ann@example.org'],
  fingerprint256: '0'.repeat(64),
};

function peerAt(address: string): Peer {
  return { address, tls: false, certificate: null };
}
