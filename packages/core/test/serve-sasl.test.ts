import { describe, expect, it } from 'vitest';
import type { Authenticator, AuthOutcome, Credentials } from '../src/adapter.js';
import { serve } from '../src/driver/index.js';
import {
  cramMd5,
  LOGIN,
  OAUTHBEARER,
  oauthBearerClient,
  PLAIN,
  plainClient,
  type SaslClientMechanism,
  scram,
  scramClient,
  scramKeysOf,
  verifyCramMd5,
  XOAUTH2,
  xoauth2Client,
} from '../src/sasl/index.js';
import { MemoryChannel, storeOf } from './memory-channel.js';
import { HASHES, hmacMd5 } from './node-hashes.js';
import { peerWith } from './sasl-dialogue.js';
import { logIn, Talk } from './sasl-login.js';

const CRYPTO = HASHES['scram-sha-256'];
const SALT = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
const BOUND = { 'tls-exporter': Uint8Array.from({ length: 32 }, (_, i) => i) };

let nonces = 0;
const nonce = () => `nonce${++nonces}`;
const MECHANISMS = [
  ...scram('scram-sha-256', { crypto: CRYPTO, nonce }),
  OAUTHBEARER,
  XOAUTH2,
  PLAIN,
  LOGIN,
  cramMd5({ challenge: () => '<1896.697170952@postoffice.reston.mci.net>' }),
];

function allows(credentials: Credentials): boolean {
  switch (credentials.type) {
    case 'password':
      return credentials.password === 'pencil';
    case 'cram-md5':
      return verifyCramMd5(hmacMd5, credentials, 'pencil');
    case 'scram-sha-256':
      return credentials.proven;
    case 'token':
      return credentials.token === 'good';
    default:
      return false;
  }
}

const AUTHENTICATOR: Authenticator = {
  accepts: ['password', 'cram-md5', 'scram-sha-256', 'token'],
  authenticate(credentials): AuthOutcome {
    if (allows(credentials)) return { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } };
    return {
      type: 'refused',
      reason: 'bad-credentials',
      ...(credentials.type === 'token' && { token: { status: 'invalid_token', scope: 'mail' } }),
    };
  },
  scramKeys: () => scramKeysOf(CRYPTO, 'pencil', SALT, 4_096),
};

const session = { mechanisms: MECHANISMS, authenticator: AUTHENTICATOR, peer: peerWith(BOUND) };
const opened = async () => {
  const talk = new Talk(session);
  await talk.line();
  return talk;
};
const base64 = (text: string) => Buffer.from(text, 'latin1').toString('base64');

const login = { username: 'ann', password: 'pencil' };
const scramLogin = (options: Partial<Parameters<typeof scramClient>[1]> = {}) =>
  scramClient('scram-sha-256', { ...login, crypto: CRYPTO, nonce, ...options });

