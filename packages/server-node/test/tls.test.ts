import { once } from 'node:events';
import { connect, type TLSSocket } from 'node:tls';
import type { Peer as CorePeer } from '@pop3/core';
import { beforeAll, describe, expect, it } from 'vitest';
import { authority, type KeyPair, serverCertificate } from './certificates.js';
import { Peer } from './peer.js';
import { anybody, startServer } from './started-server.js';

let first: KeyPair;
let second: KeyPair;
let ca: Awaited<ReturnType<typeof authority>>;
beforeAll(async () => {
  first = await serverCertificate('first');
  second = await serverCertificate('second');
  ca = await authority();
});

function commonName(peer: Peer): string {
  const certificate = (peer.socket as TLSSocket).getPeerCertificate();
  return String(certificate.subject.CN);
}

describe('versions', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)('speaks %s', async (version) => {
    const { port } = await startServer({ tls: first }, { tls: 'implicit' });
    const peer = await Peer.connect(port, {
      tls: { ca: first.cert, minVersion: version, maxVersion: version },
    });
    expect(await peer.line()).toMatch(/^\+OK /);
    expect((peer.socket as TLSSocket).getProtocol()).toBe(version);
  });

  // OpenSSL itself offers neither unless its security level is lowered.
  const old = (version: 'TLSv1' | 'TLSv1.1') =>
    ({ minVersion: version, maxVersion: version, ciphers: 'DEFAULT:@SECLEVEL=0' }) as const;

  it.each(['TLSv1', 'TLSv1.1'] as const)('refuses %s (RFC 8996)', async (version) => {
    const { port } = await startServer({ tls: first }, { tls: 'implicit' });
    const refused = Peer.connect(port, { tls: { ca: first.cert, ...old(version) } });
    await expect(refused).rejects.toThrow(/alert protocol version/);
  });

  it.each(['TLSv1', 'TLSv1.1'] as const)('speaks %s when an operator insists', async (version) => {
    const { port } = await startServer({ tls: { ...first, ...old(version) } }, { tls: 'implicit' });
    const peer = await Peer.connect(port, { tls: { ca: first.cert, ...old(version) } });
    expect((peer.socket as TLSSocket).getProtocol()).toBe(version);
  });
});

describe('updateTls', () => {
  it('gives new connections the new certificate, by implicit TLS and by STLS', async () => {
    const { server, port } = await startServer({ tls: first }, { tls: 'implicit' });
    const plain = await server.listen({ port: 0, tls: 'starttls' });
    const before = await Peer.loggedIn(port, { tls: { ca: first.cert } });
    const beforeStls = await Peer.connect(plain.port);
    await beforeStls.line();

    server.updateTls(second);

    const after = await Peer.connect(port, { tls: { ca: second.cert } });
    expect(commonName(after)).toBe('second');
    await beforeStls.startTls({ ca: second.cert });
    expect(commonName(beforeStls)).toBe('second');
    expect(await before.command('STAT')).toMatch(/^\+OK 3 /);
    expect(commonName(before)).toBe('first');
  });

  it('keeps the old certificate when the new one cannot be used', async () => {
    const { server, port } = await startServer({ tls: first }, { tls: 'implicit' });
    expect(() => server.updateTls({ cert: second.cert, key: first.key })).toThrow(/key values mismatch/i);
    expect(() => server.updateTls({ cert: 'no certificate', key: first.key })).toThrow();
    const peer = await Peer.connect(port, { tls: { ca: first.cert } });
    expect(commonName(peer)).toBe('first');
  });

  it('is a misuse of a server that was made without TLS', async () => {
    const { server } = await startServer();
    expect(() => server.updateTls(first)).toThrow(expect.objectContaining({ code: 'POP3_USAGE' }));
  });

  it('begins and ends to ask for client certificates', async () => {
    const { server, port } = await startServer(
      { tls: first, authenticator: anybody('password', 'external') },
      { tls: 'implicit' },
    );
    const mine = await ca.issue('ann');
    const offered = async () => {
      const peer = await Peer.connect(port, { tls: { ca: first.cert, ...mine } });
      await peer.line();
      return peer.list('CAPA');
    };
    expect(await offered()).toContain('SASL PLAIN LOGIN');
    server.updateTls({ ...first, ca: ca.cert });
    expect(await offered()).toContain('SASL EXTERNAL PLAIN LOGIN');
    server.updateTls(first);
    expect(await offered()).toContain('SASL PLAIN LOGIN');
  });
});

