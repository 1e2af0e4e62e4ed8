/*
 * Slows down those who guess passwords, and nobody else.
 *
 * Two kinds of counters say before a check how long an attempt waits: that of the address, and that of the pair of user
 * and address. Attempts of one address take turns there, so opening more connections gains nothing. A turn counts as a
 * failure from the moment it is taken, and is given back when the check shows otherwise, so neither does hanging up
 * early, nor trying many passwords at the same time before the first has failed. Who hangs up while waiting has not
 * been checked.
 *
 * The counter of the user delays only the answer to a failure, after the check. Whoever attacks an account from many
 * addresses would else lock its owner out; a right password from elsewhere is answered at once. It is the weakest of
 * the three: who gets no answer at once can tell that the password was wrong, and may hang up. It keeps connections
 * busy; the counters of the addresses do the rest.
 *
 * A success takes back what failures of this user at this address have added, to each counter, and no more: who has one
 * account cannot use it to clean an address for attacks on others. Therefore all counters share one half-life: what the
 * pair still remembers is then exactly what the address does of it.
 *
 * A pair that has logged in before is judged by itself: its address does not slow it down, and its failures do not
 * count for the address. Else a forgotten telephone with an old password would lock out the office that it is in, and
 * whoever guesses passwords in a network would lock out those who use it. The price is paid in networks of known users:
 * each of them can be guessed at as often as the pair allows, and somebody who is slowed down there can tell their
 * names from others. `knownMs: 0` does without.
 */
import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type AuthContext,
  type Authenticator,
  type AuthOutcome,
  type Credentials,
  Pop3Error,
  type Refusal,
  type ScramForm,
  type ScramKeys,
} from '@pop3/core';
import { addressBlock, plainAddress } from './address-block.js';
import { preparedName } from './prepared-name.js';
import {
  memoryThrottleStore,
  type ThrottleRule,
  type ThrottleStore,
  throttleWaitMs,
} from './throttle-store.js';

export type ThrottleLimits = Omit<ThrottleRule, 'halfLifeMs'>;

/** Somebody has to wait, or is sent away. */
export interface Throttled {
  readonly address: string | null;
  /** As the peer wrote it, so it may be anything, even a password; empty where the credentials name nobody. */
  readonly username: string;
  /** Milliseconds to wait; more when others of the same address come first. */
  readonly waitMs: number;
  /** Which counter asks for it. That of the user delays the answer to a failure, the others the check. */
  readonly by: 'address' | 'pair' | 'user';
  /** True when too many wait already: then nothing waits, and an attempt that had to is refused unchecked. */
  readonly full: boolean;
}

