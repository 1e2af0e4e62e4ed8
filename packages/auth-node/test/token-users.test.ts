import { createSecretKey, generateKeyPairSync, type JsonWebKey, KeyObject } from 'node:crypto';
import type { AuthOutcome, Credentials } from '@pop3/core';
import { base64url, type CryptoKey, exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import { type JwtUsersOptions, type TokenClaims, type TokenRefused, tokenUsers } from '../src/index.js';
import { contextOf } from './auth-context.js';
import { loopbackServer, sendJson } from './loopback-server.js';

const NOW = Date.UTC(2026, 0, 1);
const NOW_S = NOW / 1000;
const ISSUER = 'https://id.example.org';

const ours = await generateKeyPair('RS256', { extractable: true });
const other = await generateKeyPair('RS256', { extractable: true });
const curve = await generateKeyPair('ES256', { extractable: true });

async function jwkOf(key: CryptoKey, kid: string): Promise<JsonWebKey> {
  return { ...(await exportJWK(key)), kid } as JsonWebKey;
}

const ourKeys = { jwks: { keys: [await jwkOf(ours.publicKey, 'k1'), await jwkOf(curve.publicKey, 'k2')] } };

const CLAIMS = { sub: 'ann', iss: ISSUER, aud: 'mail', exp: NOW_S + 300, scope: 'openid pop' };

interface Making {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly key?: CryptoKey | KeyObject;
}

function tokenWith({ claims = {}, header = {}, key = ours.privateKey }: Making = {}): Promise<string> {
  const all = { ...CLAIMS, ...claims };
  const said = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
  return new SignJWT(said).setProtectedHeader({ alg: 'RS256', kid: 'k1', ...header }).sign(key);
}

const OPTIONS: JwtUsersOptions = {
  jwt: { keys: ourKeys },
  issuer: ISSUER,
  audience: 'mail',
  scopes: ['pop'],
  clockToleranceMs: 30_000,
  now: () => NOW,
};

function present(token: string, username = ''): Credentials {
  return { type: 'token', username, token };
}

/** What came out, and what the operator is told of it. */
async function outcomeOf(token: string, options: Partial<JwtUsersOptions> = {}, username = '') {
  const refused: TokenRefused[] = [];
  const users = tokenUsers({ ...OPTIONS, ...options, onRefused: (one) => refused.push(one) });
  const outcome = await users.authenticate(present(token, username), contextOf());
  return { outcome, trouble: refused[0]?.trouble ?? null, username: refused[0]?.username ?? null };
}

const ann: AuthOutcome = { type: 'accepted', identity: { username: 'ann', maildrop: 'ann' } };

describe('a signed token', () => {
  it('opens the maildrop of its subject', async () => {
    expect(await outcomeOf(await tokenWith())).toEqual({ outcome: ann, trouble: null, username: null });
  });

  it.each([
    ['a list as scope', { scope: ['openid', 'pop'] }],
    ['scp in place of scope', { scope: undefined, scp: ['pop'] }],
    ['scp as a text', { scope: undefined, scp: 'openid pop' }],
    ['several audiences', { aud: ['calendar', 'mail'] }],
    ['an end that was half a minute ago, less a second', { exp: NOW_S - 29 }],
    ['a start in half a minute', { nbf: NOW_S + 30 }],
  ])('may have %s', async (_, claims) => {
    expect((await outcomeOf(await tokenWith({ claims }))).outcome).toEqual(ann);
  });

  it.each([
    ['expired', { exp: NOW_S - 30 }, 'expired'],
    ['not yet valid', { nbf: NOW_S + 31 }, 'not-yet-valid'],
    ['for another audience', { aud: 'calendar' }, 'audience'],
    ['for several others', { aud: ['calendar', 'mailer'] }, 'audience'],
    ['for nobody in particular', { aud: undefined }, 'audience'],
    ['of another issuer', { iss: 'https://id.example.com' }, 'issuer'],
    ['of no issuer', { iss: undefined }, 'issuer'],
    ['without an end', { exp: undefined }, 'malformed'],
    ['with an end that is no time', { exp: 'tomorrow' }, 'malformed'],
    ['with a start that is no time', { nbf: 'now' }, 'malformed'],
    ['without a user', { sub: undefined }, 'user'],
    ['of a user who is no text', { sub: 7 }, 'user'],
    ['of a user without a name', { sub: '' }, 'user'],
    ['of a user with a line end', { sub: 'ann\r\nbob' }, 'user'],
    ['of a user with a name that is too long', { sub: 'a'.repeat(256) }, 'user'],
  ])('is refused when it is %s', async (_, claims, trouble) => {
    const { outcome, ...told } = await outcomeOf(await tokenWith({ claims }));
    expect(told).toEqual({ trouble, username: null });
    expect(outcome).toEqual({
      type: 'refused',
      reason: 'bad-credentials',
      token: { status: 'invalid_token', scope: 'pop' },
    });
  });

  it.each([
    ['no scope', { scope: undefined }],
    ['another scope', { scope: 'openid popular' }],
    ['a scope that is no text', { scope: 1 }],
  ])('is refused for %s, with the one it needs', async (_, claims) => {
    const openidConfiguration = `${ISSUER}/.well-known/openid-configuration`;
    const { outcome, ...told } = await outcomeOf(await tokenWith({ claims }), { openidConfiguration });
    expect(told).toEqual({ trouble: 'scope', username: 'ann' });
    expect(outcome).toEqual({
      type: 'refused',
      reason: 'bad-credentials',
      token: { status: 'insufficient_scope', scope: 'pop', openidConfiguration },
    });
  });

  it('needs no scope where none is asked for', async () => {
    const token = await tokenWith({ claims: { scope: undefined } });
    expect((await outcomeOf(token, { scopes: [] })).outcome).toEqual(ann);
  });

  it('may be of any issuer and for any audience where the operator says so', async () => {
    const token = await tokenWith({ claims: { iss: 'https://two.example', aud: 'calendar' } });
    const options = { issuer: [ISSUER, 'https://two.example'], audience: null };
    expect((await outcomeOf(token, options)).outcome).toEqual(ann);
  });
});

describe('the signature', () => {
  const unsigned = `${base64url.encode('{"alg":"none"}')}.${base64url.encode(JSON.stringify(CLAIMS))}.`;
  const publicPem = exportSPKI(ours.publicKey);

  it.each<[string, () => Promise<string>, string]>([
    ['of nobody', async () => unsigned, 'algorithm'],
    [
      'of nobody, in capitals',
      async () => unsigned.replace(/^[^.]*/, base64url.encode('{"alg":"NONE"}')),
      'algorithm',
    ],
    [
      // Whoever takes the public key for the secret of HS256 believes it.
      'that takes the public key as a secret',
      async () => tokenWith({ header: { alg: 'HS256' }, key: createSecretKey(await publicPem, 'utf8') }),
      'algorithm',
    ],
    ['of another key', () => tokenWith({ key: other.privateKey }), 'signature'],
    ['of a key that the issuer does not have', () => tokenWith({ header: { kid: 'k9' } }), 'key'],
    ['that is cut off', async () => (await tokenWith()).slice(0, -3), 'signature'],
    [
      'for other claims',
      async () =>
        (await tokenWith()).replace(
          /\.[^.]*\./,
          `.${base64url.encode(JSON.stringify({ ...CLAIMS, sub: 'bob' }))}.`,
        ),
      'signature',
    ],
    [
      'of an algorithm that nobody knows',
      async () => unsigned.replace(/^[^.]*/, base64url.encode('{"alg":"XS1"}')),
      'algorithm',
    ],
    [
      'with an extension that must be understood',
      async () => unsigned.replace(/^[^.]*/, base64url.encode('{"alg":"RS256","crit":["x"],"x":1}')),
      'algorithm',
    ],
  ])('is refused %s', async (_, token, trouble) => {
    const { outcome, ...told } = await outcomeOf(await token());
    expect(told).toEqual({ trouble, username: null });
    expect(outcome).toMatchObject({ reason: 'bad-credentials', token: { status: 'invalid_token' } });
  });

  it('may be of any public-key algorithm that the issuer has a key for', async () => {
    const token = await tokenWith({ header: { alg: 'ES256', kid: 'k2' }, key: curve.privateKey });
    expect((await outcomeOf(token)).outcome).toEqual(ann);
  });

  it('is refused for an algorithm that is not among those allowed', async () => {
    const jwt = { keys: ourKeys, algorithms: ['ES256'] };
    expect((await outcomeOf(await tokenWith(), { jwt })).trouble).toBe('algorithm');
  });

  it('is tried with each key when the token does not name one', async () => {
    const keys = { jwks: { keys: [await jwkOf(other.publicKey, 'k0'), await jwkOf(ours.publicKey, 'k1')] } };
    const ofOurs = await tokenWith({ header: { kid: undefined } });
    expect((await outcomeOf(ofOurs, { jwt: { keys } })).outcome).toEqual(ann);
    const third = await generateKeyPair('RS256');
    const ofNone = await tokenWith({ header: { kid: undefined }, key: third.privateKey });
    expect((await outcomeOf(ofNone, { jwt: { keys } })).trouble).toBe('signature');
    const expired = await tokenWith({ header: { kid: undefined }, claims: { exp: 1 } });
    expect((await outcomeOf(expired, { jwt: { keys } })).trouble).toBe('expired');
    const turned = { jwks: { keys: [...keys.jwks.keys].reverse() } };
    expect((await outcomeOf(expired, { jwt: { keys: turned } })).trouble).toBe('expired');
  });

  it('is checked with one key, as PEM or as an object', async () => {
    const pem = await publicPem;
    expect((await outcomeOf(await tokenWith(), { jwt: { keys: { key: pem } } })).outcome).toEqual(ann);
    const key = KeyObject.from(ours.publicKey);
    expect((await outcomeOf(await tokenWith(), { jwt: { keys: { key } } })).outcome).toEqual(ann);
    const confused = await tokenWith({ header: { alg: 'HS256' }, key: createSecretKey(pem, 'utf8') });
    expect((await outcomeOf(confused, { jwt: { keys: { key: pem } } })).trouble).toBe('algorithm');
    const curved = await tokenWith({ header: { alg: 'ES256' }, key: curve.privateKey });
    expect((await outcomeOf(curved, { jwt: { keys: { key: pem } } })).trouble).toBe('algorithm');
  });

  it('may be made with a shared secret only where that is asked for', async () => {
    const key = createSecretKey(Buffer.alloc(32, 7));
    const token = await tokenWith({ header: { alg: 'HS256' }, key });
    const jwt = { keys: { key }, algorithms: ['HS256'] };
    expect((await outcomeOf(token, { jwt })).outcome).toEqual(ann);
    expect((await outcomeOf(await tokenWith(), { jwt })).trouble).toBe('algorithm');
  });

  it('is of a token of the type that is asked for', async () => {
    const jwt = { keys: ourKeys, typ: 'at+jwt' };
    expect((await outcomeOf(await tokenWith(), { jwt })).trouble).toBe('malformed');
    const token = await tokenWith({ header: { typ: 'at+jwt' } });
    expect((await outcomeOf(token, { jwt })).outcome).toEqual(ann);
  });
});

describe('what is no token', () => {
  it.each([
    ['', 'nothing'],
    ['garbage', 'a word'],
    ['a.b.c', 'three parts of garbage'],
    ['a b', 'a space'],
    ['tökën', 'other letters'],
    ['a\0b', 'a NUL'],
    [`${'a'.repeat(20_000)}.b.c`, 'too many octets'],
  ])('%# is refused', async (token) => {
    const { outcome, trouble } = await outcomeOf(token);
    expect(trouble).toBe('malformed');
    expect(outcome).toMatchObject({ reason: 'bad-credentials', token: { status: 'invalid_token' } });
  });

  it('is never read when it is too long', async () => {
    const token = await tokenWith();
    expect((await outcomeOf(token, { maxTokenOctets: token.length })).outcome).toEqual(ann);
    expect((await outcomeOf(token, { maxTokenOctets: token.length - 1 })).trouble).toBe('malformed');
  });

  it.each<Credentials>([
    { type: 'password', username: 'ann', password: 'secret', authorizationId: '' },
    { type: 'external', authorizationId: 'ann' },
  ])('but $type is refused without a word about tokens', async (credentials) => {
    const outcome = await tokenUsers(OPTIONS).authenticate(credentials, contextOf());
    expect(outcome).toEqual({ type: 'refused', reason: 'bad-credentials' });
  });
});

describe('the user', () => {
  it.each([
    ['ann@example.org', 'ann@example.org'],
    ['ann@example.org', 'ann@EXAMPLE.org'],
    ['ann@Example.Org', 'ann@example.org'],
    ['ann@example.org', ''],
  ])('%s may be named %j', async (sub, username) => {
    const { outcome } = await outcomeOf(await tokenWith({ claims: { sub } }), {}, username);
    expect(outcome).toEqual({ type: 'accepted', identity: { username: sub, maildrop: sub } });
  });

  it.each([
    ['ann@example.org', 'bob@example.org'],
    ['ann@example.org', 'Ann@example.org'],
    ['ann@example.org', 'ann'],
    ['ann', 'Ann'],
    ['ann', 'ann '],
    ['ann', 'ann\0'],
  ])('%s may not be named %j', async (sub, username) => {
    const { outcome, ...told } = await outcomeOf(await tokenWith({ claims: { sub } }), {}, username);
    expect(told).toEqual({ trouble: 'other-user', username: sub });
    // A client gets a new token after invalid_token, which would not help.
    expect(outcome).toMatchObject({ reason: 'bad-credentials', token: { status: 'invalid_request' } });
  });

  it('may act for others when that is allowed, and then opens their maildrop', async () => {
    const mayAct = vi.fn(async (user: string, wanted: string) => user === 'ann' && wanted === 'shared');
    const token = await tokenWith();
    expect((await outcomeOf(token, { mayAct }, 'shared')).outcome).toEqual({
      type: 'accepted',
      identity: { username: 'ann', maildrop: 'shared' },
    });
    expect((await outcomeOf(token, { mayAct }, 'bob')).trouble).toBe('other-user');
    expect((await outcomeOf(token, { mayAct }, 'ann')).outcome).toEqual(ann);
    expect(mayAct.mock.calls).toEqual([
      ['ann', 'shared'],
      ['ann', 'bob'],
    ]);
  });

  it('is the claim that is named', async () => {
    const token = await tokenWith({ claims: { preferred_username: 'ann', sub: 'f81d4fae' } });
    expect((await outcomeOf(token, { user: 'preferred_username' })).outcome).toEqual(ann);
  });

  it.each([false, 'false'])('is no address that nobody has verified (%j)', async (email_verified) => {
    const claims = { email: 'ann@example.org', email_verified };
    const token = await tokenWith({ claims });
    expect((await outcomeOf(token, { user: 'email' })).trouble).toBe('user');
    const verified = await tokenWith({ claims: { ...claims, email_verified: true } });
    expect((await outcomeOf(verified, { user: 'email' })).outcome.type).toBe('accepted');
  });

  it('is what a function makes of the claims, null for nobody', async () => {
    const identity = async ({ sub }: TokenClaims) =>
      sub === 'ann' ? { username: 'Ann', maildrop: 'box-7' } : null;
    const token = await tokenWith();
    expect((await outcomeOf(token, { identity }, 'Ann')).outcome).toEqual({
      type: 'accepted',
      identity: { username: 'Ann', maildrop: 'box-7' },
    });
    const bob = await tokenWith({ claims: { sub: 'bob' } });
    expect((await outcomeOf(bob, { identity })).trouble).toBe('user');
  });
});

describe('keys from a server', () => {
  async function keyServer() {
    const state = { keys: [await jwkOf(ours.publicKey, 'k1')], requests: 0 };
    const origin = await loopbackServer((_, response) => {
      state.requests++;
      sendJson(response, { keys: state.keys });
    });
    return { state, url: `${origin}/jwks` };
  }

  it('are read when the first token comes, and kept', async () => {
    const { state, url } = await keyServer();
    const users = tokenUsers({ ...OPTIONS, jwt: { keys: { url } } });
    expect(state.requests).toBe(0);
    const token = await tokenWith();
    const outcomes = await Promise.all([1, 2, 3].map(() => users.authenticate(present(token), contextOf())));
    expect(outcomes).toEqual([ann, ann, ann]);
    expect(state.requests).toBe(1);
  });

  it('are read again for a token of a new key, and the old one goes', async () => {
    const { state, url } = await keyServer();
    const users = tokenUsers({ ...OPTIONS, jwt: { keys: { url, cooldownMs: 0 } } });
    expect(await users.authenticate(present(await tokenWith()), contextOf())).toEqual(ann);
    state.keys = [await jwkOf(other.publicKey, 'k2')];
    const ofNewKey = await tokenWith({ header: { kid: 'k2' }, key: other.privateKey });
    expect(await users.authenticate(present(ofNewKey), contextOf())).toEqual(ann);
    expect(state.requests).toBe(2);
    expect((await users.authenticate(present(await tokenWith()), contextOf())).type).toBe('refused');
  });

  it('are not read again and again for keys that nobody has', async () => {
    const { state, url } = await keyServer();
    const users = tokenUsers({ ...OPTIONS, jwt: { keys: { url } } });
    for (let i = 0; i < 20; i++) {
      const token = await tokenWith({ header: { kid: `k${i + 2}` } });
      expect((await users.authenticate(present(token), contextOf())).type).toBe('refused');
    }
    expect(state.requests).toBe(1);
  });
});

describe('a configuration', () => {
  const secret = createSecretKey(Buffer.alloc(31));
  const { publicKey: weak } = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const { privateKey, publicKey: agreement } = generateKeyPairSync('x25519');
  const privatePem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  it.each<[string, JwtUsersOptions['jwt'], RegExp]>([
    ['none among the algorithms', { keys: ourKeys, algorithms: ['RS256', 'none'] }, /"none" is not one/],
    ['no algorithm', { keys: ourKeys, algorithms: [] }, /fit none/],
    ['HS256 with public keys', { keys: ourKeys, algorithms: ['HS256'] }, /fit none/],
    ['a secret without HS256', { keys: { key: createSecretKey(Buffer.alloc(32)) } }, /fit none/],
    ['a secret that is too short', { keys: { key: secret }, algorithms: ['HS256'] }, /at least 32 octets/],
    ['an RSA key that is too short', { keys: { key: weak } }, /at least 2048 bits/],
    ['a key that signs nothing', { keys: { key: agreement } }, /fit none/],
    ['a private key', { keys: { key: privateKey } }, /private key/],
    ['a private key as PEM', { keys: { key: privatePem } }, /private key/],
    ['a key that is none', { keys: { key: 'k' } }, /no public key/],
    ['a set without keys', { keys: { jwks: { keys: [] } } }, /no keys/],
    ['a set with a secret', { keys: { jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } } }, /secret key/],
    ['keys in the clear', { keys: { url: 'http://id.example.org/jwks' } }, /has to be https/],
    ['keys from nowhere', { keys: { url: 'jwks' } }, /not a URL/],
    [
      'a password in the URL',
      { keys: { url: 'https://ann:hunter2@id.example.org/' } },
      /^(?!.*hunter2).*name or password/,
    ],
  ])('with %s is refused at once', (_, jwt, message) => {
    expect(() => tokenUsers({ ...OPTIONS, jwt })).toThrow(message);
    expect(() => tokenUsers({ ...OPTIONS, jwt })).toThrow(expect.objectContaining({ code: 'POP3_USAGE' }));
  });

  it('may have keys in the clear where that is said', () => {
    const keys = { url: 'http://id.internal/jwks', acceptHttp: true };
    expect(() => tokenUsers({ ...OPTIONS, jwt: { keys } })).not.toThrow();
  });

  it('without the package jose says what is missing', async () => {
    const token = await tokenWith();
    vi.doMock('jose', () => {
      throw new Error('Cannot find package');
    });
    await expect(outcomeOf(token)).rejects.toThrow(/npm install jose/);
    vi.doUnmock('jose');
  });
});
