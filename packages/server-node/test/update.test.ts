import { MaildropListing, type MessageStore } from '@pop3/core';
import { type MemoryStore, memoryStore } from '@pop3/store-memory';
import { describe, expect, it, vi } from 'vitest';
import { next, record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { mailFor, startServer } from './started-server.js';
import { until } from './until.js';

const TEN = Array.from({ length: 10 }, (_, i) => `Subject: ${i + 1}\r\n\r\nbody\r\n`);

/** The unique-ids that a new session finds. */
async function left(store: MessageStore): Promise<string[]> {
  const peer = await Peer.loggedIn((await startServer({ store })).port);
  return (await peer.list('UIDL')).map((line) => line.split(' ')[1] as string);
}

/** The store with one thing done differently. */
function failing(
  inner: MemoryStore,
  commitDeletes: Extract<Awaited<ReturnType<MemoryStore['open']>>, { listing: unknown }>['commitDeletes'],
): MessageStore {
  return {
    async open(identity, context) {
      const opened = await inner.open(identity, context);
      return 'listing' in opened ? { ...opened, commitDeletes } : opened;
    },
  };
}

const ALL = TEN.map((_, i) => String(i + 1));

describe('QUIT', () => {
  it('removes exactly what is marked', async () => {
    const store = mailFor(...TEN);
    const sessions = record('session');
    const peer = await Peer.loggedIn((await startServer({ store })).port);
    for (const n of [2, 3, 5]) await peer.command(`DELE ${n}`);
    await peer.command('RETR 7');
    await peer.lines();
    await peer.command('TOP 8 0');
    await peer.lines();
    expect(await peer.command('QUIT')).toBe('+OK bye');
    expect(await peer.closed()).toBe('ended');
    expect(await left(store)).toEqual(['1', '4', '6', '7', '8', '9', '10']);
    expect(sessions).toMatchObject([{ reason: 'quit', removed: 3, failed: 0, retrieved: 1 }]);
  });

  it('removes nothing after RSET, and nothing without DELE', async () => {
    const store = mailFor(...TEN);
    const { port } = await startServer({ store });
    const peer = await Peer.loggedIn(port);
    await peer.command('DELE 1');
    await peer.command('RSET');
    await peer.command('QUIT');
    await (await Peer.loggedIn(port)).command('QUIT');
    expect(await left(store)).toEqual(ALL);
  });

  it('counts when the client closes right behind it without reading', async () => {
    const store = mailFor(...TEN);
    const { server, port } = await startServer({ store });
    const peer = await Peer.connect(port);
    peer.pause();
    const over = next('session');
    peer.socket.end(`USER ann\r\nPASS ${PASSWORD}\r\nDELE 4\r\nQUIT\r\n`, () => peer.socket.destroy());
    expect(await over).toMatchObject({ removed: 1 });
    await server.close();
    expect(await left(store)).toEqual(ALL.filter((id) => id !== '4'));
  });

  it('answers -ERR and says so when messages could not be removed', async () => {
    const inner = mailFor(...TEN);
    const { port } = await startServer({ store: failing(inner, () => ({ removed: 1, failed: 2 })) });
    const sessions = record('session');
    const peer = await Peer.loggedIn(port);
    for (const n of [1, 2, 3]) await peer.command(`DELE ${n}`);
    expect(await peer.command('QUIT')).toMatch(/^-ERR \[SYS\/TEMP\] 2 messages .*not .*removed/);
    expect(await peer.closed()).toBe('ended');
    expect(sessions).toMatchObject([{ reason: 'commit-failed', removed: 1, failed: 2 }]);
    await Peer.loggedIn(port);
  });

  it('answers -ERR without details when the store breaks, and releases the lock', async () => {
    const inner = mailFor(...TEN);
    const { port } = await startServer({
      store: failing(inner, () => Promise.reject(new Error('EIO: /var/mail/ann, write'))),
    });
    const faults = record('fault');
    const peer = await Peer.loggedIn(port);
    await peer.command('DELE 1');
    peer.send('QUIT\r\n');
    const answer = await peer.rest();
    expect(answer).toMatch(/^-ERR \[SYS\/TEMP\] [^\r\n]*\r\n$/);
    expect(answer).not.toMatch(/EIO|var/);
    expect(faults).toMatchObject([{ during: 'commit', error: { message: expect.stringContaining('EIO') } }]);
    await Peer.loggedIn(port);
  });
});

describe('any other end deletes nothing', () => {
  it.each([
    ['closes', (peer: Peer) => peer.socket.destroy()],
    ['resets', (peer: Peer) => peer.reset()],
    ['ends its side', (peer: Peer) => peer.halfClose()],
    [
      'ends its side in the midst of QUIT',
      (peer: Peer) => {
        peer.send('QUI');
        peer.halfClose();
      },
    ],
    [
      'ends its side behind QUIT without a line end',
      (peer: Peer) => {
        peer.send('QUIT');
        peer.halfClose();
      },
    ],
    ['sends a line without end', (peer: Peer) => peer.send('x'.repeat(70_000))],
    ['sends too many bad commands', (peer: Peer) => peer.send('XYZZY\r\n'.repeat(20))],
    ['sends QUIT with an argument and goes', (peer: Peer) => peer.socket.end('QUIT now\r\n')],
  ])('when the peer %s', async (_, act) => {
    const store = mailFor(...TEN);
    const { server, port } = await startServer({ store });
    const sessions = record('session');
    const peer = await Peer.loggedIn(port);
    for (let n = 1; n <= 10; n++) await peer.command(`DELE ${n}`);
    act(peer);
    await until(() => server.connections === 0);
    expect(sessions).toMatchObject([{ username: 'ann', removed: 0 }]);
    expect(await left(store)).toEqual(ALL);
  });

  it('says that the peer has closed, however it did', async () => {
    const { server, port } = await startServer();
    for (const act of [
      (peer: Peer) => peer.socket.destroy(),
      (peer: Peer) => peer.reset(),
      (peer: Peer) => peer.halfClose(),
    ]) {
      const over = next('session');
      act(await Peer.loggedIn(port));
      expect(await over).toMatchObject({ reason: 'peer-closed' });
      await until(() => server.connections === 0);
    }
  });
});

describe('the lock', () => {
  it('gives a second session [IN-USE] after its password was checked, and it can log in as soon as QUIT was answered', async () => {
    const { port } = await startServer({ store: mailFor(...TEN), limits: { failedLoginDelayMs: 0 } });
    const first = await Peer.loggedIn(port);
    const second = await Peer.connect(port);
    await second.line();
    await second.command('USER ann');
    expect(await second.command('PASS wrong')).toMatch(/^-ERR \[AUTH\]/);
    await second.command('USER ann');
    expect(await second.command(`PASS ${PASSWORD}`)).toMatch(/^-ERR \[IN-USE\]/);
    // The same connection may try again (RFC 1939 section 4).
    await second.command('USER ann');
    expect(await first.command('QUIT')).toBe('+OK bye');
    expect(await second.command(`PASS ${PASSWORD}`)).toMatch(/^\+OK 10 messages/);
  });

  it('is free again after every end', async () => {
    const { server, port } = await startServer({ store: mailFor(...TEN) });
    for (const act of [
      (peer: Peer) => peer.reset(),
      (peer: Peer) => peer.halfClose(),
      (peer: Peer) => peer.send('XYZZY\r\n'.repeat(20)),
    ]) {
      act(await Peer.loggedIn(port));
      await until(() => server.connections === 0);
    }
    await Peer.loggedIn(port);
  });

  it('is released when the peer goes away while the maildrop is being opened', async () => {
    const inner = mailFor(...TEN);
    let opening: () => void = () => {};
    let open: () => void = () => {};
    const begun = new Promise<void>((resolve) => {
      opening = resolve;
    });
    const { server, port } = await startServer({
      store: {
        async open(identity, context) {
          opening();
          await new Promise<void>((resolve) => {
            open = resolve;
          });
          return inner.open(identity, context);
        },
      },
    });
    const peer = await Peer.connect(port);
    await peer.line();
    peer.send(`USER ann\r\nPASS ${PASSWORD}\r\n`);
    await begun;
    peer.reset();
    await peer.closed();
    open();
    await until(() => server.connections === 0);
    expect(await left(inner)).toEqual(ALL);
  });
});

it('gives back a body that the peer did not wait for: nothing deleted, lock released', async () => {
  const returned = vi.fn();
  let locked = false;
  const { server, port } = await startServer({
    store: {
      async open(identity, context) {
        const opened = await memoryStore().open(identity, context);
        if (!('listing' in opened)) return opened;
        locked = true;
        return {
          ...opened,
          listing: MaildropListing.of([{ octets: 2 ** 30, uniqueId: 'a' }]),
          async *retrieve() {
            try {
              for (;;) yield Buffer.alloc(65_536, 'x');
            } finally {
              returned();
            }
          },
          commitDeletes: () => {
            throw new Error('nobody said QUIT');
          },
          release() {
            locked = false;
          },
        };
      },
    },
  });
  const faults = record('fault');
  const peer = await Peer.loggedIn(port);
  await peer.command('DELE 1');
  await peer.command('RSET');
  peer.send('RETR 1\r\nDELE 1\r\nQUIT\r\n');
  await peer.line();
  peer.reset();
  await until(() => server.connections === 0);
  expect(returned).toHaveBeenCalledTimes(1);
  expect(locked).toBe(false);
  expect(faults).toEqual([]);
});

it('closes without a terminator when a message breaks off, and names nothing', async () => {
  const inner = mailFor(...TEN);
  const { port } = await startServer({
    store: {
      async open(identity, context) {
        const opened = await inner.open(identity, context);
        if (!('listing' in opened)) return opened;
        return {
          ...opened,
          async *retrieve() {
            yield Buffer.from('Subject: half\r\n');
            throw new Error('EIO: /var/mail/ann');
          },
        };
      },
    },
  });
  const faults = record('fault');
  const sessions = record('session');
  const peer = await Peer.loggedIn(port);
  await peer.command('DELE 2');
  peer.send('RETR 1\r\nQUIT\r\n');
  expect(await peer.rest()).toMatch(/^\+OK \d+ octets\r\nSubject: half\r\n$/);
  expect(faults).toMatchObject([{ during: 'read-body' }]);
  expect(sessions).toMatchObject([{ reason: 'body-failed', removed: 0 }]);
  expect(await left(inner)).toEqual(ALL);
});
