import type { Parts } from '../plain-store.js';

/** A store with one fault, and the case that has to find it. */
export interface Mutant {
  /** What it does wrong. */
  readonly name: string;
  readonly caughtBy: string;
  /** Made anew for every case, for faults that have a memory. */
  readonly parts: () => Partial<Parts>;
  /** Only for a store that waits. */
  readonly timeoutMs?: number;
}
