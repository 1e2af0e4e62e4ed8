import { setImmediate as turn } from 'node:timers/promises';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { type KeyPair, serverCertificate } from './certificates.js';
import { record } from './events.js';
import { GeneratedStore } from './generated-store.js';
import { Peer } from './peer.js';
import { mailFor, startServer, THREE_MESSAGES } from './started-server.js';
import { quiet, until } from './until.js';

const MIB = 1 << 20;
const GIB = 1 << 30;
/** What a pair of sockets holds at the most: 4 MiB to send and 6 MiB received by Linux's defaults, and some of Node's. */
const MAX_IN_BUFFERS = 16 * MIB;

let tls: KeyPair;
beforeAll(async () => {
  tls = await serverCertificate();
});

/** Sends the same chunk until so many octets are sent or the connection is over; says how many the system took. */
async function flood(peer: Peer, chunk: Buffer, octets: number): Promise<number> {
  const { socket } = peer;
  // That the server has ended its side does not stop such a peer.
  socket.allowHalfOpen = true;
  let wake = () => {};
  socket.on('drain', () => wake());
  socket.on('close', () => wake());
  let taken = 0;
  while (taken < octets && !socket.destroyed) {
    const kept = socket.write(chunk, () => {});
    taken += chunk.length;
    if (kept) await turn();
    else if (!socket.destroyed) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  }
  return taken - socket.writableLength;
}

/** A small generator of numbers below 2^32 (xorshift), so that a seed says all. */
function random(seed: number): () => number {
  let state = seed * 2_654_435_761 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

function garbage(seed: number, octets: number): Buffer {
  const next = random(seed);
  return Buffer.from(Array.from({ length: octets }, next).map((number) => number & 0xff));
}

const SEEDS = Array.from({ length: 12 }, (_, i) => i + 1);

describe('a line of 1 GB', () => {
  const X = Buffer.alloc(65_536, 'x');

  it.each([
    ['before login', 'off', ''],
    ['behind AUTH', 'off', 'AUTH PLAIN '],
    ['as a SASL response', 'off', 'AUTH PLAIN\r\n'],
    ['within TLS', 'implicit', ''],
  ] as const)('is cut off %s', async (_, mode, before) => {
    const { server, port } = await startServer({ tls }, { tls: mode });
    const sessions = record('session');
    const peer = await Peer.connect(port, mode === 'off' ? {} : { tls: { ca: tls.cert } });
    await peer.line();
    peer.send(before);
    expect(await flood(peer, X, GIB)).toBeLessThan(MAX_IN_BUFFERS);
    peer.socket.destroy();
    await until(() => server.connections === 0);
    expect(sessions).toMatchObject([{ reason: 'line-too-long' }]);
    // What the session itself accepted: the ceiling, and at most one more read.
    expect(sessions[0]?.octetsReceived).toBeLessThan(3 * 65_536);
  });

  it('is cut off after login, and the lock is released', async () => {
    const { server, port } = await startServer();
    const peer = await Peer.loggedIn(port);
    expect(await flood(peer, X, GIB)).toBeLessThan(MAX_IN_BUFFERS);
    await until(() => server.connections === 0);
    await Peer.loggedIn(port);
  });
});

describe('a flood of commands', () => {
  it.each([
    ['that nobody knows', 'XYZZY\r\n', 'too-many-bad-commands'],
    ['that are empty', '\r\n', 'too-many-bad-commands'],
    ['out of their state', 'RETR 1\r\n', 'too-many-bad-commands'],
    ['above the limit of a line', `USER ${'x'.repeat(300)}\r\n`, 'too-many-bad-commands'],
  ])('%s ends soon', async (_, command, reason) => {
    const { server, port } = await startServer();
    const sessions = record('session');
    const trace = record('trace');
    const peer = await Peer.connect(port);
    await peer.line();
    const chunk = Buffer.from(command.repeat(Math.ceil(65_536 / command.length)));
    expect(await flood(peer, chunk, GIB)).toBeLessThan(MAX_IN_BUFFERS);
    peer.socket.destroy();
    await until(() => server.connections === 0);
    expect(sessions).toMatchObject([{ reason }]);
    const errors = trace.filter(({ event }) => event.type === 'status' && event.line.startsWith('-ERR'));
    expect(errors).toHaveLength(20);
  });
});

describe('10 000 connections from one address', () => {
  it('hold 100 places and no more, and others are served meanwhile', { timeout: 60_000 }, async () => {
    const { server, port } = await startServer();
    const rejected = record('rejected');
    const held: Peer[] = [];
    const BATCH = 250;
    for (let i = 0; i < 10_000; i += BATCH) {
      const peers = await Promise.all(Array.from({ length: BATCH }, () => Peer.connect(port)));
      for (const peer of peers) {
        if ((await peer.line()).startsWith('+OK')) held.push(peer);
        else await peer.closed();
      }
      expect(server.connections).toBe(100);
      const other = await Peer.loggedIn(port, { from: '127.0.0.2', user: 'bob' });
      expect(await other.command('QUIT')).toBe('+OK bye');
      await until(() => server.connections === 100);
    }
    expect(held).toHaveLength(100);
    expect(rejected).toHaveLength(9_900);
    expect(await held[0]?.command('USER ann')).toBe('+OK send PASS');
    for (const peer of held) peer.reset();
    await until(() => server.connections === 0);
    await Peer.loggedIn(port);
  });
});

describe('slow readers of a message of 1 GB', () => {
  it.each(['off', 'implicit'] as const)('cost next to no memory, with tls: %s', async (mode) => {
    const READERS = 20;
    const stores = new Map<string, GeneratedStore>();
    const { server, port } = await startServer(
      {
        tls,
        store: {
          open({ maildrop }) {
            const store = new GeneratedStore(GIB);
            stores.set(maildrop, store);
            return store.open();
          },
        },
      },
      { tls: mode },
    );
    const peers: Peer[] = [];
    for (let i = 0; i < READERS; i++) {
      const options = mode === 'off' ? {} : { tls: { ca: tls.cert } };
      peers.push(await Peer.loggedIn(port, { ...options, user: `reader ${i}` }));
    }
    const before = process.memoryUsage().rss;
    for (const peer of peers) peer.send('RETR 1\r\n');
    for (const peer of peers) {
      expect(await peer.line()).toMatch(/^\+OK \d+ octets$/);
      peer.pause();
    }
    const pulled = () => [...stores.values()].reduce((sum, store) => sum + store.pulled, 0);
    await quiet(pulled);
    const grown = process.memoryUsage().rss - before;
    // The clients live in this process too, with what they read before they stopped.
    expect(grown).toBeLessThan(READERS * 4 * MIB);
    expect(pulled()).toBeLessThan(READERS * MAX_IN_BUFFERS);
    for (const peer of peers) peer.reset();
    await until(() => server.connections === 0);
    expect([...stores.values()].filter(({ reading }) => reading > 0)).toEqual([]);
  });
});

it('peers that never log in go when their time is over, all of them', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const { server, port } = await startServer({ tls });
    const implicit = await server.listen({ port: 0, tls: 'implicit' });
    const peers = await Promise.all(
      Array.from({ length: 40 }, (_, i) => Peer.connect(i % 2 ? port : implicit.port)),
    );
    await until(() => server.connections === 40);
    for (let minute = 0; minute < 2; minute++) {
      for (const [i, peer] of peers.entries()) if (i % 4 === 1) peer.send('CAPA\r\n');
      vi.advanceTimersByTime(60_000);
    }
    await until(() => server.connections === 0);
    expect(vi.getTimerCount()).toBe(0);
  } finally {
    vi.useRealTimers();
  }
});

