import type { AuthOutcome } from '@pop3/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryThrottleStore, throttled, throttleWaitMs } from '../src/index.js';
import { contextOf } from './auth-context.js';
import { SimulatedClock } from './simulated-clock.js';

const RULE = { free: 3, firstWaitMs: 1000, maxWaitMs: 30_000, halfLifeMs: 60_000 };

function setUp(maxEntries = 100) {
  const time = { nowMs: 5 };
  const store = memoryThrottleStore({ now: () => time.nowMs, maxEntries });
  return { time, store };
}

describe('throttleWaitMs', () => {
  it.each([
    [0, 0],
    [2.4, 0],
    [2.5, 1000],
    [3, 1000],
    [4, 2000],
    [7, 16_000],
    [8, 30_000],
    [1e9, 30_000],
  ])('is after %d failures %d ms', (count, waitMs) => {
    expect(throttleWaitMs(count, RULE)).toBe(waitMs);
  });
});

describe('a turn', () => {
  it('is given as often as is free, and then when the wait since the last has passed', () => {
    const { time, store } = setUp();
    expect([1, 2, 3].map(() => store.take('key', RULE))).toEqual([0, 0, 0]);
    expect(store.take('key', RULE)).toBe(1000);
    time.nowMs += 400;
    expect(store.take('key', RULE)).toBe(600);
    expect(store.take('other', RULE)).toBe(0);
    time.nowMs += 600;
    expect(store.take('key', RULE)).toBe(0);
    expect(store.take('key', RULE)).toBe(2000);
  });

  it('is given again when another one was given back', () => {
    const { store } = setUp();
    for (const _ of [1, 2, 3]) store.take('key', RULE);
    expect(store.add('key', -1, RULE.halfLifeMs)).toBe(3);
    expect(store.take('key', RULE)).toBe(0);
    expect(store.take('key', RULE)).toBe(1000);
  });
});

describe('a count', () => {
  it('halves with each half-life', () => {
    const { time, store } = setUp();
    expect(store.add('key', 8, 60_000)).toBe(0);
    time.nowMs += 60_000;
    expect(store.add('key', 0, 60_000)).toBe(4);
    time.nowMs += 120_000;
    expect(store.add('key', 1, 60_000)).toBe(1);
    expect(store.add('key', 0, 60_000)).toBe(2);
  });

  it('never falls below nothing, and makes no entry out of nothing', () => {
    const { store } = setUp();
    expect(store.add('key', -5, 60_000)).toBe(0);
    expect(store.add('key', 0, 60_000)).toBe(0);
    expect(store.size).toBe(0);
    store.add('key', 2, 60_000);
    expect(store.add('key', Number.NEGATIVE_INFINITY, 60_000)).toBe(2);
    expect(store.add('key', 0, 60_000)).toBe(0);
    expect(store.size).toBe(0);
  });
});

it('keeps as many keys as it may, those that were used last', () => {
  const { store } = setUp(3);
  for (const key of ['a', 'b', 'c']) store.take(key, RULE);
  store.add('a', 0, RULE.halfLifeMs);
  for (let i = 0; i < 2; i++) store.take(`more${i}`, RULE);
  expect(store.size).toBe(3);
  expect(['a', 'b', 'c'].map((key) => store.add(key, 0, RULE.halfLifeMs))).toEqual([1, 0, 0]);
});

it.each([0, 1.5, Number.POSITIVE_INFINITY])('takes no limit of %d keys', (maxEntries) => {
  expect(() => memoryThrottleStore({ maxEntries })).toThrow(/whole number above 0/);
});

it('whatever happens, an address counts what its pairs count, and nothing waits in the end', async () => {
  const attempt = fc.record({
    afterMs: fc.integer({ min: 0, max: 100_000 }),
    takesMs: fc.integer({ min: 0, max: 20_000 }),
    hangsUpAfterMs: fc.integer({ min: 0, max: 60_000 }),
    username: fc.constantFrom('ann', 'bob', 'cid'),
    address: fc.constantFrom('192.0.2.1', '192.0.2.2'),
    outcome: fc.constantFrom('wrong', 'wrong', 'wrong', 'right', 'later', 'broken'),
  });
  const scenario = fc.tuple(fc.array(attempt, { maxLength: 30 }), fc.constantFrom(0, 60_000));
  await fc.assert(
    fc.asyncProperty(scenario, async ([attempts, knownMs]) => {
      const clock = new SimulatedClock();
      const memory = memoryThrottleStore({ now: clock.now });
      const keys = new Set<string>();
      let running = 0;
      const guarded = throttled(
        {
          accepts: ['password'],
          async authenticate(credentials): Promise<AuthOutcome> {
            if (credentials.type !== 'password') throw new Error('only passwords here');
            const [outcome, takesMs] = credentials.password.split(' ');
            running++;
            await clock.wait(Number(takesMs));
            running--;
            if (outcome === 'broken') throw new Error('broken');
            if (outcome === 'wrong') return { type: 'refused', reason: 'bad-credentials' };
            if (outcome === 'later') return { type: 'refused', reason: 'temporary' };
            return { type: 'accepted', identity: { username: 'x', maildrop: 'x' } };
          },
        },
        {
          wait: clock.wait,
          knownMs,
          store: {
            take: (key, rule) => {
              keys.add(key);
              return memory.take(key, rule);
            },
            add: memory.add,
          },
        },
      );
      const logins = attempts.map(
        async ({ afterMs, takesMs, hangsUpAfterMs, username, address, outcome }) => {
          await clock.wait(afterMs);
          const gone = new AbortController();
          void clock.wait(hangsUpAfterMs).then(() => gone.abort());
          const password = `${outcome} ${takesMs}`;
          const credentials = { type: 'password', username, password, authorizationId: '' } as const;
          await Promise.resolve(guarded.authenticate(credentials, contextOf({ address }, gone.signal))).catch(
            () => {},
          );
        },
      );
      await clock.run();
      await Promise.all(logins);
      expect([running, clock.waiting]).toEqual([0, 0]);
      const countOf = (key: string) => memory.add(key, 0, 900_000);
      for (const address of ['192.0.2.1', '192.0.2.2']) {
        const pairs = [...keys].filter((key) => key.startsWith('pair ') && key.endsWith(` ${address}`));
        const ofPairs = pairs.map(countOf).reduce((sum, count) => sum + count, 0);
        // Less than 0.01 is forgotten.
        expect(Math.abs(countOf(`address ${address}`) - ofPairs)).toBeLessThan(0.05);
      }
    }),
    { numRuns: 200 },
  );
});
