import type {
  AuthContext,
  Authenticator,
  AuthOutcome,
  Credentials,
  Refusal,
  RefusalReason,
  ScramForm,
  ScramKeys,
  TokenProblem,
} from '@pop3/core';
import { describe, expect, it } from 'vitest';
import {
  anonymousUser,
  anyOf,
  certificateUsers,
  hashPassword,
  lookupUsers,
  staticUsers,
  throttled,
} from '../src/index.js';
import { contextOf } from './auth-context.js';

function passwordOf(username: string, password: string): Credentials {
  return { type: 'password', username, password, authorizationId: '' };
}

function accepted(username: string): AuthOutcome {
  return { type: 'accepted', identity: { username, maildrop: username } };
}

function refusal(reason: RefusalReason, text?: string): Refusal {
  return { type: 'refused', reason, ...(text !== undefined && { text }) };
}

/** A part that always says the same, or throws it. */
function saying(outcome: AuthOutcome | Error, accepts: Credentials['type'][] = ['password']) {
  const asked: Credentials[] = [];
  const authenticator: Authenticator = {
    accepts,
    authenticate(credentials) {
      asked.push(credentials);
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
  };
  return { ...authenticator, asked };
}

const logIn = (users: Authenticator, credentials = passwordOf('ann', 'secret'), context = contextOf()) =>
  users.authenticate(credentials, context);

it('accepts what any part accepts, now, each once', () => {
  const accepts: Credentials['type'][] = ['password'];
  const users = anyOf(
    { accepts, authenticate: () => refusal('temporary') },
    saying(refusal('temporary'), ['password', 'external']),
    certificateUsers(),
    anonymousUser({ maildrop: 'public' }),
  );
  expect(users.accepts).toEqual(['password', 'external', 'anonymous']);
  accepts.push('token');
  expect(users.accepts).toEqual(['password', 'token', 'external', 'anonymous']);
});

it('finds a user in whichever part', async () => {
  const users = anyOf(staticUsers({ ann: 'one' }), staticUsers({ bob: 'two', ann: 'three' }));
  expect(await logIn(users, passwordOf('ann', 'one'))).toEqual(accepted('ann'));
  expect(await logIn(users, passwordOf('bob', 'two'))).toEqual(accepted('bob'));
  expect(await logIn(users, passwordOf('ann', 'three'))).toEqual(accepted('ann'));
  expect(await logIn(users, passwordOf('bob', 'one'))).toEqual(refusal('bad-credentials'));
});

it('asks the parts that accept the form, in their order, and no more than it takes', async () => {
  const tokens = saying(accepted('token'), ['token']);
  const first = saying(refusal('bad-credentials'));
  const second = saying(accepted('ann'));
  const third = saying(accepted('other'));
  const users = anyOf(tokens, first, second, third);
  expect(await logIn(users)).toEqual(accepted('ann'));
  expect([tokens, first, second, third].map(({ asked }) => asked.length)).toEqual([0, 1, 1, 0]);
});

it('asks all parts before it refuses, so the time is that of all of them', async () => {
  const parts = [1, 2, 3].map(() => saying(refusal('bad-credentials')));
  await logIn(anyOf(...parts));
  expect(parts.map(({ asked }) => asked.length)).toEqual([1, 1, 1]);
});

it('of no parts, and for a form that none accepts, refuses', async () => {
  expect(anyOf().accepts).toEqual([]);
  expect(await logIn(anyOf())).toEqual(refusal('bad-credentials'));
  expect(await logIn(anyOf(certificateUsers()))).toEqual(refusal('bad-credentials'));
});

describe('of several refusals', () => {
  it.each<[Refusal[], Refusal]>([
    [
      [refusal('bad-credentials', 'one'), refusal('bad-credentials', 'two')],
      refusal('bad-credentials', 'one'),
    ],
    [[refusal('bad-credentials'), refusal('temporary')], refusal('temporary')],
    [[refusal('temporary'), refusal('bad-credentials')], refusal('temporary')],
    [[refusal('temporary'), refusal('permanent'), refusal('bad-credentials')], refusal('permanent')],
    [[refusal('bad-credentials'), refusal('login-delay', 'wait')], refusal('login-delay', 'wait')],
  ])('%j it is the one that tells most', async (refusals, expected) => {
    expect(await logIn(anyOf(...refusals.map((one) => saying(one))))).toEqual(expected);
  });

  it.each<[TokenProblem['status'], TokenProblem['status'], TokenProblem['status']]>([
    ['invalid_token', 'insufficient_scope', 'insufficient_scope'],
    ['invalid_request', 'invalid_token', 'invalid_request'],
  ])('of tokens, %s and %s, it is that of the issuer who knows it', async (one, other, expected) => {
    const parts = [one, other].map((status) =>
      saying({ type: 'refused', reason: 'bad-credentials', token: { status } }, ['token']),
    );
    const outcome = await logIn(anyOf(...parts), { type: 'token', username: '', token: 'a.b.c' });
    expect(outcome).toMatchObject({ token: { status: expected } });
  });
});

describe('a part with a fault', () => {
  it('keeps out nobody of the others', async () => {
    expect(await logIn(anyOf(saying(new Error('down')), staticUsers({ ann: 'secret' })))).toEqual(
      accepted('ann'),
    );
  });

  it('is reported when nobody else accepts', async () => {
    const users = anyOf(saying(new Error('down')), staticUsers({ ann: 'secret' }), saying(new Error('too')));
    await expect(logIn(users, passwordOf('ann', 'wrong'))).rejects.toThrow('down');
    await expect(logIn(users, passwordOf('bob', 'wrong'))).rejects.toThrow('down');
  });
});

describe('SCRAM', () => {
  const FORM: ScramForm = 'scram-sha-256';

  /** A part whose keys are told apart by their iterations; keys for others are made up, and marked so or not. */
  function scramPart(iterations: number, names: readonly string[], { marks = true, fails = false } = {}) {
    const asked: string[] = [];
    const part: Authenticator = {
      accepts: ['password', FORM],
      authenticate(credentials) {
        if (credentials.type !== FORM) return refusal('bad-credentials', 'not here');
        asked.push(credentials.username);
        return credentials.proven
          ? { type: 'accepted', identity: { username: credentials.username, maildrop: String(iterations) } }
          : refusal('bad-credentials', `of ${iterations}`);
      },
      scramKeys(username): ScramKeys {
        if (fails) throw new Error('down');
        const none = new Uint8Array(0);
        const standIn = marks && !names.includes(username);
        return { salt: none, iterations, storedKey: none, serverKey: none, ...(standIn && { standIn }) };
      },
    };
    return { ...part, asked };
  }

  async function exchange(users: Authenticator, username: string, proven = true, context = contextOf()) {
    const keys = await users.scramKeys?.(username, FORM, context);
    const credentials = { type: FORM, username, authorizationId: '', proven } as const;
    const outcome = await users.authenticate(credentials, context);
    return [keys !== undefined && 'iterations' in keys ? keys.iterations : keys, outcome] as const;
  }

  it('is there when a part has it', () => {
    expect(anyOf(certificateUsers()).scramKeys).toBe(undefined);
    expect(anyOf(certificateUsers(), scramPart(1, [])).scramKeys).toBeTypeOf('function');
  });

  it('goes to the part that has keys of the user, and to no other', async () => {
    const parts = [scramPart(1, ['ann']), scramPart(2, ['bob', 'ann'])] as const;
    const users = anyOf(...parts);
    expect(await exchange(users, 'bob')).toMatchObject([2, { identity: { maildrop: '2' } }]);
    expect(await exchange(users, 'ann')).toMatchObject([1, { identity: { maildrop: '1' } }]);
    expect(parts.map(({ asked }) => asked)).toEqual([['ann'], ['bob']]);
  });

  it('of nobody goes to the first part, as often as it is tried', async () => {
    const users = anyOf(scramPart(1, ['ann']), scramPart(2, ['bob']));
    for (const _ of [1, 2]) {
      expect(await exchange(users, 'cid', false)).toEqual([1, refusal('bad-credentials', 'of 1')]);
    }
  });

  it('goes to the first part where that does not say which keys are made up', async () => {
    const users = anyOf(scramPart(1, ['ann'], { marks: false }), scramPart(2, ['bob']));
    expect(await exchange(users, 'bob', false)).toMatchObject([1, { type: 'refused' }]);
  });

  it('keeps to the part whose keys were proven when another one gets the user meanwhile', async () => {
    const names: string[] = [];
    const users = anyOf(scramPart(1, names), scramPart(2, ['bob']));
    const context = contextOf();
    await users.scramKeys?.('bob', FORM, context);
    names.push('bob');
    const credentials = { type: FORM, username: 'bob', authorizationId: '', proven: true } as const;
    expect(await users.authenticate(credentials, context)).toMatchObject({ identity: { maildrop: '2' } });
  });

  it.each<[string, string, AuthContext | null]>([
    ['another name', 'ann', null],
    ['another connection', 'bob', contextOf()],
  ])('proves nothing for %s', async (_, username, otherContext) => {
    const users = anyOf(scramPart(1, ['ann']), scramPart(2, ['bob']));
    const context = contextOf();
    await users.scramKeys?.('bob', FORM, context);
    const proof = { type: FORM, username, authorizationId: '', proven: true } as const;
    await expect(users.authenticate(proof, otherContext ?? context)).rejects.toThrow(/needs the context/);
    const noProof = { ...proof, proven: false };
    expect(await users.authenticate(noProof, otherContext ?? context)).toEqual(refusal('bad-credentials'));
  });

  it('proves nothing for another hash, nor for the exchange before', async () => {
    const users = anyOf(scramPart(1, [], { fails: true }), scramPart(2, ['bob']));
    const context = contextOf();
    await users.scramKeys?.('bob', FORM, context);
    const proof = { type: FORM, username: 'bob', authorizationId: '', proven: true } as const;
    const otherForm = { ...proof, type: 'scram-sha-1' } as const;
    await expect(users.authenticate(otherForm, context)).rejects.toThrow(/needs the context/);
    await expect(users.scramKeys?.('ann', FORM, context)).rejects.toThrow('down');
    await expect(users.authenticate(proof, context)).rejects.toThrow(/needs the context/);
  });

  it('is a fault for those who may be in a part that is broken, and works for the others', async () => {
    const users = anyOf(scramPart(1, [], { fails: true }), scramPart(2, ['bob']));
    expect(await exchange(users, 'bob')).toMatchObject([2, { type: 'accepted' }]);
    await expect(exchange(users, 'ann')).rejects.toThrow('down');
  });

  it('finds the user of either of two look-ups', async () => {
    const lookupOf = async (name: string) => {
      const stored = await hashPassword('secret', 'SCRAM-SHA-256');
      const find = (asked: string) => (asked === name ? { name, passwords: [{ stored }] } : null);
      return lookupUsers({ find }, { accepts: [FORM] });
    };
    const parts = [await lookupOf('ann'), await lookupOf('bob')] as const;
    const users = anyOf(...parts);
    for (const [name, part] of [
      ['ann', parts[0]],
      ['bob', parts[1]],
      ['cid', parts[0]],
    ] as const) {
      const keys = await users.scramKeys?.(name, FORM, contextOf());
      expect(keys).toEqual(await part.scramKeys?.(name, FORM, contextOf()));
      expect(keys).not.toMatchObject({ type: 'refused' });
    }
    expect(await exchange(users, 'bob')).toMatchObject([expect.any(Number), accepted('bob')]);
  });

  it('works through a throttle', async () => {
    const users = throttled(anyOf(scramPart(1, ['ann']), throttled(scramPart(2, ['bob']))));
    expect(await exchange(users, 'bob')).toMatchObject([2, { identity: { maildrop: '2' } }]);
  });
});
