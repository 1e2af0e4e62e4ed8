import { availableParallelism } from 'node:os';

export interface HashQueueLimits {
  /** Checks at the same time. By default one for each core, at most 3: Node's pool has 4 threads, and files need one. */
  readonly maxRunning?: number;
  /** Checks that may wait for their turn: 1024 by default. Beyond, a login is refused as a temporary failure. */
  readonly maxWaiting?: number;
}

/** Runs slow work a few at a time, in the order of its coming. */
export class HashQueue {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor({ maxRunning = Math.min(availableParallelism(), 3), maxWaiting = 1024 }: HashQueueLimits = {}) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** What `work` gives, or `'busy'` when too many wait already, or when nobody wants it any more at its turn. */
  async run<T>(work: () => PromiseLike<T>, signal: AbortSignal): Promise<T | 'busy'> {
    if (this.#running >= this.#maxRunning) {
      if (this.#waiting.length >= this.#maxWaiting) return 'busy';
      // Whoever ends hands over its place, so nobody who comes later can take it.
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return signal.aborted ? 'busy' : await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
