import type { AuthContext, Peer } from '@pop3/core';

/** What an authenticator is told of a login; the peer has an address and TLS unless told otherwise. */
export function contextOf(peer: Partial<Peer> = {}, signal = new AbortController().signal): AuthContext {
  return { signal, peer: { address: '192.0.2.1', tls: true, certificate: null, ...peer } };
}
