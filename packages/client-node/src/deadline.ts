/**
 * A clock for one wait at a time, cheap enough to be started for every read: one timer is kept and started anew, and to
 * stop it is to say that nobody listens. It keeps no process alive.
 */
export class Deadline {
  #timer: NodeJS.Timeout | null = null;
  #ms = 0;
  #passed: (() => void) | null = null;

  start(ms: number, passed: () => void): void {
    this.#passed = passed;
    if (this.#timer !== null && this.#ms === ms) {
      this.#timer.refresh();
      return;
    }
    this.clear();
    this.#passed = passed;
    this.#ms = ms;
    this.#timer = setTimeout(this.#ring, ms).unref();
  }

  stop(): void {
    this.#passed = null;
  }

  /** Stops, and gives the timer up. */
  clear(): void {
    this.#passed = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  readonly #ring = (): void => {
    const passed = this.#passed;
    this.#passed = null;
    passed?.();
  };
}
