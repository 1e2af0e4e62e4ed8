/** What a store knows of time. Tests give it another one. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `beat` again and again, without keeping the program from ending. */
  every(intervalMs: number, beat: () => void): Ticking;
}

export interface Ticking {
  stop(): void;
}

export const SYSTEM_CLOCK: Clock = {
  now: Date.now,
  every(intervalMs, beat) {
    const timer = setInterval(beat, intervalMs);
    timer.unref();
    return { stop: () => clearInterval(timer) };
  },
};
