import { readFileSync } from 'node:fs';
import { type ConnectOptions, connectPop3, isPop3Error, type Pop3Client } from '@pop3/client-node';
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

/** How often a login is tried again while the server has not noticed that the last session has ended. */
const TRIES = 200;

/** Like {@link connect}, right after another session with the same maildrop. */
export async function connectWhenFree(...args: Parameters<typeof connect>): Promise<Pop3Client> {
  for (let tries = TRIES; ; tries--) {
    try {
      return await connect(...args);
    } catch (error) {
      if (!isPop3Error(error) || error.responseCode !== 'IN-USE' || tries === 0) throw error;
    }
  }
}

/** All octets of a body. */
export async function octetsOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}
