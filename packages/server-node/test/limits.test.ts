import { describe, expect, it } from 'vitest';
import { createPop3Server, type Pop3ServerLimits } from '../src/index.js';
import { completeLimits } from '../src/limits.js';
import { record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { anybody, mailFor, startServer } from './started-server.js';
import { until } from './until.js';

const NAMES: readonly (keyof Pop3ServerLimits)[] = [
  'maxConnections',
  'maxConnectionsPerAddress',
  'loginTimeoutMs',
  'autologoutMs',
  'sendTimeoutMs',
  'failedLoginDelayMs',
  'maxFailedLoginDelayMs',
  'maxCommandOctets',
  'maxSaslLineOctets',
  'maxBadCommands',
  'maxAuthFailures',
  'proxyHeaderTimeoutMs',
];

function withLimits(limits: Partial<Pop3ServerLimits>) {
  return createPop3Server({ store: mailFor(), authenticator: anybody(), limits });
}

describe('values', () => {
  it('have defaults', () => {
    expect(completeLimits({})).toEqual({
      maxConnections: 10_000,
      maxConnectionsPerAddress: 100,
      proxyHeaderTimeoutMs: 5_000,
      loginTimeoutMs: 120_000,
      autologoutMs: 600_000,
      sendTimeoutMs: 120_000,
      failedLoginDelayMs: 1_000,
      maxFailedLoginDelayMs: 16_000,
    });
  });

  it.each(
    NAMES.flatMap((name) =>
      [Number.NaN, -1, 1.5, Number.POSITIVE_INFINITY, 2 ** 31, '100', null].map(
        (value) => [name, value] as const,
      ),
    ),
  )('refuses %s of %s', (name, value) => {
    expect(() => withLimits({ [name]: value })).toThrow(
      expect.objectContaining({
        code: 'POP3_USAGE',
        message: expect.stringContaining(`limits.${name} is ${value}`),
      }),
    );
  });

  it.each(NAMES)('refuses 0 for %s, or takes it for what it says: no delay', (name) => {
    if (name.includes('LoginDelay')) expect(() => withLimits({ [name]: 0 })).not.toThrow();
    else expect(() => withLimits({ [name]: 0 })).toThrow(expect.objectContaining({ code: 'POP3_USAGE' }));
  });

  it.each([
    ['autologoutMs', 600_000, 'RFC 1939 section 3'],
    ['proxyHeaderTimeoutMs', 3_000, 'PROXY protocol section 2'],
    ['maxCommandOctets', 255, 'RFC 2449 section 4'],
    ['maxSaslLineOctets', 255, 'RFC 2449 section 4'],
  ] as const)('refuses %s below %d (%s)', (name, least, _) => {
    expect(() => withLimits({ [name]: least - 1 })).toThrow(expect.objectContaining({ code: 'POP3_USAGE' }));
    expect(() => withLimits({ [name]: least })).not.toThrow();
  });
});

describe('connections', () => {
  const TOO_MANY = '-ERR [SYS/TEMP] too many connections, try again later\r\n';

  it('in all are bounded, and the one too many is told why', async () => {
    const { server, port } = await startServer({ limits: { maxConnections: 2 } });
    const rejected = record('rejected');
    const first = await Peer.connect(port, { from: '127.0.0.2' });
    await first.line();
    const second = await Peer.connect(port, { from: '127.0.0.3' });
    await second.line();
    const third = await Peer.connect(port, { from: '127.0.0.4' });
    expect(await third.rest()).toBe(TOO_MANY);
    expect(server.connections).toBe(2);
    expect(rejected).toMatchObject([
      { reason: 'too-many-connections', address: '127.0.0.4', localPort: port },
    ]);

    await first.command('QUIT');
    await until(() => server.connections === 1);
    const fourth = await Peer.connect(port, { from: '127.0.0.4' });
    expect(await fourth.line()).toMatch(/^\+OK /);
  });

  it('from one address are bounded, whichever listener they come by', async () => {
    const { server, port } = await startServer({ limits: { maxConnectionsPerAddress: 2 } });
    const other = await server.listen({ port: 0 });
    const rejected = record('rejected');
    const first = await Peer.connect(port);
    await first.line();
    const second = await Peer.connect(other.port);
    await second.line();
    const third = await Peer.connect(port);
    expect(await third.rest()).toBe(TOO_MANY);
    expect(rejected).toMatchObject([{ reason: 'too-many-connections-from-address', address: '127.0.0.1' }]);
    const elsewhere = await Peer.connect(port, { from: '127.0.0.2' });
    expect(await elsewhere.line()).toMatch(/^\+OK /);

    second.reset();
    await until(() => server.connections === 2);
    const again = await Peer.connect(port);
    expect(await again.line()).toMatch(/^\+OK /);
  });
});

describe('what a peer sends', () => {
  async function greeted(limits: Partial<Pop3ServerLimits> = {}): Promise<Peer> {
    const peer = await Peer.connect((await startServer({ limits })).port);
    await peer.line();
    return peer;
  }

  it('may be a command line of 255 octets and no more', async () => {
    const peer = await greeted();
    expect(await peer.command(`USER ${'x'.repeat(248)}`)).toBe('+OK send PASS');
    expect(await peer.command(`USER ${'x'.repeat(249)}`)).toBe('-ERR line too long');
    await peer.logIn();
  });

  it('may be longer where a longer line is allowed', async () => {
    const peer = await greeted({ maxCommandOctets: 1000 });
    expect(await peer.command(`USER ${'x'.repeat(993)}`)).toBe('+OK send PASS');
    expect(await peer.command(`USER ${'x'.repeat(994)}`)).toBe('-ERR line too long');
  });

  it('may be a SASL response of 64 KiB and no more', async () => {
    const peer = await greeted({ maxAuthFailures: 10, failedLoginDelayMs: 0 });
    await peer.command('AUTH PLAIN');
    expect(await peer.command('A'.repeat(65_532))).toMatch(/^-ERR \[AUTH\]/);
    await peer.command('AUTH PLAIN');
    peer.send(`${'A'.repeat(65_536)}\r\n`);
    expect(await peer.rest()).toBe('-ERR line too long\r\n');
  });

  it('may be a bad command 19 times in a row and not 20 times', async () => {
    const peer = await greeted();
    for (let i = 0; i < 19; i++) expect(await peer.command('XYZZY')).toBe('-ERR unknown command');
    await peer.list('CAPA');
    for (let i = 0; i < 19; i++) expect(await peer.command('XYZZY')).toBe('-ERR unknown command');
    peer.send('XYZZY\r\nCAPA\r\n');
    expect(await peer.rest()).toBe('-ERR too many bad commands\r\n');
  });

  it('may be bad as often as is set', async () => {
    const peer = await greeted({ maxBadCommands: 2 });
    await peer.logIn();
    peer.send('XYZZY\r\nXYZZY\r\nSTAT\r\n');
    expect(await peer.rest()).toBe('-ERR unknown command\r\n-ERR too many bad commands\r\n');
  });

  it('may be a password of any octets that fit', async () => {
    const peer = await greeted({ failedLoginDelayMs: 0 });
    await peer.command('USER ann');
    expect(await peer.command(`PASS ${'\xff'.repeat(248)}`)).toMatch(/^-ERR \[AUTH\]/);
    await peer.command('USER ann');
    expect(await peer.command(`PASS ${PASSWORD}`)).toMatch(/^\+OK /);
  });
});
