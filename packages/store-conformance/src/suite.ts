import type { ConformanceCase, ConformanceGroup } from './case.js';
import { cancelCases } from './cases/cancel.js';
import { commitCases } from './cases/commit.js';
import { listingCases } from './cases/listing.js';
import { lockCases } from './cases/lock.js';
import { namesCases } from './cases/names.js';
import { openCases } from './cases/open.js';
import { retrieveCases } from './cases/retrieve.js';
import { scaleCases } from './cases/scale.js';
import { topCases } from './cases/top.js';
import type { StoreConformanceOptions, StoreUnderTest } from './store-under-test.js';
import { type Adapter, Trial } from './trial.js';

/** Defines one case: `timeoutMs` is passed on to runners that take it as the third argument, as most do. */
export type DefineCase = (name: string, run: () => Promise<void>, timeoutMs: number) => unknown;

/**
 * The two functions that every test runner has: `node:test`, vitest, jest, mocha, `bun:test`. A runner without
 * `it.skip` gets skipped cases as empty ones whose name says so.
 */
export interface Runner {
  readonly describe: (name: string, define: () => void) => unknown;
  readonly it: DefineCase & { readonly skip?: DefineCase };
}

const DEFAULT_TIMEOUT_MS = 30_000;
const LARGE_TIMES = 10;
/** The kit's own limit comes first: its message says more than that of a runner. */
const RUNNER_GRACE_MS = 1_000;

/**
 * Defines the contract of a {@link MessageStore} as test cases: every case fills a store of its own through
 * `adapter.open` and fails with what it saw and the rule that was broken.
 *
 * Cases whose hook is missing are defined as skipped, with the hook in their name; none passes without being run.
 *
 * @param runner - `describe` and `it` of the test runner; what they return is ignored
 * @param adapter - how to make a store with messages in it, and what else can be done to it
 */
export function storeConformance<T extends StoreUnderTest>(
  runner: Runner,
  adapter: StoreConformanceOptions<T>,
): void {
  // From here on the value that `open` gives is passed to hooks and not looked into.
  const untyped = adapter as unknown as Adapter;
  runner.describe('store conformance', () => {
    for (const group of groups(untyped)) {
      runner.describe(group.name, () => {
        for (const conformanceCase of group.cases) define(runner, untyped, conformanceCase);
      });
    }
  });
}

function groups(adapter: Adapter): readonly ConformanceGroup[] {
  return [
    openCases,
    listingCases,
    retrieveCases,
    topCases,
    commitCases,
    lockCases,
    cancelCases,
    namesCases,
    scaleCases(adapter),
  ];
}

function define({ it }: Runner, adapter: Adapter, conformanceCase: ConformanceCase): void {
  const { name, large } = conformanceCase;
  const timeoutMs = (adapter.timeoutMs ?? DEFAULT_TIMEOUT_MS) * (large === true ? LARGE_TIMES : 1);
  const runnerTimeoutMs = timeoutMs + RUNNER_GRACE_MS;
  const obstacle = obstacleOf(adapter, conformanceCase);
  if (obstacle === null) {
    it(name, () => run(adapter, conformanceCase, timeoutMs), runnerTimeoutMs);
    return;
  }
  const skip = it.skip ?? it;
  skip(`${name} [skipped: ${obstacle}]`, async () => {}, runnerTimeoutMs);
}

/** Why a case cannot be run, or null. */
function obstacleOf(adapter: Adapter, { impossible, needs = [] }: ConformanceCase): string | null {
  if (impossible !== undefined) return impossible;
  const missing = needs.filter((hook) => adapter[hook] === undefined);
  return missing.length === 0 ? null : `no hook ${missing.join(', ')}`;
}

async function run(adapter: Adapter, conformanceCase: ConformanceCase, timeoutMs: number): Promise<void> {
  const trial = new Trial(adapter, timeoutMs / 2);
  try {
    await within(timeoutMs, conformanceCase.run(trial));
  } catch (violation) {
    await within(timeoutMs, trial.end()).catch(() => {}); /* What went wrong first is what counts. */
    throw new Error(`${messageOf(violation)}\n  Rule: ${conformanceCase.rule}`, { cause: violation });
  }
  await within(timeoutMs, trial.end());
}

async function within(timeoutMs: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`the store has not answered within ${timeoutMs} ms`)),
      timeoutMs,
    );
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