export interface ThrottleOptions {
  /** Failures of all users at one address. By default 10 are free, then 1 second, doubling up to 30. */
  readonly address?: Partial<ThrottleLimits>;
  /** Failures of one user at one address. By default 3 are free, then 1 second, doubling up to 30. */
  readonly pair?: Partial<ThrottleLimits>;
  /** Failures of one user, wherever. By default 10 are free, then 1 second, doubling up to 30. */
  readonly user?: Partial<ThrottleLimits>;
  /** Milliseconds in which half of the failures are forgotten: 15 minutes by default. */
  readonly halfLifeMs?: number;
  /** Milliseconds that a pair is known after a login: 14 days by default. 0: no pair is. */
  readonly knownMs?: number;
  /**
   * Addresses that are not counted, such as those of a webmail server, from where everybody comes: a list of them, or
   * what `networkList` makes of networks. By default none, not even loopback. An IPv4 address in IPv6 form is given to
   * it as IPv4.
   */
  readonly exempt?: { includes(address: string): boolean };
  /** Attempts that may wait at the same time: 1024 by default. Beyond, they are refused as a temporary failure. */
  readonly maxWaiting?: number;
  /** By default one in memory, for this process. */
  readonly store?: ThrottleStore;
  readonly onThrottled?: (throttled: Throttled) => void;
  /** Ends after so many milliseconds, or when the signal is aborted; never rejects. By default a timer. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
}

const DEFAULTS = {
  address: { free: 10, firstWaitMs: 1000, maxWaitMs: 30_000 },
  pair: { free: 3, firstWaitMs: 1000, maxWaitMs: 30_000 },
  user: { free: 10, firstWaitMs: 1000, maxWaitMs: 30_000 },
};
const DEFAULT_HALF_LIFE_MS = 900_000;
const DEFAULT_KNOWN_MS = 14 * 24 * 3_600_000;
/** What a timer of Node can hold; above it, it would fire at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;
/** Of a count that halves in `knownMs`. */
const STILL_FRESH = 0.9;
const UNCHECKED: Refusal = { type: 'refused', reason: 'temporary' };

/**
 * The same authenticator, with waits for those who fail. Only `bad-credentials` is a failure, whatever form the
 * credentials have.
 *
 * Peers without an address, and those that are exempt, wait only for the answer to a failure, as the counter of the
 * user asks.
 *
 * @throws Pop3Error `POP3_USAGE` for limits that are no numbers, or make no sense.
 */
export function throttled(authenticator: Authenticator, options: ThrottleOptions = {}): Authenticator {
  return new Throttle(authenticator, options);
}

/** One login, as far as it is counted. Keys are null where there is nothing to count. */
interface Attempt {
  readonly peerAddress: string | null;
  readonly username: string;
  /** Asked for its signal only by who waits: most never do, and a signal is not cheap. */
  readonly context: AuthContext;
  readonly address: string | null;
  readonly pair: string | null;
  readonly user: string | null;
  /** Whether the pair has logged in: 1 for a login just now, which has halved when it is forgotten. */
  readonly known: string | null;
}

/** A counter that is asked before a check. */
interface Turn {
  readonly by: 'address' | 'pair';
  readonly key: string;
}

interface Wait {
  readonly by: Throttled['by'];
  readonly key: string;
  readonly waitMs: number;
}

class Throttle implements Authenticator {
  readonly scramKeys?: NonNullable<Authenticator['scramKeys']>;
  readonly #authenticator: Authenticator;
  readonly #options: ThrottleOptions;
  readonly #rules: Record<'address' | 'pair' | 'user', ThrottleRule>;
  readonly #halfLifeMs: number;
  readonly #knownMs: number;
  readonly #maxWaiting: number;
  readonly #store: ThrottleStore;
  readonly #wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** What ends a wait for a counter, of all who wait for it in this process. */
  readonly #waiters = new Map<string, Set<() => void>>();
  /** Exchanges of SCRAM that have been given keys, by connection. */
  readonly #begun = new WeakMap<
    AuthContext,
    { readonly username: string; readonly form: ScramForm; readonly taken: readonly Turn[] }
  >();
  #waiting = 0;

  constructor(authenticator: Authenticator, options: ThrottleOptions) {
    const { halfLifeMs = DEFAULT_HALF_LIFE_MS, knownMs = DEFAULT_KNOWN_MS, maxWaiting = 1024 } = options;
    check('halfLifeMs', halfLifeMs, 1);
    check('knownMs', knownMs, 0);
    check('maxWaiting', maxWaiting, 1);
    this.#authenticator = authenticator;
    this.#options = options;
    this.#rules = {
      address: ruleOf('address', options, halfLifeMs),
      pair: ruleOf('pair', options, halfLifeMs),
      user: ruleOf('user', options, halfLifeMs),
    };
    this.#halfLifeMs = halfLifeMs;
    this.#knownMs = knownMs;
    this.#maxWaiting = maxWaiting;
    this.#store = options.store ?? memoryThrottleStore();
    this.#wait = options.wait ?? untilTimeOrAbort;
    const { scramKeys } = authenticator;
    if (scramKeys !== undefined) {
      this.scramKeys = (username, form, context) =>
        this.#beginScram(username, form, context, scramKeys.bind(authenticator));
    }
  }

  get accepts(): readonly Credentials['type'][] {
    return this.#authenticator.accepts;
  }

