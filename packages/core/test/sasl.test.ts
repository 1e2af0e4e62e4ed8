import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Authenticator, AuthOutcome, Credentials, Peer, PeerCertificate } from '../src/adapter.js';
import {
  apopDigest,
  EXTERNAL,
  externalClient,
  LOGIN,
  loginClient,
  PLAIN,
  plainClient,
  type SaslClientMechanism,
  type SaslServerMechanism,
  usableMechanisms,
  verifyApop,
} from '../src/sasl/index.js';
import type { SaslOutcome } from '../src/server/requests.js';
import { latin1, octets } from './stored-message.js';

const PEER: Peer = { address: null, tls: true, certificate: null };
const CERTIFICATE: PeerCertificate = { commonName: 'ann', emailAddresses: [], fingerprint256: 'ab' };
const ACCEPTED: AuthOutcome = { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } };
const MALFORMED = 'malformed response';

/** Gives the responses to a fresh exchange, and tells what it said to the last one, or what it asked for. */
async function exchange(
  mechanism: SaslServerMechanism,
  responses: readonly (string | null)[],
): Promise<unknown> {
  const asked: Credentials[] = [];
  const running = mechanism.start({
    signal: new AbortController().signal,
    peer: PEER,
    authenticate(credentials) {
      asked.push(credentials);
      return ACCEPTED;
    },
    scramKeys: () => ({ type: 'refused', reason: 'temporary' }),
  });
  let outcome: SaslOutcome = { type: 'refused', reason: 'temporary' };
  for (const response of responses) outcome = await running.step(response === null ? null : octets(response));
  if (outcome.type === 'challenge') return `+ ${latin1(outcome.challenge)}`;
  return outcome.type === 'refused' ? outcome.text : asked;
}

const password = (username: string, password: string, authorizationId = '') => [
  { type: 'password', username, password, authorizationId },
];
const x255 = 'x'.repeat(255);

describe('PLAIN', () => {
  const vectors: readonly (readonly [what: string, response: string, result: unknown])[] = [
    ['the vector of RFC 5034', 'test\0test\0test', password('test', 'test', 'test')],
    ['an empty authorization id', '\0ann\0secret', password('ann', 'secret')],
    ['another authorization id', 'bob\0ann\0secret', password('ann', 'secret', 'bob')],
    ['UTF-8', '\0j\xc3\xb6rg\0\xe2\x98\x83', password('jörg', '☃')],
    ['spaces', '\0 ann \0 s ', password(' ann ', ' s ')],
    ['fields of 255 octets', `${x255}\0${x255}\0${x255}`, password(x255, x255, x255)],
    ['a field of 256 octets', `\0${x255}x\0secret`, MALFORMED],
    ['a password of 256 octets', `\0ann\0${x255}x`, MALFORMED],
    ['an empty response', '', MALFORMED],
    ['no NUL', 'ann', MALFORMED],
    ['one NUL', 'ann\0secret', MALFORMED],
    ['three NULs', '\0ann\0secret\0', MALFORMED],
    ['no name', '\0\0secret', MALFORMED],
    ['no password', '\0ann\0', MALFORMED],
    ['a name with a line end', '\0ann\r\n\0secret', MALFORMED],
    ['what is not UTF-8', '\0ann\0\xff', MALFORMED],
    ['an authorization id that is not UTF-8', '\xff\0ann\0secret', MALFORMED],
    ['a name that has to be prepared', '\0\xe2\x85\xa8\0secret', password('IX', 'secret')],
    ['an authorization id that has to be prepared', '\xc2\xaa\0ann\0secret', password('ann', 'secret', 'a')],
    [
      'a password that has to be prepared, and as it was',
      '\0ann\0I\xc2\xadX',
      [{ ...password('ann', 'IX')[0], unpreparedPassword: 'I\u00adX' }],
    ],
    ['a password of an emoji', '\0ann\0\xf0\x9f\xab\xa0', password('ann', '🫠')],
    ['a name that SASLprep prohibits', '\0a\x07\0secret', MALFORMED],
    ['a name of which SASLprep leaves nothing', '\0\xc2\xad\0secret', MALFORMED],
    ['a password that SASLprep prohibits', '\0ann\0\x07', MALFORMED],
    ['a password of which SASLprep leaves nothing', '\0ann\0\xc2\xad', MALFORMED],
    ['an authorization id that SASLprep prohibits', '\x07\0ann\0secret', MALFORMED],
    ['an authorization id of which SASLprep leaves nothing', '\xc2\xad\0ann\0secret', MALFORMED],
  ];
  for (const [what, response, result] of vectors) {
    it(`reads ${what}, with and without an initial response`, async () => {
      expect(await exchange(PLAIN, [response])).toEqual(result);
      expect(await exchange(PLAIN, [null, response])).toEqual(result);
    });
  }

  it('asks for a response with an empty challenge', async () => {
    expect(await exchange(PLAIN, [null])).toBe('+ ');
  });
});

