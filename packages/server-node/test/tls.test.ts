import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { inspect } from 'node:util';
import type { Peer as CorePeer } from '@pop3/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { TlsOptions } from '../src/index.js';
import { authority, type KeyPair, serverCertificate } from './certificates.js';
import { next, record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
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

describe('listeners', () => {
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' } as const;

  it('have a least version each', async () => {
    const { server, port } = await startServer({ tls: first }, { tls: 'implicit' });
    const { port: oldPort } = await server.listen({ port: 0, tls: 'implicit', minVersion: 'TLSv1' });
    const { port: newPort } = await server.listen({ port: 0, tls: 'starttls', minVersion: 'TLSv1.3' });
    await expect(Peer.connect(port, { tls: { ca: first.cert, ...old } })).rejects.toThrow(/protocol version/);
    const oldPeer = await Peer.loggedIn(oldPort, { tls: { ca: first.cert, ...old } });
    expect((oldPeer.socket as TLSSocket).getProtocol()).toBe('TLSv1');
    const newPeer = await Peer.connect(oldPort, { tls: { ca: first.cert } });
    expect((newPeer.socket as TLSSocket).getProtocol()).toBe('TLSv1.3');
    const peer = await Peer.connect(newPort);
    await peer.line();
    await expect(peer.startTls({ ca: first.cert, maxVersion: 'TLSv1.2' })).rejects.toThrow(
      /protocol version/,
    );
    // Also after the certificates were replaced.
    server.updateTls(second);
    const again = await Peer.connect(oldPort, { tls: { ca: second.cert, ...old } });
    expect((again.socket as TLSSocket).getProtocol()).toBe('TLSv1');
  });

  it('cannot want less than is possible', async () => {
    const { server } = await startServer({ tls: { ...first, maxVersion: 'TLSv1.2' } }, { tls: 'implicit' });
    expect(() => server.listen({ port: 0, tls: 'implicit', minVersion: 'TLSv1.3' })).toThrow(
      expect.objectContaining({ code: 'POP3_USAGE', message: expect.stringContaining('no version') }),
    );
  });

  it('that let old versions in make no session that others resume', async () => {
    const { server, port } = await startServer({ tls: first }, { tls: 'implicit' });
    const { port: oldPort } = await server.listen({ port: 0, tls: 'implicit', minVersion: 'TLSv1' });
    const cbc = { ca: first.cert, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' } as const;
    const session = await sessionOf(oldPort, cbc);
    expect(await resumes(oldPort, { ...cbc, session })).toBe(true);
    await expect(Peer.connect(port, { tls: { ...cbc, session } })).rejects.toThrow();
  });
});

describe('ciphers', () => {
  const FORWARD_SECRET = /^(ECDHE|TLS_)/;

  it.each(['AES128-SHA', 'AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA384', 'PSK'])(
    'are none that keep no secret of the past or are not authenticated, by default: %s',
    async (ciphers) => {
      const rsa = await serverCertificate('rsa', [], { keyType: 'rsa', algorithm: 'sha256' });
      for (const pair of [first, rsa]) {
        const { port } = await startServer({ tls: pair }, { tls: 'implicit' });
        const refused = Peer.connect(port, { tls: { ca: pair.cert, ciphers, maxVersion: 'TLSv1.2' } });
        await expect(refused).rejects.toThrow();
      }
    },
  );

  it('are forward-secret in every version', async () => {
    const { port } = await startServer({ tls: first }, { tls: 'implicit' });
    for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
      const peer = await Peer.connect(port, { tls: { ca: first.cert, maxVersion } });
      expect((peer.socket as TLSSocket).getCipher().name).toMatch(FORWARD_SECRET);
    }
  });

  it('can be chosen', async () => {
    const tls = { ...first, ciphers: 'ECDHE-ECDSA-AES256-GCM-SHA384', maxVersion: 'TLSv1.2' } as const;
    const { port } = await startServer({ tls }, { tls: 'implicit' });
    const peer = await Peer.connect(port, { tls: { ca: first.cert } });
    expect((peer.socket as TLSSocket).getCipher().name).toBe('ECDHE-ECDSA-AES256-GCM-SHA384');
  });
});

describe('ALPN', () => {
  it.each(['TLS', 'STLS'])('is pop3, for who asks for it, by %s', async (road) => {
    const { port } = await startServer({ tls: first }, { tls: road === 'TLS' ? 'implicit' : 'starttls' });
    const offering = async (...ALPNProtocols: string[]) => {
      const options = { ca: first.cert, ...(ALPNProtocols.length > 0 && { ALPNProtocols }) };
      const peer = await Peer.connect(port, road === 'TLS' ? { tls: options } : {});
      await peer.line();
      if (road === 'STLS') await peer.startTls(options);
      return (peer.socket as TLSSocket).alpnProtocol;
    };
    expect(await offering('imap', 'pop3')).toBe('pop3');
    expect(await offering()).toBe(false);
    const rejected = record('rejected');
    await expect(offering('imap', 'http/1.1')).rejects.toThrow(/no application protocol/);
    expect(rejected).toMatchObject([{ reason: 'tls-handshake-failed' }]);
  });
});

describe('several certificates', () => {
  let rsa: KeyPair;
  let wild: KeyPair;
  beforeAll(async () => {
    rsa = await serverCertificate('rsa', ['rsa.example.org'], { keyType: 'rsa', algorithm: 'sha256' });
    wild = await serverCertificate('wild', ['*.example.org', 'example.org']);
  });

  const ROADS = (['TLSv1.2', 'TLSv1.3'] as const).flatMap((version) =>
    (['TLS', 'STLS'] as const).map((road) => [version, road] as const),
  );

  it.each(ROADS)('are chosen by the name that the client asks for: %s, %s', async (version, road) => {
    const { port } = await startServer(
      { tls: { ...first, certificates: [wild, rsa] } },
      { tls: road === 'TLS' ? 'implicit' : 'starttls' },
    );
    const chosen = async (servername?: string) => {
      const ca = [first.cert, wild.cert, rsa.cert];
      const named = servername === undefined ? {} : { servername };
      const options = { ca, minVersion: version, maxVersion: version, ...named };
      const peer = await Peer.connect(port, road === 'TLS' ? { tls: options } : {});
      await peer.line();
      if (road === 'STLS') await peer.startTls(options);
      const name = commonName(peer);
      await peer.logIn();
      const over = next('session');
      await peer.command('QUIT');
      expect((await over).tls).toMatchObject({ version, serverName: servername ?? null });
      return name;
    };
    expect(await chosen('rsa.example.org')).toBe('rsa');
    expect(await chosen('any.example.org')).toBe('wild');
    expect(await chosen('EXAMPLE.org')).toBe('wild');
    expect(await chosen('a.b.example.org')).toBe('first');
    expect(await chosen('unknown.test')).toBe('first');
    expect(await chosen()).toBe('first');
  });

  it('wait for the whole ClientHello, and not for one whose client has gone', async () => {
    const { server, port } = await startServer(
      { tls: { ...first, certificates: [wild] }, limits: { maxConnections: 1 } },
      { tls: 'implicit' },
    );
    const rejected = record('rejected');
    const peer = await Peer.connect(port);
    peer.send('\x16\x03\x01\x02\x00\x01\x00\x01\xfc');
    peer.halfClose();
    await peer.closed();
    await server.close();
    expect(rejected).toMatchObject([{ reason: 'tls-handshake-failed' }]);
  });

  it('are not recorded under a name that no log should hold', async () => {
    const { port } = await startServer({ tls: { ...first, certificates: [wild] } }, { tls: 'implicit' });
    const over = next('session');
    const peer = await Peer.loggedIn(port, { tls: { ca: first.cert, servername: 'a\x1b[2J\nb' } });
    await peer.command('QUIT');
    expect((await over).tls).toMatchObject({ serverName: null });
  });

  it('answer what is no TLS as one certificate does', async () => {
    const { port } = await startServer({ tls: { ...first, certificates: [wild] } }, { tls: 'starttls' });
    const rejected = record('rejected');
    const peer = await Peer.connect(port);
    await peer.line();
    expect(await peer.command('STLS')).toBe('+OK begin TLS');
    peer.send(`USER mallory\r\nPASS ${PASSWORD}\r\n`);
    expect(await peer.rest()).not.toMatch(/OK|ERR/);
    expect(rejected).toMatchObject([{ reason: 'tls-handshake-failed' }]);
  });

  it('believe the same authorities', async () => {
    const { port } = await startServer(
      { tls: { ...first, certificates: [rsa], ca: ca.cert }, authenticator: anybody('external') },
      { tls: 'implicit' },
    );
    const mine = await ca.issue('ann');
    const options = { ca: rsa.cert, servername: 'rsa.example.org', ...mine };
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      const forced = { ...options, minVersion: version, maxVersion: version };
      const session = await sessionOf(port, forced);
      for (const resumed of [{}, { session }]) {
        const peer = await Peer.connect(port, { tls: { ...forced, ...resumed } });
        await peer.line();
        expect((peer.socket as TLSSocket).isSessionReused()).toBe('session' in resumed);
        expect(await peer.command('AUTH EXTERNAL =')).toMatch(/^\+OK /);
        await peer.command('QUIT');
      }
    }
  });

  it('must all fit their keys', async () => {
    const { server } = await startServer({ tls: { ...first, certificates: [wild] } });
    const mixed = { cert: rsa.cert, key: wild.key };
    expect(() => server.updateTls({ ...first, certificates: [mixed] })).toThrow(/does not belong/);
    expect(() => server.updateTls(mixed)).toThrow(/does not belong/);
  });

  it('may be of two kinds for the same names', async () => {
    const both = { cert: [rsa.cert, wild.cert], key: [rsa.key, wild.key] };
    const { port } = await startServer({ tls: { ...first, certificates: [both] } }, { tls: 'implicit' });
    const served = async (ciphers: string) => {
      const options = { servername: 'rsa.example.org', ca: [rsa.cert, wild.cert], ciphers };
      return commonName(await Peer.connect(port, { tls: { ...options, maxVersion: 'TLSv1.2' } }));
    };
    expect(await served('ECDHE-RSA-AES128-GCM-SHA256')).toBe('rsa');
    expect(await served('ECDHE-ECDSA-AES128-GCM-SHA256')).toBe('wild');
  });

  it('may have keys that need a passphrase', async () => {
    const key = createPrivateKey(rsa.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'open',
    });
    const sealed = { cert: rsa.cert, key, passphrase: 'open' };
    const { server, port } = await startServer(
      { tls: { ...first, certificates: [sealed] } },
      { tls: 'implicit' },
    );
    const peer = await Peer.connect(port, { tls: { ca: rsa.cert, servername: 'rsa.example.org' } });
    expect(commonName(peer)).toBe('rsa');
    expect(() => server.updateTls({ ...sealed, passphrase: 'wrong' })).toThrow();
  });
});

