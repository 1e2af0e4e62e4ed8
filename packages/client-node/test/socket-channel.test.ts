import type { Socket } from 'node:net';
import { type Duplex, duplexPair } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import type { ClientCommand } from '@pop3/core';
import type { Awaited, TlsMode } from '@pop3/core/driver';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { openChannel } from '../src/open-channel.js';
import type { Timeouts } from '../src/options.js';
import type { SocketChannel } from '../src/socket-channel.js';
import { certificate, type KeyPair } from './certificates.js';
import { errorOf, listen, secure, textOf, until } from './loopback.js';

const GREETING: Awaited = { type: 'greeting' };
const OCTETS = new TextEncoder().encode('+OK\r\n');

let server: KeyPair;
beforeAll(async () => {
  server = await certificate({ names: ['localhost'] });
});

interface ConnectedOptions {
  readonly tls?: TlsMode;
  readonly timeouts?: Partial<Timeouts>;
}

/** A channel over TCP, and the server's end of it; whether the channel has closed its own. */
async function connected(
  options: ConnectedOptions = {},
): Promise<{ channel: SocketChannel; peer: Socket; closed: () => boolean }> {
  let accept = (_: Socket) => {};
  const accepted = new Promise<Socket>((resolve) => {
    accept = resolve;
  });
  const port = await listen((socket) => accept(socket));
  const trust = { ca: server.cert, serverName: 'localhost' };
  const channel = await openChannel({ tls: 'off', ...options, host: '127.0.0.1', port, trust });
  onTestFinished(() => channel.destroy());
  const peer = await accepted;
  let isClosed = false;
  peer.on('close', () => {
    isClosed = true;
  });
  return { channel, peer, closed: () => isClosed };
}

/** The same over any stream; `ours` is what the channel reads from. */
async function paired(
  options: ConnectedOptions = {},
): Promise<{ channel: SocketChannel; peer: Duplex; ours: Duplex; closed: () => boolean }> {
  const [ours, peer] = duplexPair();
  peer.on('error', () => {});
  const channel = await openChannel({
    tls: 'off',
    ...options,
    socket: ours,
    host: 'localhost',
    trust: { ca: server.cert },
  });
  onTestFinished(() => channel.destroy());
  return { channel, peer, ours, closed: () => ours.destroyed };
}

const OVER = [
  ['TCP', connected],
  ['any stream', paired],
] as const;

async function settled(promise: unknown): Promise<boolean> {
  let is = false;
  const yes = () => {
    is = true;
  };
  Promise.resolve(promise).then(yes, yes);
  for (let i = 0; i < 10; i++) await turn();
  return is;
}

function statusOf(command: ClientCommand): Awaited {
  return { type: 'status', command };
}

