import fc from 'fast-check';
import { expect, it } from 'vitest';
import { KeyIndex } from '../src/key-index.js';

it('finds the last of equal keys, and no other', () => {
  const key = fc.string({ unit: fc.constantFrom('a', 'b', '\0', '\xff'), maxLength: 4 });
  fc.assert(
    fc.property(fc.array(key, { maxLength: 200 }), key, (keys, other) => {
      const octets = Buffer.from(keys.join(''), 'latin1');
      const starts = keys.map((_, at) => keys.slice(0, at).join('').length);
      const index = new KeyIndex(
        octets,
        starts,
        keys.map(({ length }) => length),
        keys.length,
      );
      for (const wanted of [...keys, other]) {
        const octetsOfKey = Buffer.from(`-${wanted}-`, 'latin1');
        expect(index.find(octetsOfKey, 1, wanted.length + 1)).toBe(keys.lastIndexOf(wanted));
      }
    }),
    { numRuns: 50 },
  );
});
