import { createHash } from 'node:crypto';
import { apopDigest } from '@pop3/core/sasl';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KeyPair, serverCertificate } from './certificates.js';
import { PASSWORD, Peer } from './peer.js';
import { anybody, startServer } from './started-server.js';

let tls: KeyPair;
beforeAll(async () => {
  tls = await serverCertificate();
});

const HINT = 'passwords are refused without TLS, send STLS first';
const REFUSED = `-ERR [AUTH] ${HINT}`;
const PLAIN = Buffer.from(`\0ann\0${PASSWORD}`).toString('base64');

async function greeted(port: number): Promise<Peer> {
  const peer = await Peer.connect(port);
  await peer.line();
  return peer;
}

describe('plaintextAuth', () => {
  it('allows passwords in the clear on loopback by default', async () => {
    const { port } = await startServer();
    const peer = await greeted(port);
    expect(await peer.list('CAPA')).toEqual(expect.arrayContaining(['USER', 'SASL PLAIN LOGIN']));
    await peer.logIn();
    const elsewhere = await Peer.connect(port, { from: '127.9.8.7' });
    await elsewhere.line();
    await elsewhere.logIn('bob');
  });

  it('refuses them with a hint, and announces none, with refuse', async () => {
    const { port } = await startServer({ tls, plaintextAuth: 'refuse' });
    const peer = await greeted(port);
    const capabilities = await peer.list('CAPA');
    expect(capabilities.filter((line) => /^(USER|SASL)\b/.test(line))).toEqual([]);
    expect(await peer.list('AUTH')).toEqual([]);
    // RFC 3206 section 5 advises against the code here.
    expect(await peer.command('USER ann')).toBe(`-ERR ${HINT}`);
    // Good or bad, a password gets the same answer (RFC 8314 section 4.3), and some clients show only this one.
    expect(await peer.command(`PASS ${PASSWORD}`)).toBe(REFUSED);
    expect(await peer.command('PASS wrong')).toBe(REFUSED);
    expect(await peer.command('AUTH PLAIN')).toBe(REFUSED);
    expect(await peer.command(`AUTH PLAIN ${PLAIN}`)).toBe(REFUSED);
    expect(await peer.command('AUTH LOGIN')).toBe(REFUSED);
    expect(await peer.command(`AUTH LOGIN ${Buffer.from('ann').toString('base64')}`)).toBe(REFUSED);
    expect(await peer.command('STAT')).toMatch(/^-ERR /);
  });

  it.each([
    ['USER and PASS', (peer: Peer) => peer.logIn()],
    ['PLAIN', async (peer: Peer) => expect(await peer.command(`AUTH PLAIN ${PLAIN}`)).toMatch(/^\+OK /)],
    [
      'LOGIN',
      async (peer: Peer) => {
        expect(await peer.command('AUTH LOGIN')).toBe('+ VXNlcm5hbWU6');
        expect(await peer.command(Buffer.from('ann').toString('base64'))).toBe('+ UGFzc3dvcmQ6');
        expect(await peer.command(Buffer.from(PASSWORD).toString('base64'))).toMatch(/^\+OK /);
      },
    ],
  ])('allows %s after STLS all the same', async (_, logIn) => {
    const { port } = await startServer({ tls, plaintextAuth: 'refuse' });
    const peer = await greeted(port);
    await peer.startTls({ ca: tls.cert });
    await logIn(peer);
    expect(await peer.command('STAT')).toMatch(/^\+OK 3 /);
  });

  it('allows them anywhere with allow', async () => {
    const { port } = await startServer({ plaintextAuth: 'allow' });
    await (await greeted(port)).logIn();
  });
});

describe('APOP', () => {
  const digest = (timestamp: string) =>
    apopDigest((octets) => createHash('md5').update(octets).digest(), timestamp, PASSWORD);

  async function timestampOf(peer: Peer): Promise<string | undefined> {
    return /<.*>/.exec(await peer.line())?.[0];
  }

  it('is offered by a timestamp <digits.digits@host> that no two connections share', async () => {
    const { port } = await startServer({ authenticator: anybody('password', 'apop'), greeting: 'ready' });
    const timestamps = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const peer = await Peer.connect(port);
      const greeting = await peer.line();
      expect(greeting).toMatch(/^\+OK ready <[0-9]+\.[0-9]+@[A-Za-z0-9.-]+>$/);
      timestamps.add(greeting);
      peer.socket.destroy();
    }
    expect(timestamps.size).toBe(50);
  });

  it('logs in with the right digest and with no other', async () => {
    const { port } = await startServer({
      authenticator: anybody('password', 'apop'),
      plaintextAuth: 'refuse',
      limits: { failedLoginDelayMs: 0 },
    });
    const peer = await Peer.connect(port);
    const timestamp = (await timestampOf(peer)) as string;
    expect(await peer.command(`APOP ann ${'0'.repeat(32)}`)).toBe('-ERR [AUTH] authentication failed');
    expect(await peer.command(`APOP ann ${digest(timestamp)}`)).toMatch(/^\+OK 3 messages/);
    const replay = await Peer.connect(port);
    await replay.line();
    expect(await replay.command(`APOP bob ${digest(timestamp)}`)).toMatch(/^-ERR \[AUTH\]/);
  });

  it('is not offered when the authenticator holds no secret for it', async () => {
    const { port } = await startServer();
    const peer = await Peer.connect(port);
    expect(await peer.line()).toBe('+OK POP3 server ready');
    expect(await peer.command(`APOP ann ${digest('<1.2@localhost>')}`)).toMatch(
      /^-ERR APOP is not supported/,
    );
  });

  it('leaves room in the greeting for a timestamp behind the longest text', async () => {
    const { port } = await startServer({ authenticator: anybody('apop'), greeting: 'x'.repeat(200) });
    const peer = await Peer.connect(port);
    const greeting = await peer.line();
    expect(greeting).toMatch(/^\+OK x{200} <[0-9]+\.[0-9]+@[A-Za-z0-9.-]+>$/);
    expect(greeting.length).toBeLessThanOrEqual(510);
  });
});
