import { createHash } from 'node:crypto';
import type { Authenticator, AuthOutcome, Credentials } from '@pop3/core';
import { verifyApop } from '@pop3/core/sasl';
import { type MemoryStore, memoryStore } from '@pop3/store-memory';
import { onTestFinished } from 'vitest';
import {
  createPop3Server,
  type ListenOptions,
  type Pop3Server,
  type Pop3ServerOptions,
} from '../src/index.js';
import { PASSWORD } from './peer.js';

/** Any name logs in with {@link PASSWORD}, or with a certificate that has a common name. */
export function anybody(...accepts: Credentials['type'][]): Authenticator {
  return {
    accepts: accepts.length === 0 ? ['password'] : accepts,
    authenticate(credentials, { peer }): AuthOutcome {
      const username =
        credentials.type === 'external' ? peer.certificate?.commonName : provenName(credentials);
      if (username == null) return { type: 'refused', reason: 'bad-credentials' };
      return { type: 'accepted', identity: { maildrop: username, username } };
    },
  };
}

function provenName(credentials: Credentials): string | null {
  switch (credentials.type) {
    case 'password':
      return credentials.password === PASSWORD ? credentials.username : null;
    case 'apop':
      return verifyApop((octets) => createHash('md5').update(octets).digest(), credentials, PASSWORD)
        ? credentials.username
        : null;
    default:
      return null;
  }
}

/** A maildrop of ann with these messages. */
export function mailFor(...messages: string[]): MemoryStore {
  const store = memoryStore();
  for (const message of messages) store.deliver('ann', Buffer.from(message, 'latin1'));
  return store;
}

export const THREE_MESSAGES = [
  'Subject: one\r\n\r\n1\r\n',
  'Subject: two\r\n\r\n2\r\n',
  'Subject: three\r\n\r\n3\r\n',
];

/** A server on a free port of 127.0.0.1, closed when the test is over. */
export async function startServer(
  options: Partial<Pop3ServerOptions> = {},
  listen: ListenOptions = {},
): Promise<{ readonly server: Pop3Server; readonly port: number }> {
  const server = createPop3Server({
    store: mailFor(...THREE_MESSAGES),
    authenticator: anybody(),
    ...options,
  });
  onTestFinished(() => server.close({ drainMs: 0 }));
  const { port } = await server.listen({ port: 0, ...listen });
  return { server, port };
}
