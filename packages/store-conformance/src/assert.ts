import { textOf } from './wire-form.js';

/** What a store did and must not do. The suite adds the rule it broke. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export function violated(observed: string, cause?: unknown): never {
  throw new Violation(observed, cause === undefined ? undefined : { cause });
}

/** @param observed - what is wrong when `fact` is false */
export function expectTrue(fact: boolean, observed: string): asserts fact {
  if (!fact) violated(observed);
}

/** @param what - the thing that has a value, as the subject of a sentence */
export function expectEqual(actual: unknown, expected: unknown, what: string): void {
  if (!Object.is(actual, expected)) violated(`${what} is ${shown(actual)}, expected ${shown(expected)}`);
}

/** Compares lists of values that JSON can say, and reports the first that differs. */
export function expectSame(actual: readonly unknown[], expected: readonly unknown[], what: string): void {
  for (let index = 0; index < Math.max(actual.length, expected.length); index++) {
    const is = JSON.stringify(actual[index]);
    const wanted = JSON.stringify(expected[index]);
    if (is === wanted) continue;
    violated(
      `${what} has ${actual.length} entries, expected ${expected.length}; entry ${index + 1} is ${is}, expected ${wanted}`,
    );
  }
}

/** Reports the first octet that differs, with what is around it. */
export function expectSameOctets(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const length = Math.min(actual.length, expected.length);
  let at = 0;
  while (at < length && actual[at] === expected[at]) at++;
  if (at === actual.length && at === expected.length) return;
  violated(
    `${what} has ${actual.length} octets, expected ${expected.length}; from octet ${at} on it is ` +
      `${excerpt(actual, at)}, expected ${excerpt(expected, at)}`,
  );
}

/** Compares two collections of messages, in whatever order. */
export function expectSameMessages(
  actual: readonly Uint8Array[],
  expected: readonly Uint8Array[],
  what: string,
): void {
  const missing = new Map<string, number>();
  for (const message of expected) count(missing, textOf(message), 1);
  for (const message of actual) count(missing, textOf(message), -1);
  const wrong = [...missing].find(([, times]) => times !== 0);
  if (wrong === undefined) return;
  const [text, times] = wrong;
  const which = `the one of ${text.length} octets that starts ${JSON.stringify(text.slice(0, 40))}`;
  violated(
    `${what}: ${actual.length} messages, expected ${expected.length}; ` +
      `${which} is there ${Math.abs(times)} time(s) too ${times > 0 ? 'seldom' : 'often'}`,
  );
}

function count(times: Map<string, number>, key: string, more: number): void {
  times.set(key, (times.get(key) ?? 0) + more);
}

function excerpt(octets: Uint8Array, at: number): string {
  return at === octets.length ? 'at its end' : JSON.stringify(textOf(octets.subarray(at, at + 24)));
}

function shown(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}