describe.each(OVER)('over %s', (_, open) => {
  it('reads what comes, with a promise and without', async () => {
    const { channel, peer } = await open();
    const read = channel.read(GREETING);
    expect(read).toBeInstanceOf(Promise);
    peer.write(OCTETS);
    expect(await read).toEqual(OCTETS);
    peer.write(OCTETS);
    let taken: Uint8Array | null = null;
    await until(() => {
      taken = channel.take();
      return taken !== null;
    });
    expect(taken).toEqual(OCTETS);
    expect(channel.take()).toBeNull();
  });

  it('gives at once what came while nobody read', async () => {
    const { channel, peer } = await open();
    peer.write(OCTETS);
    expect(await channel.read(GREETING)).toEqual(OCTETS);
    peer.write(OCTETS);
    for (let i = 0; i < 50; i++) await turn();
    expect(channel.read(GREETING)).toEqual(OCTETS);
  });

  it('never writes to a chunk again that it gave away, and loses nothing', async () => {
    const { channel, peer } = await open();
    const sent = Buffer.alloc(3_000_000);
    for (let i = 0; i < sent.length; i++) sent[i] = (i * 7 + (i >> 8)) & 0xff;
    const chunks: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for (let at = 0, step = 1; at < sent.length; at += step, step = (step * 3) % 70_001) {
      peer.write(sent.subarray(at, at + step));
    }
    peer.end();
    for (let chunk = await channel.read(GREETING); chunk !== null; chunk = await channel.read(GREETING)) {
      chunks.push(chunk);
      copies.push(Uint8Array.from(chunk));
      if (chunks.length % 7 === 0) await turn();
    }
    expect(Buffer.concat(chunks).equals(Buffer.concat(copies))).toBe(true);
    expect(Buffer.concat(chunks).equals(sent)).toBe(true);
  });

  it('takes little while nobody reads', async () => {
    const { channel, peer } = await open();
    peer.write(OCTETS);
    await channel.read(GREETING);
    let taken = 0;
    const chunk = Buffer.alloc(65_536);
    const more = () => {
      while (taken < 100_000_000) {
        taken += chunk.length;
        if (!peer.write(chunk)) return;
      }
    };
    peer.on('drain', more);
    more();
    let last = -1;
    for (let still = 0; still < 200; still = taken === last ? still + 1 : 0) {
      last = taken;
      await turn();
    }
    // What the buffers of the system hold on the way.
    expect(taken).toBeLessThan(20_000_000);
  });

  it('gives null, again and again, when the server has ended, after what came before', async () => {
    const { channel, peer } = await open();
    peer.end(OCTETS);
    expect(await channel.read(GREETING)).toEqual(OCTETS);
    expect(await channel.read(GREETING)).toBeNull();
    expect(await channel.read(GREETING)).toBeNull();
    channel.write(OCTETS);
    await turn();
  });

  it('gives null to whoever reads when it is destroyed, and nothing more', async () => {
    const { channel, peer } = await open();
    const read = channel.read(GREETING);
    channel.destroy();
    expect(await read).toBeNull();
    peer.write(OCTETS);
    expect(await channel.read(GREETING)).toBeNull();
    expect(channel.take()).toBeNull();
    channel.write(OCTETS);
    channel.destroy();
    channel.end();
    expect(await settled(null)).toBe(true);
  });

  it('writes', async () => {
    const { channel, peer } = await open();
    channel.write(Buffer.from('NOOP\r\n'));
    channel.write(Buffer.from('QUIT\r\n'));
    let text = '';
    peer.on('data', (chunk) => {
      text += chunk;
    });
    await until(() => text === 'NOOP\r\nQUIT\r\n');
  });

  it('ends after what was written', async () => {
    const { channel, peer } = await open();
    channel.write(Buffer.from('QUIT\r\n'));
    channel.end();
    let text = '';
    peer.on('data', (chunk) => {
      text += chunk;
    });
    let ended = false;
    peer.on('end', () => {
      ended = true;
    });
    await until(() => ended);
    expect(text).toBe('QUIT\r\n');
  });
});

describe('a connection that breaks', () => {
  const RETR: ClientCommand = { verb: 'RETR', messageNumber: 1 };

  it.each<[string, Awaited, string | null, string]>([
    ['the greeting', GREETING, null, 'before the greeting: ECONNRESET.'],
    ['an answer', statusOf(RETR), 'RETR', 'before the answer to RETR: ECONNRESET.'],
    ['a body', { type: 'body', command: RETR }, 'RETR', 'before the rest of the answer to RETR: ECONNRESET.'],
    [
      'an answer to a command of the caller',
      statusOf({ verb: null, keyword: 'XTND', argument: 'secret', multiline: false }),
      'XTND',
      'before the answer to XTND: ECONNRESET.',
    ],
  ])('says before what: %s', async (_, awaited, verb, message) => {
    const { channel, peer } = await connected();
    const read = errorOf(channel.read(awaited));
    peer.resetAndDestroy();
    expect(await read).toMatchObject({
      code: 'POP3_CLOSED',
      verb,
      retryable: true,
      message: `The connection was lost ${message}`,
      cause: { code: 'ECONNRESET' },
    });
  });

  it('tells whoever reads next when nobody did, also what came before', async () => {
    const { channel, peer } = await connected();
    peer.write(OCTETS);
    expect(await channel.read(GREETING)).toEqual(OCTETS);
    peer.write(OCTETS);
    await turn();
    peer.resetAndDestroy();
    for (let i = 0; i < 100; i++) await turn();
    const first = channel.read(GREETING);
    if (first instanceof Uint8Array) expect(first).toEqual(OCTETS);
    expect(await errorOf(first instanceof Uint8Array ? channel.read(GREETING) : first)).toMatchObject({
      code: 'POP3_CLOSED',
    });
  });

  it("is told of any stream's own error", async () => {
    const { channel, ours } = await paired();
    const read = errorOf(channel.read(GREETING));
    const cause = new Error('tunnel collapsed');
    ours.destroy(cause);
    expect(await read).toMatchObject({
      code: 'POP3_CLOSED',
      cause,
      message: expect.stringMatching(/tunnel collapsed/),
    });
    ours.emit('error', new Error('late'));
  });
});

