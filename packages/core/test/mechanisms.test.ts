import { describe, expect, it } from 'vitest';
import type { ChannelBindingType } from '../src/adapter.js';
import { parseCapabilities } from '../src/capability.js';
import type { PasswordAuth } from '../src/driver/index.js';
import { type Offer, passwordWay, tokenMechanismName } from '../src/driver/mechanisms.js';
import { errorOf } from './login-attempt.js';
import { LOGIN_CRYPTO, md5 } from './node-hashes.js';

const SECRET = 'correct horse';
const AUTH: PasswordAuth = { user: 'ann', password: SECRET };
const EVERYTHING =
  'SASL PLAIN LOGIN CRAM-MD5 XOAUTH2 SCRAM-SHA-1 SCRAM-SHA-512 SCRAM-SHA-256 SCRAM-SHA-1-PLUS SCRAM-SHA-512-PLUS SCRAM-SHA-256-PLUS';

type Connection = 'bindable' | 'tls' | 'clear' | 'clear, allowed';

/** @param capabilities - lines of CAPA, by `;`; null when it is refused */
function offer(
  capabilities: string | null,
  connection: Connection,
  apopTimestamp: string | null = null,
): Offer {
  return {
    capabilities: capabilities === null ? null : parseCapabilities(capabilities.split('; ')),
    apopTimestamp,
    encrypted: connection === 'bindable' || connection === 'tls',
    allowPlaintext: connection === 'clear, allowed',
    crypto: LOGIN_CRYPTO,
    channelBinding: () => (connection === 'bindable' ? Buffer.from('bound') : null),
  };
}

/** The name of what is chosen; of SCRAM also the start of its first message. */
async function chosen(auth: Partial<PasswordAuth>, from: Offer): Promise<string> {
  const way = passwordWay({ ...AUTH, ...auth }, from);
  if (way.type !== 'sasl') return way.type;
  const { name } = way.mechanism;
  if (!name.startsWith('SCRAM')) return name;
  const step = await way.mechanism.start().step(null);
  const text = step.type === 'response' ? Buffer.from(step.response ?? []).toString() : step.text;
  return `${name} ${text.replace(/n=ann.*/, '')}`;
}

describe('the best that both sides have', () => {
  it.each<[string | null, Connection, string]>([
    [EVERYTHING, 'bindable', 'SCRAM-SHA-256-PLUS p=tls-exporter,,'],
    [
      'SASL SCRAM-SHA-1-PLUS SCRAM-SHA-512-PLUS SCRAM-SHA-256',
      'bindable',
      'SCRAM-SHA-512-PLUS p=tls-exporter,,',
    ],
    ['SASL PLAIN SCRAM-SHA-256 SCRAM-SHA-1-PLUS', 'bindable', 'SCRAM-SHA-1-PLUS p=tls-exporter,,'],
    // Seen, but not to be had: nothing is said of it.
    [EVERYTHING, 'tls', 'SCRAM-SHA-256 n,,'],
    [EVERYTHING, 'clear', 'SCRAM-SHA-256 n,,'],
    // Not seen, though this side could: the server then knows whether somebody has taken it away.
    ['SASL PLAIN SCRAM-SHA-256', 'bindable', 'SCRAM-SHA-256 y,,'],
    ['SASL PLAIN SCRAM-SHA-1 SCRAM-SHA-512', 'bindable', 'SCRAM-SHA-512 y,,'],
    ['SASL PLAIN SCRAM-SHA-1 CRAM-MD5', 'tls', 'SCRAM-SHA-1 n,,'],
    ['SASL PLAIN LOGIN CRAM-MD5', 'tls', 'CRAM-MD5'],
    ['SASL PLAIN LOGIN CRAM-MD5; USER', 'clear', 'CRAM-MD5'],
    ['SASL LOGIN PLAIN; USER', 'tls', 'PLAIN'],
    ['SASL LOGIN PLAIN; USER', 'clear, allowed', 'PLAIN'],
    ['sasl login plain', 'tls', 'PLAIN'],
    ['SASL LOGIN NTLM; USER', 'tls', 'LOGIN'],
    ['SASL GSSAPI XOAUTH2; USER', 'tls', 'user'],
    ['SASL GSSAPI XOAUTH2; USER', 'clear, allowed', 'user'],
    ['SASL', 'tls', 'user'],
    ['TOP; UIDL', 'tls', 'user'],
    ['USER', 'tls', 'user'],
    ['USER', 'clear, allowed', 'user'],
    [null, 'tls', 'user'],
    [null, 'clear, allowed', 'user'],
  ])('%s over %s: %s', async (capabilities, connection, expected) => {
    expect(await chosen({}, offer(capabilities, connection))).toBe(expected);
    // A timestamp is there as well: MD5 of a password is never chosen.
    expect(await chosen({}, offer(capabilities, connection, '<1@host>'))).toBe(expected);
  });

  it.each<[ChannelBindingType[], string]>([
    [['tls-server-end-point', 'tls-unique', 'tls-exporter'], 'p=tls-exporter,,'],
    [['tls-server-end-point', 'tls-unique'], 'p=tls-unique,,'],
    [['tls-server-end-point'], 'p=tls-server-end-point,,'],
  ])('binds a connection that has %s by %s', async (types, expected) => {
    const from = offer(EVERYTHING, 'bindable');
    const channelBinding = (type: ChannelBindingType) => (types.includes(type) ? Buffer.from(type) : null);
    expect(await chosen({}, { ...from, channelBinding })).toBe(`SCRAM-SHA-256-PLUS ${expected}`);
  });

  it('believes in no binding of a connection that is not encrypted', async () => {
    const from = { ...offer(EVERYTHING, 'bindable'), encrypted: false };
    expect(await chosen({}, from)).toBe('SCRAM-SHA-256 n,,');
  });

  it.each<[string, Connection, string]>([
    [EVERYTHING, 'tls', 'SCRAM-SHA-256 n,a=bob,'],
    ['SASL CRAM-MD5 PLAIN LOGIN; USER', 'tls', 'PLAIN'],
  ])('to say whose maildrop is wanted: %s over %s: %s', async (capabilities, connection, expected) => {
    expect(await chosen({ authorizationId: 'bob' }, offer(capabilities, connection))).toBe(expected);
  });
});

