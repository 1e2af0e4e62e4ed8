import { describe, expect, it } from 'vitest';
import { storeConformance } from '../src/index.js';
import { cancelMutants } from './mutants/cancel.js';
import { commitMutants } from './mutants/commit.js';
import { listingMutants } from './mutants/listing.js';
import { lockMutants } from './mutants/lock.js';
import type { Mutant } from './mutants/mutant.js';
import { namesMutants } from './mutants/names.js';
import { retrieveMutants } from './mutants/retrieve.js';
import { MUTANT_SCALE, scaleMutants } from './mutants/scale.js';
import { topMutants } from './mutants/top.js';
import { CORRECT, type Parts, plainAdapter } from './plain-store.js';
import { type RecordedCase, recorder } from './recorder.js';

/** The proof that the kit can fail: stores with one fault each, and the case that finds it. */
const MUTANTS: readonly Mutant[] = [
  ...listingMutants,
  ...retrieveMutants,
  ...topMutants,
  ...commitMutants,
  ...lockMutants,
  ...cancelMutants,
  ...namesMutants,
  ...scaleMutants,
];

function casesOf(parts: Parts, timeoutMs = 30_000): readonly RecordedCase[] {
  const { runner, cases } = recorder();
  storeConformance(runner, { ...plainAdapter(parts), scale: MUTANT_SCALE, timeoutMs });
  return cases;
}

function caseNamed(cases: readonly RecordedCase[], name: string): RecordedCase {
  const found = cases.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no case "${name}"`);
  return found;
}

describe('a store that', () => {
  for (const { name, caughtBy, parts, timeoutMs } of MUTANTS) {
    it(`${name} is caught: ${caughtBy}`, async () => {
      const found = caseNamed(casesOf({ ...CORRECT, ...parts() }, timeoutMs), caughtBy);
      await expect(found.run()).rejects.toThrow(/\n {2}Rule: /);
    });
  }
});

it('has a mutant for every case that is not one of a table of messages, marks or names', () => {
  const tables = [
    /^counts the octets of /,
    /^retrieves .*, twice$/,
    /^gives the top of /,
    /, and no other$/,
    / maildrop for /,
  ];
  const caught = new Set(MUTANTS.map(({ caughtBy }) => caughtBy));
  const cases = casesOf(CORRECT).filter(({ name }) => !tables.some((table) => table.test(name)));
  expect(cases.map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
});