describe('binary garbage', () => {
  async function survives(seed: number, loggedIn: boolean): Promise<void> {
    const store = mailFor(...THREE_MESSAGES);
    const { server, port } = await startServer({ store, limits: { failedLoginDelayMs: 0 } });
    const faults = record('fault');
    const peer = loggedIn ? await Peer.loggedIn(port) : await Peer.connect(port);
    const next = random(seed);
    const octets = garbage(seed, 50_000);
    for (let at = 0; at < octets.length && !peer.socket.destroyed; ) {
      const size = next() % 3_000;
      peer.socket.write(octets.subarray(at, at + size));
      at += size;
      await turn();
    }
    peer.halfClose();
    const answers = await peer.rest();
    // Printable ASCII in whole lines, all of them refusals behind the greeting.
    expect(answers).toMatch(/^(?:\+OK[\x20-\x7e]*\r\n)?(?:-ERR [\x20-\x7e]*\r\n)*$/);
    await until(() => server.connections === 0);
    expect(faults).toEqual([]);
    const after = await Peer.loggedIn(port);
    expect(await after.command('STAT')).toMatch(/^\+OK 3 /);
  }

  it.each(SEEDS)('before login is refused, seed %d', (seed) => survives(seed, false));
  it.each(SEEDS)('after login is refused and deletes nothing, seed %d', (seed) => survives(seed, true));
});

describe('no TLS on a TLS listener', () => {
  it.each([
    ...SEEDS.map((seed) => [`garbage, seed ${seed}`, garbage(seed, 2_000)] as const),
    ['POP3 in the clear', Buffer.from('USER ann\r\nPASS secret\r\n')] as const,
    ['a web browser', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')] as const,
    ['the start of a handshake', Buffer.from('160301020001', 'hex')] as const,
    ['nothing', Buffer.alloc(0)] as const,
  ])('such as %s closes the connection and nothing else', async (_, octets) => {
    const { server, port } = await startServer({ tls }, { tls: 'implicit' });
    const rejected = record('rejected');
    const trace = record('trace');
    const bystander = await Peer.loggedIn(port, { tls: { ca: tls.cert } });
    const before = trace.length;
    const peer = await Peer.connect(port);
    peer.socket.end(octets);
    // No status line, only an alert of TLS or nothing.
    expect(await peer.rest()).not.toMatch(/OK|ERR/);
    await until(() => server.connections === 1);
    expect(rejected).toMatchObject([{ reason: 'tls-handshake-failed' }]);
    expect(trace).toHaveLength(before);
    expect(await bystander.command('STAT')).toMatch(/^\+OK 3 /);
  });
});
