import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sameOctets } from '../src/sasl/constant-time.js';

it('finds the same octets the same, and no others', () => {
  const short = fc.uint8Array({ maxLength: 6, max: 2 });
  fc.assert(
    fc.property(short, short, (a, b) => {
      expect(sameOctets(a, b)).toBe(Buffer.compare(a, b) === 0);
      expect(sameOctets(a, a.slice())).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});
