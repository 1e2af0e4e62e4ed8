interface Timer {
  readonly atMs: number;
  end(): void;
}

/** A clock that goes on when nothing else is left to do. */
export class SimulatedClock {
  #nowMs = 0;
  readonly #timers = new Set<Timer>();

  readonly now = (): number => this.#nowMs;

  /** As `wait` of `throttled`. */
  readonly wait = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const timer = {
        atMs: this.#nowMs + ms,
        end: () => {
          this.#timers.delete(timer);
          signal?.removeEventListener('abort', timer.end);
          resolve();
        },
      };
      if (signal?.aborted) return resolve();
      signal?.addEventListener('abort', timer.end);
      this.#timers.add(timer);
    });

  /** Waits that have not ended. */
  get waiting(): number {
    return this.#timers.size;
  }

  /** Goes on until nobody waits any more, or until a time. Those who wait for the same time go on together. */
  async run(untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    for (;;) {
      await settled();
      const nextMs = Math.min(...[...this.#timers].map(({ atMs }) => atMs));
      if (this.#timers.size === 0 || nextMs > untilMs) break;
      this.#nowMs = nextMs;
      for (const timer of [...this.#timers]) if (timer.atMs === nextMs) timer.end();
    }
    if (untilMs !== Number.POSITIVE_INFINITY) this.#nowMs = untilMs;
  }

  /** What `work` gives, and how long it took. */
  async timed<T>(work: PromiseLike<T> | T): Promise<readonly [value: T, ms: number]> {
    const startedAtMs = this.#nowMs;
    let endedAtMs = startedAtMs;
    const ended = Promise.resolve(work).finally(() => {
      endedAtMs = this.#nowMs;
    });
    await this.run();
    return [await ended, endedAtMs - startedAtMs];
  }
}

/** After all that can happen without time has happened. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
