/**
 * What SASLprep makes of a code point (RFC 3454 appendices A to D, RFC 4013 section 2). Only the first that fits counts:
 * - `S`: a space, which becomes U+0020 (C.1.2)
 * - `B`: nothing (B.1)
 * - `P`: prohibited (C.2.1, C.2.2, C.3 to C.9)
 * - `U`: not assigned in Unicode 3.2 (A.1)
 * - `R`: written from right to left (D.1)
 * - `L`: written from left to right (D.2)
 * - `N`: none of these
 */
export type CodePointClass = 'S' | 'B' | 'P' | 'U' | 'R' | 'L' | 'N';

/**
 * All code points in order: how many of a class follow each other, in base 36, then the class; 1 is left out. Made by
 * test/saslprep-reference.py. The tables are those of Unicode 3.2 for ever.
 */
const RUNS =
  'wPxNqL6NqL4NxPS9NL2NB7NL4NL5NnLNvLN89LUiLsU2mL2U9L2N7LeN2LeN5L9NLhU1sN2PdNBgUgN4U2N4UL3UN5U2NLN3LULU' +
  'kLU18LU12LN9U3nL4NU2N1xLU12L2U2L6UgLxU12L2U7LU13LULN6UhNUnNU3NRNR2NRNbUrR5U5RnUNeUR3URUqR5UbRbNaUdN3' +
  'RN2tR7NP7N2R7N2UaN5RUeRUPRNrR3UrN1hU12RbNR9bU2NLU1hL2UN4L8N4LN2UL4N3UaL2NdLgUN2LU8L2U2L2UmLU7LUL3U4L' +
  '2UNU3L4N2U2L2U2LN9UL4U2LU3L2N2UcL2N7L7UN2U6L4U2L2UmLU7LU2LU2LU2L2UNU3L2N4U2N2U3NbU4LUL7UaL2N3LcU2NLU' +
  '7LULU3LUmLU7LU2LU5L2UN4L5NU2NLU2LN2ULfUL5UaLhUN2LU8L2U2L2UmLU7LU2L2U4L2UN2LNL3N3U2L2U2LN8UNL4U2LU3L4' +
  'UbLhUNLU6L3U3LU4L3U2LULU2L3U2L3U3L3U8LU3L4U2LN2L3U3LU3LN9ULfUcLeU3LU8LU3LUnLUaLU5L4U3N4LU3NU4N7U2N9U' +
  '2L4UaLiU2LU8LU3LUnLUaLU5L4ULN5LUN2LU2L2N7U2L7ULU2L4UaLiU2LU8LU3LUnLUgL4U3L3N2U3LU3LN9UL8U2L4UaLiU2LU' +
  'iL3UoLU9LUL2U7L3UN4U3L3NUNU8LiU3LcU1cLN2L7N4UN7L8NdL11U2LUL2U2LUL2UL6U4LU7LU3LULUL2U2LU4LN2L6NU2NL2U' +
  '5LULU6N2UaL2U2LyUoL2NrLNLNL5NaLUyL6UeNL5NL2N4L4U8NU10NU8LN6L2UL1cUyLU5LU2LUL4NLN3U2NLN6UoL2N1yU12LaU' +
  '15L2UL4U2iL5U1wL5U2aL6U7LU1rLULU4L2U7LULU4L2U13LULU4L2UvLULU4L2U7LULU4L2U7LU7LUnLUvLULU4L2U7LU13LUjL' +
  '6UsLzU2dLcUhiL9USqL2N3U29LfUdLU4L3NbUiL3N2L9UiL2NcUdLU3LU2NcU1jL7N8LN2LbN7LNL3UaLmU6NB4N3BPUaL6U2gL8' +
  'U15LN11yU4cL4U2iL6UmL2U6L2U12L2U6L2U8LULULULUvL2U1hLU7LNL3N3LU7L3N4L2U6LU3NdL3N2U3LU7L2NUcS2B2PoN7PS' +
  'zN4UN7USB3P6U6PNL2UbNLfNhUiNuUrNlU2NL4NL2NaLNL3N5L6NLNLNLN4LN3LN7LN2U3L5N5L2N7UdN10LcUbqN1xLqNL1lN1d' +
  'U13NpUbNlU1oN26LlNU7oN2U2NU2tN2UaN3bU4NU4N2UsNUzNUNU4N3UNU7N2U1gN3UoNUeNhUsN4UlsNowUqNU2hNcU5yNqUcP4' +
  'US4N3LpN9L7N5L2N5L3NU2eL2U4N3LN2iLN4L5U14L4U2mLU14L1kU19L3U10LdUfNsL3U1eLfNcL4U1bLU3bL4U2rL2UvLU52uL' +
  '22Ug4mL2iUwdL3U1jN1fdU8mcL2kU6ioP8eL2U1nL45U7LcU5L5URNaRNdRU5RURU2RU2RU30RxUa3R2NgU1sR2U1iR8UwPdR3Ug' +
  'BgU4NcUnN2UaNUjNU4N4U5RU3rR2UBUwNqL6NqLbN2hL3U6L2U6L2U6L2U3L3U7NU7NaU7PlcUvLU4LcUrL51U12L2U12L148iU6' +
  'uLaU13L3U1pL3N9L8P8N2L7NuL4N1cLf6U2dLU1zLU2L2UL2U2L2U4LUcLULU4LU2LU1tLU4L2U8LU7LUsLU4LU5LUL3U7LU9eL4' +
  'U82L4U1eN7weU2PwyfLg15Uf2L15sU2P1ekeU2P1ekeU2P1ekeU2P1ekeU2P1ekeU2P1ekeU2P1ekeU2P1ekeU2P1ekeU2P1ekeU' +
  '2P1ekeU2PUPuU2oP1eguU2t4yP';

interface Runs {
  readonly starts: readonly number[];
  readonly classes: readonly string[];
}

let decoded: Runs | null = null;

/** What few need is made when the first of them comes. */
function runs(): Runs {
  if (decoded !== null) return decoded;
  const starts: number[] = [];
  const classes: string[] = [];
  let start = 0;
  for (const [, length, kind = ''] of RUNS.matchAll(/([0-9a-z]*)([A-Z])/g)) {
    starts.push(start);
    classes.push(kind);
    start += length ? Number.parseInt(length, 36) : 1;
  }
  decoded = { starts, classes };
  return decoded;
}

/** @param character - one code point; half a surrogate pair is one, too */
export function classOf(character: string): CodePointClass {
  const codePoint = character.codePointAt(0) as number;
  const { starts, classes } = runs();
  let low = 0;
  let high = starts.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((starts[middle] as number) <= codePoint) low = middle;
    else high = middle;
  }
  return classes[low] as CodePointClass;
}