describe('a deadline', () => {
  const RETR: ClientCommand = { verb: 'RETR', messageNumber: 1 };
  const BODY: Awaited = { type: 'body', command: RETR };

  /** A channel whose clock is the test's. */
  async function timed(timeouts: Partial<Timeouts> = {}) {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const pair = await paired({ timeouts });
    /** What the server says, read as the channel's reader would. */
    const say = async (text: string, awaited: Awaited) => {
      const read = channel.read(awaited);
      peer.write(text);
      expect(await textOf(read)).toBe(text);
    };
    const { channel, peer } = pair;
    return { ...pair, say };
  }

  it.each<[Awaited, number, keyof Timeouts, string]>([
    [GREETING, 60_000, 'greetingMs', 'the greeting'],
    [statusOf({ verb: 'CAPA' }), 60_000, 'commandMs', 'the answer to CAPA'],
    [statusOf({ verb: 'USER', name: 'ann' }), 60_000, 'commandMs', 'the answer to USER'],
    [statusOf({ verb: 'PASS', password: 'secret' }), 300_000, 'loginMs', 'the answer to PASS'],
    [statusOf({ verb: 'APOP', name: 'ann', digest: 'secret' }), 300_000, 'loginMs', 'the answer to APOP'],
    [
      statusOf({ verb: 'AUTH', mechanism: 'PLAIN', initialResponse: OCTETS }),
      300_000,
      'loginMs',
      'the answer to AUTH',
    ],
    [statusOf({ verb: 'QUIT' }), 300_000, 'quitMs', 'the answer to QUIT'],
    [BODY, 60_000, 'silenceMs', 'the rest of the answer to RETR'],
  ])('%o: %i ms by default (%s)', async (awaited, ms, name, what) => {
    for (const timeouts of [{}, { [name]: 1_234 }]) {
      const { channel, ours } = await timed(timeouts);
      const limit = { [name]: ms, ...timeouts }[name] as number;
      const read = errorOf(channel.read(awaited));
      vi.advanceTimersByTime(limit - 1);
      expect(await settled(read)).toBe(false);
      vi.advanceTimersByTime(1);
      expect(await read).toMatchObject({
        code: 'POP3_TIMEOUT',
        retryable: true,
        verb: awaited.type === 'greeting' ? null : awaited.command.verb,
        message: `The server did not send ${what} within ${limit} ms. The connection was closed; timeouts.${name} can be raised.${name === 'greetingMs' ? " On a port for TLS, such as 995, it waits for tls: 'implicit'." : ''}`,
      });
      expect(ours.destroyed).toBe(true);
      expect(vi.getTimerCount()).toBe(0);
      vi.useRealTimers();
    }
  });

  it('of an answer is not put off by octets that drip', async () => {
    const { channel, say } = await timed();
    const awaited = statusOf({ verb: 'STAT' });
    for (let second = 0; second < 59; second++) {
      await say('.', awaited);
      vi.advanceTimersByTime(1_000);
    }
    const read = errorOf(channel.read(awaited));
    vi.advanceTimersByTime(1_000);
    expect(await read).toMatchObject({ code: 'POP3_TIMEOUT', verb: 'STAT' });
  });

  it('of a greeting is not put off by octets that drip', async () => {
    const { channel, say } = await timed();
    await say('+', GREETING);
    vi.advanceTimersByTime(30_000);
    const read = errorOf(channel.read(GREETING));
    vi.advanceTimersByTime(30_000);
    expect(await read).toMatchObject({ code: 'POP3_TIMEOUT' });
  });

  it('of a body begins anew with each octet', async () => {
    const { channel, say } = await timed();
    for (let i = 0; i < 10; i++) {
      await say('.', BODY);
      vi.advanceTimersByTime(59_999);
    }
    const read = errorOf(channel.read(BODY));
    vi.advanceTimersByTime(59_999);
    expect(await settled(read)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await read).toMatchObject({ code: 'POP3_TIMEOUT' });
  });

  it('is that of the next answer when the last one came', async () => {
    const { channel, say } = await timed({ commandMs: 10_000, loginMs: 20_000 });
    await say('+OK\r\n', statusOf({ verb: 'USER', name: 'ann' }));
    vi.advanceTimersByTime(9_000);
    const pass = statusOf({ verb: 'PASS', password: 'secret' });
    const read = channel.read(pass);
    vi.advanceTimersByTime(19_999);
    expect(await settled(read)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await errorOf(read)).toMatchObject({ verb: 'PASS' });
  });

  it('is another one for a command that is sent again, though it be the same object', async () => {
    const { channel, say } = await timed();
    const noop = statusOf({ verb: 'NOOP' });
    channel.write(OCTETS);
    await say('+OK\r\n', noop);
    vi.advanceTimersByTime(59_000);
    channel.write(OCTETS);
    const read = errorOf(channel.read(noop));
    vi.advanceTimersByTime(59_999);
    expect(await settled(read)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await read).toMatchObject({ verb: 'NOOP' });
  });

  it('of an answer is not put off by commands that are sent behind it', async () => {
    const { channel } = await timed();
    const read = errorOf(channel.read(statusOf({ verb: 'STAT' })));
    for (let second = 0; second < 60; second++) {
      channel.write(OCTETS);
      vi.advanceTimersByTime(1_000);
    }
    expect(await read).toMatchObject({ verb: 'STAT' });
  });

  it('of a step of the login begins anew when the last one was answered', async () => {
    const { channel, say } = await timed({ loginMs: 10_000 });
    const auth = statusOf({ verb: 'AUTH', mechanism: 'X', initialResponse: null });
    await say('+ \r\n', auth);
    vi.advanceTimersByTime(9_999);
    channel.write(OCTETS);
    const read = errorOf(channel.read(auth));
    vi.advanceTimersByTime(9_999);
    expect(await settled(read)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await read).toMatchObject({ verb: 'AUTH' });
  });

  it('does not run while it is the client who takes its time', async () => {
    const { channel, peer, ours, say } = await timed({ loginMs: 10_000, silenceMs: 10_000 });
    const auth = statusOf({ verb: 'AUTH', mechanism: 'X', initialResponse: null });
    await say('+ \r\n', auth);
    vi.advanceTimersByTime(3_600_000);
    channel.write(OCTETS);
    await say('+OK\r\n', auth);
    await say('...', BODY);
    vi.advanceTimersByTime(3_600_000);
    peer.write('.');
    await until(() => ours.isPaused());
    vi.advanceTimersByTime(3_600_000);
    expect(await textOf(channel.read(BODY))).toBe('.');
    await say('.', BODY);
  });

  it('keeps one timer for all reads, and none when the connection is closed', async () => {
    const { channel, say } = await timed();
    for (let i = 0; i < 100; i++) {
      await say('+OK\r\n', statusOf({ verb: 'NOOP' }));
      await say('.', BODY);
      expect(vi.getTimerCount()).toBe(1);
    }
    channel.destroy();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('keeps no process alive', async () => {
    const started = vi.spyOn(globalThis, 'setTimeout');
    onTestFinished(() => started.mockRestore());
    const { channel } = await paired();
    started.mockClear();
    void channel.read(GREETING);
    expect(started).toHaveBeenCalledTimes(1);
    const timer: NodeJS.Timeout = started.mock.results[0]?.value;
    expect(timer.hasRef()).toBe(false);
  });
});

describe('STLS', () => {
  const STLS = statusOf({ verb: 'STLS' });

  it.each(OVER)('encrypts what follows, over %s', async (_, open) => {
    const { channel, peer } = await open({ tls: 'starttls' });
    expect(channel.encrypted).toBe(false);
    peer.write('+OK begin\r\n');
    expect(await textOf(channel.read(STLS))).toBe('+OK begin\r\n');
    const secured = secure(peer as Socket, server);
    await channel.upgradeTls();
    expect(channel.encrypted).toBe(true);
    expect(channel.channelBinding('tls-exporter')).toHaveLength(32);
    secured.write('+OK inside\r\n');
    expect(await textOf(channel.read(STLS))).toBe('+OK inside\r\n');
    let text = '';
    secured.on('data', (chunk) => {
      text += chunk;
    });
    channel.write(Buffer.from('CAPA\r\n'));
    await until(() => text === 'CAPA\r\n');
    const read = channel.read(STLS);
    secured.end();
    expect(await read).toBeNull();
  });

  it.each(OVER)('says goodbye in TLS, over %s', async (_, open) => {
    const { channel, peer } = await open({ tls: 'starttls' });
    const secured = secure(peer as Socket, server);
    await channel.upgradeTls();
    let ended = false;
    secured.on('end', () => {
      ended = true;
    });
    secured.resume();
    channel.end();
    await until(() => ended);
  });

  it.each(OVER)('moves much, over %s', async (_, open) => {
    const { channel, peer } = await open({ tls: 'starttls' });
    const secured = secure(peer as Socket, server);
    await channel.upgradeTls();
    const sent = Buffer.alloc(2_000_000, 'octets of a message\r\n');
    secured.end(sent);
    const received: Uint8Array[] = [];
    for (let chunk = await channel.read(STLS); chunk !== null; chunk = await channel.read(STLS)) {
      received.push(chunk);
      if (received.length % 5 === 0) await turn();
    }
    expect(Buffer.concat(received).equals(sent)).toBe(true);
  });

  it.each(OVER)('is refused when anything came in the clear before, over %s', async (_, open) => {
    const { channel, peer, closed } = await open({ tls: 'starttls' });
    peer.write('+OK begin\r\n');
    await channel.read(STLS);
    peer.write('+OK forged\r\n');
    for (let i = 0; i < 50; i++) await turn();
    peer.resume();
    expect(await errorOf(channel.upgradeTls())).toMatchObject({
      code: 'POP3_PROTOCOL',
      retryable: false,
      message: expect.stringMatching(/CVE-2011-0411/),
    });
    expect(channel.encrypted).toBe(false);
    expect(channel.take()).toBeNull();
    expect(await channel.read(STLS)).toBeNull();
    await until(closed);
  });

  it.each(OVER)('is refused when what comes then is no TLS, over %s', async (_, open) => {
    const { channel, peer } = await open({ tls: 'starttls' });
    peer.once('data', () => peer.write('+OK forged, and late\r\n'));
    expect(await errorOf(channel.upgradeTls())).toMatchObject({
      code: 'POP3_TLS',
      retryable: false,
      message: expect.stringMatching(/said \+OK to STLS, but what it sent then is no TLS/),
    });
    expect(await channel.read(STLS)).toBeNull();
  });

  it.each(OVER)('ends with the connection when that is destroyed in its midst, over %s', async (_, open) => {
    const { channel, peer } = await open({ tls: 'starttls' });
    peer.once('data', () => channel.destroy());
    expect(await errorOf(channel.upgradeTls())).toMatchObject({ code: 'POP3_TLS', retryable: true });
    expect(channel.encrypted).toBe(false);
  });

  it.each(OVER)('ends with the connection when the server closes in its midst, over %s', async (_, open) => {
    const { channel, peer } = await open({ tls: 'starttls' });
    peer.once('data', () => peer.end());
    expect(await errorOf(channel.upgradeTls())).toMatchObject({ code: 'POP3_TLS', retryable: true });
  });

  it.each(OVER)('is not begun when the server has closed before, over %s', async (_, open) => {
    const { channel, peer } = await open({ tls: 'starttls' });
    peer.end();
    expect(await channel.read(STLS)).toBeNull();
    expect(await errorOf(channel.upgradeTls())).toMatchObject({
      code: 'POP3_CLOSED',
      retryable: true,
      message: 'The connection was lost before the TLS handshake: the server closed it.',
    });
  });

  it("says what became of the caller's socket in its midst", async () => {
    const { channel, peer, ours } = await paired({ tls: 'starttls' });
    const cause = new Error('tunnel collapsed');
    peer.once('data', () => ours.destroy(cause));
    expect(await errorOf(channel.upgradeTls())).toMatchObject({
      code: 'POP3_TLS',
      retryable: true,
      message: 'The connection was lost during the TLS handshake. (tunnel collapsed)',
      cause,
    });
  });

  it("says what became of the caller's socket later on", async () => {
    const { channel, peer, ours } = await paired({ tls: 'starttls' });
    secure(peer as Socket, server);
    await channel.upgradeTls();
    const read = errorOf(channel.read(statusOf({ verb: 'CAPA' })));
    const cause = new Error('tunnel collapsed');
    ours.destroy(cause);
    expect(await read).toMatchObject({ code: 'POP3_CLOSED', verb: 'CAPA', cause });
    ours.emit('error', new Error('late'));
  });

  it.each(['reset', 'end'] as const)('is over when TCP is, by %s', async (how) => {
    const { channel, peer } = await connected({ tls: 'starttls' });
    const secured = secure(peer, server);
    await channel.upgradeTls();
    secured.write('+OK\r\n');
    expect(await textOf(channel.read(STLS))).toBe('+OK\r\n');
    const read = channel.read(STLS);
    if (how === 'reset') peer.resetAndDestroy();
    else peer.destroy();
    if (how === 'reset') expect(await errorOf(read)).toMatchObject({ code: 'POP3_CLOSED', retryable: true });
    else expect(await read).toBeNull();
  });

  it('ends with what is no TLS later on', async () => {
    const { channel, peer } = await paired({ tls: 'starttls' });
    secure(peer as Socket, server);
    await channel.upgradeTls();
    const read = errorOf(channel.read(statusOf({ verb: 'CAPA' })));
    peer.write('+OK injected\r\n');
    expect(await read).toMatchObject({ code: 'POP3_TLS', verb: 'CAPA', retryable: false });
  });

  it('is a mistake of the caller where there is to be no TLS', async () => {
    const { channel } = await paired({ tls: 'off' });
    expect(await errorOf(channel.upgradeTls())).toMatchObject({ code: 'POP3_USAGE' });
  });
});
