/** Calling `indexOf` costs about as much as looking at this many octets. Measured in bench/wire. */
const NEAR_OCTETS = 16;

/**
 * Where the next such octet is, from a place on; -1 when there is none. JavaScript's own `indexOf` looks at one octet after
 * the other in V8, which takes 30 ms for a message of 40 MB; `Buffer.prototype.indexOf` of Node takes one.
 */
export type IndexOf = (octets: Uint8Array, wanted: number, from: number) => number;

export const indexOf: IndexOf = (octets, wanted, from) => octets.indexOf(wanted, from);

/**
 * Where the next such octet is, or -1. Most are far enough away for a search to be several times faster than a loop; a
 * message of nothing else must not make it ten times slower.
 */
export function nextOctet(
  octets: Uint8Array,
  wanted: number,
  from: number,
  search: IndexOf = indexOf,
): number {
  const near = Math.min(from + NEAR_OCTETS, octets.length);
  for (let at = from; at < near; at++) if (octets[at] === wanted) return at;
  return search(octets, wanted, near);
}
