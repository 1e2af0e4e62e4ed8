import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ListenOptions, Pop3ServerOptions } from '../src/index.js';
import { type KeyPair, serverCertificate } from './certificates.js';
import { next, record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { binaryHeader, field, tlsField, withChecksum } from './proxy-octets.js';
import { anybody, startServer } from './started-server.js';
import { until } from './until.js';

let tls: KeyPair;
beforeAll(async () => {
  tls = await serverCertificate();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  return () => vi.useRealTimers();
});

const HEADER = 'PROXY TCP4 192.0.2.1 198.51.100.2 56324 110\r\n';

function behindProxy(options: Partial<Pop3ServerOptions> = {}, listen: ListenOptions = {}) {
  return startServer(
    { trustedProxies: ['127.0.0.1'], ...options },
    { tls: 'off', proxyProtocol: true, ...listen },
  );
}

/** A socket whose first octets go out behind a header, together and in pieces of a size. */
function inPieces(socket: Socket, header: Buffer, size: number): Duplex {
  let first = header;
  const pieces = new Duplex({
    read() {},
    write(octets: Buffer, _, done) {
      const all = Buffer.concat([first, octets]);
      first = Buffer.alloc(0);
      for (let at = 0; at < all.length; at += size) socket.write(all.subarray(at, at + size));
      done();
    },
    final: (done) => void socket.end(done),
  });
  socket.on('data', (octets) => pieces.push(octets));
  socket.on('error', () => {});
  return pieces;
}

/** Connects and sends a header. */
async function proxied(port: number, header: string | Uint8Array = HEADER): Promise<Peer> {
  const peer = await Peer.connect(port);
  peer.send(Buffer.from(header as string, 'latin1').toString('latin1'));
  return peer;
}

describe('a client that a proxy does not name', () => {
  it.each(['before STLS', 'after STLS'])('has no address that could open anything, %s', async (when) => {
    const addresses: unknown[] = [];
    const authenticator = anybody();
    const { port } = await behindProxy(
      {
        tls,
        plaintextAuth: 'allow',
        authenticator: {
          ...authenticator,
          authenticate(credentials, context) {
            addresses.push(context.peer.address);
            return authenticator.authenticate(credentials, context);
          },
        },
      },
      { tls: 'starttls' },
    );
    const peer = await proxied(port, 'PROXY UNKNOWN\r\n');
    await peer.line();
    if (when === 'after STLS') await peer.startTls({ ca: tls.cert });
    await peer.logIn();
    expect(addresses).toEqual([null]);
  });
});

describe('the client that a proxy names', () => {
  it.each([
    ['version 1', HEADER],
    ['version 2', binaryHeader()],
    ['version 2 with a checksum', withChecksum({ fields: [field(0x05, 'an id')] })],
  ])('is the peer for the authenticator and in all records: %s', async (_, header) => {
    const addresses: unknown[] = [];
    const { port } = await behindProxy({
      plaintextAuth: 'allow',
      authenticator: {
        accepts: ['password'],
        authenticate(credentials, context) {
          addresses.push(context.peer.address);
          return anybody().authenticate(credentials, context);
        },
      },
      limits: { failedLoginDelayMs: 0 },
    });
    const events = [record('connected'), record('loginRefused'), record('trace'), record('session')];
    const over = next('session');
    const peer = await proxied(port, header);
    expect(await peer.line()).toBe('+OK POP3 server ready');
    await peer.command('USER ann');
    expect(await peer.command('PASS wrong')).toMatch(/^-ERR \[AUTH\]/);
    await peer.logIn();
    await peer.command('QUIT');
    await over;
    expect(addresses).toEqual(['192.0.2.1', '192.0.2.1']);
    for (const recorded of events) {
      expect(recorded.length).toBeGreaterThan(0);
      for (const event of recorded) {
        expect(event).toMatchObject({ address: '192.0.2.1', port: 56324, proxy: '127.0.0.1' });
      }
    }
  });

  it('counts for the limit of connections from one address, and the proxy does not', async () => {
    const { server, port } = await behindProxy({ limits: { maxConnectionsPerAddress: 1 } });
    const rejected = record('rejected');
    const first = await proxied(port);
    expect(await first.line()).toMatch(/^\+OK/);
    const second = await proxied(port);
    expect(await second.rest()).toMatch(/^-ERR \[SYS\/TEMP\] too many connections/);
    const other = await proxied(port, HEADER.replace('192.0.2.1', '192.0.2.9'));
    expect(await other.line()).toMatch(/^\+OK/);
    expect(rejected).toMatchObject([
      { reason: 'too-many-connections-from-address', address: '192.0.2.1', proxy: '127.0.0.1' },
    ]);
    first.reset();
    await until(() => server.connections === 1);
    expect(await (await proxied(port)).line()).toMatch(/^\+OK/);
  });

  it('counts with the connections in all from the start, and is told nothing before its header', async () => {
    const { port } = await behindProxy({ limits: { maxConnections: 1 } });
    const rejected = record('rejected');
    const silent = await Peer.connect(port);
    silent.send('PROXY ');
    const second = await Peer.connect(port);
    expect(await second.rest()).toBe('');
    expect(rejected).toMatchObject([{ reason: 'too-many-connections', address: '127.0.0.1' }]);
  });

  it.each([
    ['a client elsewhere', HEADER, 'refuse'],
    ['a client on this machine', 'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n', 'allow'],
    ['a client that it does not name', 'PROXY UNKNOWN\r\n', 'refuse'],
    ['a client over UDP', binaryHeader({ family: 0x12 }), 'refuse'],
    ['itself', binaryHeader({ command: 0x20 }), 'allow'],
  ])(
    'decides on passwords without TLS, when a proxy on this machine speaks for %s',
    async (_, header, so) => {
      const { port } = await behindProxy();
      const peer = await proxied(port, header);
      await peer.line();
      const offered = await peer.list('CAPA');
      expect(offered.includes('USER')).toBe(so === 'allow');
      expect(await peer.command('USER ann')).toMatch(so === 'allow' ? /^\+OK/ : /^-ERR/);
    },
  );

  it.each([
    ['says nothing of it', 'PROXY UNKNOWN 192.0.2.1 192.0.2.2 1 2\r\n'],
    ['is the client', binaryHeader({ command: 0x20 })],
  ])('is the proxy where that %s', async (_, header) => {
    const { port } = await behindProxy();
    const connected = next('connected');
    await (await proxied(port, header)).line();
    const info = await connected;
    expect(info).toMatchObject({ address: '127.0.0.1' });
    expect(info).not.toHaveProperty('proxy');
  });

  it('has one form, whichever way its address was written', async () => {
    const { port } = await behindProxy({ limits: { maxConnectionsPerAddress: 1 } });
    await (await proxied(port, 'PROXY TCP6 2001:DB8::0:1 ::1 1 2\r\n')).line();
    const again = await proxied(port, 'PROXY TCP6 2001:db8:0::1 ::1 1 2\r\n');
    expect(await again.rest()).toMatch(/too many/);
  });
});

describe('a header', () => {
  it.each([
    ['whole', 4_096],
    ['octet by octet', 1],
    ['in threes', 3],
  ])('leaves commands behind it as they are, %s', async (_, size) => {
    const { port } = await behindProxy({ plaintextAuth: 'allow' });
    const all = `${HEADER}USER ann\r\nPASS ${PASSWORD}\r\nSTAT\r\nQUIT\r\n`;
    const peer = await Peer.connect(port);
    for (let at = 0; at < all.length; at += size) peer.send(all.slice(at, at + size));
    const lines = (await peer.rest()).split('\r\n');
    expect(lines.map((line) => line.split(' ')[0])).toEqual(['+OK', '+OK', '+OK', '+OK', '+OK', '']);
    expect(lines[3]).toMatch(/^\+OK 3 /);
  });

  it.each(['implicit', 'starttls'] as const)('comes before TLS: %s', async (mode) => {
    const { port } = await behindProxy({ tls }, { tls: mode });
    const over = next('session');
    const peer = await proxied(port);
    if (mode === 'implicit') {
      await peer.shakeHands({ ca: tls.cert });
      expect(await peer.line()).toMatch(/^\+OK/);
    } else {
      expect(await peer.line()).toMatch(/^\+OK/);
      await peer.startTls({ ca: tls.cert });
    }
    await peer.logIn();
    await peer.command('QUIT');
    expect(await over).toMatchObject({ address: '192.0.2.1', username: 'ann', tls: { version: 'TLSv1.3' } });
  });

  it.each([1, 7, 4_096])('leaves a ClientHello behind it as it is, in pieces of %i octets', async (size) => {
    const { port } = await behindProxy({ tls }, { tls: 'implicit' });
    const socket = connectTcp({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    const client = connectTls({ socket: inPieces(socket, Buffer.from(HEADER), size), ca: tls.cert });
    const [greeting] = await once(client, 'data');
    expect(String(greeting)).toBe('+OK POP3 server ready\r\n');
    client.destroy();
  });

  it('has 5 seconds by default, and nothing is said meanwhile', async () => {
    const { server, port } = await behindProxy();
    const rejected = record('rejected');
    const peer = await Peer.connect(port);
    const accepted = until(() => vi.getTimerCount() > 0);
    peer.send(HEADER.slice(0, 10));
    await accepted;
    vi.advanceTimersByTime(4_999);
    expect(rejected).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(await peer.rest()).toBe('');
    expect(rejected).toMatchObject([{ reason: 'proxy-header-timeout', address: '127.0.0.1' }]);
    await server.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each([
    ['a command', 'CAPA\r\n', /no PROXY header/],
    ['TLS', '\x16\x03\x01\x02\x00\x01', /no PROXY header/],
    ['a wrong checksum', binaryHeader({ fields: [field(0x03, Buffer.alloc(4))] }), /checksum/],
    ['a line that is too long', `PROXY UNKNOWN ${'x'.repeat(200)}\r\n`, /107/],
  ])('that is %s closes without a word', async (_, octets, message) => {
    const { server, port } = await behindProxy({ tls }, { tls: 'implicit' });
    const rejected = record('rejected');
    const connected = record('connected');
    const peer = await proxied(port, octets);
    expect(await peer.rest()).toBe('');
    expect(rejected).toMatchObject([
      {
        reason: 'bad-proxy-header',
        address: '127.0.0.1',
        error: { message: expect.stringMatching(message) },
      },
    ]);
    expect(connected).toEqual([]);
    await server.close();
    expect(server.connections).toBe(0);
  });

  it('that ends too early is a bad one, and none at all is nothing to tell', async () => {
    const { server, port } = await behindProxy();
    const rejected = record('rejected');
    const early = await Peer.connect(port);
    early.send('PROXY TCP4 ');
    early.halfClose();
    expect(await early.rest()).toBe('');
    const silent = await Peer.connect(port);
    silent.halfClose();
    expect(await silent.rest()).toBe('');
    await server.close();
    expect(rejected).toMatchObject([
      { reason: 'bad-proxy-header', error: { message: expect.stringMatching(/early/) } },
    ]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not waited for by a server that closes', async () => {
    const { server, port } = await behindProxy();
    const rejected = record('rejected');
    const peer = await Peer.connect(port);
    peer.send('PROXY ');
    await until(() => vi.getTimerCount() > 0);
    await server.close();
    expect(await peer.rest()).toBe('');
    expect(rejected).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is a bad command where it is not expected', async () => {
    const { port } = await startServer({ trustedProxies: ['127.0.0.1'] });
    const connected = next('connected');
    const peer = await proxied(port);
    expect(await peer.line()).toBe('+OK POP3 server ready');
    expect(await peer.line()).toBe('-ERR unknown command');
    expect(await connected).toMatchObject({ address: '127.0.0.1' });
  });
});

describe('trust', () => {
  it('is in no one who is not named: closed before anything is read', async () => {
    const { port } = await behindProxy({ trustedProxies: ['127.0.0.2', '10.0.0.0/8'] });
    const rejected = record('rejected');
    const stranger = await proxied(port);
    expect(await stranger.rest()).toBe('');
    expect(rejected).toMatchObject([{ reason: 'untrusted-proxy', address: '127.0.0.1' }]);
    const proxy = await Peer.connect(port, { from: '127.0.0.2' });
    proxy.send(HEADER);
    expect(await proxy.line()).toMatch(/^\+OK/);
  });

  it('has to be said', async () => {
    const { server } = await startServer({ trustedProxies: [] });
    const misuse = expect.objectContaining({ code: 'POP3_USAGE' });
    expect(() => server.listen({ port: 0, proxyProtocol: true })).toThrow(misuse);
    await expect(startServer({ trustedProxies: ['proxy.example.org'] })).rejects.toThrow(misuse);
  });
});

describe('TLS that ends at the proxy', () => {
  const HEADER_WITH_TLS = binaryHeader({ fields: [tlsField(0x01), field(0x02, 'mail.example.org')] });

  it.each(['off', 'starttls'] as const)('counts where the listener believes in it: %s', async (mode) => {
    const peers: unknown[] = [];
    const { port } = await behindProxy(
      {
        tls,
        authenticator: {
          accepts: ['password'],
          authenticate(credentials, context) {
            peers.push(context.peer);
            return anybody().authenticate(credentials, context);
          },
        },
      },
      { tls: mode, trustProxyTls: true },
    );
    const over = next('session');
    const peer = await proxied(port, HEADER_WITH_TLS);
    await peer.line();
    const offered = await peer.list('CAPA');
    expect(offered).toContain('USER');
    expect(offered).not.toContain('STLS');
    expect(await peer.command('STLS')).toBe('-ERR STLS is not available');
    await peer.logIn();
    await peer.command('QUIT');
    expect(peers).toEqual([{ address: '192.0.2.1', tls: true, certificate: null }]);
    expect(await over).toMatchObject({
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384', serverName: 'mail.example.org' },
    });
  });

  it.each([
    ['the listener does not believe in it', HEADER_WITH_TLS, false],
    ['the client spoke none', binaryHeader({ fields: [tlsField(0x06)] }), true],
    ['the header says nothing of it', binaryHeader(), true],
  ])('does not count where %s', async (_, header, trustProxyTls) => {
    const { port } = await behindProxy({ tls }, { tls: 'starttls', trustProxyTls });
    const peer = await proxied(port, header);
    await peer.line();
    const offered = await peer.list('CAPA');
    expect(offered).toContain('STLS');
    expect(offered).not.toContain('USER');
    expect(await peer.command('USER ann')).toMatch(/^-ERR/);
  });
});
