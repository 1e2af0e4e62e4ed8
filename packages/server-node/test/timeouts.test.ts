import { type Maildrop, MaildropListing, type MessageStore } from '@pop3/core';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeyPair, serverCertificate } from './certificates.js';
import { next, record } from './events.js';
import { Peer } from './peer.js';
import { mailFor, startServer, THREE_MESSAGES } from './started-server.js';
import { quiet, until } from './until.js';

let tls: KeyPair;
beforeAll(async () => {
  tls = await serverCertificate();
});
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  return () => vi.useRealTimers();
});

const SECOND = 1_000;
const MINUTE = 60 * SECOND;

/** A maildrop of one message whose chunks come when `produce` gives them. */
function storeOf(octets: number, produce: () => AsyncIterable<Uint8Array>): MessageStore {
  return {
    open: (): Maildrop => ({
      listing: MaildropListing.of([{ octets, uniqueId: 'a' }]),
      retrieve: produce,
      commitDeletes: () => ({ removed: 0, failed: 0 }),
      release() {},
    }),
  };
}

describe('time to log in', () => {
  it.each([
    ['says nothing', async () => {}],
    ['asks this and that', async (peer: Peer) => void (await peer.list('CAPA'))],
    ['gives a user and no password', async (peer: Peer) => void (await peer.command('USER ann'))],
    ['begins a SASL exchange', async (peer: Peer) => void (await peer.command('AUTH LOGIN'))],
    ['sends half a line', async (peer: Peer) => peer.send('USER an')],
  ])('ends after 2 minutes by default for a peer that %s', async (_, act) => {
    const { server, port } = await startServer();
    const sessions = record('session');
    const peer = await Peer.connect(port);
    await peer.line();
    vi.advanceTimersByTime(2 * MINUTE - 1);
    await act(peer);
    expect(server.connections).toBe(1);
    vi.advanceTimersByTime(1);
    // Silently: nothing on the wire says why.
    expect(await peer.rest()).toBe('');
    await server.close();
    expect(sessions).toMatchObject([{ reason: 'autologout', username: null }]);
  });

  it('can be set', async () => {
    const { port } = await startServer({ limits: { loginTimeoutMs: 5 * SECOND } });
    const peer = await Peer.connect(port);
    await peer.line();
    vi.advanceTimersByTime(5 * SECOND);
    expect(await peer.rest()).toBe('');
  });

  it.each([
    ['one certificate', () => ({ tls })],
    ['several, which wait for a name', () => ({ tls: { ...tls, certificates: [tls] } })],
  ])('includes a TLS handshake that never comes to its end, with %s', async (_, options) => {
    const { server, port } = await startServer(options(), { tls: 'implicit' });
    const peer = await Peer.connect(port);
    peer.send('\x16\x03\x01');
    await until(() => server.connections === 1);
    vi.advanceTimersByTime(2 * MINUTE);
    await peer.closed();
    await server.close();
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is no matter any more after the login', async () => {
    const { port } = await startServer();
    const peer = await Peer.connect(port);
    await peer.line();
    vi.advanceTimersByTime(2 * MINUTE - 1);
    await peer.logIn();
    vi.advanceTimersByTime(5 * MINUTE);
    expect(await peer.command('NOOP')).toMatch(/^\+OK /);
  });
});

