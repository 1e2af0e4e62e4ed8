import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Authenticator, Credentials, ScramForm } from '../src/adapter.js';
import {
  ANONYMOUS,
  anonymousClient,
  cramMd5,
  cramMd5Client,
  EXTERNAL,
  externalClient,
  LOGIN,
  loginClient,
  OAUTHBEARER,
  oauthBearerClient,
  PLAIN,
  plainClient,
  type SaslClientMechanism,
  type SaslServerMechanism,
  saslprep,
  scram,
  scramClient,
  scramKeysOf,
  verifyCramMd5,
  XOAUTH2,
  xoauth2Client,
} from '../src/sasl/index.js';
import { anyText } from './any-text.js';
import { HASHES, hmacMd5 } from './node-hashes.js';
import { peerWith } from './sasl-dialogue.js';
import { type LoginResult, logIn } from './sasl-login.js';
import { chunkLengths } from './stored-message.js';

// fast-check prints the seed of a run that fails, with the smallest texts that make it fail.

/** What SASL can carry: without NUL, and for a name not empty. */
const sendable = fc
  .oneof(
    fc.string({ unit: 'grapheme-ascii', maxLength: 40 }),
    fc.string({ unit: 'grapheme', maxLength: 20 }),
    fc.string({
      unit: fc.constantFrom('\u05d0', '\u0628', '1', ' ', '=', ',', '\u00a0', 'ﬁ', 'Ⅸ'),
      maxLength: 10,
    }),
    anyText(40),
  )
  .map((text) => text.replaceAll('\0', ''));
const name = sendable.filter((text) => text !== '');
const token = fc.stringMatching(/^[\x21-\x7e]{1,400}$/);
const way = fc.record({ oneLine: fc.boolean(), chunks: chunkLengths });
type Way = { readonly oneLine: boolean; readonly chunks: readonly number[] };

const SUCCESS = /^\+OK 0 messages/;
const REFUSAL = /^-ERR \[AUTH\] /;

const fits = (text: string) => !/[\r\n]/.test(text) && Buffer.byteLength(text) <= 255;
/** Whether it can be the name of somebody, by the rule of RFC 5034 section 4. */
const isName = (text: string) => fits(text) && !!saslprep(text);
const isAuthorizationId = (text: string) => text === '' || isName(text);

/** Accepts what is expected of it, and nothing else. */
function expecting(expected: Credentials | null, accepts: Credentials['type']): Authenticator {
  return {
    accepts: [accepts],
    authenticate(credentials) {
      expect(credentials).toEqual(expected);
      return { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } };
    },
  };
}

async function attempt(
  client: SaslClientMechanism,
  server: SaslServerMechanism,
  expected: Credentials | null,
  way: Way,
): Promise<void> {
  const result = await logIn({
    client,
    mechanisms: [server],
    authenticator: expecting(expected, server.credentials),
    peer: { ...peerWith(null), certificate: { commonName: 'ann', emailAddresses: [], fingerprint256: '' } },
    ...way,
  });
  expect(result).toMatchObject({ failed: null, complete: true, afterwards: '+OK bye' });
  expect(result.answer).toMatch(expected === null ? REFUSAL : SUCCESS);
}