  async authenticate(credentials: Credentials, context: AuthContext): Promise<AuthOutcome> {
    const attempt = attemptOf(credentials, context, this.#options.exempt);
    const taken = this.#turnsBegun(credentials, context) ?? (await this.#takeAll(attempt));
    if (taken === null) return UNCHECKED;
    let outcome: AuthOutcome;
    try {
      outcome = await this.#authenticator.authenticate(credentials, context);
    } catch (error) {
      await this.#giveBack(taken, 1);
      throw error;
    }
    if (outcome.type === 'accepted') await this.#forgive(taken, attempt);
    else if (outcome.reason === 'bad-credentials') await this.#delayAnswer(attempt);
    else await this.#giveBack(taken, 1);
    return outcome;
  }

  /**
   * SCRAM takes its turns when it begins, and is judged when it ends: whoever begins and goes away has been given keys, which
   * cost a hash to make, and is counted as if he had failed.
   */
  async #beginScram(
    username: string,
    form: ScramForm,
    context: AuthContext,
    scramKeys: NonNullable<Authenticator['scramKeys']>,
  ): Promise<ScramKeys | Refusal> {
    this.#begun.delete(context);
    const credentials: Credentials = { type: form, username, authorizationId: '', proven: false };
    const taken = await this.#takeAll(attemptOf(credentials, context, this.#options.exempt));
    if (taken === null) return UNCHECKED;
    try {
      const keys = await scramKeys(username, form, context);
      if ('type' in keys) await this.#giveBack(taken, 1);
      else this.#begun.set(context, { username, form, taken });
      return keys;
    } catch (error) {
      await this.#giveBack(taken, 1);
      throw error;
    }
  }

