import { getEventListeners } from 'node:events';
import type { AuthContext, Authenticator, AuthOutcome, Credentials, ScramKeys } from '@pop3/core';
import { describe, expect, it, vi } from 'vitest';
import {
  memoryThrottleStore,
  type Throttled,
  type ThrottleOptions,
  type ThrottleStore,
  throttled,
} from '../src/index.js';
import { contextOf } from './auth-context.js';
import { SimulatedClock, settled } from './simulated-clock.js';

const HOUR_MS = 3_600_000;

/** Users whose password is `right`; notes when and whom it checks. */
function setUp(options: ThrottleOptions = {}) {
  const clock = new SimulatedClock();
  const store = memoryThrottleStore({ now: clock.now });
  const checks: { readonly atMs: number; readonly username: string; readonly address: string | null }[] = [];
  const events: Throttled[] = [];
  const authenticator: Authenticator = {
    accepts: ['password'],
    authenticate(credentials, { peer }): AuthOutcome {
      if (credentials.type !== 'password') throw new Error('only passwords here');
      const { username, password } = credentials;
      checks.push({ atMs: clock.now(), username, address: peer.address });
      if (password === 'wrong') return { type: 'refused', reason: 'bad-credentials' };
      if (password === 'later') return { type: 'refused', reason: 'temporary' };
      if (password === 'broken') throw new Error('the directory is down');
      return { type: 'accepted', identity: { username, maildrop: username } };
    },
  };
  const guarded = throttled(authenticator, {
    store,
    wait: clock.wait,
    onThrottled: (event) => events.push(event),
    ...options,
  });
  const logIn = (username: string, password: string, address: string | null, signal?: AbortSignal) =>
    guarded.authenticate(passwordOf(username, password), contextOf({ address }, signal));
  return { clock, store, checks, events, guarded, logIn };
}

/** Whoever has this token is let in. */
function tokensNamed(good: string): Authenticator {
  return {
    accepts: ['token'],
    authenticate: (credentials) =>
      credentials.type === 'token' && credentials.token === good
        ? { type: 'accepted', identity: { username: 'ann', maildrop: 'ann' } }
        : { type: 'refused', reason: 'bad-credentials' },
  };
}