describe('both halves agree about any text, in one line and in two, in any chunks:', () => {
  it('PLAIN', () =>
    fc.assert(
      fc.asyncProperty(name, name, sendable, way, async (username, password, authorizationId, way) => {
        const prepared = { username: saslprep(username) ?? '', password: saslprep(password) ?? '' };
        const accepted = isName(username) && isName(password) && isAuthorizationId(authorizationId);
        const expected: Credentials = {
          type: 'password',
          ...prepared,
          authorizationId: saslprep(authorizationId) ?? '',
          ...(prepared.password !== password && { unpreparedPassword: password }),
        };
        const client = plainClient({ username, password, authorizationId });
        await attempt(client, PLAIN, accepted ? expected : null, way);
      }),
    ));

  it('EXTERNAL', () =>
    fc.assert(
      fc.asyncProperty(sendable, way, async (authorizationId, way) => {
        const prepared = saslprep(authorizationId) ?? '';
        const expected: Credentials = { type: 'external', authorizationId: prepared };
        const accepted = isAuthorizationId(authorizationId);
        await attempt(externalClient({ authorizationId }), EXTERNAL, accepted ? expected : null, way);
      }),
    ));

  it('ANONYMOUS', () =>
    fc.assert(
      fc.asyncProperty(sendable, way, async (text, way) => {
        const trace = text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '');
        await attempt(anonymousClient({ trace }), ANONYMOUS, { type: 'anonymous', trace }, way);
      }),
    ));

  it('OAUTHBEARER', () =>
    fc.assert(
      fc.asyncProperty(sendable, token, way, async (username, token, way) => {
        const accepted = username === '' || (!/[\r\n]/.test(username) && !!saslprep(username));
        const expected: Credentials = { type: 'token', username: saslprep(username) ?? '', token };
        const client = oauthBearerClient({ username, token, host: 'pop.example.org', port: 995 });
        await attempt(client, OAUTHBEARER, accepted ? expected : null, way);
      }),
    ));

  it('XOAUTH2', () =>
    fc.assert(
      fc.asyncProperty(name, token, way, async (text, token, way) => {
        const username = text.replaceAll('\x01', '-');
        const accepted = !/[\r\n]/.test(username) && !!saslprep(username);
        const expected: Credentials = { type: 'token', username: saslprep(username) ?? '', token };
        await attempt(xoauth2Client({ username, token }), XOAUTH2, accepted ? expected : null, way);
      }),
    ));

  it('LOGIN', () =>
    fc.assert(
      fc.asyncProperty(name, name, way, async (username, password, way) => {
        const expected: Credentials = { type: 'password', username, password, authorizationId: '' };
        const client = loginClient({ username, password });
        // Who has sent a name that is none is not asked for a password.
        fc.pre(fits(username));
        await attempt(client, LOGIN, fits(password) ? expected : null, way);
      }),
    ));

  it('CRAM-MD5', () =>
    fc.assert(
      fc.asyncProperty(name, name, name, way, async (username, password, other, way) => {
        fc.pre(fits(username));
        const challenge = `<${randomBytes(8).toString('hex')}@example.org>`;
        const run = (known: string) =>
          logIn({
            client: cramMd5Client({ username, password, hmacMd5 }),
            mechanisms: [cramMd5({ challenge: () => challenge })],
            authenticator: {
              accepts: ['cram-md5'],
              authenticate(credentials) {
                if (credentials.type !== 'cram-md5') return expect.unreachable();
                expect(credentials).toMatchObject({ username, challenge });
                return verifyCramMd5(hmacMd5, credentials, known)
                  ? { type: 'accepted', identity: { maildrop: 'ann', username } }
                  : { type: 'refused', reason: 'bad-credentials' };
              },
            },
            peer: peerWith(null),
            ...way,
          });
        expect((await run(password)).answer).toMatch(SUCCESS);
        if (other !== password) expect((await run(other)).answer).toMatch(REFUSAL);
      }),
    ));
});

describe('both halves of SCRAM agree about any name, password, authorisation id and binding, in any chunks:', () => {
  const binding = fc.option(
    fc.record({
      type: fc.constantFrom('tls-exporter', 'tls-server-end-point', 'tls-unique'),
      octets: fc.uint8Array({ minLength: 12, maxLength: 64 }),
    }),
    { nil: null },
  );
  const nonce = () => randomBytes(18).toString('base64');

  for (const form of ['scram-sha-1', 'scram-sha-256', 'scram-sha-512'] satisfies ScramForm[]) {
    it(form, () =>
      fc.assert(
        fc.asyncProperty(
          fc.record({ username: name, password: name, authorizationId: sendable }),
          name,
          binding,
          way,
          async (login, otherPassword, binding, way) => {
            fc.pre(!!saslprep(login.username));
            const crypto = HASHES[form];
            const client = scramClient(form, {
              ...login,
              crypto,
              nonce,
              ...(binding !== null && { channelBinding: binding }),
            });
            const run = (known: string): Promise<LoginResult> =>
              logIn({
                client,
                mechanisms: scram(form, { crypto, nonce }),
                authenticator: {
                  accepts: [form],
                  authenticate(credentials) {
                    expect(credentials).toEqual({
                      type: form,
                      username: saslprep(login.username),
                      authorizationId: saslprep(login.authorizationId),
                      proven: known === login.password,
                    });
                    return { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } };
                  },
                  scramKeys: () => scramKeysOf(crypto, known, randomBytes(16), 4_096),
                },
                peer: peerWith(binding && { [binding.type]: binding.octets }),
                ...way,
              });
            const isId =
              login.authorizationId === '' ||
              (!/[\r\n]/.test(login.authorizationId) && !!saslprep(login.authorizationId));
            const right = await run(login.password);
            expect(right).toMatchObject({ failed: null, complete: isId, afterwards: '+OK bye' });
            expect(right.answer).toMatch(isId ? SUCCESS : REFUSAL);
            if (!isId || saslprep(otherPassword) === saslprep(login.password)) return;
            const wrong = await run(otherPassword);
            expect(wrong).toMatchObject({ failed: null, complete: false, afterwards: '+OK bye' });
            expect(wrong.answer).toMatch(REFUSAL);
          },
        ),
        { numRuns: 60 },
      ),
    );
  }
});
