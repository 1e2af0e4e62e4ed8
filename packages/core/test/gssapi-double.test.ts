import { describe, expect, it } from 'vitest';
import type { Authenticator, AuthOutcome } from '../src/index.js';
import { gssapiDouble, gssapiDoubleClient } from './gssapi-double.js';
import { peerWith } from './sasl-dialogue.js';
import { type LoginAttempt, logIn, Talk } from './sasl-login.js';

const AUTHENTICATOR: Authenticator = {
  accepts: ['external'],
  authenticate: () => ({ type: 'refused', reason: 'bad-credentials' }),
};
const authorize = async (id: string): Promise<AuthOutcome> =>
  id === 'ann'
    ? { type: 'accepted', identity: { maildrop: 'ann', username: 'ann@EXAMPLE.ORG' } }
    : { type: 'refused', reason: 'bad-credentials', text: 'not yours' };

const attempt = (client: LoginAttempt['client']): LoginAttempt => ({
  client,
  mechanisms: [gssapiDouble('ticket', authorize)],
  authenticator: AUTHENTICATOR,
  peer: peerWith(null),
  oneLine: true,
  chunks: [],
});

describe('a mechanism of many round trips plugs in by the public interface', () => {
  for (const oneLine of [true, false]) {
    for (const chunks of [[], [1], [0, 7, 3]]) {
      it(`and logs in, ${oneLine ? 'in one line' : 'in two lines'}, in chunks of ${chunks.join(', ') || 'any length'}`, async () => {
        const client = gssapiDoubleClient('ticket', 'ann');
        expect(await logIn({ ...attempt(client), oneLine, chunks })).toEqual({
          answer: '+OK 0 messages (0 octets)',
          complete: true,
          failed: null,
          afterwards: '+OK bye',
        });
      });
    }
  }

  it('and says no to another maildrop, and to another secret', async () => {
    expect(await logIn(attempt(gssapiDoubleClient('ticket', 'bob')))).toMatchObject({
      answer: '-ERR [AUTH] not yours',
      afterwards: '+OK bye',
    });
    expect(await logIn(attempt(gssapiDoubleClient('stolen', 'ann')))).toMatchObject({
      answer: '-ERR [AUTH] security context failed',
      complete: false,
    });
  });

  it('and can be cancelled in the middle, and tried again', async () => {
    const client = gssapiDoubleClient('ticket', 'ann');
    const talk = new Talk(attempt(client));
    await talk.line();
    const first = await client.start().step(null);
    const token = first.type === 'response' ? Buffer.from(first.response ?? []).toString('base64') : '';
    expect(await talk.say(`AUTH GSSAPI ${token}`)).toMatch(/^\+ [A-Za-z0-9+/]{43}=$/);
    expect(await talk.say('*')).toBe('-ERR cancelled');
    expect(await talk.say(`AUTH GSSAPI ${token}`)).toMatch(/^\+ /);
    expect(await talk.say('garbage!')).toBe('-ERR bad base64');
    expect(await talk.say(`AUTH GSSAPI ${token}`)).toMatch(/^\+ /);
    expect(await talk.say('AAAA')).toBe('-ERR [AUTH] security context failed');
    expect(await talk.end()).toBe('+OK bye');
  });
});
