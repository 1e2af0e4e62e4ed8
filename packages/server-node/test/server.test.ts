import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Server, type Socket } from 'node:net';
import { memoryStore } from '@pop3/store-memory';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPop3Server } from '../src/index.js';
import { type KeyPair, serverCertificate } from './certificates.js';
import { next, record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { anybody, mailFor, startServer, THREE_MESSAGES } from './started-server.js';

let tls: KeyPair;
beforeAll(async () => {
  tls = await serverCertificate();
});

const POP3_USAGE = expect.objectContaining({ code: 'POP3_USAGE' });

async function refusesConnections(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
  } finally {
    socket.destroy();
  }
}

describe('listen', () => {
  it('says where, and serves plain, STLS and implicit TLS side by side', async () => {
    const { server, port } = await startServer({ tls }, { tls: 'off' });
    const starttls = await server.listen({ port: 0 });
    const implicit = await server.listen({ host: '127.0.0.1', port: 0, tls: 'implicit' });
    expect(starttls).toMatchObject({ address: '127.0.0.1', family: 'IPv4' });

    const plain = await Peer.loggedIn(port, { user: 'ann' });
    const second = await Peer.connect(starttls.port);
    await second.line();
    await second.startTls({ ca: tls.cert });
    await second.logIn('bob');
    const third = await Peer.loggedIn(implicit.port, { user: 'eve', tls: { ca: tls.cert } });
    expect(server.connections).toBe(3);
    expect(await plain.command('STAT')).toMatch(/^\+OK 3 /);
    expect(await second.command('STAT')).toBe('+OK 0 0');
    expect(await third.command('STAT')).toBe('+OK 0 0');
  });

  it('greets first, with one line (RFC 1939 section 4)', async () => {
    const { port } = await startServer({ greeting: 'mail.example ready' });
    const peer = await Peer.connect(port);
    expect(await peer.line()).toBe('+OK mail.example ready');
    const other = await Peer.connect((await startServer()).port);
    expect(await other.line()).toBe('+OK POP3 server ready');
  });

  it('serves IPv6 where there is any', async () => {
    const { server } = await startServer();
    const listening = await server.listen({ host: '::1', port: 0 }).catch(() => null);
    if (listening === null) return;
    const socket = connect(listening.port, '::1');
    const peer = new Peer(socket);
    await peer.line();
    await peer.logIn();
  });

  it('knows a peer of IPv4 by the same address on a listener for everything', async () => {
    const peers: unknown[] = [];
    const { server } = await startServer({
      tls,
      limits: { maxConnectionsPerAddress: 3 },
      authenticator: {
        accepts: ['password'],
        authenticate(credentials, context) {
          peers.push(context.peer.address);
          return anybody().authenticate(credentials, context);
        },
      },
    });
    const everywhere = await server.listen({ host: '::', port: 0 }).catch(() => null);
    if (everywhere === null) return;
    const implicit = await server.listen({ host: '::', port: 0, tls: 'implicit' });
    const v4 = await server.listen({ port: 0 });
    const connected = record('connected');
    await Peer.loggedIn(everywhere.port);
    await Peer.loggedIn(implicit.port, { user: 'bob', tls: { ca: tls.cert } });
    await Peer.loggedIn(v4.port, { user: 'eve' });
    expect(peers).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    expect(connected.map(({ address }) => address)).toEqual(peers);
    expect(await (await Peer.connect(everywhere.port)).rest()).toMatch(/^-ERR .*too many connections/);
  });

  it('announces STLS by default when there is a certificate', async () => {
    const { port } = await startServer({ tls });
    const peer = await Peer.connect(port);
    await peer.line();
    expect(await peer.list('CAPA')).toContain('STLS');
  });

  it('rejects when the port is in use, and the server can still listen elsewhere and close', async () => {
    const { port } = await startServer();
    const other = createPop3Server({ store: memoryStore(), authenticator: anybody() });
    await expect(other.listen({ port })).rejects.toThrow(/EADDRINUSE/);
    const elsewhere = await other.listen({ port: 0 });
    await Peer.loggedIn(elsewhere.port);
    await other.close({ drainMs: 0 });
    expect(await refusesConnections(elsewhere.port)).toBe(true);
  });

  it('rejects for an address that is not of this machine', async () => {
    const { server } = await startServer();
    await expect(server.listen({ host: '192.0.2.1', port: 0 })).rejects.toThrow(/EADDRNOTAVAIL/);
  });

  it.each(['starttls', 'implicit'] as const)(
    'takes tls: %s without a certificate for a misuse',
    async (mode) => {
      const { server } = await startServer();
      await expect(async () => server.listen({ port: 0, tls: mode })).rejects.toThrow(POP3_USAGE);
    },
  );

  it('is a misuse after close', async () => {
    const { server } = await startServer();
    await server.close();
    await expect(async () => server.listen({ port: 0 })).rejects.toThrow(POP3_USAGE);
  });

  it('leaves nothing open when the server is closed before it listens', async () => {
    const server = createPop3Server({ store: memoryStore(), authenticator: anybody() });
    const listening = server.listen({ port: 0 });
    await server.close();
    expect(await refusesConnections((await listening).port)).toBe(true);
  });

  it('goes on when a connection could not be accepted, and says so', async () => {
    const { server, port } = await startServer();
    const failures = record('listenerFailed');
    const listener = await listenerOf(port);
    for (let i = 0; i < 3; i++)
      listener.emit('error', Object.assign(new Error('accept EMFILE'), { code: 'EMFILE' }));
    await Peer.loggedIn(port);
    expect(failures).toHaveLength(3);
    expect(failures[0]).toMatchObject({ localPort: port, error: { code: 'EMFILE' } });
    await server.close({ drainMs: 0 });
    expect(await refusesConnections(port)).toBe(true);
  });
});

