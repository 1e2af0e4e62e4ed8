import { type MaybePromise, Pop3Error } from '@pop3/core';
import { BoundedMap } from './bounded-map.js';

/** How long attempts of one kind wait. */
export interface ThrottleRule {
  /** Failures that cost nothing. */
  readonly free: number;
  /** Milliseconds to wait after that many. */
  readonly firstWaitMs: number;
  /** Where the doubling with each further failure ends. */
  readonly maxWaitMs: number;
  /** Milliseconds in which half of the failures are forgotten. */
  readonly halfLifeMs: number;
}

/**
 * Counts failed logins; several servers that share one slow down whoever goes from one to the other.
 *
 * Each key has a count, a number that halves in every `halfLifeMs`, and the time when a turn was last taken. A key that
 * is not there has the count 0 and has never been taken. Each call has to be atomic for its key. The time is that of
 * the store, so that the clocks of servers do not matter. Counts below one half may be dropped at any time, others when
 * memory is short.
 *
 * A rejected promise is a fault: the login fails as a temporary failure. Whoever would rather go on unprotected catches
 * it in the store and returns 0.
 */
export interface ThrottleStore {
  /**
   * Takes a turn, if it is due: adds 1 to the count, notes the time, and returns 0. It is due when as many milliseconds
   * have passed since the last one as {@link throttleWaitMs} says of the count before. Otherwise nothing changes, and
   * the answer is how many milliseconds are left, more than 0.
   *
   * The count grows with the turn and not with its failure, so that attempts at the same time see each other.
   *
   * @param key - with an IP address, at most 100 printable ASCII characters. It names an address as it is, a user as a
   *   hash.
   */
  take(key: string, rule: ThrottleRule): MaybePromise<number>;
  /**
   * Adds to the count, and returns what it was before. A negative `amount` takes away, and never leaves less than 0:
   * `-Infinity` takes all. 0 looks, and must not make an entry.
   */
  add(key: string, amount: number, halfLifeMs: number): MaybePromise<number>;
}

/** Milliseconds from one attempt to the next when so many have failed. The count is rounded: 9.6 failures are ten. */
export function throttleWaitMs(count: number, { free, firstWaitMs, maxWaitMs }: ThrottleRule): number {
  const beyond = Math.round(count) - free;
  return beyond < 0 ? 0 : Math.min(firstWaitMs * 2 ** beyond, maxWaitMs);
}

export interface MemoryThrottleStoreOptions {
  /**
   * Keys that are remembered: 100 000 by default. Beyond, the one that was used last longest ago is forgotten: who
   * wants to be forgotten has to come from some ten thousand other addresses first.
   */
  readonly maxEntries?: number;
  /** Milliseconds that only go forward. By default since the process started. */
  readonly now?: () => number;
}

/** The store of one process. */
export interface MemoryThrottleStore extends ThrottleStore {
  take(key: string, rule: ThrottleRule): number;
  add(key: string, amount: number, halfLifeMs: number): number;
  /** Keys that are remembered now. */
  readonly size: number;
}

interface Counter {
  readonly count: number;
  readonly atMs: number;
  readonly takenAtMs: number;
}

/** Less than this is nothing, and not kept: no rule rounds it to a failure. */
const NEGLIGIBLE = 0.01;

/**
 * A store in the memory of one process.
 *
 * @throws Pop3Error `POP3_USAGE` when `maxEntries` is no whole number above 0.
 */
export function memoryThrottleStore(options: MemoryThrottleStoreOptions = {}): MemoryThrottleStore {
  const { maxEntries = 100_000, now = () => performance.now() } = options;
  if (!Number.isInteger(maxEntries) || maxEntries < 1) {
    throw new Pop3Error('POP3_USAGE', `maxEntries is ${maxEntries}; it must be a whole number above 0.`);
  }
  const counters = new BoundedMap<string, Counter>(maxEntries);

  const countNow = (counter: Counter | undefined, halfLifeMs: number): number =>
    counter === undefined ? 0 : counter.count * 2 ** ((counter.atMs - now()) / halfLifeMs);
  const set = (key: string, counter: Counter): void => {
    if (counter.count < NEGLIGIBLE) counters.delete(key);
    else counters.set(key, counter);
  };

  return {
    take(key, rule) {
      const counter = counters.get(key);
      const count = countNow(counter, rule.halfLifeMs);
      const takenAtMs = counter?.takenAtMs ?? Number.NEGATIVE_INFINITY;
      const leftMs = takenAtMs + throttleWaitMs(count, rule) - now();
      if (leftMs > 0) return leftMs;
      set(key, { count: count + 1, atMs: now(), takenAtMs: now() });
      return 0;
    },
    add(key, amount, halfLifeMs) {
      const counter = counters.get(key);
      const before = countNow(counter, halfLifeMs);
      if (amount !== 0) {
        const takenAtMs = counter?.takenAtMs ?? Number.NEGATIVE_INFINITY;
        set(key, { count: before + amount, atMs: now(), takenAtMs });
      }
      return before;
    },
    get size() {
      return counters.size;
    },
  };
}