  /** The turns that an exchange took when it began; null for credentials that did not begin as one. */
  #turnsBegun(credentials: Credentials, context: AuthContext): readonly Turn[] | null {
    const begun = this.#begun.get(context);
    if (begun === undefined || begun.form !== credentials.type) return null;
    if (!('username' in credentials) || begun.username !== credentials.username) return null;
    this.#begun.delete(context);
    return begun.taken;
  }

  /** Waits for all turns of an attempt; null when it cannot be checked. */
  async #takeAll(attempt: Attempt): Promise<readonly Turn[] | null> {
    const taken: Turn[] = [];
    for (const turn of await this.#turnsOf(attempt)) {
      if (await this.#take(turn, attempt)) {
        taken.push(turn);
        continue;
      }
      await this.#giveBack(taken, 1);
      return null;
    }
    return taken;
  }

  /** The pair first: it takes its turn at the address only when it may be checked. */
  async #turnsOf({ pair, known, address }: Attempt): Promise<Turn[]> {
    if (pair !== null && known !== null && this.#knownMs > 0) {
      const count = await this.#store.add(known, 0, this.#knownMs);
      // Under a key of its own: these failures are not part of what the address counts.
      if (count >= 0.5) return [{ by: 'pair', key: `known-${pair}` }];
    }
    const turns: Turn[] = [];
    if (pair !== null) turns.push({ by: 'pair', key: pair });
    if (address !== null) turns.push({ by: 'address', key: address });
    return turns;
  }

  /** Waits for a turn. False when the peer has gone, or too many wait. */
  async #take({ by, key }: Turn, attempt: Attempt): Promise<boolean> {
    for (let isReported = false; ; isReported = true) {
      const waitMs = Math.ceil(await this.#store.take(key, this.#rules[by]));
      if (waitMs <= 0) return true;
      if (!(await this.#pause({ by, key, waitMs }, attempt, isReported))) return false;
    }
  }

  async #delayAnswer(attempt: Attempt): Promise<void> {
    if (attempt.user === null) return;
    const failures = await this.#store.add(attempt.user, 1, this.#halfLifeMs);
    const waitMs = throttleWaitMs(failures, this.#rules.user);
    if (waitMs > 0) await this.#pause({ by: 'user', key: attempt.user, waitMs }, attempt);
  }

  async #forgive(taken: readonly Turn[], { user, known }: Attempt): Promise<void> {
    const isPair = taken[0]?.by === 'pair';
    const failures = await this.#giveBack(taken, isPair ? Number.POSITIVE_INFINITY : 1);
    // The turn of this login itself is none that the user's counter knows of.
    if (user !== null && failures > 1) await this.#store.add(user, 1 - failures, this.#halfLifeMs);
    if (known === null || this.#knownMs === 0) return;
    const count = await this.#store.add(known, 0, this.#knownMs);
    // Most logins are of those who are known: they need not be written each time.
    if (count < STILL_FRESH) await this.#store.add(known, 1 - count, this.#knownMs);
  }

  /**
   * Takes from the first counter up to so many failures, and from the others what that one really had: when others have
   * given back for the same pair meanwhile, they have done it for its address too.
   */
  async #giveBack(taken: readonly Turn[], most: number): Promise<number> {
    let amount = most;
    for (const { key } of taken) {
      amount = Math.min(amount, await this.#store.add(key, -amount, this.#halfLifeMs));
      for (const end of this.#waiters.get(key) ?? []) end();
    }
    return amount;
  }

  /**
   * False when the peer has gone, and at once when too many wait. Ends, too, when something is given back to the
   * counter.
   */
  async #pause(
    { by, key, waitMs }: Wait,
    { context, peerAddress, username }: Attempt,
    isReported = false,
  ): Promise<boolean> {
    const { signal } = context;
    if (signal.aborted) return false;
    const full = this.#waiting >= this.#maxWaiting;
    if (full || !isReported) {
      this.#options.onThrottled?.({ address: peerAddress, username, waitMs, by, full });
    }
    if (full) return false;
    const ended = new AbortController();
    const end = (): void => ended.abort();
    const waiters = this.#waiters.get(key) ?? new Set();
    this.#waiters.set(key, waiters.add(end));
    signal.addEventListener('abort', end);
    this.#waiting++;
    try {
      await this.#wait(Math.min(waitMs, MAX_TIMER_MS), ended.signal);
    } finally {
      this.#waiting--;
      signal.removeEventListener('abort', end);
      waiters.delete(end);
      if (waiters.size === 0) this.#waiters.delete(key);
    }
    return !signal.aborted;
  }
}

function attemptOf(
  credentials: Credentials,
  context: AuthContext,
  exempt: ThrottleOptions['exempt'],
): Attempt {
  const { peer } = context;
  const username = nameIn(credentials);
  const { address: peerAddress } = peer;
  const isCounted = peerAddress !== null && !exempt?.includes(plainAddress(peerAddress));
  const place = isCounted ? addressBlock(peerAddress) : null;
  const name = username === '' ? null : nameKey(username);
  const both = place === null || name === null ? null : `${name} ${place}`;
  return {
    peerAddress,
    username,
    context,
    address: place && `address ${place}`,
    pair: both && `pair ${both}`,
    user: name && `user ${name}`,
    known: both && `known ${both}`,
  };
}

/** Whom the peer says it is; empty where it says nothing. */
function nameIn(credentials: Credentials): string {
  if (credentials.type === 'external') return credentials.authorizationId;
  return credentials.type === 'anonymous' ? '' : credentials.username;
}

/**
 * A name may be of any length, and a password that was typed into the wrong field: stores see a hash. Spellings that
 * SASLprep makes one name are one here, too, and so are upper and lower case, since to some authenticators they are one user.
 */
function nameKey(name: string): string {
  return hash('sha256', preparedName(name).normalize('NFKC').toLowerCase(), 'base64url').slice(0, 22);
}

function ruleOf(
  kind: 'address' | 'pair' | 'user',
  options: ThrottleOptions,
  halfLifeMs: number,
): ThrottleRule {
  const rule = { ...DEFAULTS[kind], ...options[kind], halfLifeMs };
  check(`${kind}.free`, rule.free, 1);
  check(`${kind}.firstWaitMs`, rule.firstWaitMs, 1);
  check(`${kind}.maxWaitMs`, rule.maxWaitMs, rule.firstWaitMs);
  return rule;
}

function check(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new Pop3Error('POP3_USAGE', `${name} is ${value}; it must be a whole number from ${least}.`);
}

async function untilTimeOrAbort(ms: number, signal: AbortSignal): Promise<void> {
  // Aborted when the peer has gone, or its turn may have come: both are looked at afterwards.
  await sleep(ms, undefined, { signal }).catch(() => {});
}
