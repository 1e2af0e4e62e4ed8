import type { IncomingHttpHeaders } from 'node:http';
import type { AuthOutcome, Credentials } from '@pop3/core';
import { describe, expect, it } from 'vitest';
import { type IntrospectedUsersOptions, type TokenRefused, tokenUsers } from '../src/index.js';
import { contextOf } from './auth-context.js';
import { loopbackServer, sendJson } from './loopback-server.js';

const START = Date.UTC(2026, 0, 1);

const ann: AuthOutcome = { type: 'accepted', identity: { username: 'ann', maildrop: 'ann' } };

interface Question {
  readonly headers: IncomingHttpHeaders;
  readonly body: URLSearchParams;
}

/** An authorization server whose answers are `answers` by token, and users that ask it. */
async function setUp(
  options: Partial<IntrospectedUsersOptions> = {},
  introspection: Partial<IntrospectedUsersOptions['introspection']> = {},
) {
  const questions: Question[] = [];
  const answers = new Map<string, unknown>();
  const held: (() => void)[] = [];
  const state = { nowMs: START, holding: false };
  const endpoint = await loopbackServer((request, response, text) => {
    const body = new URLSearchParams(text);
    questions.push({ headers: request.headers, body });
    const answer = () => sendJson(response, answers.get(body.get('token') ?? '') ?? { active: false });
    if (state.holding) held.push(answer);
    else answer();
  });
  const refused: TokenRefused[] = [];
  const users = tokenUsers({
    introspection: { endpoint, clientId: 'pop3d', clientSecret: 's3cret', ...introspection },
    now: () => state.nowMs,
    onRefused: (one) => refused.push(one),
    ...options,
  });
  const logIn = (token: string, username = '', signal?: AbortSignal) => {
    const credentials: Credentials = { type: 'token', username, token };
    return users.authenticate(credentials, contextOf({}, signal));
  };
  return { questions, answers, held, state, refused, logIn };
}

const active = (more: Record<string, unknown> = {}) => ({ active: true, username: 'ann', ...more });

/** Until the server has been asked so often: its questions come when they come. */
async function asked(questions: readonly Question[], count: number): Promise<void> {
  while (questions.length < count) await new Promise((resolve) => setImmediate(resolve));
}

describe('a token that the server calls active', () => {
  it('opens the maildrop of its user', async () => {
    const { answers, logIn } = await setUp();
    answers.set('good', active());
    expect(await logIn('good')).toEqual(ann);
    expect(await logIn('good', 'ann')).toEqual(ann);
  });

  it.each([
    ['is of another user', active({ username: 'bob' }), 'other-user'],
    ['has no user', active({ username: undefined }), 'user'],
    ['lacks the scope', active({ scope: 'openid' }), 'scope'],
    ['is for another audience', active({ scope: 'pop', aud: 'calendar' }), 'audience'],
    ['says no audience', active({ scope: 'pop', aud: undefined }), 'audience'],
    ['is of another issuer', active({ scope: 'pop', iss: 'https://id.example.com' }), 'issuer'],
    ['has ended', active({ scope: 'pop', exp: START / 1000 - 30 }), 'expired'],
    ['has not begun', active({ scope: 'pop', nbf: START / 1000 + 31 }), 'not-yet-valid'],
    ['ends at no time', active({ scope: 'pop', exp: '2099' }), 'malformed'],
    ['begins at no time', active({ scope: 'pop', nbf: {} }), 'malformed'],
  ])('is refused when it %s', async (_, answer, trouble) => {
    const issuer = 'https://id.example.org';
    const { answers, logIn, refused } = await setUp({ scopes: ['pop'], audience: ['mail', 'pop'], issuer });
    answers.set('bad', { scope: 'pop', aud: 'mail', iss: issuer, ...answer });
    expect(await logIn('bad', 'ann')).toMatchObject({ type: 'refused', reason: 'bad-credentials' });
    expect(refused.map((one) => one.trouble)).toEqual([trouble]);
  });

  it.each([{ exp: null, nbf: null }, { exp: START / 1000 + 1 }, { exp: START / 1000 - 29 }])(
    'may say %j of its time',
    async (times) => {
      const { answers, logIn } = await setUp();
      answers.set('good', active(times));
      expect(await logIn('good')).toEqual(ann);
    },
  );

  it('takes the name from the claim that is named', async () => {
    const { answers, logIn } = await setUp({ user: 'sub' });
    answers.set('good', { active: true, username: 'nobody', sub: 'ann' });
    expect(await logIn('good')).toEqual(ann);
  });
});