/** The listener behind a port, as Node itself reports it with each connection. */
async function listenerOf(port: number): Promise<Server> {
  const accepted = new Promise<Socket & { server?: Server }>((resolve) => {
    const seen = (message: unknown) => {
      const { socket } = message as { socket: Socket };
      if (socket.localPort !== port) return;
      unsubscribe('net.server.socket', seen);
      resolve(socket);
    };
    subscribe('net.server.socket', seen);
  });
  const peer = await Peer.connect(port);
  const { server } = await accepted;
  peer.socket.destroy();
  return server as Server;
}

describe('options', () => {
  it.each([
    ['a greeting with a line end', { greeting: 'hello\r\n+OK' }],
    ['a greeting that a client would take for an APOP timestamp', { greeting: 'hello <1.2@host>' }],
    ['a greeting that does not fit into a status line', { greeting: 'x'.repeat(201) }],
    ['an implementation with a line end', { implementation: 'pop3\r\nSTLS' }],
    ['an empty implementation', { implementation: '' }],
    ['a login delay of less than a second', { loginDelaySeconds: 0 }],
    ['a login delay that is no number', { loginDelaySeconds: Number.NaN }],
    ['half a day of EXPIRE', { expire: 0.5 }],
    ['EXPIRE below 0', { expire: -1 }],
    ['a limit of zero', { limits: { maxConnections: 0 } }],
  ])('refuses %s', (_, options) => {
    expect(() => createPop3Server({ store: memoryStore(), authenticator: anybody(), ...options })).toThrow(
      POP3_USAGE,
    );
  });

  it('announces what it was given', async () => {
    const { port } = await startServer({
      implementation: 'pop3 for tests',
      expire: 0,
      loginDelaySeconds: 30,
    });
    const peer = await Peer.connect(port);
    await peer.line();
    expect(await peer.list('CAPA')).toEqual(
      expect.arrayContaining(['IMPLEMENTATION pop3 for tests', 'EXPIRE 0', 'LOGIN-DELAY 30']),
    );
    const never = await Peer.connect((await startServer({ expire: 'never' })).port);
    await never.line();
    expect(await never.list('CAPA')).toContain('EXPIRE NEVER');
  });
});

