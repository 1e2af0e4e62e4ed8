import type { Hook } from './store-under-test.js';
import type { Trial } from './trial.js';

/** One thing a store has to do. */
export interface ConformanceCase {
  /** A sentence whose subject is the store. */
  readonly name: string;
  /** Why: the rule and where it stands. Told when the case fails. */
  readonly rule: string;
  /** Without all of these the case is skipped. */
  readonly needs?: readonly Hook[];
  /** Why the case cannot be run here at all: it is skipped. */
  readonly impossible?: string;
  /** Gets ten times the time of others. */
  readonly large?: boolean;
  run(trial: Trial): Promise<void>;
}

export interface ConformanceGroup {
  readonly name: string;
  readonly cases: readonly ConformanceCase[];
}