describe('a session', () => {
  const clients: readonly SaslClientMechanism[] = [
    scramLogin(),
    scramLogin({ channelBinding: { type: 'tls-exporter', octets: BOUND['tls-exporter'] } }),
    oauthBearerClient({ token: 'good' }),
    xoauth2Client({ username: 'ann', token: 'good' }),
    plainClient(login),
  ];
  for (const client of clients) {
    it(`takes ${client.name} in one line and in two`, async () => {
      for (const oneLine of [true, false]) {
        expect(await logIn({ ...session, client, oneLine, chunks: [] })).toEqual({
          answer: '+OK 0 messages (0 octets)',
          complete: true,
          failed: null,
          afterwards: '+OK bye',
        });
      }
    });
  }

  it('goes on after each way to fail, and then takes the right one', async () => {
    const talk = await opened();
    const refused = '-ERR [AUTH] authentication failed';
    expect(await talk.say(`AUTH CRAM-MD5 ${base64(`ann ${'0'.repeat(32)}`)}`)).toBe(
      '-ERR [AUTH] malformed response',
    );
    expect(await talk.say('AUTH CRAM-MD5')).toMatch(/^\+ PDE4/);
    expect(await talk.say('*')).toBe('-ERR cancelled');
    expect(await talk.say(`AUTH XOAUTH2 ${base64('user=ann\x01auth=Bearer bad\x01\x01')}`)).toBe(
      `+ ${base64('{"status":"401","schemes":"Bearer","scope":"mail"}')}`,
    );
    expect(await talk.say('')).toMatch(refused);
    expect(await talk.say(`AUTH OAUTHBEARER ${base64('n,,\x01auth=Bearer bad\x01\x01')}`)).toBe(
      `+ ${base64('{"status":"invalid_token","scope":"mail"}')}`,
    );
    expect(await talk.say('AQ==')).toBe(refused);
    expect(await talk.say(`AUTH SCRAM-SHA-256 ${base64('y,,n=ann,r=abc')}`)).toBe(
      '-ERR [AUTH] channel binding is on offer, and was not seen',
    );
    expect(await talk.say(`AUTH PLAIN ${base64('\0ann\0pencil')}`)).toMatch(/^\+OK/);
    expect(await talk.end()).toBe('+OK bye');
  });

  it('takes tokens of more than 12 KB', async () => {
    const token = 'x'.repeat(20_000);
    const authenticator: Authenticator = {
      accepts: ['token'],
      authenticate: (credentials) =>
        credentials.type === 'token' && credentials.token === token
          ? { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } }
          : { type: 'refused', reason: 'bad-credentials' },
    };
    for (const client of [oauthBearerClient({ token }), xoauth2Client({ username: 'ann', token })]) {
      for (const oneLine of [true, false]) {
        const result = await logIn({ ...session, authenticator, client, oneLine, chunks: [] });
        expect(result.answer).toMatch(/^\+OK/);
      }
    }
  });

  it('takes a control character in a password by USER and PASS and by LOGIN, which SASLprep forbids in PLAIN', async () => {
    const authenticator: Authenticator = {
      accepts: ['password'],
      authenticate: (credentials) =>
        credentials.type === 'password' && credentials.password === 'pen\x07cil'
          ? { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } }
          : { type: 'refused', reason: 'bad-credentials' },
    };
    for (const lines of [
      ['USER ann', 'PASS pen\x07cil'],
      ['AUTH LOGIN', base64('ann'), base64('pen\x07cil')],
    ]) {
      const talk = new Talk({ ...session, authenticator });
      await talk.line();
      let answer = '';
      for (const line of lines) answer = await talk.say(line);
      expect(answer).toMatch(/^\+OK 0/);
      await talk.end();
    }
    const talk = new Talk({ ...session, authenticator });
    await talk.line();
    expect(await talk.say(`AUTH PLAIN ${base64('\0ann\0pen\x07cil')}`)).toBe(
      '-ERR [AUTH] malformed response',
    );
    await talk.end();
  });

  it('tells of a temporary failure when the authenticator has no keys to give', async () => {
    const faults: unknown[] = [];
    const channel = new MemoryChannel(`AUTH SCRAM-SHA-256 ${base64('n,,n=ann,r=abc')}\r\nQUIT\r\n`);
    const { accepts, authenticate } = AUTHENTICATOR;
    await serve({
      ...session,
      channel,
      authenticator: { accepts, authenticate },
      store: storeOf([]),
      onFault: ({ during, error }) => faults.push(`${during}: ${(error as Error).message}`),
    });
    expect(channel.output).toMatch(/\r\n-ERR \[SYS\/TEMP\] [^\r]+\r\n\+OK bye\r\n$/);
    expect(faults).toEqual(['sasl-start: An authenticator that accepts scram-sha-256 needs scramKeys().']);
  });

  it('offers -PLUS, and refuses who has not seen it, only once it is encrypted', async () => {
    const channel = new MemoryChannel();
    channel.upgradeTls = () => {
      channel.drop();
      return peerWith(BOUND);
    };
    const ended = serve({
      ...session,
      channel,
      peer: { address: null, tls: false, certificate: null },
      store: storeOf([]),
      session: { plaintextAuth: 'allow' },
    });
    const plus = `AUTH SCRAM-SHA-256-PLUS ${base64('p=tls-exporter,,n=ann,r=abc')}\r\n`;
    const y = `AUTH SCRAM-SHA-256 ${base64('y,,n=ann,r=abc')}\r\n`;
    channel.say(`CAPA\r\n${plus}${y}*\r\nSTLS\r\n`);
    await channel.said('begin TLS');
    expect(channel.output).toContain('\r\nSASL SCRAM-SHA-256 OAUTHBEARER');
    expect(channel.output).toMatch(/-ERR mechanism is not supported\r\n\+ [^\r]+\r\n-ERR cancelled\r\n/);
    channel.output = '';
    channel.say(`CAPA\r\n${plus}*\r\n${y}QUIT\r\n`);
    await ended;
    expect(channel.output).toContain('\r\nSASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 OAUTHBEARER');
    expect(channel.output).toMatch(
      /\r\n\+ [^\r]+\r\n-ERR cancelled\r\n-ERR \[AUTH\] channel binding is on offer, and was not seen\r\n\+OK bye\r\n$/,
    );
  });
});