describe('a mechanism that is named', () => {
  it.each<[string, string | null, Connection, string]>([
    ['PLAIN', EVERYTHING, 'bindable', 'PLAIN'],
    ['plain', EVERYTHING, 'bindable', 'PLAIN'],
    ['LOGIN', 'SASL PLAIN', 'tls', 'LOGIN'],
    ['PLAIN', null, 'tls', 'PLAIN'],
    ['PLAIN', 'USER', 'clear, allowed', 'PLAIN'],
    ['CRAM-MD5', null, 'clear', 'CRAM-MD5'],
    ['USER', EVERYTHING, 'bindable', 'user'],
    ['SCRAM-SHA-1', EVERYTHING, 'bindable', 'SCRAM-SHA-1 n,,'],
    // There was no list that -PLUS could be missing from.
    ['SCRAM-SHA-1', null, 'bindable', 'SCRAM-SHA-1 n,,'],
    ['SCRAM-SHA-1', 'SASL SCRAM-SHA-1', 'bindable', 'SCRAM-SHA-1 y,,'],
    ['SCRAM-SHA-1-PLUS', null, 'bindable', 'SCRAM-SHA-1-PLUS p=tls-exporter,,'],
  ])(
    'is used whether it is announced or not: %s of %s over %s',
    async (mechanism, capabilities, connection, expected) => {
      expect(await chosen({ mechanism }, offer(capabilities, connection))).toBe(expected);
    },
  );

  it('is APOP, with the timestamp of the greeting', () => {
    const way = passwordWay({ ...AUTH, mechanism: 'APOP' }, offer(EVERYTHING, 'tls', '<1.2@host>'));
    expect(way).toEqual({ type: 'apop', timestamp: '<1.2@host>', md5 });
  });
});