describe('client certificates', () => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'announces EXTERNAL to a verified one and hands it to the authenticator, by %s',
    async (version) => {
      const peers: CorePeer[] = [];
      const authenticator = anybody('password', 'external');
      const { server, port } = await startServer(
        {
          tls: { ...first, ca: ca.cert },
          authenticator: {
            accepts: authenticator.accepts,
            authenticate(credentials, context) {
              peers.push(context.peer);
              return authenticator.authenticate(credentials, context);
            },
          },
        },
        { tls: 'implicit' },
      );
      const plain = await server.listen({ port: 0, tls: 'starttls' });
      const options = {
        ca: first.cert,
        minVersion: version,
        maxVersion: version,
        ...(await ca.issue('ann')),
      };

      const implicit = await Peer.connect(port, { tls: options });
      await implicit.line();
      const stls = await Peer.connect(plain.port);
      await stls.line();
      expect(await stls.list('CAPA')).toContain('SASL PLAIN LOGIN');
      await stls.startTls({ ...options });
      for (const peer of [implicit, stls]) {
        expect(await peer.list('CAPA')).toContain('SASL EXTERNAL PLAIN LOGIN');
        expect(await peer.command('AUTH EXTERNAL =')).toMatch(/^\+OK /);
        expect(await peer.command('QUIT')).toMatch(/^\+OK /);
      }
      expect(peers).toHaveLength(2);
      for (const peer of peers) {
        expect(peer).toEqual({
          address: '127.0.0.1',
          tls: true,
          certificate: {
            commonName: 'ann',
            emailAddresses: ['ann@example.org'],
            fingerprint256: expect.stringMatching(/^[0-9a-f]{64}$/),
          },
        });
      }
    },
  );

  it('lets a client without one log in with a password', async () => {
    const { port } = await startServer(
      { tls: { ...first, ca: ca.cert }, authenticator: anybody('password', 'external') },
      { tls: 'implicit' },
    );
    const peer = await Peer.connect(port, { tls: { ca: first.cert } });
    await peer.line();
    expect(await peer.list('CAPA')).toContain('SASL PLAIN LOGIN');
    expect(await peer.command('AUTH EXTERNAL =')).toBe('-ERR mechanism is not supported');
    await peer.logIn();
  });

  it('does not believe one of another authority', async () => {
    const { port } = await startServer(
      { tls: { ...first, ca: ca.cert }, authenticator: anybody('password', 'external') },
      { tls: 'implicit' },
    );
    const stranger = await (await authority()).issue('ann');
    const peer = await Peer.connect(port, { tls: { ca: first.cert, ...stranger } });
    await peer.line();
    expect(await peer.list('CAPA')).toContain('SASL PLAIN LOGIN');
    expect(await peer.command('AUTH EXTERNAL =')).toBe('-ERR mechanism is not supported');
  });

  it('are not asked for when the authenticator can do nothing with them (RFC 8314 section 4.4)', async () => {
    const certificates: unknown[] = [];
    const { port } = await startServer(
      {
        tls: { ...first, ca: ca.cert },
        authenticator: {
          accepts: ['password'],
          authenticate(credentials, context) {
            certificates.push(context.peer.certificate);
            return anybody().authenticate(credentials, context);
          },
        },
      },
      { tls: 'implicit' },
    );
    const peer = await Peer.connect(port, { tls: { ca: first.cert, ...(await ca.issue('ann')) } });
    await peer.line();
    expect(await peer.list('CAPA')).toContain('SASL PLAIN LOGIN');
    await peer.logIn();
    expect(certificates).toEqual([null]);
  });
});

it.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'resumes a session of a client that presented a certificate, by %s, and still knows it',
  async (version) => {
    const { port } = await startServer(
      { tls: { ...first, ca: ca.cert }, authenticator: anybody('external') },
      { tls: 'implicit' },
    );
    const options = { ca: first.cert, minVersion: version, maxVersion: version, ...(await ca.issue('ann')) };
    const one = connect({ ...options, port, checkServerIdentity: () => undefined });
    const [session] = (await once(one, 'session')) as [Buffer];
    one.destroy();
    const resumed = await Peer.connect(port, { tls: { ...options, session } });
    await resumed.line();
    expect((resumed.socket as TLSSocket).isSessionReused()).toBe(true);
    expect(await resumed.command('AUTH EXTERNAL =')).toMatch(/^\+OK /);
  },
);
