import { readFileSync } from 'node:fs';
import { type ConnectOptions, connectPop3, type Pop3Client } from '@pop3/client-node';
import type { Security } from '../world.js';
import type { PeerWorld } from './world.js';

const TLS = { plain: 'off', STLS: 'starttls', TLS: 'implicit' } as const;

/** Connects our client to a server, as anybody would who knows its certificate. */
export function connect(
  { server, certificate }: PeerWorld,
  security: Security,
  options: Omit<ConnectOptions, 'host' | 'port' | 'socket' | 'tls'>,
): Promise<Pop3Client> {
  const port = security === 'TLS' ? server.tlsPort : server.port;
  if (port === null) throw new Error('the server has no TLS');
  return connectPop3({
    host: '127.0.0.1',
    port,
    tls: TLS[security],
    trust: { ca: readFileSync(certificate) },
    allowPlaintext: security === 'plain',
    ...options,
  });
}

/** All octets of a body. */
export async function octetsOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
