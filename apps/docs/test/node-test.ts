/**
 * Stands in for `node:test` where snippets run: their cases are collected, and run as one test of this runner.
 */
interface Case {
  readonly name: string;
  readonly run: () => unknown;
}

let cases: Case[] = [];

export function describe(_name: string, define: () => void): void {
  define();
}

export function it(name: string, run: () => unknown): void {
  cases.push({ name, run });
}
it.skip = (): void => {};

/** The cases that were defined since the last call. */
export function definedCases(): readonly Case[] {
  const defined = cases;
  cases = [];
  return defined;
}
