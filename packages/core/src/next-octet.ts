/** Calling indexOf costs about as much as looking at this many octets. Measured in bench/wire. */
const NEAR_OCTETS = 16;

/**
 * Where the next such octet is, or -1. Most are far enough away for `indexOf` to be several times faster than a loop; a
 * message of nothing else must not make it ten times slower.
 */
export function nextOctet(octets: Uint8Array, wanted: number, from: number): number {
  const near = Math.min(from + NEAR_OCTETS, octets.length);
  for (let at = from; at < near; at++) if (octets[at] === wanted) return at;
  return octets.indexOf(wanted, near);
}