/** What a client needs to resume its session. */
async function sessionOf(port: number, options: ConnectionOptions): Promise<Buffer> {
  const client = connect({ ...options, port, host: '127.0.0.1', checkServerIdentity: () => undefined });
  const [session] = (await once(client, 'session')) as [Buffer];
  client.destroy();
  return session;
}

async function resumes(port: number, options: ConnectionOptions): Promise<boolean> {
  const peer = await Peer.connect(port, { tls: options });
  await peer.line();
  return (peer.socket as TLSSocket).isSessionReused();
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('sessions of %s', (version) => {
  const options = () => ({ ca: [first.cert, second.cert], minVersion: version, maxVersion: version });

  it('are resumed, which the record says', async () => {
    const { port } = await startServer({ tls: first }, { tls: 'implicit' });
    const session = await sessionOf(port, options());
    const over = next('session', ({ username }) => username === 'ann');
    const peer = await Peer.loggedIn(port, { tls: { ...options(), session } });
    await peer.command('QUIT');
    expect(await over).toMatchObject({ tls: { version, resumed: true } });
  });

  it('are resumed across a change of certificates', async () => {
    const { server, port } = await startServer({ tls: first }, { tls: 'implicit' });
    const session = await sessionOf(port, options());
    server.updateTls(second);
    expect(await resumes(port, { ...options(), session })).toBe(true);
    expect(await resumes(port, options())).toBe(false);
  });

  it('are resumed by servers with the same ticket keys, and by no others', async () => {
    const started = async (octet: number | null) => {
      const keys = octet === null ? {} : { ticketKeys: Buffer.alloc(48, octet) };
      return startServer({ tls: { ...first, ...keys } }, { tls: 'implicit' });
    };
    const one = await started(1);
    const session = await sessionOf(one.port, options());
    expect(await resumes((await started(1)).port, { ...options(), session })).toBe(true);
    expect(await resumes((await started(2)).port, { ...options(), session })).toBe(false);
    expect(await resumes((await started(null)).port, { ...options(), session })).toBe(false);
    // New keys: then a full handshake, and from there on with the new ones.
    one.server.updateTls({ ...first, ticketKeys: Buffer.alloc(48, 3) });
    expect(await resumes(one.port, { ...options(), session })).toBe(false);
    const renewed = await sessionOf(one.port, options());
    expect(await resumes(one.port, { ...options(), session: renewed })).toBe(true);
  });

  it('are not resumed when other authorities are believed', async () => {
    const tls = { ...first, ca: ca.cert, ticketKeys: Buffer.alloc(48, 1) };
    const authenticator = anybody('password', 'external');
    const { server, port } = await startServer({ tls, authenticator }, { tls: 'implicit' });
    const mine = { ...options(), ...(await ca.issue('ann')) };
    const session = await sessionOf(port, mine);
    expect(await resumes(port, { ...mine, session })).toBe(true);
    server.updateTls({ ...tls, ca: (await authority()).cert });
    const peer = await Peer.connect(port, { tls: { ...mine, session } });
    await peer.line();
    expect(await peer.list('CAPA')).toContain('SASL PLAIN LOGIN');
  });
});

it('refuses ticket keys of another length, and shows none', async () => {
  const ticketKeys = Buffer.alloc(47, 'k');
  const misuse = expect.objectContaining({
    code: 'POP3_USAGE',
    message: expect.stringContaining('47 octets'),
  });
  await expect(startServer({ tls: { ...first, ticketKeys } })).rejects.toThrow(misuse);
  const { server } = await startServer({ tls: first });
  expect(() => server.updateTls({ ...first, ticketKeys })).toThrow(misuse);
});

describe('a source of certificates', () => {
  it('is asked before each handshake', async () => {
    let current: TlsOptions = first;
    const { port } = await startServer({ tls: { current: () => current } }, { tls: 'implicit' });
    expect(commonName(await Peer.connect(port, { tls: { ca: first.cert } }))).toBe('first');
    current = second;
    expect(commonName(await Peer.connect(port, { tls: { ca: second.cert } }))).toBe('second');
  });

  it.each([
    ['gives what cannot be used', () => ({ cert: second.cert, key: first.key })],
    [
      'throws',
      () => {
        throw new Error('out of order');
      },
    ],
  ])('changes nothing when it %s, which is a fault, told once', async (_, spoilt) => {
    let current: () => TlsOptions = () => first;
    const { port } = await startServer({ tls: { current: () => current() } }, { tls: 'implicit' });
    const faults = record('fault');
    const served = async () =>
      commonName(await Peer.connect(port, { tls: { ca: [first.cert, second.cert] } }));
    current = spoilt;
    for (let i = 0; i < 3; i++) expect(await served()).toBe('first');
    expect(faults).toMatchObject([{ during: 'tls', address: '127.0.0.1', error: expect.any(Error) }]);
    current = () => second;
    expect(await served()).toBe('second');
    expect(faults).toHaveLength(1);
  });

  it('may take the place of certificates, and they its place', async () => {
    const { server, port } = await startServer({ tls: first }, { tls: 'implicit' });
    server.updateTls({ current: () => second });
    expect(commonName(await Peer.connect(port, { tls: { ca: second.cert } }))).toBe('second');
    server.updateTls(first);
    expect(commonName(await Peer.connect(port, { tls: { ca: first.cert } }))).toBe('first');
  });
});

it('shows neither keys nor passphrases nor ticket keys', async () => {
  const tls = { ...first, passphrase: 'the passphrase', ticketKeys: Buffer.alloc(48, 'ticket') };
  const { server } = await startServer({ tls: { ...tls, certificates: [second] } });
  const shown = inspect(server, { depth: 20, showHidden: true });
  for (const secret of [first.key.split('\n')[1], tls.passphrase, '74 69 63 6b 65 74', 'PRIVATE']) {
    expect(shown).not.toContain(secret);
  }
  const failed = (error: unknown) => inspect(error, { depth: 20, showHidden: true });
  try {
    server.updateTls({ ...tls, key: second.key });
    expect.unreachable();
  } catch (error) {
    for (const secret of [second.key.split('\n')[1], tls.passphrase, '74 69 63 6b 65 74']) {
      expect(failed(error)).not.toContain(secret);
    }
  }
});
