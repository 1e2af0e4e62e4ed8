import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { apopDigest } from '@pop3/core/sasl';
import { beforeAll, describe, expect, it } from 'vitest';
import { CHANNELS } from '../src/index.js';
import { authority, type KeyPair, serverCertificate } from './certificates.js';
import { record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { anybody, mailFor, startServer, THREE_MESSAGES } from './started-server.js';
import { until } from './until.js';

let tls: KeyPair;
let ca: Awaited<ReturnType<typeof authority>>;
beforeAll(async () => {
  tls = await serverCertificate();
  ca = await authority();
});

const NAMES = Object.keys(CHANNELS) as (keyof typeof CHANNELS)[];

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

it('names its channels', () => {
  expect(CHANNELS).toEqual({
    connected: 'pop3.server.connected',
    rejected: 'pop3.server.rejected',
    listenerFailed: 'pop3.server.listener-failed',
    loginRefused: 'pop3.server.login-refused',
    session: 'pop3.server.session',
    fault: 'pop3.server.fault',
    trace: 'pop3.server.trace',
  });
});

it('tells the story of a session', async () => {
  const { server, port } = await startServer();
  const connected = record('connected');
  const trace = record('trace');
  const sessions = record('session');
  const peer = await Peer.connect(port);
  const mine = peer.socket.localPort;
  await peer.line();
  await peer.logIn();
  for (const command of ['RETR 1', 'TOP 2 0', 'LIST']) await peer.list(command);
  await peer.command('DELE 3');
  await peer.command('QUIT');
  await until(() => server.connections === 0);

  const info = { connection: expect.any(Number), address: '127.0.0.1', port: mine, localPort: port };
  expect(connected).toEqual([info]);
  expect(sessions).toEqual([
    {
      ...info,
      reason: 'quit',
      tls: null,
      username: 'ann',
      credentials: 'password',
      maildrop: 'ann',
      retrieved: 1,
      removed: 1,
      failed: 0,
      octetsReceived: expect.any(Number),
      octetsSent: expect.any(Number),
      durationMs: expect.any(Number),
    },
  ]);
  expect(trace.every(({ connection }) => connection === connected[0]?.connection)).toBe(true);
  const steps = trace.map(({ event }) => event).filter(({ type }) => type !== 'status');
  expect(steps).toEqual([
    { type: 'command', command: 'USER "ann"' },
    { type: 'command', command: 'PASS ***' },
    { type: 'state', state: 'transaction' },
    {
      type: 'opened',
      identity: { maildrop: 'ann', username: 'ann' },
      messages: 3,
      octets: expect.any(Number),
    },
    { type: 'command', command: 'RETR 1' },
    { type: 'retrieved', messageNumber: 1, topLines: null },
    { type: 'command', command: 'TOP 2 0' },
    { type: 'retrieved', messageNumber: 2, topLines: 0 },
    { type: 'command', command: 'LIST' },
    { type: 'command', command: 'DELE 3' },
    { type: 'command', command: 'QUIT' },
    { type: 'state', state: 'update' },
    { type: 'committed', removed: 1, failed: 0 },
    { type: 'state', state: 'closed' },
  ]);
});

it('gives each connection a number of its own', async () => {
  const { port } = await startServer();
  const connected = record('connected');
  for (let i = 0; i < 3; i++) await (await Peer.connect(port)).line();
  expect(new Set(connected.map(({ connection }) => connection)).size).toBe(3);
});

it.each([
  ['plain', 'off', false, false],
  ['implicit TLS', 'implicit', false, true],
  ['STLS', 'starttls', true, true],
] as const)('says whether a session was encrypted: %s', async (_, mode, stls, encrypted) => {
  const { server, port } = await startServer({ tls }, { tls: mode });
  const sessions = record('session');
  const peer = await Peer.connect(port, mode === 'implicit' ? { tls: { ca: tls.cert } } : {});
  await peer.line();
  if (stls) await peer.startTls({ ca: tls.cert });
  await peer.command('QUIT');
  await until(() => server.connections === 0);
  const used = encrypted ? { version: 'TLSv1.3', cipher: expect.stringMatching(/^TLS_/) } : null;
  expect(sessions).toMatchObject([{ reason: 'quit', tls: used, username: null, maildrop: null }]);
  // With TLS these are the octets of TLS.
  expect(sessions[0]?.octetsSent).toBeGreaterThan(encrypted ? 500 : 20);
  expect(sessions[0]?.octetsReceived).toBeGreaterThan(encrypted ? 200 : 5);
});

describe('faults', () => {
  it.each([
    ['open-maildrop', { open: () => Promise.reject(new Error('EIO')) }],
    [
      'open-maildrop',
      {
        open: () => {
          throw new Error('EIO');
        },
      },
    ],
  ] as const)(
    'of a store are told to the operator, the peer hears of a temporary failure (%s)',
    async (during, store) => {
      const { port } = await startServer({ store });
      const faults = record('fault');
      const peer = await Peer.connect(port);
      await peer.line();
      await peer.command('USER ann');
      expect(await peer.command(`PASS ${PASSWORD}`)).toMatch(/^-ERR \[SYS\/TEMP\] /);
      expect(faults).toMatchObject([
        { address: '127.0.0.1', localPort: port, during, error: { message: 'EIO' } },
      ]);
      expect(await peer.command('USER ann')).toBe('+OK send PASS');
    },
  );

  it('of an authenticator are, too', async () => {
    const { port } = await startServer({
      authenticator: { accepts: ['password'], authenticate: () => Promise.reject(new Error('LDAP is away')) },
    });
    const faults = record('fault');
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    expect(await peer.command(`PASS ${PASSWORD}`)).toMatch(/^-ERR \[SYS\/TEMP\] /);
    expect(faults).toMatchObject([{ during: 'authenticate', error: { message: 'LDAP is away' } }]);
  });

  it('that nobody foresaw end one connection and not the server', async () => {
    let broken = true;
    const { server, port } = await startServer({
      authenticator: {
        get accepts() {
          if (broken) throw new Error('a defect');
          return anybody().accepts;
        },
        authenticate: anybody().authenticate,
      },
    });
    const faults = record('fault');
    const peer = await Peer.connect(port);
    expect(await peer.rest()).toBe('');
    await until(() => server.connections === 0);
    expect(faults).toMatchObject([{ during: 'session', error: { message: 'a defect' } }]);
    broken = false;
    await Peer.loggedIn(port);
  });
});

it('never shows a secret on any channel', async () => {
  const authenticator = anybody('password', 'apop', 'external');
  const { server, port } = await startServer({
    tls: { ...tls, ca: ca.cert },
    store: mailFor(...THREE_MESSAGES),
    authenticator,
    limits: { failedLoginDelayMs: 0, maxAuthFailures: 50, maxBadCommands: 50 },
  });
  const events = NAMES.flatMap((name) => [record(name)]);
  const peer = await Peer.connect(port);
  const timestamp = /<.*>/.exec(await peer.line())?.[0] as string;
  const digest = apopDigest((octets) => createHash('md5').update(octets).digest(), timestamp, PASSWORD);

  const wrong = `${PASSWORD}!`;
  const lines = [
    `PASS ${PASSWORD}`,
    `pass  ${PASSWORD}`,
    'USER ann',
    `PASS ${wrong}`,
    'USER ann',
    `PASS ${PASSWORD}${'x'.repeat(300)}`,
    PASSWORD,
    `PASSWORD ${PASSWORD}`,
    `APOP ann ${'0'.repeat(32)}`,
    `APOP ann ${digest} ${PASSWORD}`,
    `APOP ann ${PASSWORD}`,
    `AUTH PLAIN ${base64(`\0ann\0${wrong}`)}`,
    `AUTH PLAIN ${base64(`\0ann\0${wrong}`)} ${PASSWORD}`,
    `AUTH PLAIN ${PASSWORD}`,
    `AUTH ${PASSWORD}`,
    'AUTH PLAIN',
    base64(`\0ann\0${wrong}`),
    'AUTH PLAIN',
    PASSWORD,
    'AUTH LOGIN',
    base64('ann'),
    base64(wrong),
    `AUTH XOAUTH2 ${base64(`user=ann\x01auth=Bearer ${PASSWORD}\x01\x01`)}`,
    `AUTH LOGIN ${base64('ann')}`,
    base64(PASSWORD),
  ];
  for (const line of lines) await peer.command(line);
  expect(await peer.command('STAT')).toMatch(/^\+OK 3 /);
  await peer.command(`PASS ${PASSWORD}`);
  await peer.command('QUIT');

  const other = await Peer.connect(port);
  const otherTimestamp = /<.*>/.exec(await other.line())?.[0] as string;
  const otherDigest = apopDigest(
    (octets) => createHash('md5').update(octets).digest(),
    otherTimestamp,
    PASSWORD,
  );
  expect(await other.command(`APOP ann ${otherDigest}`)).toMatch(/^\+OK /);
  other.reset();
  await until(() => server.connections === 0);

  const shown = inspect(events, { depth: 10, getters: true, maxArrayLength: null, maxStringLength: null });
  expect(shown).toContain('PASS ***');
  const secrets = [
    PASSWORD,
    base64(PASSWORD),
    base64(wrong),
    base64(`\0ann\0${wrong}`),
    digest,
    otherDigest,
    'sesame',
    'SESAME',
  ];
  for (const secret of secrets) expect(shown).not.toContain(secret);
});
