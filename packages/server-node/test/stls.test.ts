import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { type KeyPair, serverCertificate } from './certificates.js';
import { next, record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { anybody, startServer } from './started-server.js';

let tls: KeyPair;
beforeAll(async () => {
  tls = await serverCertificate();
});
// No clock goes on here, so nothing that ends has waited for one.
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  return () => vi.useRealTimers();
});

async function greeted(port: number): Promise<Peer> {
  const peer = await Peer.connect(port);
  await peer.line();
  return peer;
}

function commands(trace: ReturnType<typeof record<'trace'>>): string[] {
  return trace.flatMap(({ event }) => (event.type === 'command' ? [event.command] : []));
}

/** TLS after STLS, over a socket that somebody else can write to as well. */
async function securedOverTap(port: number): Promise<{ plain: Socket; secured: TLSSocket }> {
  const plain = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  await once(plain, 'data');
  plain.write('STLS\r\n');
  await once(plain, 'data');
  const tap = new Duplex({ read() {}, write: (octets, _, done) => void plain.write(octets, done) });
  plain.on('data', (octets) => tap.push(octets));
  plain.on('error', () => {});
  const secured = connectTls({ socket: tap, ca: tls.cert });
  secured.on('error', () => {});
  await once(secured, 'secureConnect');
  return { plain, secured };
}

describe('announcement', () => {
  it('lets CAPA differ before and after TLS', async () => {
    const { port } = await startServer({ tls, plaintextAuth: 'refuse' });
    const peer = await greeted(port);
    const before = await peer.list('CAPA');
    expect(before).toContain('STLS');
    expect(before.filter((line) => /^(USER|SASL)/.test(line))).toEqual([]);
    await peer.startTls({ ca: tls.cert });
    const after = await peer.list('CAPA');
    expect(after).not.toContain('STLS');
    expect(after).toEqual(expect.arrayContaining(['USER', 'SASL PLAIN LOGIN']));
  });

  it('offers STLS neither under implicit TLS, nor without TLS, nor after login', async () => {
    const { server, port } = await startServer({ tls }, { tls: 'implicit' });
    const implicit = await Peer.connect(port, { tls: { ca: tls.cert } });
    await implicit.line();
    expect(await implicit.list('CAPA')).not.toContain('STLS');
    expect(await implicit.command('STLS')).toBe('-ERR STLS is not available');

    const off = await greeted((await server.listen({ port: 0, tls: 'off' })).port);
    expect(await off.list('CAPA')).not.toContain('STLS');
    expect(await off.command('STLS')).toBe('-ERR STLS is not available');

    const late = await greeted((await server.listen({ port: 0, tls: 'starttls' })).port);
    await late.logIn();
    expect(await late.list('CAPA')).not.toContain('STLS');
    expect(await late.command('STLS')).toMatch(/^-ERR /);
    expect(await late.command('STAT')).toMatch(/^\+OK /);
  });

  it('sends no second greeting', async () => {
    const { port } = await startServer({ tls });
    const peer = await greeted(port);
    await peer.startTls({ ca: tls.cert });
    expect(await peer.command('QUIT')).toBe('+OK bye');
    expect(await peer.rest()).toBe('');
  });
});

