import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import type { Authenticator } from '@pop3/core';
import { base64url, generateKeyPair, SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { tokenUsers } from '../src/index.js';
import { contextOf } from './auth-context.js';
import { loopbackServer, sendJson } from './loopback-server.js';

const CLIENT_SECRET = 'client-hunter2';
const CLAIM = 'claim-hunter3';

const { privateKey } = await generateKeyPair('RS256');
const TOKEN = await new SignJWT({ sub: CLAIM, iss: CLAIM, aud: CLAIM, exp: 4_000_000_000 })
  .setProtectedHeader({ alg: 'RS256', kid: 'k1' })
  .sign(privateKey);

/** The token itself, each of its parts, what it says, and the client's secret in each form that is sent. */
const SECRETS = [
  TOKEN,
  ...TOKEN.split('.'),
  CLAIM,
  CLIENT_SECRET,
  Buffer.from(`pop3d:${CLIENT_SECRET}`).toString('base64'),
];

/** Everything that a program can print of a value, and of what it was made from. */
function printed(value: unknown): string {
  const all = inspect(value, { depth: Number.POSITIVE_INFINITY, showHidden: true, maxStringLength: null });
  const stack = value instanceof Error ? `${value.message}\n${value.stack}` : '';
  return `${all}\n${stack}\n${JSON.stringify(value)}`;
}

/** A server that is wrong in the way that it is asked to be. */
async function brokenServer() {
  const origin = await loopbackServer((request, response, body) => {
    const fault = request.url?.slice(1) ?? '';
    if (/^\d+$/.test(fault)) response.writeHead(Number(fault), { location: '/200' }).end(body);
    else if (fault === 'hangs') response.writeHead(200).flushHeaders();
    else if (fault === 'breaks') response.writeHead(200).write('{', () => response.destroy());
    else if (fault === 'long') response.end(' '.repeat(300 * 1024));
    else if (fault === 'echo') response.end(`${body}${request.headers.authorization}`);
    else if (fault === 'weak')
      sendJson(response, { keys: [{ kty: 'RSA', kid: 'k1', n: 'AQAB', e: 'AQAB' }] });
    else sendJson(response, fault === 'list' ? [] : { active: 'yes', keys: 'none' });
  });
  return origin;
}

const CASES: readonly (readonly [fault: string, message: RegExp])[] = [
  ['401', /answered with the status 401/],
  ['503', /answered with the status 503/],
  ['302', /answered with the status 302/],
  ['hangs', /did not answer within 50 ms/],
  ['breaks', /cannot be reached \(/],
  ['long', /answered more than \d+ octets/],
  ['echo', /answered what is not JSON/],
];

/** Where a server was a moment ago. */
async function originOfNobody(): Promise<string> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}

/** Short only where it has to pass. */
function timeoutFor(fault: string): number {
  return fault === 'hangs' ? 50 : 20_000;
}

async function faultOf(users: Authenticator): Promise<unknown> {
  try {
    await users.authenticate({ type: 'token', username: CLAIM, token: TOKEN }, contextOf());
  } catch (error) {
    return error;
  }
  return null;
}

function expectNoSecrets(value: unknown): void {
  const text = printed(value);
  for (const secret of SECRETS) expect(text).not.toContain(secret);
}

describe.each(['basic', 'post'] as const)('a fault of introspection (%s)', (clientAuth) => {
  const usersAt = (endpoint: string, timeoutMs = 20_000) =>
    tokenUsers({
      introspection: { endpoint, clientId: 'pop3d', clientSecret: CLIENT_SECRET, clientAuth, timeoutMs },
    });

  it.each([
    ...CASES,
    ['list', /did not say whether the token is active/] as const,
    ['other', /did not say whether the token is active/] as const,
  ])('holds no secret when the server answers with %s', async (fault, message) => {
    const endpoint = `${await brokenServer()}/${fault}`;
    const error = await faultOf(usersAt(endpoint, timeoutFor(fault)));
    expect(error).toBeInstanceOf(Error);
    expect(String(error)).toMatch(message);
    expect(String(error)).toContain(endpoint);
    expectNoSecrets(error);
  });

  it('holds no secret when nobody listens', async () => {
    const origin = await originOfNobody();
    const error = await faultOf(usersAt(`${origin}/introspect?key=hunter4`));
    expect(String(error)).toBe(`Error: ${origin}/introspect cannot be reached (ECONNREFUSED).`);
    expect(error).not.toHaveProperty('cause');
    expectNoSecrets(error);
  });

  it('is not remembered: the next login asks again', async () => {
    const origin = await loopbackServer((_, response) => {
      questions++;
      response.writeHead(503).end();
    });
    let questions = 0;
    const users = usersAt(origin);
    await faultOf(users);
    await faultOf(users);
    expect(questions).toBe(2);
  });
});

describe('a fault of the keys', () => {
  const usersAt = (url: string, timeoutMs: number) =>
    tokenUsers({ jwt: { keys: { url, timeoutMs } }, issuer: CLAIM, audience: CLAIM });

  it.each([
    ...CASES,
    ['list', /keys for tokens cannot be used \(ERR_JWKS_INVALID\)/] as const,
    ['other', /keys for tokens cannot be used \(ERR_JWKS_INVALID\)/] as const,
    ['weak', /keys for tokens cannot be used \(/] as const,
  ])('holds no secret when the server answers with %s', async (fault, message) => {
    const error = await faultOf(usersAt(`${await brokenServer()}/${fault}`, timeoutFor(fault)));
    expect(String(error)).toMatch(message);
    expectNoSecrets(error);
  });
});

it('no refusal, nothing the operator is told of it, and no part of the users holds a secret', async () => {
  const origin = await loopbackServer((_, response) => sendJson(response, { active: false }));
  const unsigned = `${base64url.encode('{"alg":"none"}')}.${TOKEN.split('.')[1]}.`;
  const told: unknown[] = [];
  const jwks = { keys: [{ kty: 'RSA', kid: 'k1', n: 'u'.repeat(342), e: 'AQAB' }] };
  const users = [
    tokenUsers({
      introspection: { endpoint: origin, clientId: 'pop3d', clientSecret: CLIENT_SECRET },
      onRefused: (refused) => told.push(refused),
    }),
    tokenUsers({
      jwt: { keys: { jwks } },
      issuer: CLAIM,
      audience: null,
      onRefused: (one) => told.push(one),
    }),
  ];
  for (const one of users) {
    for (const token of [TOKEN, unsigned, `${TOKEN}x`, TOKEN.slice(0, -9), `${TOKEN} ${TOKEN}`]) {
      const outcome = await one.authenticate({ type: 'token', username: '', token }, contextOf());
      expect(outcome.type).toBe('refused');
      expectNoSecrets(outcome);
    }
    expect(inspect(one, { depth: Number.POSITIVE_INFINITY, showHidden: true })).not.toContain(CLIENT_SECRET);
  }
  expect(told.length).toBe(10);
  expectNoSecrets(told);
});