it('refuses a token that is not active with the status of RFC 6750', async () => {
  const { logIn, refused } = await setUp();
  expect(await logIn('revoked')).toEqual({
    type: 'refused',
    reason: 'bad-credentials',
    token: { status: 'invalid_token' },
  });
  expect(refused).toEqual([{ trouble: 'inactive', username: null }]);
});

describe('the question', () => {
  it('shows the client in the header, encoded as a form is', async () => {
    const { questions, logIn } = await setUp({}, { clientId: 'pop:3d', clientSecret: 'pä ss+' });
    await logIn('one-token');
    const [question] = questions;
    expect(question?.headers.authorization).toBe(
      `Basic ${Buffer.from('pop%3A3d:p%C3%A4+ss%2B').toString('base64')}`,
    );
    expect(Object.fromEntries(question?.body ?? [])).toEqual({
      token: 'one-token',
      token_type_hint: 'access_token',
    });
  });

  it('shows the client in the body where that is asked for', async () => {
    const { questions, logIn } = await setUp({}, { clientAuth: 'post' });
    await logIn('one-token');
    expect(questions[0]?.headers.authorization).toBe(undefined);
    expect(Object.fromEntries(questions[0]?.body ?? [])).toEqual({
      client_id: 'pop3d',
      client_secret: 's3cret',
      token: 'one-token',
      token_type_hint: 'access_token',
    });
  });

  it.each(['', 'a b', 'tökën', 'a'.repeat(16_385)])(
    'is not asked about what is no token (%#)',
    async (token) => {
      const { questions, logIn, refused } = await setUp();
      expect((await logIn(token)).type).toBe('refused');
      expect(refused[0]?.trouble).toBe('malformed');
      expect(questions).toEqual([]);
    },
  );

  it.each([
    ['in the clear', 'http://id.example.org/introspect', /has to be https/],
    ['by another protocol', 'ftp://127.0.0.1/introspect', /has to be https/],
    ['of a URL with a password', 'https://a:b@id.example.org/', /name or password/],
    ['of nobody', '/introspect', /not a URL/],
  ])('is not asked %s', (_, endpoint, message) => {
    const introspection = { endpoint, clientId: 'pop3d', clientSecret: 's3cret' };
    expect(() => tokenUsers({ introspection })).toThrow(message);
  });
});