describe('what was said in the clear', () => {
  it('never answers commands behind STLS in the same segment', async () => {
    const { port } = await startServer({ tls });
    const trace = record('trace');
    const peer = await greeted(port);
    peer.send(`STLS\r\nUSER mallory\r\nPASS ${PASSWORD}\r\n`);
    expect(await peer.line()).toBe('+OK begin TLS');
    await peer.shakeHands({ ca: tls.cert });
    expect(await peer.command('STAT')).toBe('-ERR STAT is not valid in this state');
    expect(await peer.command('NOOP')).toMatch(/^-ERR /);
    expect(commands(trace)).toEqual(['STLS', 'STAT', 'NOOP']);
  });

  const token = Buffer.from(`\0ann\0${PASSWORD}`).toString('base64');

  it.each([
    ['QUIT', 'QUIT\r\n'],
    ['a whole session', `USER ann\r\nPASS ${PASSWORD}\r\nDELE 1\r\nQUIT\r\n`],
    ['a login by AUTH', `AUTH PLAIN ${token}\r\n`],
    ['AUTH and its continuation', `AUTH PLAIN\r\n${token}\r\n`],
    ['half a continuation', `AUTH PLAIN\r\n${token.slice(0, 8)}`],
    ['half an AUTH line', `AUTH PLAIN ${token.slice(0, 8)}`],
    ['another STLS', 'STLS\r\n'],
    ['a line that is too long', 'x'.repeat(1_000)],
    ['an empty line', '\r\n'],
    ['octets that are no text', '\0\xff\x16\x03\r\n'],
  ])('never answers what stands behind STLS, which is forgotten: %s', async (_, injected) => {
    const { port } = await startServer({ tls });
    const trace = record('trace');
    const peer = await greeted(port);
    peer.send(`STLS\r\n${injected}`);
    expect(await peer.line()).toBe('+OK begin TLS');
    // What did not come in the same segment breaks the handshake.
    const ended = next('session');
    await peer.shakeHands({ ca: tls.cert }).then(
      async () => {
        expect(await peer.command('STAT')).toBe('-ERR STAT is not valid in this state');
        await peer.logIn();
        expect(await peer.command('STAT')).toMatch(/^\+OK 3 /);
        expect(await peer.command('QUIT')).toBe('+OK bye');
      },
      () => {},
    );
    await ended;
    const expected = ['STLS', 'STAT', 'USER "ann"', 'PASS ***', 'STAT', 'QUIT'];
    expect(commands(trace)).toEqual(expected.slice(0, commands(trace).length));
  });

  it('counts failed logins on: TLS gives no more tries', async () => {
    const { port } = await startServer({ tls, limits: { failedLoginDelayMs: 0, maxAuthFailures: 3 } });
    const sessions = record('session');
    const peer = await greeted(port);
    for (let i = 0; i < 2; i++) {
      await peer.command('USER ann');
      expect(await peer.command('PASS wrong')).toMatch(/^-ERR \[AUTH\]/);
    }
    await peer.startTls({ ca: tls.cert });
    peer.send('USER ann\r\nPASS wrong\r\nNOOP\r\n');
    expect(await peer.rest()).toMatch(/^\+OK [^\r]*\r\n-ERR \[AUTH\][^\r]*\r\n$/);
    expect(sessions).toMatchObject([{ reason: 'too-many-auth-failures' }]);
  });

  it('forgets half a command behind STLS', async () => {
    const { port } = await startServer({ tls });
    const peer = await greeted(port);
    peer.send('STLS\r\nQU');
    expect(await peer.line()).toBe('+OK begin TLS');
    await peer.shakeHands({ ca: tls.cert });
    expect(await peer.command('IT')).toBe('-ERR unknown command');
  });

  it('closes when commands come in the next segment, before the handshake', async () => {
    const { server, port } = await startServer({ tls });
    const trace = record('trace');
    const rejected = record('rejected');
    const peer = await greeted(port);
    expect(await peer.command('STLS')).toBe('+OK begin TLS');
    peer.send(`USER mallory\r\nPASS ${PASSWORD}\r\nSTAT\r\n`);
    // All that comes back is the alert of TLS.
    expect(await peer.rest()).not.toMatch(/OK|ERR/);
    expect(commands(trace)).toEqual(['STLS']);
    expect(rejected).toMatchObject([
      { reason: 'tls-handshake-failed', error: { code: expect.stringMatching(/SSL/) } },
    ]);
    await server.close();
    expect(server.connections).toBe(0);
  });

  it('never answers commands that come in the same segments as the handshake', async () => {
    const { port } = await startServer({ tls });
    const trace = record('trace');
    const peer = await greeted(port);
    peer.send('STLS\r\n');
    peer.send('USER mallory\r\n'.repeat(500));
    expect(await peer.line()).toBe('+OK begin TLS');
    // Either they came with STLS and were forgotten, or they came later and were no TLS: no third way.
    const ended = next('session');
    await peer.shakeHands({ ca: tls.cert }).then(
      async () => {
        expect(await peer.command('NOOP')).toMatch(/^-ERR /);
        expect(await peer.command('QUIT')).toBe('+OK bye');
      },
      () => {},
    );
    await ended;
    expect(commands(trace).filter((command) => command.includes('mallory'))).toEqual([]);
  });

  it('forgets the name of a USER before STLS', async () => {
    const { port } = await startServer({ tls });
    const peer = await greeted(port);
    expect(await peer.command('USER ann')).toBe('+OK send PASS');
    expect(await peer.command('STLS')).toMatch(/^-ERR /);
    await peer.startTls({ ca: tls.cert });
    expect(await peer.command(`PASS ${PASSWORD}`)).toMatch(/^-ERR /);
    await peer.logIn();
  });

  it('forgets a SASL exchange: STLS inside one is a response like any other', async () => {
    const { port } = await startServer({ tls });
    const peer = await greeted(port);
    expect(await peer.command('AUTH LOGIN')).toMatch(/^\+ /);
    expect(await peer.command('STLS')).toMatch(/^(\+ |-ERR)/);
    expect(await peer.command('*')).toMatch(/^-ERR /);
    await peer.startTls({ ca: tls.cert });
    await peer.logIn();
  });
});

