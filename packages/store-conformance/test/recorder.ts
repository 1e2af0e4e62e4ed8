import type { DefineCase, Runner } from '../src/index.js';

export interface RecordedCase {
  /** The names of the groups around it and its own. */
  readonly path: readonly string[];
  readonly name: string;
  readonly run: () => Promise<void>;
  readonly timeoutMs: number;
  readonly skipped: boolean;
}

/** A test runner that only writes down what is defined. */
export function recorder(): { readonly runner: Runner; readonly cases: readonly RecordedCase[] } {
  const cases: RecordedCase[] = [];
  const groups: string[] = [];
  const define =
    (skipped: boolean): DefineCase =>
    (name, run, timeoutMs) => {
      cases.push({ path: [...groups, name], name, run, timeoutMs, skipped });
    };
  const runner: Runner = {
    describe(name, defineGroup) {
      groups.push(name);
      defineGroup();
      groups.pop();
    },
    it: Object.assign(define(false), { skip: define(true) }),
  };
  return { runner, cases };
}