describe('LOGIN', () => {
  const vectors: readonly (readonly [
    what: string,
    responses: readonly (string | null)[],
    result: unknown,
  ])[] = [
    ['asks for the name', [null], '+ Username:'],
    ['asks for the password', [null, 'tim'], '+ Password:'],
    ['asks for the password when the name came first', ['tim'], '+ Password:'],
    ['takes both', [null, 'tim', 'secret'], password('tim', 'secret')],
    ['takes both when the name came first', ['tim', 'secret'], password('tim', 'secret')],
    ['takes UTF-8', [null, 'j\xc3\xb6rg', '\xe2\x98\x83'], password('jörg', '☃')],
    ['refuses an empty name', [null, ''], MALFORMED],
    ['refuses an empty name that came first', [''], MALFORMED],
    ['refuses an empty password', ['tim', ''], MALFORMED],
    ['refuses a name that is not UTF-8', [null, '\xff'], MALFORMED],
    ['refuses a password that is not UTF-8', ['tim', '\xff'], MALFORMED],
    ['refuses a name with a line end', ['tim\r\n'], MALFORMED],
    ['refuses a password with a NUL', ['tim', 'sec\0ret'], MALFORMED],
    ['refuses a password of 256 octets', ['tim', 'x'.repeat(256)], MALFORMED],
    ['passes on what SASLprep would change or prohibit', ['\xc2\xaa', '\x07'], password('ª', '\x07')],
  ];
  for (const [what, responses, result] of vectors) {
    it(what, async () => expect(await exchange(LOGIN, responses)).toEqual(result));
  }
});

describe('EXTERNAL', () => {
  const external = (authorizationId: string) => [{ type: 'external', authorizationId }];
  const vectors: readonly (readonly [
    what: string,
    responses: readonly (string | null)[],
    result: unknown,
  ])[] = [
    ['asks for a response with an empty challenge', [null], '+ '],
    ['takes an empty authorization id', [''], external('')],
    ['takes an empty line', [null, ''], external('')],
    ['takes an authorization id', ['j\xc3\xb6rg'], external('jörg')],
    ['refuses NUL', ['a\0b'], MALFORMED],
    ['prepares the authorization id', ['\xe2\x85\xa8'], external('IX')],
    ['refuses what is not UTF-8', ['\xff'], MALFORMED],
    ['refuses what SASLprep prohibits', ['\x07'], MALFORMED],
    ['refuses what SASLprep leaves nothing of', ['\xc2\xad'], MALFORMED],
    ['refuses more than 255 octets', ['x'.repeat(256)], MALFORMED],
  ];
  for (const [what, responses, result] of vectors) {
    it(what, async () => expect(await exchange(EXTERNAL, responses)).toEqual(result));
  }
});