describe('autologout', () => {
  it('comes 10 minutes after the last command, silently, and deletes nothing (RFC 1939 section 3)', async () => {
    const store = mailFor(...THREE_MESSAGES);
    const { server, port } = await startServer({ store });
    const sessions = record('session');
    const peer = await Peer.loggedIn(port);
    await peer.command('DELE 1');
    vi.advanceTimersByTime(10 * MINUTE - 1);
    expect(server.connections).toBe(1);
    vi.advanceTimersByTime(1);
    expect(await peer.rest()).toBe('');
    await until(() => server.connections === 0);
    expect(sessions).toMatchObject([{ reason: 'autologout', removed: 0 }]);
    const again = await Peer.loggedIn(port);
    expect(await again.command('STAT')).toMatch(/^\+OK 3 /);
  });

  it('is put off by every command, also by one that fails', async () => {
    const { port } = await startServer();
    const peer = await Peer.loggedIn(port);
    for (const line of ['NOOP', 'RETR 99', 'XYZZY', 'STAT']) {
      vi.advanceTimersByTime(10 * MINUTE - 1);
      expect(await peer.command(line)).toMatch(/^(\+OK|-ERR) /);
    }
    vi.advanceTimersByTime(10 * MINUTE);
    expect(await peer.rest()).toBe('');
  });

  it('is not put off by octets that make no command', async () => {
    const { port } = await startServer();
    const peer = await Peer.loggedIn(port);
    for (let i = 0; i < 3; i++) {
      vi.advanceTimersByTime(4 * MINUTE);
      peer.send('N');
      // Another session takes its turn, so the octet has been read by then.
      const other = await Peer.loggedIn(port, { user: `other ${i}` });
      other.reset();
    }
    expect(await peer.rest()).toBe('');
  });

  it('can be longer', async () => {
    const { port } = await startServer({ limits: { autologoutMs: 30 * MINUTE } });
    const peer = await Peer.loggedIn(port);
    vi.advanceTimersByTime(30 * MINUTE - 1);
    expect(await peer.command('NOOP')).toMatch(/^\+OK /);
  });

  it('leaves alone a session whose answer takes longer, and gives it all its time afterwards', async () => {
    let give: () => void = () => {};
    const { port } = await startServer({
      store: storeOf(6, async function* () {
        await new Promise<void>((resolve) => {
          give = resolve;
        });
        yield Buffer.from('late\r\n');
      }),
    });
    const peer = await Peer.loggedIn(port);
    const asked = next('trace', ({ event }) => event.type === 'command');
    peer.send('RETR 1\r\n');
    await asked;
    vi.advanceTimersByTime(25 * MINUTE);
    give();
    expect(await peer.line()).toBe('+OK 6 octets');
    expect(await peer.lines()).toEqual(['late']);
    vi.advanceTimersByTime(10 * MINUTE - 1);
    expect(await peer.command('NOOP')).toMatch(/^\+OK /);
    vi.advanceTimersByTime(10 * MINUTE);
    expect(await peer.rest()).toBe('');
  });

  it('sends the close alert of TLS', async () => {
    const { port } = await startServer({ tls }, { tls: 'implicit' });
    const peer = await Peer.loggedIn(port, { tls: { ca: tls.cert } });
    vi.advanceTimersByTime(10 * MINUTE);
    expect(await peer.closed()).toBe('ended');
  });
});

describe('time without progress while sending', () => {
  const CHUNK = Buffer.alloc(65_536, 'an endless message ');

  it.each([
    ['plain', undefined],
    ['TLS', 'implicit'],
  ] as const)('ends the connection of a peer that takes nothing for 2 minutes, over %s', async (_, mode) => {
    let returned = false;
    let pulled = 0;
    const { server, port } = await startServer(
      {
        tls,
        store: storeOf(2 ** 40, async function* () {
          try {
            for (;;) {
              pulled++;
              yield CHUNK;
            }
          } finally {
            returned = true;
          }
        }),
      },
      { tls: mode ?? 'off' },
    );
    const sessions = record('session');
    const peer = await Peer.loggedIn(port, mode && { tls: { ca: tls.cert } });
    peer.pause();
    peer.send('RETR 1\r\n');
    await quiet(() => pulled);
    vi.advanceTimersByTime(2 * MINUTE - 1);
    expect(server.connections).toBe(1);
    vi.advanceTimersByTime(1);
    peer.resume();
    await peer.closed();
    await server.close();
    expect(returned).toBe(true);
    expect(sessions).toMatchObject([{ reason: 'aborted', username: 'ann', removed: 0 }]);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('begins anew with each write that the peer has taken', async () => {
    let pulled = 0;
    const { port } = await startServer({
      limits: { sendTimeoutMs: 5 * SECOND },
      store: storeOf(2 ** 40, async function* () {
        for (;;) {
          pulled++;
          yield CHUNK;
        }
      }),
    });
    const peer = await Peer.loggedIn(port);
    peer.pause();
    peer.send('RETR 1\r\n');
    for (let i = 0; i < 4; i++) {
      await quiet(() => pulled);
      vi.advanceTimersByTime(4 * SECOND);
      const before = pulled;
      peer.resume();
      await until(() => pulled >= before + 10);
      peer.pause();
    }
    await quiet(() => pulled);
    vi.advanceTimersByTime(5 * SECOND);
    peer.resume();
    await peer.closed();
  });
});

it('does not wait for a peer that never closes its side after QUIT', async () => {
  const { server, port } = await startServer();
  const peer = await Peer.loggedIn(port);
  peer.socket.allowHalfOpen = true;
  expect(await peer.command('QUIT')).toBe('+OK bye');
  expect(await peer.closed()).toBe('ended');
  expect(server.connections).toBe(1);
  vi.advanceTimersByTime(2 * SECOND);
  await server.close();
});