describe('what cannot be', () => {
  const failed = (auth: Partial<PasswordAuth>, from: Offer) => errorOf(chosen(auth, from), SECRET);

  it.each<[string | null, string]>([
    ['SASL PLAIN LOGIN; USER; STLS', 'PLAIN, LOGIN, USER'],
    ['SASL PLAIN', 'PLAIN'],
    ['USER; STLS', 'USER'],
    ['TOP', 'USER'],
    ['SASL', 'USER'],
    [null, 'USER'],
  ])('shows no password to everybody, and says what to set: %s', async (capabilities, named) => {
    const error = await failed({}, offer(capabilities, 'clear'));
    expect(error).toMatchObject({ code: 'POP3_TLS', retryable: false });
    expect(error.message).toContain(named);
    expect(error.message).toContain('tls');
    expect(error.message).toContain('allowPlaintext');
  });

  it.each(['PLAIN', 'LOGIN', 'USER'])(
    'shows no password to everybody when %s is named',
    async (mechanism) => {
      const error = await failed({ mechanism }, offer(EVERYTHING, 'clear'));
      expect(error).toMatchObject({ code: 'POP3_TLS' });
      expect(error.message).toMatch(/allowPlaintext/);
    },
  );

  it('says that there may be more when the connection is encrypted', async () => {
    const error = await failed({}, offer('SASL GSSAPI; STLS', 'clear'));
    expect(error).toMatchObject({ code: 'POP3_TLS' });
    expect(error.message).toMatch(/announces GSSAPI: .* not encrypted.*tls/);
  });

  it('says what the server has, when there is nothing for a password', async () => {
    const error = await failed({}, offer('SASL GSSAPI NTLM', 'tls'));
    expect(error).toMatchObject({ code: 'POP3_UNSUPPORTED' });
    expect(error.message).toBe(
      'The server announces GSSAPI, NTLM: none for a password. If it has one that it does not announce, name it by auth.mechanism.',
    );
    expect((await failed({}, offer('SASL GSSAPI NTLM', 'clear'))).code).toBe('POP3_UNSUPPORTED');
  });

  it.each(['SASL CRAM-MD5 LOGIN; USER', 'USER', null])(
    'says that none can name the maildrop: %s',
    async (capabilities) => {
      const error = await failed({ authorizationId: 'bob' }, offer(capabilities, 'tls'));
      expect(error).toMatchObject({ code: 'POP3_UNSUPPORTED' });
      expect(error.message).toContain('auth.authorizationId');
    },
  );

  it.each(['LOGIN', 'CRAM-MD5', 'USER', 'APOP'])('sends no authorization id by %s', async (mechanism) => {
    const error = await failed({ mechanism, authorizationId: 'bob' }, offer(EVERYTHING, 'tls', '<1@host>'));
    expect(error).toMatchObject({ code: 'POP3_USAGE' });
  });

  it.each(['XOAUTH2', 'EXTERNAL', 'GSSAPI', '', 'PLAIN LOGIN', SECRET])(
    'has no %j for a password',
    async (mechanism) => {
      expect(await failed({ mechanism }, offer(EVERYTHING, 'tls'))).toMatchObject({ code: 'POP3_USAGE' });
    },
  );

  it('has no APOP without a timestamp', async () => {
    expect(await failed({ mechanism: 'APOP' }, offer(EVERYTHING, 'tls'))).toMatchObject({
      code: 'POP3_UNSUPPORTED',
    });
  });

  it('has no -PLUS without a connection to bind to', async () => {
    const mechanism = 'SCRAM-SHA-256-PLUS';
    expect(await failed({ mechanism }, offer(EVERYTHING, 'tls'))).toMatchObject({ code: 'POP3_UNSUPPORTED' });
    const clear = { ...offer(EVERYTHING, 'bindable'), encrypted: false };
    expect(await failed({ mechanism }, clear)).toMatchObject({ code: 'POP3_TLS' });
  });

  it.each<[string, Partial<PasswordAuth>]>([
    ['an empty name', { user: '' }],
    ['an empty password', { password: '' }],
    ['NUL in the name', { user: 'an\0n' }],
    ['NUL in the password', { password: `${SECRET}\0` }],
    ['a name that is none', { user: undefined as never }],
    ['a password that is none', { password: 4711 as never }],
  ])('refuses %s, whatever is offered', async (_, auth) => {
    for (const from of [offer(EVERYTHING, 'tls'), offer(null, 'tls'), offer(null, 'clear')]) {
      expect(await failed(auth, from)).toMatchObject({ code: 'POP3_USAGE' });
    }
  });
});

describe('the mechanism for a token', () => {
  const auth = { user: 'ann', accessToken: 'x' };

  it.each<[string | null, 'OAUTHBEARER' | 'XOAUTH2']>([
    ['SASL PLAIN XOAUTH2 OAUTHBEARER', 'OAUTHBEARER'],
    ['SASL PLAIN oauthbearer', 'OAUTHBEARER'],
    ['SASL PLAIN XOAUTH2', 'XOAUTH2'],
    ['SASL PLAIN', 'XOAUTH2'],
    ['USER', 'XOAUTH2'],
    [null, 'XOAUTH2'],
  ])('%s: %s', (capabilities, expected) => {
    expect(tokenMechanismName(auth, offer(capabilities, 'tls'))).toBe(expected);
    expect(tokenMechanismName(auth, offer(capabilities, 'clear, allowed'))).toBe(expected);
    expect(() => tokenMechanismName(auth, offer(capabilities, 'clear'))).toThrow(/allowPlaintext/);
  });

  it('is the one that is named', () => {
    const from = offer('SASL XOAUTH2 OAUTHBEARER', 'tls');
    expect(tokenMechanismName({ ...auth, mechanism: 'XOAUTH2' }, from)).toBe('XOAUTH2');
    expect(tokenMechanismName({ ...auth, mechanism: 'OAUTHBEARER' }, offer(null, 'tls'))).toBe('OAUTHBEARER');
  });
});
