import { anyOf, certificateUsers, staticUsers } from '@pop3/auth-node';
import type { ChannelBindingType, Pop3Error } from '@pop3/core';
import { beginSession, converse } from '@pop3/core/driver';
import { createPop3Server, MECHANISM_NAMES, nodeMechanisms } from '@pop3/server-node';
import { memoryStore } from '@pop3/store-memory';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { LOGIN_CRYPTO } from '../src/hashes.js';
import { openChannel } from '../src/open-channel.js';
import type { ConnectToHost } from '../src/options.js';
import { authority, certificate, type KeyPair } from './certificates.js';
import { errorOf } from './loopback.js';

const AUTH = { user: 'ann', password: 'correct horse' };

let ca: KeyPair;
let own: KeyPair;
let clients: KeyPair;
beforeAll(async () => {
  ca = await authority();
  own = await certificate({ names: ['127.0.0.1'], ca });
  clients = await certificate({ commonName: 'ann', ca });
});

interface Login extends Pick<Partial<ConnectToHost>, 'auth' | 'clientCertificate'> {
  readonly version?: 'TLSv1.2' | 'TLSv1.3';
  /** Bindings that the client is to know. Default: all. */
  readonly bindings?: readonly ChannelBindingType[];
}

/** Logs in over TLS to a server with every mechanism. */
async function logInOverTls({
  version = 'TLSv1.3',
  bindings,
  auth = AUTH,
  ...options
}: Login = {}): Promise<string | null> {
  const server = createPop3Server({
    store: memoryStore(),
    authenticator: anyOf(staticUsers({ ann: AUTH.password }), certificateUsers()),
    mechanisms: nodeMechanisms(MECHANISM_NAMES),
    tls: { ...own, ca: ca.cert, maxVersion: version },
  });
  onTestFinished(() => server.close({ drainMs: 0 }));
  const { port } = await server.listen({ port: 0, tls: 'implicit' });
  const channel = await openChannel({
    host: '127.0.0.1',
    port,
    trust: { ca: ca.cert },
    ...options,
  });
  onTestFinished(() => channel.destroy());
  const bindingOf = channel.channelBinding.bind(channel);
  channel.channelBinding = (type) => ((bindings?.includes(type) ?? true) ? bindingOf(type) : null);
  const conversation = converse({ channel, session: { tls: channel.encrypted } });
  const { mechanism } = await beginSession(conversation, { channel, auth, crypto: LOGIN_CRYPTO });
  return mechanism;
}

describe('over TLS', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('binds the login to the connection: %s', async (version) => {
    expect(await logInOverTls({ version })).toBe('SCRAM-SHA-256-PLUS');
  });

  it.each<['TLSv1.2' | 'TLSv1.3', ChannelBindingType]>([
    ['TLSv1.3', 'tls-exporter'],
    ['TLSv1.3', 'tls-server-end-point'],
    ['TLSv1.2', 'tls-unique'],
    ['TLSv1.2', 'tls-server-end-point'],
  ])('binds %s by %s', async (version, type) => {
    expect(await logInOverTls({ version, bindings: [type] })).toBe('SCRAM-SHA-256-PLUS');
  });

  it('has a certificate do for a password', async () => {
    expect(await logInOverTls({ auth: { external: true }, clientCertificate: clients })).toBe('EXTERNAL');
    const error = (await errorOf(logInOverTls({ auth: { external: true } }))) as Pop3Error;
    expect(error).toMatchObject({ code: 'POP3_REFUSED', retryable: false });
    expect(error.message).toMatch(/certificate/);
  });
});