describe('the clients of PLAIN, LOGIN and EXTERNAL', () => {
  const said = async (client: SaslClientMechanism, challenges: readonly (string | null)[]) => {
    const exchange = client.start();
    const words: (string | null)[] = [];
    for (const challenge of challenges) {
      const step = await exchange.step(challenge === null ? null : octets(challenge));
      words.push(step.type === 'failed' ? step.text : step.response && latin1(step.response));
    }
    return { words, complete: exchange.complete };
  };
  const MORE = 'the server asks for more than the mechanism has';
  const login = { username: 'jörg', password: 'I\u00adX' };

  it('say everything at once, and the password as it is: the server prepares it', async () => {
    const words = ['\0j\xc3\xb6rg\0I\xc2\xadX'];
    expect(await said(plainClient(login), [null])).toEqual({ words, complete: true });
    const test = { username: 'test', password: 'test', authorizationId: 'test' };
    expect((await said(plainClient(test), [null])).words).toEqual(['test\0test\0test']);
    expect(await said(externalClient(), [null])).toEqual({ words: [''], complete: true });
    expect((await said(externalClient({ authorizationId: 'jörg' }), [null])).words).toEqual(['j\xc3\xb6rg']);
  });

  it('answer LOGIN whatever it asks', async () => {
    const challenges = [null, 'User Name\0', ''];
    expect(await said(loginClient(login), challenges)).toEqual({
      words: [null, 'j\xc3\xb6rg', 'I\xc2\xadX'],
      complete: true,
    });
    expect((await said(loginClient(login), challenges.slice(0, 2))).complete).toBe(false);
  });

  it('believe nothing after a challenge for which they have no answer', async () => {
    expect(await said(plainClient(login), [null, 'x'])).toMatchObject({
      words: [expect.anything(), MORE],
      complete: false,
    });
    expect(await said(loginClient(login), [null, 'x', 'x', 'x'])).toMatchObject({ complete: false });
    expect(await said(externalClient(), [null, ''])).toEqual({ words: ['', MORE], complete: false });
  });

  it('say which secrets go over the wire', () => {
    expect(
      [plainClient(login), loginClient(login), externalClient()].map(({ plaintext }) => plaintext),
    ).toEqual([true, true, false]);
  });

  it('throw for what cannot be sent', () => {
    expect(() => plainClient({ ...login, username: '' })).toThrow('The user name is empty.');
    expect(() => plainClient({ ...login, password: '' })).toThrow('The password is empty.');
    expect(() => plainClient({ ...login, password: 'sec\0ret' })).toThrow(/^The password holds NUL\.$/);
    expect(() => plainClient({ ...login, authorizationId: '\0' })).toThrow('The authorization id holds NUL.');
    expect(() => loginClient({ ...login, username: '' })).toThrow('The user name is empty.');
    expect(() => loginClient({ ...login, password: '\0' })).toThrow('The password holds NUL.');
    expect(() => externalClient({ authorizationId: '\0' })).toThrow('The authorization id holds NUL.');
  });

  it('show no password to those who print them', () => {
    const shown = inspect([plainClient(login), plainClient(login).start(), loginClient(login)], { depth: 9 });
    expect(shown).not.toContain('IX');
    expect(shown).not.toContain('I\u00adX');
  });
});

describe('usableMechanisms', () => {
  const names = (accepts: Authenticator['accepts'], certificate: PeerCertificate | null) =>
    usableMechanisms(
      [PLAIN, LOGIN, EXTERNAL],
      { accepts, authenticate: () => ACCEPTED },
      { signal: new AbortController().signal, peer: { ...PEER, certificate } },
    ).map(({ name }) => name);

  it('are those whose credentials the authenticator takes', () => {
    expect(names(['password'], CERTIFICATE)).toEqual(['PLAIN', 'LOGIN']);
    expect(names(['external'], CERTIFICATE)).toEqual(['EXTERNAL']);
    expect(names(['apop'], CERTIFICATE)).toEqual([]);
  });

  it('are those that can work on this connection: EXTERNAL needs a certificate', () => {
    expect(names(['password', 'external'], null)).toEqual(['PLAIN', 'LOGIN']);
    expect(names(['password', 'external'], CERTIFICATE)).toEqual(['PLAIN', 'LOGIN', 'EXTERNAL']);
  });
});

describe('APOP', () => {
  const md5 = (source: Uint8Array) => createHash('md5').update(source).digest();
  const timestamp = '<1896.697170952@dbc.mtview.ca.us>';
  const digest = 'c4c9334bac560ecc979e58001b3e22fb';

  it('has the digest of RFC 1939', () => {
    expect(apopDigest(md5, timestamp, 'tanstaaf')).toBe(digest);
  });

  it('takes secrets as UTF-8', () => {
    const reference = createHash('md5').update(`${timestamp}pässword`, 'utf8').digest('hex');
    expect(apopDigest(md5, timestamp, 'pässword')).toBe(reference);
  });

  it('accepts the digest of the secret and no other', () => {
    const credentials = { type: 'apop', username: 'mrose', timestamp } as const;
    expect(verifyApop(md5, { ...credentials, digest }, 'tanstaaf')).toBe(true);
    expect(verifyApop(md5, { ...credentials, digest }, 'tanstaag')).toBe(false);
    expect(verifyApop(md5, { ...credentials, digest: digest.slice(0, 31) }, 'tanstaaf')).toBe(false);
    expect(verifyApop(md5, { ...credentials, digest: `${digest}0` }, 'tanstaaf')).toBe(false);
    expect(verifyApop(md5, { ...credentials, digest: '' }, 'tanstaaf')).toBe(false);
    expect(verifyApop(md5, { ...credentials, timestamp: '<other@host>', digest }, 'tanstaaf')).toBe(false);
  });
});
