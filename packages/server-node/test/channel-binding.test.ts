import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { ChannelBindingType, Peer as CorePeer } from '@pop3/core';
import { signatureHashOf } from '@pop3/core/sasl';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ListenOptions, TlsOptions } from '../src/index.js';
import { type KeyPair, serverCertificate } from './certificates.js';
import { Peer } from './peer.js';
import { anybody, startServer } from './started-server.js';

const TYPES: readonly ChannelBindingType[] = ['tls-exporter', 'tls-server-end-point', 'tls-unique'];
const VERSIONS = ['TLSv1.2', 'TLSv1.3'] as const;

let first: KeyPair;
let second: KeyPair;
beforeAll(async () => {
  first = await serverCertificate('first', ['first.example.org']);
  second = await serverCertificate('second', ['second.example.org'], { keyType: 'rsa', algorithm: 'sha384' });
});

/** Hexadecimal; null for none. */
type Bindings = Partial<Record<ChannelBindingType, string | null>>;

/** A server that keeps the bindings of each login, and can ask for them again. */
async function start(tls: Partial<TlsOptions> = {}, listen: ListenOptions = { tls: 'implicit' }) {
  const logins: Bindings[] = [];
  const peers: CorePeer[] = [];
  const started = await startServer(
    {
      tls: { ...first, ...tls },
      authenticator: {
        accepts: ['password'],
        authenticate(credentials, context) {
          peers.push(context.peer);
          logins.push(bindingsOf(context.peer));
          return anybody().authenticate(credentials, context);
        },
      },
    },
    listen,
  );
  return { ...started, logins, peers };
}

function bindingsOf(peer: CorePeer): Bindings {
  return Object.fromEntries(
    TYPES.map((type) => {
      const binding = peer.channelBinding?.(type) ?? null;
      return [type, binding && hex(binding)];
    }),
  );
}

function hex(octets: Uint8Array | undefined): string {
  return Buffer.from(octets ?? []).toString('hex');
}

function hashOf(hash: string, { cert }: KeyPair): string {
  return createHash(hash).update(new X509Certificate(cert).raw).digest('hex');
}

/** What the client has of tls-exporter. */
function exporterOf(peer: Peer): string {
  const socket = peer.socket as TLSSocket;
  return hex(socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0)));
}

function trusting(version: (typeof VERSIONS)[number], more: ConnectionOptions = {}): ConnectionOptions {
  return { ca: [first.cert, second.cert], minVersion: version, maxVersion: version, ...more };
}

const ROADS = VERSIONS.flatMap((version) =>
  (['TLS', 'STLS'] as const).map((road) => [version, road] as const),
);

describe('bindings', () => {
  it.each(ROADS)('are those of the client, by %s and %s', async (version, road) => {
    const { port, logins } = await start({}, { tls: road === 'TLS' ? 'implicit' : 'starttls' });
    const peer = await Peer.connect(port, road === 'TLS' ? { tls: trusting(version) } : {});
    await peer.line();
    if (road === 'STLS') await peer.startTls(trusting(version));
    await peer.logIn();
    const socket = peer.socket as TLSSocket;
    expect(logins).toEqual([
      {
        'tls-exporter': version === 'TLSv1.3' ? exporterOf(peer) : null,
        'tls-server-end-point': hashOf('sha256', first),
        'tls-unique': version === 'TLSv1.2' ? hex(socket.getFinished()) : null,
      },
    ]);
    expect(hex(socket.getPeerCertificate(true).raw)).toBe(hex(new X509Certificate(first.cert).raw));
  });

  it('differ from connection to connection, but for the certificate', async () => {
    for (const version of VERSIONS) {
      const { port, logins } = await start();
      for (const user of ['ann', 'bob']) await Peer.loggedIn(port, { user, tls: trusting(version) });
      const [one, other] = logins;
      const type = version === 'TLSv1.3' ? 'tls-exporter' : 'tls-unique';
      expect(one?.[type]).not.toEqual(other?.[type]);
      expect(one?.['tls-server-end-point']).toEqual(other?.['tls-server-end-point']);
    }
  });

  it.each(VERSIONS)(
    'are of the certificate that was chosen by its name, and of its hash function: %s',
    async (version) => {
      const { port, logins } = await start({ certificates: [second] });
      await Peer.loggedIn(port, { tls: trusting(version, { servername: 'second.example.org' }) });
      expect(logins[0]?.['tls-server-end-point']).toBe(hashOf('sha384', second));
    },
  );

  it('stay those of the certificate of the handshake when it is replaced', async () => {
    const { server, port, peers } = await start();
    await Peer.loggedIn(port, { tls: trusting('TLSv1.3') });
    server.updateTls(second);
    expect(bindingsOf(peers[0] as CorePeer)['tls-server-end-point']).toBe(hashOf('sha256', first));
  });

  it.each(VERSIONS)('are tls-exporter alone in a session that was resumed: %s', async (version) => {
    const { port, logins } = await start();
    const one = connect({ ...trusting(version), port, checkServerIdentity: () => undefined });
    const [session] = (await once(one, 'session')) as [Buffer];
    one.destroy();
    const peer = await Peer.loggedIn(port, { tls: trusting(version, { session }) });
    expect((peer.socket as TLSSocket).isSessionReused()).toBe(true);
    expect(logins).toEqual([
      {
        'tls-exporter': version === 'TLSv1.3' ? exporterOf(peer) : null,
        'tls-server-end-point': null,
        'tls-unique': null,
      },
    ]);
  });

  it('are none when the connection is gone', async () => {
    const { server, port, peers } = await start();
    const peer = await Peer.loggedIn(port, { tls: trusting('TLSv1.3') });
    await peer.command('QUIT');
    await peer.closed();
    await server.close();
    expect(bindingsOf(peers[0] as CorePeer)).toEqual({
      'tls-exporter': null,
      'tls-server-end-point': null,
      'tls-unique': null,
    });
  });
});

it('leaves them out without TLS', async () => {
  const { port, peers } = await start({}, { tls: 'off' });
  await Peer.loggedIn(port);
  expect(peers[0]).not.toHaveProperty('channelBinding');
});

it.each([
  ['ec', 'sha256'],
  ['ec', 'sha384'],
  ['rsa', 'sha512'],
] as const)(
  'the hash of a signature is read from real certificates: %s with %s',
  async (keyType, algorithm) => {
    const { cert } = await serverCertificate('localhost', [], { keyType, algorithm });
    expect(signatureHashOf(new X509Certificate(cert).raw)).toBe(algorithm);
  },
);