describe('the handshake', () => {
  it('comes once: STLS under TLS is refused and the session goes on', async () => {
    const { port } = await startServer({ tls });
    const peer = await greeted(port);
    await peer.startTls({ ca: tls.cert });
    expect(await peer.command('STLS')).toBe('-ERR STLS is not available');
    await peer.logIn();
    expect(await peer.command('STAT')).toMatch(/^\+OK 3 /);
  });

  it('closes when it fails, and is no session any more', async () => {
    const { server, port } = await startServer({ tls });
    const rejected = record('rejected');
    const sessions = record('session');
    const peer = await greeted(port);
    expect(await peer.command('STLS')).toBe('+OK begin TLS');
    peer.send('\x16\x03\x01\x00\x05hello');
    await peer.closed();
    await server.close();
    expect(rejected).toMatchObject([{ reason: 'tls-handshake-failed' }]);
    expect(sessions).toMatchObject([{ reason: 'peer-closed', username: null }]);
  });

  it.each([
    ['a zero', '\0'],
    ['a space', ' '],
    ['a line end', '\r\n'],
    ['a command', 'NOOP\r\n'],
    ['the type of a record', '\x16'],
    ['an alert', '\x15\x03\x01\x00\x02\x01\x00'],
  ])('does not look for its beginning behind other octets: %s', async (_, prefix) => {
    const { port } = await startServer({ tls });
    const trace = record('trace');
    const rejected = record('rejected');
    const peer = await greeted(port);
    expect(await peer.command('STLS')).toBe('+OK begin TLS');
    const ended = next('session');
    peer.send(prefix);
    await expect(peer.shakeHands({ ca: tls.cert })).rejects.toThrow();
    await ended;
    expect(commands(trace)).toEqual(['STLS']);
    expect(rejected).toMatchObject([{ reason: 'tls-handshake-failed' }]);
  });

  it('never goes on in the clear when it has failed', async () => {
    const { port } = await startServer({ tls });
    const trace = record('trace');
    const peer = await greeted(port);
    expect(await peer.command('STLS')).toBe('+OK begin TLS');
    const ended = next('session');
    peer.send(`\x16\x03\x01\x00\x05hello\r\nUSER ann\r\nPASS ${PASSWORD}\r\nQUIT\r\n`);
    expect(await peer.rest()).not.toMatch(/OK|ERR/);
    expect(await ended).toMatchObject({ username: null, tls: null });
    expect(commands(trace)).toEqual(['STLS']);
  });

  it.each([
    ['', false],
    [' where clients may present certificates', true],
  ])('protects what follows: octets in the clear end the session and are no commands%s', async (_, asks) => {
    const { port } = await startServer({
      tls: asks ? { ...tls, ca: tls.cert } : tls,
      authenticator: anybody('password', ...(asks ? (['external'] as const) : [])),
    });
    const trace = record('trace');
    const { plain, secured } = await securedOverTap(port);
    secured.write(`USER ann\r\nPASS ${PASSWORD}\r\nDELE 1\r\nNOOP\r\n`);
    await next('trace', ({ event }) => event.type === 'command' && event.command === 'NOOP');
    const ended = next('session');
    plain.write('QUIT\r\n');
    expect(await ended).toMatchObject({ reason: 'peer-closed', username: 'ann', removed: 0 });
    expect(commands(trace)).not.toContain('QUIT');
  });

  it('ends with the login timeout when it is never begun', async () => {
    const { server, port } = await startServer({ tls });
    const peer = await greeted(port);
    expect(await peer.command('STLS')).toBe('+OK begin TLS');
    vi.advanceTimersByTime(120_000);
    await peer.closed();
    await server.close();
  });

  it('leaves nothing behind when the peer goes away in its midst', async () => {
    const { server, port } = await startServer({ tls });
    const peer = await greeted(port);
    expect(await peer.command('STLS')).toBe('+OK begin TLS');
    const rejected = next('rejected');
    peer.socket.destroy();
    expect(await rejected).toMatchObject({ reason: 'tls-handshake-failed' });
    await server.close();
    expect(server.connections).toBe(0);
  });

  it('lets in with a password whom the plain connection refuses', async () => {
    const { port } = await startServer({ tls, plaintextAuth: 'refuse', authenticator: anybody('password') });
    const peer = await greeted(port);
    expect(await peer.command('USER ann')).toBe('-ERR passwords are refused without TLS, send STLS first');
    await peer.startTls({ ca: tls.cert });
    await peer.logIn();
    expect(await peer.list('UIDL')).toHaveLength(3);
    expect(await peer.command('QUIT')).toBe('+OK bye');
    expect(await peer.closed()).toBe('ended');
  });
});
