import type { Peer as CorePeer } from '@pop3/core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ListenOptions, Pop3ServerOptions } from '../src/index.js';
import { parseXclient } from '../src/xclient.js';
import { authority, type KeyPair, serverCertificate } from './certificates.js';
import { next, record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { binaryHeader } from './proxy-octets.js';
import { anybody, startServer } from './started-server.js';
import { until } from './until.js';

const NOTHING = { address: null, port: null, session: null, tls: null };

describe('parameters', () => {
  it.each([
    ['', NOTHING],
    ['ADDR=192.0.2.1', { address: '192.0.2.1' }],
    ['ADDR=192.0.2.1 PORT=4711', { address: '192.0.2.1', port: 4711 }],
    ['addr=2001:DB8:0::1 Port=0', { address: '2001:db8::1', port: 0 }],
    ['ADDR=::ffff:192.0.2.1', { address: '192.0.2.1' }],
    ['ADDR=192.0.2.1 ADDR=192.0.2.2', { address: '192.0.2.2' }],
    ['  ADDR=192.0.2.1  ', { address: '192.0.2.1' }],
    ['SESSION=a=b/+', { session: 'a=b/+' }],
    [`SESSION=${'x'.repeat(64)}`, { session: 'x'.repeat(64) }],
    [`SESSION=${'x'.repeat(65)}`, NOTHING],
    ['SESSION= PORT=1', { port: 1 }],
    ['SESSION=a\x1b[2J', NOTHING],
    ['CLIENT-TRANSPORT=TLS', { tls: true }],
    ['CLIENT-TRANSPORT=TLSv1.3', { tls: true }],
    ['CLIENT-TRANSPORT=insecure', { tls: false }],
    ['DESTADDR=192.0.2.2 DESTPORT=110 DESTNAME=any.thing TTL=5 FORWARD=YT1iCWM9ZA==', NOTHING],
    ['NEW=thing constructor=1 ADDR', NOTHING],
  ])('of %j are read', (argument, client) => {
    expect(parseXclient(argument)).toEqual({ ...NOTHING, ...client });
  });

  it.each([
    'ADDR=',
    'ADDR=localhost',
    'ADDR=192.0.2.01',
    'ADDR=192.0.2.1 PORT=65536',
    'PORT=-1',
    'PORT=',
    'PORT=99999999999',
    'DESTADDR=here',
    'DESTPORT=pop3',
    'TTL=',
    'TTL=five',
    'FORWARD=a',
    'FORWARD=****',
  ])('of %j cannot be', (argument) => {
    expect(parseXclient(argument)).toBeNull();
  });
});

let tls: KeyPair;
let ca: Awaited<ReturnType<typeof authority>>;
beforeAll(async () => {
  tls = await serverCertificate();
  ca = await authority();
});

async function start(options: Partial<Pop3ServerOptions> = {}, listen: ListenOptions = {}) {
  const peers: CorePeer[] = [];
  const { authenticator = anybody() } = options;
  const started = await startServer(
    {
      trustedProxies: ['127.0.0.1'],
      ...options,
      authenticator: {
        accepts: authenticator.accepts,
        authenticate(credentials, context) {
          peers.push(context.peer);
          return authenticator.authenticate(credentials, context);
        },
      },
    },
    { tls: 'off', xclient: true, ...listen },
  );
  return { ...started, peers };
}

describe('a trusted proxy', () => {
  it('is told of the command in the greeting, and not in CAPA', async () => {
    const { port } = await start();
    const peer = await Peer.connect(port);
    expect(await peer.line()).toBe('+OK [XCLIENT] POP3 server ready');
    expect((await peer.list('CAPA')).join()).not.toContain('XCLIENT');
  });

  it.each([
    ['XCLIENT ADDR=192.0.2.1 PORT=4711 SESSION=abc', { port: 4711, proxySession: 'abc' }],
    ['xclient addr=192.0.2.1', {}],
    ['XOIP 192.0.2.1', {}],
  ])('says who the peer is for all that follows: %s', async (line, more) => {
    const { port, peers } = await start({ plaintextAuth: 'allow', limits: { failedLoginDelayMs: 0 } });
    const refused = record('loginRefused');
    const over = next('session');
    const peer = await Peer.connect(port);
    await peer.line();
    expect(await peer.command(line)).toBe('+OK Updated');
    await peer.command('USER ann');
    expect(await peer.command('PASS wrong')).toMatch(/^-ERR \[AUTH\]/);
    await peer.logIn();
    await peer.command('QUIT');
    const client = { address: '192.0.2.1', proxy: '127.0.0.1', ...more };
    expect(refused).toMatchObject([client]);
    expect(await over).toMatchObject({ ...client, username: 'ann' });
    for (const seen of peers) expect(seen).toEqual({ address: '192.0.2.1', tls: false, certificate: null });
    expect(peers).toHaveLength(2);
  });

  it('may send the login behind it at once', async () => {
    const { port, peers } = await start({ plaintextAuth: 'allow' });
    const peer = await Peer.connect(port);
    peer.send(`XCLIENT ADDR=192.0.2.1\r\nUSER ann\r\nPASS ${PASSWORD}\r\nQUIT\r\n`);
    expect((await peer.rest()).match(/^\+OK/gm)).toHaveLength(5);
    expect(peers).toMatchObject([{ address: '192.0.2.1' }]);
  });

  it.each(['XCLIENT ADDR=nobody', 'XCLIENT PORT=x', 'XOIP', 'XOIP nobody', 'XOIP ADDR=192.0.2.1'])(
    'is told what is wrong, and nothing changes: %s',
    async (line) => {
      const { port } = await start();
      const over = next('session');
      const peer = await Peer.connect(port);
      await peer.line();
      expect(await peer.command(line)).toBe('-ERR Invalid parameters');
      await peer.command('QUIT');
      expect(await over).toMatchObject({ address: '127.0.0.1' });
      expect(await over).not.toHaveProperty('proxy');
    },
  );

  it('says so before the login, and not after', async () => {
    const { port } = await start({ plaintextAuth: 'allow' });
    const peer = await Peer.loggedIn(port);
    expect(await peer.command('XCLIENT ADDR=192.0.2.1')).toBe('-ERR XCLIENT is not valid in this state');
  });

  it('makes a name that was given before void', async () => {
    const { port } = await start({ plaintextAuth: 'allow' });
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    await peer.command('XCLIENT ADDR=192.0.2.1');
    expect(await peer.command(`PASS ${PASSWORD}`)).toBe('-ERR PASS is not valid in this state');
  });
});

describe('everybody else', () => {
  it.each([
    ['comes from another address', { trustedProxies: ['127.0.0.2'] }, {}],
    ['comes where the listener knows nothing of it', {}, { xclient: false }],
  ])('has no such command, who %s', async (_, options, listen) => {
    const { port } = await start(options, listen);
    const over = next('session');
    const peer = await Peer.connect(port);
    expect(await peer.line()).toBe('+OK POP3 server ready');
    expect(await peer.command('XCLIENT ADDR=192.0.2.1')).toBe('-ERR unknown command');
    expect(await peer.command('XOIP 192.0.2.1')).toBe('-ERR unknown command');
    await peer.command('QUIT');
    expect(await over).toMatchObject({ address: '127.0.0.1' });
  });

  it.each([
    ['by the proxy that a PROXY header names', 'PROXY TCP4 10.0.0.7 127.0.0.1 1 2\r\n', true],
    ['by a client that a PROXY header names', 'PROXY TCP4 192.0.2.1 127.0.0.1 1 2\r\n', false],
    ['by a client that no PROXY header names', 'PROXY UNKNOWN\r\n', false],
    ['by the proxy itself', binaryHeader({ command: 0x20 }), true],
  ])('is told apart behind a PROXY header: said %s', async (_, header, believed) => {
    const { port } = await start({ trustedProxies: ['127.0.0.1', '10.0.0.0/8'] }, { proxyProtocol: true });
    const peer = await Peer.connect(port);
    peer.send(Buffer.from(header as string, 'latin1').toString('latin1'));
    expect((await peer.line()).includes('[XCLIENT]')).toBe(believed);
    expect(await peer.command('XCLIENT ADDR=192.0.2.9')).toBe(
      believed ? '+OK Updated' : '-ERR unknown command',
    );
  });

  it('must be named where the command is offered', async () => {
    const { server } = await startServer();
    const misuse = expect.objectContaining({ code: 'POP3_USAGE' });
    expect(() => server.listen({ port: 0, xclient: true })).toThrow(misuse);
  });
});

describe('connections from one address', () => {
  it('are those of the client, and the proxy has as many as it has clients', async () => {
    const { server, port } = await start({ limits: { maxConnectionsPerAddress: 1 } });
    const rejected = record('rejected');
    const introduced = async (address: string) => {
      const peer = await Peer.connect(port);
      await peer.line();
      peer.send(`XCLIENT ADDR=${address}\r\n`);
      return peer;
    };
    const first = await introduced('192.0.2.1');
    expect(await first.line()).toBe('+OK Updated');
    const other = await introduced('192.0.2.2');
    expect(await other.line()).toBe('+OK Updated');

    const second = await introduced('192.0.2.1');
    expect(await second.rest()).toBe('');
    expect(rejected).toMatchObject([
      { reason: 'too-many-connections-from-address', address: '192.0.2.1', proxy: '127.0.0.1' },
    ]);
    // The place is free again when its connection says that it speaks for another one, and when it ends.
    expect(await first.command('XCLIENT ADDR=192.0.2.3')).toBe('+OK Updated');
    const third = await introduced('192.0.2.1');
    expect(await third.line()).toBe('+OK Updated');
    third.reset();
    other.reset();
    await until(() => server.connections === 1);
    for (const address of ['192.0.2.1', '192.0.2.2']) {
      expect(await (await introduced(address)).line()).toBe('+OK Updated');
    }
  });

  it('may be said twice of one connection', async () => {
    const { port } = await start({ limits: { maxConnectionsPerAddress: 1 } });
    const peer = await Peer.connect(port);
    await peer.line();
    for (let i = 0; i < 3; i++) expect(await peer.command('XOIP 192.0.2.1')).toBe('+OK Updated');
  });

  it('let nobody log in behind one too many', async () => {
    const { server, port, peers } = await start({
      plaintextAuth: 'allow',
      limits: { maxConnectionsPerAddress: 1 },
    });
    const first = await Peer.connect(port);
    await first.line();
    await first.command('XCLIENT ADDR=192.0.2.1');
    const second = await Peer.connect(port);
    await second.line();
    second.send(`XCLIENT ADDR=192.0.2.1\r\nUSER ann\r\nPASS ${PASSWORD}\r\nQUIT\r\n`);
    expect(await second.rest()).toBe('');
    await until(() => server.connections === 1);
    expect(peers).toEqual([]);
  });
});

describe('a proxy that does not say for whom it speaks', () => {
  it.each([
    ['nothing at all', null],
    ['a port alone', 'PORT=4711'],
  ])('lends nobody its address, when it says %s', async (_, parameters) => {
    const { port, peers } = await start({ plaintextAuth: 'allow' });
    const peer = await Peer.connect(port);
    await peer.line();
    if (parameters !== null) expect(await peer.command(`XCLIENT ${parameters}`)).toBe('+OK Updated');
    await peer.logIn();
    expect(peers).toEqual([{ address: null, tls: false, certificate: null }]);
  });
});

describe('passwords without TLS', () => {
  it.each([
    ['nobody yet', null, 'refuse'],
    ['somebody elsewhere', 'ADDR=192.0.2.1', 'refuse'],
    ['somebody on this machine', 'ADDR=127.0.0.1', 'allow'],
    ['somebody without an address', 'PORT=4711', 'refuse'],
  ])('depend on for whom a proxy on this machine speaks: %s', async (_, parameters, so) => {
    const { port } = await start();
    const peer = await Peer.connect(port);
    await peer.line();
    if (parameters !== null) expect(await peer.command(`XCLIENT ${parameters}`)).toBe('+OK Updated');
    expect((await peer.list('CAPA')).includes('USER')).toBe(so === 'allow');
    expect(await peer.command('USER ann')).toMatch(so === 'allow' ? /^\+OK/ : /^-ERR/);
  });

  it.each([
    ['counts where the listener believes in it', 'TLS', true, true],
    ['does not count where it does not', 'TLS', false, false],
    ['is not there when the proxy says so', 'insecure', true, false],
  ])('or on TLS of the client, which %s', async (_, transport, trustProxyTls, secure) => {
    const { port, peers } = await start({ tls }, { tls: 'starttls', trustProxyTls });
    const over = next('session');
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command(`XCLIENT ADDR=192.0.2.1 CLIENT-TRANSPORT=${transport}`);
    const offered = await peer.list('CAPA');
    expect(offered.includes('USER')).toBe(secure);
    expect(offered.includes('STLS')).toBe(!secure);
    if (secure) {
      await peer.logIn();
      expect(peers).toEqual([{ address: '192.0.2.1', tls: true, certificate: null }]);
    }
    await peer.command('QUIT');
    expect(await over).toMatchObject({ tls: secure ? { version: 'unknown' } : null });
  });
});

it.each(['before', 'after'] as const)(
  'has neither certificate nor bindings of the proxy, when it speaks for a client %s STLS',
  async (when) => {
    const { port, peers } = await start(
      { tls: { ...tls, ca: ca.cert }, authenticator: anybody('password', 'external') },
      { tls: 'starttls' },
    );
    const secured = { ca: tls.cert, ...(await ca.issue('proxy')) };
    const peer = await Peer.connect(port);
    await peer.line();
    if (when === 'after') {
      await peer.startTls(secured);
      expect(await peer.list('CAPA')).toContain('SASL EXTERNAL PLAIN LOGIN');
    }
    expect(await peer.command('XCLIENT ADDR=192.0.2.1')).toBe('+OK Updated');
    if (when === 'before') await peer.startTls(secured);
    expect(await peer.list('CAPA')).toContain('SASL PLAIN LOGIN');
    expect(await peer.command('AUTH EXTERNAL =')).toBe('-ERR mechanism is not supported');
    await peer.logIn();
    expect(peers).toEqual([{ address: '192.0.2.1', tls: true, certificate: null }]);
    expect(peers[0]?.channelBinding).toBeUndefined();
  },
);