describe('the answer', () => {
  it('is kept for a minute, and a token that was revoked meanwhile is refused then', async () => {
    const { answers, questions, state, logIn } = await setUp();
    answers.set('good', active());
    expect(await logIn('good')).toEqual(ann);
    answers.delete('good');
    state.nowMs += 59_999;
    expect(await logIn('good')).toEqual(ann);
    expect(questions.length).toBe(1);
    state.nowMs += 1;
    expect((await logIn('good')).type).toBe('refused');
    expect(questions.length).toBe(2);
  });

  it('is kept until the end of the token at most', async () => {
    const { answers, questions, state, logIn } = await setUp({ clockToleranceMs: 0 });
    answers.set('good', active({ exp: START / 1000 + 10 }));
    expect(await logIn('good')).toEqual(ann);
    state.nowMs += 9_999;
    expect(await logIn('good')).toEqual(ann);
    expect(questions.length).toBe(1);
    state.nowMs += 1;
    expect((await logIn('good')).type).toBe('refused');
  });

  it('is kept for seconds when it is no', async () => {
    const { answers, questions, state, logIn } = await setUp();
    await logIn('soon');
    answers.set('soon', active());
    state.nowMs += 4_999;
    expect((await logIn('soon')).type).toBe('refused');
    expect(questions.length).toBe(1);
    state.nowMs += 1;
    expect(await logIn('soon')).toEqual(ann);
  });

  it('is not kept longer when the clock is set back', async () => {
    const { answers, questions, state, logIn } = await setUp();
    answers.set('good', active());
    await logIn('good');
    state.nowMs -= 3_600_000;
    await logIn('good');
    expect(questions.length).toBe(2);
  });

  it('is asked for each time where nothing may be kept', async () => {
    const { answers, questions, logIn } = await setUp({ cache: { cacheMs: 0, refusedCacheMs: 0 } });
    answers.set('good', active());
    for (const token of ['good', 'good', 'bad', 'bad']) await logIn(token);
    expect(questions.length).toBe(4);
  });

  it('is kept for so many tokens, those that were used last', async () => {
    const { answers, questions, logIn } = await setUp({ cache: { maxCached: 2 } });
    for (const token of ['one', 'two', 'three']) answers.set(token, active());
    for (const token of ['one', 'two', 'one', 'three']) await logIn(token);
    expect(questions.length).toBe(3);
    await logIn('one');
    expect(questions.length).toBe(3);
    await logIn('two');
    expect(questions.length).toBe(4);
  });

  it('of good tokens is not pushed out by made-up ones', async () => {
    const { answers, questions, logIn } = await setUp({ cache: { maxCached: 2 } });
    answers.set('good', active());
    for (const token of ['good', 'bad1', 'bad2', 'bad3']) await logIn(token);
    expect(await logIn('good')).toEqual(ann);
    expect(questions.length).toBe(4);
  });

  it('that has changed is the last one', async () => {
    const { answers, questions, state, logIn } = await setUp();
    answers.set('good', active());
    await logIn('good');
    answers.delete('good');
    state.nowMs += 60_000;
    expect((await logIn('good')).type).toBe('refused');
    state.nowMs -= 30_000;
    answers.set('good', active());
    expect(await logIn('good')).toEqual(ann);
    expect(questions.length).toBe(3);
  });

  it('is for all names that come with the token', async () => {
    const { answers, questions, logIn, refused } = await setUp();
    answers.set('good', active());
    expect(await logIn('good', 'ann')).toEqual(ann);
    expect((await logIn('good', 'bob')).type).toBe('refused');
    expect(refused).toEqual([{ trouble: 'other-user', username: 'ann' }]);
    expect(questions.length).toBe(1);
  });

  it('is shared by all who come with the token at the same time, also when the first goes away', async () => {
    const { answers, questions, state, held, logIn } = await setUp();
    answers.set('good', active());
    state.holding = true;
    const first = new AbortController();
    const logins = [logIn('good', '', first.signal), logIn('good'), logIn('good')];
    await asked(questions, 1);
    first.abort();
    held[0]?.();
    expect(await Promise.all(logins)).toEqual([ann, ann, ann]);
    expect(questions.length).toBe(1);
  });

  it('is waited for by so many and no more: others are told to come again', async () => {
    const { questions, state, held, logIn } = await setUp({ cache: { maxRunning: 1, maxWaiting: 1 } });
    state.holding = true;
    const first = logIn('one');
    const second = logIn('two');
    expect(await logIn('three')).toEqual({ type: 'refused', reason: 'temporary' });
    await asked(questions, 1);
    state.holding = false;
    held[0]?.();
    expect((await first).type).toBe('refused');
    expect((await second).type).toBe('refused');
    expect(questions.length).toBe(2);
  });
});
