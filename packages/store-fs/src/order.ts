import type { NameTable } from './name-table.js';

/**
 * The messages of two directories in the order of their numbers: by the second they arrived in, then the microsecond,
 * then the name without flags. So flags that change and moves from `new` to `cur` change no number.
 *
 * @returns entries of `cur`, and those of `recent` plus the number of entries of `cur`
 */
export function arrivalOrder(cur: NameTable, recent: NameTable): Uint32Array {
  const total = cur.count + recent.count;
  const arrivals = new Float64Array(total);
  arrivals.set(cur.arrivals);
  arrivals.set(recent.arrivals, cur.count);
  const order = Array.from({ length: total }, (_, entry) => entry);
  order.sort((one, other) => {
    const earlier = (arrivals[one] as number) - (arrivals[other] as number);
    return earlier !== 0 ? earlier : compareNames(cur, recent, one, other);
  });
  return Uint32Array.from(order);
}

/** Whether two names differ in nothing but what comes after the first comma. */
export function sharesUnique(a: NameTable, x: number, b: NameTable, y: number): boolean {
  return a.arrivals[x] === b.arrivals[y] && compareUpTo(a, x, b, y, a.uniqueOctets, b.uniqueOctets) === 0;
}

/** Whether two names are the same, without flags. */
export function sharesBase(a: NameTable, x: number, b: NameTable, y: number): boolean {
  return a.arrivals[x] === b.arrivals[y] && compareUpTo(a, x, b, y, a.baseOctets, b.baseOctets) === 0;
}

/** By the unique part first, so that names that share it are neighbours. */
function compareNames(cur: NameTable, recent: NameTable, one: number, other: number): number {
  const [a, x] = at(cur, recent, one);
  const [b, y] = at(cur, recent, other);
  return (
    compareUpTo(a, x, b, y, a.uniqueOctets, b.uniqueOctets) ||
    compareUpTo(a, x, b, y, a.baseOctets, b.baseOctets) ||
    one - other
  );
}

function compareUpTo(
  a: NameTable,
  x: number,
  b: NameTable,
  y: number,
  ofA: Uint16Array,
  ofB: Uint16Array,
): number {
  const from = a.starts[x] as number;
  const and = b.starts[y] as number;
  const lengthA = ofA[x] as number;
  const lengthB = ofB[y] as number;
  const length = Math.min(lengthA, lengthB);
  for (let i = 0; i < length; i++) {
    const difference = (a.octets[from + i] as number) - (b.octets[and + i] as number);
    if (difference !== 0) return difference;
  }
  return lengthA - lengthB;
}

function at(cur: NameTable, recent: NameTable, entry: number): [NameTable, number] {
  return entry < cur.count ? [cur, entry] : [recent, entry - cur.count];
}
