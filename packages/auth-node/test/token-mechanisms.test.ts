import { generateKeyPairSync } from 'node:crypto';
import type { AuthOutcome } from '@pop3/core';
import {
  OAUTHBEARER,
  oauthBearerClient,
  type SaslClientMechanism,
  type SaslServerContext,
  type SaslServerMechanism,
  XOAUTH2,
  xoauth2Client,
} from '@pop3/core/sasl';
import { SignJWT } from 'jose';
import { expect, it } from 'vitest';
import { anyOf, staticUsers, throttled, tokenUsers } from '../src/index.js';
import { contextOf } from './auth-context.js';

const { privateKey, publicKey } = generateKeyPairSync('ed25519');
const END = 4_000_000_000;

function tokenFor(scope: string): Promise<string> {
  const claims = { sub: 'ann', iss: 'https://id.example.org', aud: 'mail', exp: END, scope };
  return new SignJWT(claims).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
}

const users = throttled(
  anyOf(
    staticUsers({ ann: 'secret' }),
    tokenUsers({
      issuer: 'https://id.example.org',
      audience: 'mail',
      scopes: ['pop'],
      openidConfiguration: 'https://id.example.org/.well-known/openid-configuration',
      jwt: { keys: { key: publicKey } },
      now: () => (END - 60) * 1000,
    }),
  ),
);

/** What both halves say to each other, and what came of it. */
async function dialogue(server: SaslServerMechanism, client: SaslClientMechanism) {
  const context = contextOf();
  const sasl: SaslServerContext = {
    ...context,
    authenticate: (credentials) => users.authenticate(credentials, context),
    scramKeys: () => ({ type: 'refused', reason: 'permanent' }),
  };
  const exchange = server.start(sasl);
  const half = client.start();
  const challenges: unknown[] = [];
  let challenge: Uint8Array | null = null;
  for (;;) {
    const step = await half.step(challenge);
    if (step.type === 'failed') throw new Error(step.text);
    const outcome = await exchange.step(step.response);
    if (outcome.type !== 'challenge') return { outcome: outcome satisfies AuthOutcome, challenges };
    challenge = outcome.challenge;
    challenges.push(JSON.parse(Buffer.from(challenge).toString()));
  }
}

it.each<[string, SaslServerMechanism, (token: string, username: string) => SaslClientMechanism]>([
  ['OAUTHBEARER', OAUTHBEARER, (token, username) => oauthBearerClient({ token, username })],
  ['XOAUTH2', XOAUTH2, (token, username) => xoauth2Client({ token, username })],
])(
  '%s lets in the user of a token, and tells a client what is wrong with others',
  async (name, server, clientFor) => {
    const good = await dialogue(server, clientFor(await tokenFor('openid pop'), 'ann'));
    const identity = { username: 'ann', maildrop: 'ann' };
    expect(good).toEqual({ outcome: { type: 'accepted', identity }, challenges: [] });

    const poor = await dialogue(server, clientFor(await tokenFor('openid'), 'ann'));
    expect(poor.outcome).toMatchObject({ type: 'refused', reason: 'bad-credentials' });
    expect(poor.challenges).toEqual([
      name === 'XOAUTH2'
        ? { status: '403', schemes: 'Bearer', scope: 'pop' }
        : {
            status: 'insufficient_scope',
            scope: 'pop',
            'openid-configuration': 'https://id.example.org/.well-known/openid-configuration',
          },
    ]);

    const others = await dialogue(server, clientFor(await tokenFor('pop'), 'bob'));
    expect(others.challenges).toMatchObject([{ status: name === 'XOAUTH2' ? '400' : 'invalid_request' }]);
  },
);

it('OAUTHBEARER leaves it to the token who that is', async () => {
  const { outcome } = await dialogue(OAUTHBEARER, oauthBearerClient({ token: await tokenFor('pop') }));
  expect(outcome).toMatchObject({ type: 'accepted', identity: { maildrop: 'ann' } });
});
