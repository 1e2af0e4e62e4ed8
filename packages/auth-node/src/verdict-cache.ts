import { hash } from 'node:crypto';
import { BoundedMap } from './bounded-map.js';
import { HashQueue } from './hash-queue.js';

export interface VerdictCacheLimits {
  /**
   * Milliseconds that a good token is not asked about again, at most until its end: 60 000 by default. 0 asks each
   * time.
   */
  readonly cacheMs?: number;
  /** Milliseconds that a bad one is not asked about again: 5000 by default. 0 asks each time. */
  readonly refusedCacheMs?: number;
  /** Good tokens that are remembered, and as many bad ones: 10 000 by default. Beyond, the one that was used last longest ago is forgotten. */
  readonly maxCached?: number;
  /** Questions at the same time: 16 by default. */
  readonly maxRunning?: number;
  /** Questions that may wait for their turn: 1024 by default. Beyond, a login is refused as a temporary failure. */
  readonly maxWaiting?: number;
}

/** What is remembered of a token. */
interface Verdict {
  readonly good: boolean;
  /** Milliseconds since 1970 at which a good one ends in any case. */
  readonly expiresAtMs: number;
}

interface Remembered<V> {
  readonly verdict: V;
  readonly fromMs: number;
  readonly untilMs: number;
}

const NEVER_ABORTED = new AbortController().signal;

/**
 * Judges tokens, and remembers what came out for a while. Those who come with the same token at the same time share one
 * question. The keys are SHA-256 of the tokens, so what is remembered opens nothing.
 */
export class VerdictCache<V extends Verdict> {
  readonly #judge: (token: string) => Promise<V>;
  readonly #limits: Required<VerdictCacheLimits>;
  readonly #now: () => number;
  readonly #good: BoundedMap<string, Remembered<V>>;
  /** Kept apart: made-up tokens must not push out those that are good. */
  readonly #bad: BoundedMap<string, Remembered<V>>;
  readonly #asked = new Map<string, Promise<V | 'busy'>>();
  readonly #queue: HashQueue;

  /** @param now - milliseconds since 1970 */
  constructor(judge: (token: string) => Promise<V>, limits: VerdictCacheLimits, now: () => number) {
    this.#judge = judge;
    this.#limits = {
      cacheMs: 60_000,
      refusedCacheMs: 5000,
      maxCached: 10_000,
      maxRunning: 16,
      maxWaiting: 1024,
      ...limits,
    };
    this.#now = now;
    this.#good = new BoundedMap(this.#limits.maxCached);
    this.#bad = new BoundedMap(this.#limits.maxCached);
    this.#queue = new HashQueue(this.#limits);
  }

  /** `'busy'` when too many questions wait already. A fault is for all who share the question, and not remembered. */
  judge(token: string): Promise<V | 'busy'> {
    const key = hash('sha256', token, 'base64url');
    const found = this.#good.get(key) ?? this.#bad.get(key);
    // A clock that was set back must not lengthen it.
    if (found !== undefined && found.fromMs <= this.#now() && this.#now() < found.untilMs) {
      return Promise.resolve(found.verdict);
    }
    const asked = this.#asked.get(key) ?? this.#ask(key, token);
    this.#asked.set(key, asked);
    return asked;
  }

  async #ask(key: string, token: string): Promise<V | 'busy'> {
    try {
      // Many may wait for this answer: that one of them goes away does not end it.
      const verdict = await this.#queue.run(() => this.#judge(token), NEVER_ABORTED);
      if (verdict !== 'busy') this.#remember(key, verdict);
      return verdict;
    } finally {
      this.#asked.delete(key);
    }
  }

  #remember(key: string, verdict: V): void {
    const fromMs = this.#now();
    const untilMs = verdict.good
      ? Math.min(verdict.expiresAtMs, fromMs + this.#limits.cacheMs)
      : fromMs + this.#limits.refusedCacheMs;
    this.#good.delete(key);
    if (untilMs <= fromMs) return;
    const remembered = verdict.good ? this.#good : this.#bad;
    remembered.set(key, { verdict, fromMs, untilMs });
  }
}
