import { connect, Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openChannel } from '../src/open-channel.js';
import type { ConnectOptions, Trust } from '../src/options.js';
import type { SocketChannel } from '../src/socket-channel.js';
import { certificate, type KeyPair } from './certificates.js';
import { closedPort, errorOf, greet, listen, listenTls, secure, textOf, until } from './loopback.js';

const GREETING = { type: 'greeting' } as const;
const host = '127.0.0.1';

let server: KeyPair;
let trust: Trust;
beforeAll(async () => {
  server = await certificate({ names: ['localhost', '127.0.0.1'] });
  trust = { ca: server.cert };
});

async function open(options: ConnectOptions, signal?: AbortSignal): Promise<SocketChannel> {
  const channel = await openChannel(options, signal);
  onTestFinished(() => channel.destroy());
  return channel;
}

async function greeting(channel: SocketChannel): Promise<string | null> {
  return textOf(channel.read(GREETING));
}

describe('to a host', () => {
  it('connects in the clear', async () => {
    const channel = await open({ host, port: await listen(greet), tls: 'off' });
    expect(await greeting(channel)).toBe('+OK ready\r\n');
    expect(channel.encrypted).toBe(false);
    expect(channel.channelBinding('tls-exporter')).toBeNull();
  });

  it('begins with TLS where that is implicit, which is the default', async () => {
    const channel = await open({ host, port: await listenTls(server), trust });
    expect(await greeting(channel)).toBe('+OK ready\r\n');
    expect(channel.encrypted).toBe(true);
  });

  it('finds the address that works where a name has several', async () => {
    const channel = await open({ host: 'localhost', port: await listenTls(server), trust });
    expect(await greeting(channel)).toBe('+OK ready\r\n');
  });

  it('says what the system says, and where to look', async () => {
    const port = await closedPort();
    const error = await errorOf(open({ host, port, tls: 'off' }));
    expect(error).toMatchObject({
      code: 'POP3_CONNECT',
      retryable: true,
      message: `No connection to 127.0.0.1:${port}: ECONNREFUSED. Nothing listens there: look at the port, and whether the server runs.`,
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it.each([
    ['implicit', 995],
    ['starttls', 110],
    ['opportunistic', 110],
    ['off', 110],
  ] as const)('takes the port of %s: %i', async (tls, port) => {
    // Nobody listens on these on the machine of a test, or somebody else does; what counts is which one is asked.
    const connected = vi.spyOn(Socket.prototype, 'connect').mockImplementation(function (this: Socket) {
      Object.assign(this, { connecting: true });
      queueMicrotask(() => this.destroy(new Error('asked')));
      return this;
    });
    onTestFinished(() => connected.mockRestore());
    expect(String(await errorOf(open({ host, tls })))).toContain(`127.0.0.1:${port}: asked`);
  });
});

describe('what is wrong with the options is said before anything is connected', () => {
  const socket = () => {
    throw new Error('connected');
  };

  it.each<[string, ConnectOptions, RegExp]>([
    ['a port of 0', { host, port: 0 }, /^port is 0/],
    ['a port that is none', { host, port: 65_536 }, /^port is 65536/],
    ['no time at all', { socket, host, timeouts: { tlsMs: 0 } }, /^timeouts\.tlsMs is 0/],
    [
      'a time that is none',
      { socket, host, timeouts: { silenceMs: Number.NaN } },
      /^timeouts\.silenceMs is NaN/,
    ],
    ['TLS to nobody', { socket }, /give host, trust\.serverName or trust\.fingerprint256/],
    ['STLS to nobody', { socket, tls: 'starttls' }, /give host/],
    ['STLS to nobody, perhaps', { socket, tls: 'opportunistic' }, /give host/],
    ['an empty host', { host: '' }, /^"" is neither a host name nor an address/],
    ['a host that is a URL', { host: 'pop3://example.org' }, /is neither a host name/],
    ['a name that is none', { host, trust: { serverName: '*.example.org' } }, /is neither a host name/],
    ['a short fingerprint', { host, trust: { fingerprint256: 'AB:CD' } }, /64 hexadecimal digits: AB:CD/],
    ['a wrong one among others', { host, trust: { fingerprint256: ['0'.repeat(64), 'x'] } }, /digits: x/],
    ['no fingerprint', { host, trust: { fingerprint256: [] } }, /is empty/],
    ['an authority that is none', { host, trust: { ca: 'none' } }, /^trust\.ca is not in PEM/],
    [
      'a broken one',
      { host, trust: { ca: '-----BEGIN CERTIFICATE-----' } },
      /^trust\.ca has no certificate: /,
    ],
    ['an old version', { host, trust: { minVersion: 'SSLv3' as 'TLSv1' } }, /^TLS cannot be set up: /],
    ['no host at all', { tls: 'off' } as unknown as ConnectOptions, /^host or socket is missing/],
    ['an empty one without TLS', { tls: 'off', host: '' }, /^host or socket is missing/],
    ['a wrong one among others', { host, trust: { ca: [new Uint8Array(9)] } }, /^trust\.ca is not in PEM/],
    [
      'a client certificate that is none',
      { host, clientCertificate: { cert: '', key: '' } },
      /^clientCertificate is/,
    ],
  ])('%s', async (_, options, message) => {
    expect(await errorOf(open(options))).toMatchObject({
      code: 'POP3_USAGE',
      retryable: false,
      message: expect.stringMatching(message),
    });
  });

  it('a key that belongs to another certificate', async () => {
    const { key } = await certificate();
    const error = await errorOf(open({ host, clientCertificate: { cert: server.cert, key } }));
    expect(error).toMatchObject({ code: 'POP3_USAGE', message: expect.stringMatching(/belongs to another/) });
  });

  it('nothing that TLS needs when there is none', async () => {
    const [ours, theirs] = duplexPair();
    theirs.write('+OK\r\n');
    expect(await greeting(await open({ socket: ours, tls: 'off' }))).toBe('+OK\r\n');
  });
});

describe("over the caller's socket", () => {
  const given: readonly (readonly [string, (socket: Duplex) => ConnectOptions['socket']])[] = [
    ['a socket', (socket) => socket],
    ['a function', (socket) => () => socket],
    ['a promise of a function', (socket) => async () => socket],
  ];

  it.each(given)('%s of net', async (_, give) => {
    const socket = connect(await listen(greet), host);
    const channel = await open({ socket: give(socket) as Duplex, tls: 'off' });
    expect(await greeting(channel)).toBe('+OK ready\r\n');
    channel.destroy();
    expect(socket.destroyed).toBe(true);
  });

  it.each(given)('%s that is any other stream', async (_, give) => {
    const [ours, theirs] = duplexPair();
    theirs.write('+OK ready\r\n');
    const channel = await open({ socket: give(ours) as Duplex, tls: 'off' });
    expect(await greeting(channel)).toBe('+OK ready\r\n');
  });

  it('does TLS with whom the host says', async () => {
    const socket = connect(await listenTls(server), host);
    const channel = await open({ socket, host: 'localhost', trust });
    expect(await greeting(channel)).toBe('+OK ready\r\n');
    expect(channel.encrypted).toBe(true);
    expect(channel.channelBinding('tls-server-end-point')).toHaveLength(32);
  });

  it('does TLS over any stream, to the last octet and slowly', async () => {
    const [ours, theirs] = duplexPair();
    const secured = secure(theirs as Socket, server);
    const sent = Buffer.alloc(1_000_000, 'octets\r\n');
    secured.end(sent);
    const channel = await open({ socket: ours, host: 'localhost', trust });
    const received: Uint8Array[] = [];
    for (let chunk = await channel.read(GREETING); chunk !== null; chunk = await channel.read(GREETING)) {
      received.push(chunk);
      await new Promise(setImmediate);
    }
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it('is not encrypted when the caller has encrypted it: that may be to a proxy', async () => {
    const port = await listenTls(server);
    const socket = new TLSSocket(connect(port, host));
    const channel = await open({ socket: () => socket, tls: 'off' });
    expect(channel.encrypted).toBe(false);
    expect(channel.channelBinding('tls-exporter')).toBeNull();
  });

  it.each<[string, () => Duplex | Promise<Duplex>, string]>([
    [
      'throws',
      () => {
        throw new Error('no tunnel');
      },
      'no tunnel',
    ],
    [
      'rejects',
      async () => {
        throw new Error('no tunnel');
      },
      'no tunnel',
    ],
    ['gives a closed one', () => new Socket().destroy(), 'it is closed'],
    ['gives none', () => null as unknown as Duplex, 'null'],
  ])('is no connection when the function %s', async (_, socket, what) => {
    expect(await errorOf(open({ socket, tls: 'off' }))).toMatchObject({
      code: 'POP3_CONNECT',
      retryable: true,
      message: expect.stringMatching(new RegExp(`No connection to the given socket: .*${what}`)),
    });
  });

  it('is no connection when it was not connected yet, and will not be', async () => {
    const socket = connect(await closedPort(), host);
    expect(await errorOf(open({ socket, tls: 'off' }))).toMatchObject({
      code: 'POP3_CONNECT',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  it('has to give octets', async () => {
    const [ours] = duplexPair();
    ours.setEncoding('latin1');
    expect(await errorOf(open({ socket: ours, tls: 'off' }))).toMatchObject({ code: 'POP3_USAGE' });
    expect(ours.destroyed).toBe(true);
  });

  it('must be silent before TLS', async () => {
    const [ours, theirs] = duplexPair();
    theirs.write('+OK in the clear\r\n');
    ours.read(0);
    await until(() => ours.readableLength > 0);
    expect(await errorOf(open({ socket: ours, host, trust }))).toMatchObject({ code: 'POP3_PROTOCOL' });
    expect(ours.destroyed).toBe(true);
  });
});

describe('a signal', () => {
  const reason = new Error('not any more');

  it('that is aborted already connects nothing', async () => {
    const socket = vi.fn();
    expect(await errorOf(open({ socket, tls: 'off' }, AbortSignal.abort(reason)))).toBe(reason);
    expect(socket).not.toHaveBeenCalled();
  });

  it('ends an attempt to connect', async () => {
    const aborter = new AbortController();
    const opened = errorOf(open({ host, port: await listen(greet), tls: 'off' }, aborter.signal));
    aborter.abort(reason);
    expect(await opened).toBe(reason);
  });

  it("ends the wait for the caller's socket, and destroys it when it comes after all", async () => {
    const aborter = new AbortController();
    let give = (_: Duplex) => {};
    const given = new Promise<Duplex>((resolve) => {
      give = resolve;
    });
    const opened = errorOf(open({ socket: () => given, tls: 'off' }, aborter.signal));
    aborter.abort(reason);
    expect(await opened).toBe(reason);
    const [ours] = duplexPair();
    give(ours);
    await until(() => ours.destroyed);
    ours.emit('error', new Error('nobody cares'));
  });

  it.each(['net', 'stream'])('ends the TLS handshake over a socket of %s', async (kind) => {
    const aborter = new AbortController();
    let closed = false;
    const peer = (socket: Duplex) => {
      socket.once('data', () => aborter.abort(reason));
      socket.on('close', () => {
        closed = true;
      });
    };
    const [ours, theirs] = duplexPair();
    if (kind === 'stream') peer(theirs);
    const socket = kind === 'stream' ? ours : connect(await listen(peer), host);
    expect(await errorOf(open({ socket, host, trust }, aborter.signal))).toBe(reason);
    expect(socket.destroyed).toBe(true);
    if (kind === 'net') await until(() => closed);
  });

  it('is not listened to when the connection is there', async () => {
    const { signal } = new AbortController();
    const removed = vi.spyOn(signal, 'removeEventListener');
    const added = vi.spyOn(signal, 'addEventListener');
    const channel = await open({ host, port: await listenTls(server), trust }, signal);
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBe(added.mock.calls.length);
    expect(await greeting(channel)).toBe('+OK ready\r\n');
  });
});

describe('a timeout', () => {
  function fakeTimers(): void {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
  }

  it('ends an attempt to connect after 30 seconds, or what is said', async () => {
    fakeTimers();
    for (const [timeouts, ms] of [
      [{}, 30_000],
      [{ connectMs: 5_000 }, 5_000],
    ] as const) {
      const socket = new Socket();
      Object.assign(socket, { connecting: true });
      const opened = errorOf(open({ socket, tls: 'off', timeouts }));
      vi.advanceTimersByTime(ms - 1);
      expect(socket.destroyed).toBe(false);
      vi.advanceTimersByTime(1);
      expect(await opened).toMatchObject({
        code: 'POP3_TIMEOUT',
        retryable: true,
        message: `There was no connection to the given socket within ${ms} ms. The connection was closed; timeouts.connectMs can be raised.`,
      });
      expect(socket.destroyed).toBe(true);
    }
    expect(vi.getTimerCount()).toBe(0);
  });

  it.each(['net', 'stream'])('ends the TLS handshake over a socket of %s', async (kind) => {
    let begun = false;
    const peer = (socket: Duplex) => {
      socket.once('data', () => {
        begun = true;
      });
    };
    const [ours, theirs] = duplexPair();
    if (kind === 'stream') peer(theirs);
    const socket = kind === 'stream' ? ours : connect(await listen(peer), host);
    fakeTimers();
    const opened = errorOf(open({ socket, host, trust, timeouts: { tlsMs: 7_000 } }));
    await until(() => begun);
    vi.advanceTimersByTime(6_999);
    expect(socket.destroyed).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await opened).toMatchObject({
      code: 'POP3_TIMEOUT',
      retryable: true,
      message: expect.stringMatching(/^The TLS handshake was not done within 7000 ms\..* timeouts\.tlsMs /),
    });
    expect(socket.destroyed).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('longer than timers can be is as long as they can be', async () => {
    const channel = await open({
      host,
      port: await listen(greet),
      tls: 'off',
      timeouts: { connectMs: Number.POSITIVE_INFINITY, greetingMs: 2 ** 40 },
    });
    expect(await greeting(channel)).toBe('+OK ready\r\n');
  });
});