describe('close', () => {
  it('resolves at once when there is nobody, any number of times', async () => {
    const { server, port } = await startServer();
    await Promise.all([server.close(), server.close()]);
    await server.close();
    expect(await refusesConnections(port)).toBe(true);
  });

  it('is what disposal does', async () => {
    const { server, port } = await startServer();
    await server[Symbol.asyncDispose]();
    expect(await refusesConnections(port)).toBe(true);
  });

  it('can be used by `await using`', async () => {
    let port: number;
    {
      await using server = createPop3Server({ store: memoryStore(), authenticator: anybody() });
      port = (await server.listen({ port: 0 })).port;
      expect(await refusesConnections(port)).toBe(false);
    }
    expect(await refusesConnections(port)).toBe(true);
  });

  it('ends every connection where nobody is logged in, whatever it is doing', async () => {
    const { server, port } = await startServer({ tls, authenticator: anybody('password', 'apop') });
    const implicit = await server.listen({ port: 0, tls: 'implicit' });
    const greeted = await Peer.connect(port);
    await greeted.line();
    const named = await Peer.connect(port);
    await named.line();
    await named.command('USER ann');
    const inSasl = await Peer.connect(port);
    await inSasl.line();
    await inSasl.command('AUTH PLAIN');
    const inStls = await Peer.connect(port);
    await inStls.line();
    await inStls.command('STLS');
    const inHandshake = await Peer.connect(implicit.port);
    const overTls = await Peer.connect(implicit.port, { tls: { ca: tls.cert } });
    await overTls.line();

    await server.close();
    expect(server.connections).toBe(0);
    for (const peer of [greeted, named, inSasl, inStls, inHandshake, overTls]) await peer.closed();
    expect(await refusesConnections(port)).toBe(true);
    expect(await refusesConnections(implicit.port)).toBe(true);
  });

  it('ends a login that the authenticator has not decided yet, and tells the authenticator', async () => {
    let signal: AbortSignal | undefined;
    const { server, port } = await startServer({
      authenticator: {
        accepts: ['password'],
        authenticate: (_, context) =>
          new Promise((_resolve, reject) => {
            signal = context.signal;
            signal.addEventListener('abort', () => reject(new Error('nobody waits for this login')));
          }),
      },
    });
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    const asked = next('trace', ({ event }) => event.type === 'command' && event.command === 'PASS ***');
    peer.send(`PASS ${PASSWORD}\r\n`);
    await asked;
    await server.close();
    expect(signal?.aborted).toBe(true);
    await peer.closed();
  });

  it('lets those who are logged in finish: QUIT still removes what was marked', async () => {
    const store = mailFor(...THREE_MESSAGES);
    const { server, port } = await startServer({ store });
    const peer = await Peer.loggedIn(port);
    await peer.command('DELE 2');
    let closed = false;
    const closing = server.close().then(() => {
      closed = true;
    });
    expect(await refusesConnections(port)).toBe(true);
    expect(await peer.command('RETR 1')).toMatch(/^\+OK /);
    await peer.lines();
    expect(closed).toBe(false);
    expect(await peer.command('QUIT')).toBe('+OK bye');
    await closing;
    expect(server.connections).toBe(0);

    const again = await Peer.loggedIn((await startServer({ store })).port);
    expect(await again.list('UIDL')).toEqual(['1 1', '2 3']);
  });

  describe('after the deadline', () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      return () => vi.useRealTimers();
    });

    it.each([
      ['10 seconds by default', undefined, 10_000],
      ['the time given', 60_000, 60_000],
    ])('of %s ends the rest without UPDATE', async (_, drainMs, deadlineMs) => {
      const store = mailFor(...THREE_MESSAGES);
      const { server, port } = await startServer({ store });
      const sessions = record('session');
      const peer = await Peer.loggedIn(port);
      await peer.command('DELE 1');
      const closing = server.close(drainMs === undefined ? {} : { drainMs });
      vi.advanceTimersByTime(deadlineMs - 1);
      expect(await peer.command('NOOP')).toMatch(/^\+OK /);
      vi.advanceTimersByTime(1);
      await closing;
      expect(await peer.rest()).toBe('');
      expect(vi.getTimerCount()).toBe(0);
      expect(sessions).toMatchObject([{ reason: 'aborted', username: 'ann', removed: 0 }]);

      const again = await Peer.loggedIn((await startServer({ store })).port);
      expect(await again.command('STAT')).toMatch(/^\+OK 3 /);
    });

    it('waits for an UPDATE that has begun, and for nothing else', async () => {
      const inner = mailFor(...THREE_MESSAGES);
      let finish: () => void = () => {};
      const { server, port } = await startServer({
        store: {
          async open(identity, context) {
            const maildrop = await inner.open(identity, context);
            if (!('listing' in maildrop)) return maildrop;
            return {
              ...maildrop,
              async commitDeletes(deletions, commitContext) {
                await new Promise<void>((resolve) => {
                  finish = resolve;
                });
                return maildrop.commitDeletes(deletions, commitContext);
              },
            };
          },
        },
      });
      const sessions = record('session');
      const peer = await Peer.loggedIn(port);
      await peer.command('DELE 1');
      const updating = next('trace', ({ event }) => event.type === 'state' && event.state === 'update');
      peer.send('QUIT\r\n');
      await updating;
      const closing = server.close({ drainMs: 0 });
      vi.advanceTimersByTime(0);
      await peer.closed();
      expect(server.connections).toBe(1);
      finish();
      await closing;
      expect(sessions).toHaveLength(1);
      const again = await Peer.loggedIn((await startServer({ store: inner })).port);
      expect(await again.command('STAT')).toMatch(/^\+OK 2 /);
    });

    it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('cannot be %d', async (drainMs) => {
      const { server } = await startServer();
      expect(() => server.close({ drainMs })).toThrow(POP3_USAGE);
    });
  });

  it('leaves no timer', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { server, port } = await startServer({ tls });
      const implicit = await server.listen({ port: 0, tls: 'implicit' });
      const gone = await Peer.loggedIn(port, { user: 'bob' });
      gone.reset();
      const quitter = await Peer.loggedIn(implicit.port, { tls: { ca: tls.cert } });
      await quitter.command('RETR 1');
      await quitter.lines();
      await quitter.command('QUIT');
      await quitter.closed();
      const silent = await Peer.connect(port);
      await silent.line();
      expect(vi.getTimerCount()).toBeGreaterThan(0);
      await server.close();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
