import type { NameTable } from './name-table.js';

/**
 * The messages of two directories in the order of their numbers: by the second they arrived in, then the microsecond,
 * then the name without flags. So flags that change and moves from `new` to `cur` change no number.
 *
 * @returns entries of `cur`, and those of `recent` plus the number of entries of `cur`
 */
export function arrivalOrder(cur: NameTable, recent: NameTable): Uint32Array {
  const total = cur.count + recent.count;
  const order = orderOfSeconds(cur, recent, total);
  const compare = (one: number, other: number) => compareEntries(cur, recent, one, other);
  for (let start = 0; start < total; ) {
    const second = secondOf(cur, recent, order[start] as number);
    let end = start + 1;
    while (end < total && secondOf(cur, recent, order[end] as number) === second) end++;
    if (end - start > 1) order.subarray(start, end).sort(compare);
    start = end;
  }
  return order;
}

/**
 * By second only. Numbers that hold the second and the entry are sorted without calling back, five times faster: there
 * is room for both in all Maildirs but those of millions of messages and of messages from the far future.
 */
function orderOfSeconds(cur: NameTable, recent: NameTable, total: number): Uint32Array {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (let entry = 0; entry < total; entry++) {
    const second = secondOf(cur, recent, entry);
    first = Math.min(first, second);
    last = Math.max(last, second);
  }
  const order = new Uint32Array(total);
  if ((last - first + 1) * total > Number.MAX_SAFE_INTEGER) {
    for (let entry = 0; entry < total; entry++) order[entry] = entry;
    return order.sort((one, other) => secondOf(cur, recent, one) - secondOf(cur, recent, other));
  }
  const keys = new Float64Array(total);
  for (let entry = 0; entry < total; entry++) {
    keys[entry] = (secondOf(cur, recent, entry) - first) * total + entry;
  }
  keys.sort();
  for (let at = 0; at < total; at++) order[at] = (keys[at] as number) % total;
  return order;
}

function secondOf(cur: NameTable, recent: NameTable, entry: number): number {
  const arrival = entry < cur.count ? cur.arrivals[entry] : recent.arrivals[entry - cur.count];
  return Math.trunc((arrival as number) / 1_000_000);
}

/** Whether two names differ in nothing but what comes after the first comma. */
export function sharesUnique(a: NameTable, x: number, b: NameTable, y: number): boolean {
  return a.arrivals[x] === b.arrivals[y] && compareUpTo(a, x, b, y, a.uniqueOctets, b.uniqueOctets) === 0;
}

/** Whether two names are the same, without flags. */
export function sharesBase(a: NameTable, x: number, b: NameTable, y: number): boolean {
  return a.arrivals[x] === b.arrivals[y] && compareUpTo(a, x, b, y, a.baseOctets, b.baseOctets) === 0;
}

/** After the time by the unique part, so that names that share it are neighbours. */
function compareEntries(cur: NameTable, recent: NameTable, one: number, other: number): number {
  const [a, x] = one < cur.count ? [cur, one] : [recent, one - cur.count];
  const [b, y] = other < cur.count ? [cur, other] : [recent, other - cur.count];
  return (
    (a.arrivals[x] as number) - (b.arrivals[y] as number) ||
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