function passwordOf(username: string, password: string): Credentials {
  return { type: 'password', username, password, authorizationId: '' };
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

describe('a name', () => {
  it('is counted as one, however it is spelled', async () => {
    const { clock, events, logIn } = setUp();
    const spelled = (i: number) => `${i % 2 === 0 ? 'a' : 'A'}${'\u00ad'.repeat(i)}\uff4en`;
    const logins = times(30).map((i) => logIn(spelled(i), 'wrong', `203.0.113.${i}`));
    await clock.run();
    await Promise.all(logins);
    // Ten are free; the answers to the others are kept back by the counter of the user.
    expect(events.filter(({ by }) => by === 'user')).toHaveLength(20);
  });
});

describe('SCRAM', () => {
  const KEYS: ScramKeys = {
    salt: new Uint8Array(16),
    iterations: 4096,
    storedKey: new Uint8Array(32),
    serverKey: new Uint8Array(32),
  };

  function scram(options: ThrottleOptions = {}) {
    const clock = new SimulatedClock();
    const keysMadeAtMs: number[] = [];
    const users = throttled(
      {
        accepts: ['scram-sha-256'],
        authenticate: (credentials): AuthOutcome =>
          credentials.type === 'scram-sha-256' && credentials.proven
            ? { type: 'accepted', identity: { username: 'ann', maildrop: 'ann' } }
            : { type: 'refused', reason: 'bad-credentials' },
        scramKeys() {
          keysMadeAtMs.push(clock.now());
          return KEYS;
        },
      },
      { store: memoryThrottleStore({ now: clock.now }), wait: clock.wait, ...options },
    );
    const begin = async (username: string) => {
      const context = contextOf({ address: '203.0.113.1' });
      const keys = await users.scramKeys?.(username, 'scram-sha-256', context);
      const end = (proven: boolean) =>
        users.authenticate({ type: 'scram-sha-256', username, authorizationId: '', proven }, context);
      return { keys, end };
    };
    return { clock, keysMadeAtMs, begin };
  }

  it('counts who begins and goes away, and makes no keys for him until it is his turn', async () => {
    const { clock, keysMadeAtMs, begin } = scram();
    const begun = times(13).map((i) => begin(`nobody${i}`));
    await clock.run();
    await Promise.all(begun);
    expect(keysMadeAtMs.map((ms) => ms / 1000)).toEqual([...times(10).map(() => 0), 1, 3, 7]);
  });

  it('counts a whole exchange once, and a good one not at all', async () => {
    const { clock, keysMadeAtMs, begin } = scram();
    const all = (async () => {
      for (let i = 0; i < 40; i++) expect((await (await begin(`user${i}`)).end(true)).type).toBe('accepted');
      for (let i = 0; i < 10; i++) expect((await (await begin(`eve${i}`)).end(false)).type).toBe('refused');
    })();
    await clock.run();
    await all;
    expect(keysMadeAtMs.every((ms) => ms === 0)).toBe(true);
  });

  it('refuses to begin when too many wait', async () => {
    const { clock, begin } = scram({ maxWaiting: 1 });
    const begun = times(13).map((i) => begin(`nobody${i}`));
    await clock.run();
    const keys = (await Promise.all(begun)).map((exchange) => exchange.keys);
    expect(keys.filter((given) => given !== undefined && 'type' in given)).toEqual(
      times(2).map(() => ({ type: 'refused', reason: 'temporary' })),
    );
  });
});

describe('wrong passwords from one address', () => {
  it('are checked at once ten times, and then later and later, whomever they are for', async () => {
    const { clock, checks, logIn } = setUp();
    const logins = times(18).map((i) => logIn(`user${i}`, 'wrong', '203.0.113.1'));
    await clock.run();
    expect((await Promise.all(logins)).map(({ type }) => type)).toEqual(times(18).map(() => 'refused'));
    const secondsOf = checks.map(({ atMs }) => atMs / 1000);
    expect(secondsOf).toEqual([...times(10).map(() => 0), 1, 3, 7, 15, 31, 61, 91, 121]);
  });

  it('are checked at once three times for one user, and that slows down no other', async () => {
    const { clock, checks, logIn } = setUp();
    const logins = times(6).map(() => logIn('ann', 'wrong', '203.0.113.1'));
    await settled();
    expect(await clock.timed(logIn('bob', 'right', '203.0.113.1'))).toMatchObject([{ type: 'accepted' }, 0]);
    await Promise.all(logins);
    const ofAnn = checks.filter(({ username }) => username === 'ann');
    expect(ofAnn.map(({ atMs }) => atMs)).toEqual([0, 0, 0, 1000, 3000, 7000]);
  });

  it('are slowed as configured when there are 10 000; a right one from elsewhere is not', async () => {
    const { clock, store, checks, logIn } = setUp();
    let left = 10_000;
    let rightOnes = 0;
    let longestMs = 0;
    // The attacker has five connections, and goes on as soon as it gets an answer.
    const attackers = times(5).map(async () => {
      while (left-- > 0) {
        await logIn(`user${left % 50}`, 'wrong', '203.0.113.1');
        if (left % 100 !== 0) continue;
        const startedAtMs = clock.now();
        const outcome = await logIn(`user${left % 50}`, 'right', '192.0.2.7');
        if (outcome.type === 'accepted') rightOnes++;
        longestMs = Math.max(longestMs, clock.now() - startedAtMs);
      }
    });
    await clock.run();
    await Promise.all(attackers);
    expect(checks.filter(({ address }) => address === '203.0.113.1').length).toBe(10_000);
    // Ten at once, then 1, 2, 4, 8 and 16 seconds, then one in 30 seconds: three and a half days.
    expect(checks.at(-1)?.atMs).toBe((1 + 2 + 4 + 8 + 16 + 9_985 * 30) * 1000);
    expect([rightOnes, longestMs]).toEqual([100, 0]);
    expect(store.size).toBeLessThan(250);
  });

  it('are slowed again after a rest only as far as they are remembered', async () => {
    const { clock, checks, logIn } = setUp();
    for (const i of times(12)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await clock.run();
    // Twelve failures are six in 15 minutes: four more are free.
    await clock.run(clock.now() + 900_000);
    checks.length = 0;
    for (const i of times(6)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    const again = clock.now();
    await clock.run();
    expect(checks.map(({ atMs }) => atMs - again)).toEqual([0, 0, 0, 0, 1000, 3000]);
  });
});

describe('wrong passwords for one user from 1 000 addresses', () => {
  const addresses = times(1000).map((i) => `203.0.${i >> 8}.${i & 255}`);

  it('are slowed for each of them, and a right one from elsewhere is not', async () => {
    const { clock, store, checks, logIn } = setUp({ maxWaiting: 10_000 });
    const logins = addresses.flatMap((address) => times(10).map(() => logIn('ann', 'wrong', address)));
    for (const untilMs of [0, 1000, 20_000, 60_000]) {
      await clock.run(untilMs);
      expect(await logIn('ann', 'right', '192.0.2.7')).toMatchObject({ type: 'accepted' });
      expect(clock.now()).toBe(untilMs);
    }
    await clock.run();
    await Promise.all(logins);
    const wrong = checks.filter(({ address }) => address !== '192.0.2.7');
    expect(wrong.length).toBe(10_000);
    const atMs = wrong.map((check) => check.atMs).sort((a, b) => a - b);
    const perAddress = [0, 0, 0, 1, 3, 7, 15, 31, 61, 91];
    expect(atMs).toEqual(perAddress.flatMap((seconds) => times(1000).map(() => seconds * 1000)));
    // An address and a pair each, the user, and the one who knows the password.
    expect(store.size).toBe(2002);
  });

  it('are answered late, as the counter of the user asks', async () => {
    const { clock, events, logIn } = setUp();
    const took: number[] = [];
    for (const address of addresses.slice(0, 20)) {
      const [, ms] = await clock.timed(logIn('ann', 'wrong', address));
      took.push(ms / 1000);
    }
    expect(took).toEqual([...times(10).map(() => 0), 1, 2, 4, 8, 16, 30, 30, 30, 30, 30]);
    expect(events.map(({ by, waitMs }) => [by, waitMs])).toEqual(
      [1, 2, 4, 8, 16, 30, 30, 30, 30, 30].map((seconds) => ['user', seconds * 1000]),
    );
  });
});

describe('a right password', () => {
  it('takes back what its user has done wrong there', async () => {
    const { clock, checks, logIn } = setUp({ knownMs: 0 });
    for (const round of times(20)) {
      for (const _ of times(2)) await logIn('ann', 'wrong', '203.0.113.1');
      const [outcome, ms] = await clock.timed(logIn('ann', 'right', '203.0.113.1'));
      expect([round, outcome.type, ms]).toEqual([round, 'accepted', 0]);
    }
    expect(checks.length).toBe(60);
  });

  it.each([0, HOUR_MS])('cleans no address for attacks on others (known for %d ms)', async (knownMs) => {
    const guesses = async (washing: boolean) => {
      const { clock, checks, logIn } = setUp({ knownMs });
      for (let guess = 0; clock.now() < HOUR_MS; guess++) {
        // Of the own account, with failures of its own, wherever these could take away more than they gave.
        if (washing && guess % 3 === 0) await clock.timed(logIn('mallory', 'wrong', '203.0.113.1'));
        if (washing) await clock.timed(logIn('mallory', 'right', '203.0.113.1'));
        await clock.timed(logIn(`victim${guess}`, 'wrong', '203.0.113.1'));
      }
      return checks.filter(({ username }) => username.startsWith('victim')).length;
    };
    expect(await guesses(true)).toBeLessThanOrEqual(await guesses(false));
  });

  it('of nobody by name cleans nothing', async () => {
    const clock = new SimulatedClock();
    const store = memoryThrottleStore({ now: clock.now });
    const guarded = throttled(tokensNamed('good'), { store, wait: clock.wait });
    const present = (token: string, username: string) =>
      guarded.authenticate({ type: 'token', username, token }, contextOf());
    for (const i of times(12)) await clock.timed(present('bad', `user${i}`));
    expect(await clock.timed(present('good', ''))).toMatchObject([{ type: 'accepted' }, 4000]);
    expect(await clock.timed(present('good', ''))).toMatchObject([{ type: 'accepted' }, 4000]);
  });

  it('makes its user known once, and not with each login', async () => {
    const written: string[] = [];
    const memory = memoryThrottleStore();
    const store: ThrottleStore = {
      take: memory.take,
      add(key, amount, halfLifeMs) {
        if (amount !== 0) written.push(key.split(' ', 1)[0] as string);
        return memory.add(key, amount, halfLifeMs);
      },
    };
    const { logIn } = setUp({ store });
    for (const _ of times(5)) await logIn('ann', 'right', '203.0.113.1');
    expect(written.filter((kind) => kind === 'known')).toEqual(['known']);
  });

  it('is slow where a wrong one would be: nobody can tell them apart by the wait', async () => {
    const { clock, logIn } = setUp();
    for (const i of times(14)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await clock.run();
    expect(await clock.timed(logIn('ann', 'right', '203.0.113.1'))).toMatchObject([
      { type: 'accepted' },
      16_000,
    ]);
  });

  it('is checked for as many at the same time as there are: each lets the next one in', async () => {
    const { clock, checks, logIn } = setUp();
    const logins = times(200).map((i) => logIn(`user${i % 4}`, 'right', '203.0.113.1'));
    await settled();
    expect((await Promise.all(logins)).every(({ type }) => type === 'accepted')).toBe(true);
    expect([checks.length, clock.now()]).toEqual([200, 0]);
  });
});

describe('a user who has logged in before from an address', () => {
  it('is not slowed down by the others there', async () => {
    const { clock, logIn } = setUp();
    await logIn('ann', 'right', '203.0.113.1');
    for (const i of times(30)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await settled();
    const login = logIn('ann', 'right', '203.0.113.1');
    await settled();
    expect([(await login).type, clock.now()]).toEqual(['accepted', 0]);
    await clock.run();
  });

  it('does not slow down the others: a telephone with an old password is no attack on its office', async () => {
    const { clock, checks, logIn } = setUp();
    await logIn('ann', 'right', '203.0.113.1');
    for (const _ of times(100)) await clock.timed(logIn('ann', 'wrong', '203.0.113.1'));
    expect(await clock.timed(logIn('bob', 'right', '203.0.113.1'))).toMatchObject([{ type: 'accepted' }, 0]);
    // It is slowed down itself.
    const wrongOnes = checks.filter(({ username }) => username === 'ann').slice(1);
    expect(
      wrongOnes
        .slice(-2)
        .map(({ atMs }) => atMs / 30_000)
        .reduce((a, b) => b - a),
    ).toBeGreaterThanOrEqual(1);
  });

  it('is one of many again when that was long ago', async () => {
    const { clock, logIn } = setUp({ knownMs: HOUR_MS });
    await logIn('ann', 'right', '203.0.113.1');
    await clock.run(HOUR_MS + 1);
    for (const i of times(11)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await clock.run(clock.now());
    expect(await clock.timed(logIn('ann', 'right', '203.0.113.1'))).toMatchObject([
      { type: 'accepted' },
      3000,
    ]);
  });
});

describe('who hangs up', () => {
  it('while it waits has not been checked, and has not shortened the wait of others', async () => {
    const { clock, checks, logIn } = setUp();
    for (const i of times(14)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await clock.run();
    checks.length = 0;
    const start = clock.now();
    // A thousand connections, each of which is closed after a tenth of a second.
    for (const i of times(1000)) {
      const gone = new AbortController();
      const login = logIn(`user${i}`, 'wrong', '203.0.113.1', gone.signal);
      await clock.run(start + (i + 1) * 100);
      gone.abort();
      const outcome = await login;
      if (outcome.type === 'refused' && outcome.reason === 'temporary') continue;
      expect(outcome).toEqual({ type: 'refused', reason: 'bad-credentials' });
    }
    // 100 seconds, in which who stays gets four checks (after 16, 30, 30 and 30 seconds), less what is forgotten.
    expect(checks.length).toBeLessThanOrEqual(4);
    expect(clock.waiting).toBe(0);
  });

  it('during the check has failed as well', async () => {
    const clock = new SimulatedClock();
    const ends: (() => void)[] = [];
    const guarded = throttled(
      {
        accepts: ['password'],
        authenticate: () =>
          new Promise<AuthOutcome>((resolve) => {
            ends.push(() => resolve({ type: 'refused', reason: 'bad-credentials' }));
          }),
      },
      { store: memoryThrottleStore({ now: clock.now }), wait: clock.wait },
    );
    const peers = times(20).map(() => new AbortController());
    const logins = peers.map(({ signal }) =>
      guarded.authenticate(passwordOf('ann', 'wrong'), contextOf({}, signal)),
    );
    await settled();
    // No more than three at the same time, although none has failed yet.
    expect(ends.length).toBe(3);
    for (const peer of peers) peer.abort();
    for (const end of ends) end();
    await Promise.all(logins);
    expect([ends.length, clock.waiting]).toEqual([3, 0]);
    void guarded.authenticate(passwordOf('ann', 'wrong'), contextOf());
    await settled();
    expect([ends.length, clock.waiting]).toEqual([3, 1]);
  });

  it('while the answer is delayed is not kept', async () => {
    const { clock, logIn } = setUp();
    for (const i of times(12)) await clock.timed(logIn('ann', 'wrong', `203.0.113.${i}`));
    const gone = new AbortController();
    const login = logIn('ann', 'wrong', '203.0.113.99', gone.signal);
    await settled();
    expect(clock.waiting).toBe(1);
    gone.abort();
    expect((await login).type).toBe('refused');
    expect(clock.waiting).toBe(0);
  });

  it('before its turn has not used up one of its user', async () => {
    const { clock, events, logIn } = setUp();
    for (const i of times(14)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await clock.run();
    for (const _ of times(6)) {
      const gone = new AbortController();
      const login = logIn('ann', 'wrong', '203.0.113.1', gone.signal);
      await settled();
      gone.abort();
      await login;
    }
    expect(events.filter(({ username }) => username === 'ann').map(({ by }) => by)).toEqual(
      times(6).map(() => 'address'),
    );
  });

  it('before it is looked at does not wait', async () => {
    const { clock, checks, logIn } = setUp();
    for (const i of times(10)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await settled();
    const outcome = await logIn('ann', 'right', '203.0.113.1', AbortSignal.abort());
    expect(outcome).toEqual({ type: 'refused', reason: 'temporary' });
    expect([checks.length, clock.waiting]).toEqual([10, 0]);
  });

  it('when its turn comes is not checked any more', async () => {
    const waits = [1000, 0];
    const store: ThrottleStore = { take: () => waits.shift() ?? 0, add: () => 0 };
    const { checks, logIn } = setUp({ store });
    const gone = new AbortController();
    const login = logIn('ann', 'right', '203.0.113.1', gone.signal);
    await settled();
    gone.abort();
    expect(await login).toEqual({ type: 'refused', reason: 'temporary' });
    expect([checks.length, waits]).toEqual([0, [0]]);
  });

  it('after many waits on one connection finds nothing of them left', async () => {
    const { clock, logIn } = setUp();
    const { signal } = new AbortController();
    for (const i of times(20)) await clock.timed(logIn(`user${i}`, 'wrong', '203.0.113.1', signal));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('ends a wait of the real timer', async () => {
    const { guarded } = setUp({ store: { take: () => 60_000, add: () => 0 } });
    const real = throttled(guarded, { store: { take: () => 60_000, add: () => 0 } });
    const gone = new AbortController();
    const login = real.authenticate(passwordOf('ann', 'right'), contextOf({}, gone.signal));
    await settled();
    gone.abort();
    expect(await login).toEqual({ type: 'refused', reason: 'temporary' });
  });
});

describe('what counts', () => {
  const peer = { address: '203.0.113.1' };

  it.each<Credentials>([
    passwordOf('ann', 'wrong'),
    { type: 'apop', username: 'ann', timestamp: '<1@a>', digest: '0'.repeat(32) },
    { type: 'cram-md5', username: 'ann', challenge: '<1@a>', digest: '0'.repeat(32) },
    { type: 'scram-sha-1', username: 'ann', authorizationId: '', proven: false },
    { type: 'scram-sha-256', username: 'ann', authorizationId: '', proven: false },
    { type: 'token', username: 'ann', token: 'a.b.c' },
    { type: 'external', authorizationId: 'ann' },
    { type: 'token', username: '', token: 'a.b.c' },
    { type: 'external', authorizationId: '' },
    { type: 'anonymous', trace: 'ann' },
  ])('is a failure of $type', async (credentials) => {
    const clock = new SimulatedClock();
    const check = vi.fn((): AuthOutcome => ({ type: 'refused', reason: 'bad-credentials' }));
    const guarded = throttled(
      { accepts: [credentials.type], authenticate: check },
      { store: memoryThrottleStore({ now: clock.now }), wait: clock.wait },
    );
    const logins = times(12).map(() => guarded.authenticate(credentials, contextOf(peer)));
    await settled();
    // The pair, where they name somebody, otherwise the address.
    const isNamed = nameOf(credentials) !== '';
    expect(check).toHaveBeenCalledTimes(isNamed ? 3 : 10);
    await clock.run();
    await Promise.all(logins);
    expect(check).toHaveBeenCalledTimes(12);
  });

  it('is no temporary failure, and no fault, which is passed on', async () => {
    const { clock, logIn, checks } = setUp();
    for (const _ of times(30)) {
      expect(await logIn('ann', 'later', '203.0.113.1')).toEqual({ type: 'refused', reason: 'temporary' });
      await expect(logIn('ann', 'broken', '203.0.113.1')).rejects.toThrow('the directory is down');
    }
    expect([checks.length, clock.now(), clock.waiting]).toEqual([60, 0, 0]);
  });

  it('is a user in upper and lower case, in all forms of its letters', async () => {
    const { clock, checks, logIn } = setUp();
    for (const name of ['josé', 'José', 'JOSÉ', 'jose\u0301', 'JOSE\u0301'])
      void logIn(name, 'wrong', '203.0.113.1');
    await settled();
    expect(checks.length).toBe(3);
    await clock.run();
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:2:ffff::9'],
    ['2001:db8::1', '2001:0DB8:0:0:1::1'],
    ['::ffff:203.0.113.1', '203.0.113.1'],
    ['fe80::1%eth0', 'fe80::2%eth1'],
    ['a socket', 'a socket'],
  ])('is %s and %s as one address', async (one, other) => {
    const { clock, checks, logIn } = setUp();
    for (const i of times(20)) void logIn(`user${i}`, 'wrong', i % 2 === 0 ? one : other);
    await settled();
    expect(checks.length).toBe(10);
    await clock.run();
  });

  it.each([
    ['2001:db8:1:2::1', '2001:db8:1:3::1'],
    ['203.0.113.1', '203.0.113.2'],
    ['::1', '1::'],
  ])('is %s and %s as two', async (one, other) => {
    const { clock, checks, logIn } = setUp();
    for (const i of times(20)) void logIn(`user${i}`, 'wrong', i % 2 === 0 ? one : other);
    await settled();
    expect(checks.length).toBe(20);
    await clock.run();
  });

  it.each([
    ['without an address', null],
    ['from loopback that is exempt', '127.0.0.1'],
    ['from loopback in its other form', '::ffff:127.0.0.1'],
  ])('is the user alone for a peer %s', async (_, address) => {
    const { clock, store, checks, logIn } = setUp({ exempt: ['127.0.0.1'] });
    const logins = times(20).map(() => logIn('ann', 'wrong', address));
    await settled();
    expect([checks.length, store.size]).toEqual([20, 1]);
    expect((await logIn('ann', 'right', address)).type).toBe('accepted');
    await clock.run();
    await Promise.all(logins);
    expect(clock.now()).toBe(30_000);
  });

  it('is loopback too, unless it is exempt', async () => {
    const { clock, checks, logIn } = setUp();
    for (const i of times(20)) void logIn(`user${i}`, 'wrong', '127.0.0.1');
    await settled();
    expect(checks.length).toBe(10);
    await clock.run();
  });
});

function nameOf(credentials: Credentials): string {
  if (credentials.type === 'external') return credentials.authorizationId;
  return credentials.type === 'anonymous' ? '' : credentials.username;
}

describe('what waits', () => {
  it('is bounded: more are refused unchecked, and told to come again', async () => {
    const { clock, checks, events, logIn } = setUp({ maxWaiting: 5 });
    const logins = times(20).map((i) => logIn(`user${i}`, 'wrong', '203.0.113.1'));
    await settled();
    expect([checks.length, clock.waiting]).toEqual([10, 5]);
    expect(await logIn('ann', 'right', '203.0.113.1')).toEqual({ type: 'refused', reason: 'temporary' });
    expect((await logIn('ann', 'right', '203.0.113.2')).type).toBe('accepted');
    await clock.run();
    const reasons = (await Promise.all(logins)).map((one) => one.type === 'refused' && one.reason);
    expect(reasons).toEqual([...times(15).map(() => 'bad-credentials'), ...times(5).map(() => 'temporary')]);
    expect(events.filter(({ full }) => full).length).toBe(6);
  });

  it('is no failed answer when there is no room: it is given at once', async () => {
    const { clock, logIn } = setUp({ maxWaiting: 1 });
    for (const i of times(12)) await clock.timed(logIn('ann', 'wrong', `203.0.113.${i}`));
    const first = logIn('ann', 'wrong', '203.0.113.98');
    await settled();
    expect(await logIn('ann', 'wrong', '203.0.113.99')).toEqual({
      type: 'refused',
      reason: 'bad-credentials',
    });
    expect(clock.waiting).toBe(1);
    await clock.run();
    await first;
  });

  it('is told of once for each attempt and counter', async () => {
    const { clock, events, logIn } = setUp();
    for (const _ of times(5)) void logIn('ann', 'wrong', '203.0.113.1');
    for (const i of times(8)) void logIn(`user${i}`, 'wrong', '203.0.113.1');
    await clock.run();
    const address = '203.0.113.1';
    expect(events).toEqual([
      { address, username: 'ann', waitMs: 1000, by: 'pair', full: false },
      { address, username: 'ann', waitMs: 1000, by: 'pair', full: false },
      { address, username: 'user7', waitMs: 1000, by: 'address', full: false },
      { address, username: 'ann', waitMs: 2000, by: 'address', full: false },
      { address, username: 'ann', waitMs: expect.any(Number), by: 'address', full: false },
    ]);
  });
});

describe('the authenticator behind it', () => {
  it('says what it accepts, now', () => {
    const accepts: Credentials['type'][] = ['password'];
    const guarded = throttled({ accepts, authenticate: () => ({ type: 'refused', reason: 'temporary' }) });
    expect(guarded.accepts).toEqual(['password']);
    expect('scramKeys' in guarded && guarded.scramKeys !== undefined).toBe(false);
    accepts.push('apop');
    expect(guarded.accepts).toEqual(['password', 'apop']);
  });

  it('gives its SCRAM keys, as itself', async () => {
    const keys = { iterations: 4096 } as ScramKeys;
    const authenticator = {
      accepts: ['scram-sha-256'] as const,
      authenticate: (): AuthOutcome => ({ type: 'refused', reason: 'bad-credentials' }),
      keys,
      scramKeys(this: { readonly keys: ScramKeys }, ...asked: readonly unknown[]) {
        expect(asked).toEqual(['ann', 'scram-sha-256', context]);
        return this.keys;
      },
    };
    const context = contextOf();
    expect(await throttled(authenticator).scramKeys?.('ann', 'scram-sha-256', context)).toBe(keys);
  });

  it('gets the very context, whose peer may change', async () => {
    const seen: AuthContext[] = [];
    const context = contextOf();
    const guarded = throttled({
      accepts: ['password'],
      authenticate: (_, given) => {
        seen.push(given);
        return { type: 'refused', reason: 'temporary' };
      },
    });
    await guarded.authenticate(passwordOf('ann', 'x'), context);
    expect(seen[0]).toBe(context);
  });
});

describe('a store that is shared', () => {
  it('slows down who goes from one server to the other', async () => {
    const clock = new SimulatedClock();
    const memory = memoryThrottleStore({ now: clock.now });
    const store: ThrottleStore = {
      take: async (...args) => memory.take(...args),
      add: async (...args) => memory.add(...args),
    };
    const checks: number[] = [];
    const nodes = times(2).map(() =>
      throttled(
        {
          accepts: ['password'],
          authenticate: () => {
            checks.push(clock.now());
            return { type: 'refused', reason: 'bad-credentials' };
          },
        },
        { store, wait: clock.wait },
      ),
    );
    const logins = times(16).map((i) =>
      nodes[i % 2]?.authenticate(passwordOf(`user${i}`, 'wrong'), contextOf({ address: '203.0.113.1' })),
    );
    await clock.run();
    await Promise.all(logins);
    expect(checks.map((atMs) => atMs / 1000)).toEqual([...times(10).map(() => 0), 1, 3, 7, 15, 31, 61]);
  });

  it('that is broken is a fault', async () => {
    const { guarded } = setUp({ store: { take: () => Promise.reject(new Error('no store')), add: () => 0 } });
    await expect(guarded.authenticate(passwordOf('ann', 'x'), contextOf())).rejects.toThrow('no store');
  });
});

it.each<[ThrottleOptions, RegExp]>([
  [{ address: { free: 0 } }, /address\.free is 0/],
  [{ pair: { firstWaitMs: 0.5 } }, /pair\.firstWaitMs is 0\.5/],
  [{ user: { maxWaitMs: 10 } }, /user\.maxWaitMs is 10; it must be a whole number from 1000/],
  [{ halfLifeMs: 0 }, /halfLifeMs is 0/],
  [{ knownMs: -1 }, /knownMs is -1/],
  [{ maxWaiting: Number.NaN }, /maxWaiting is NaN/],
])('takes no limits that make no sense: %j', (options, message) => {
  expect(() => setUp(options)).toThrow(message);
});
