import fc from 'fast-check';
import { expect, it } from 'vitest';
import { escapedName, isPlainName, unescapedName } from '../src/escaped-name.js';

const NAME = fc.string({ unit: fc.integer({ min: 0, max: 255 }).map((octet) => String.fromCharCode(octet)) });

it('spells every name in a way that no other name has, without a space or a line end', () => {
  fc.assert(
    fc.property(NAME, (name) => {
      expect(escapedName(name)).not.toMatch(/[\0- \x7f]/);
      expect(unescapedName(escapedName(name))).toBe(name);
    }),
  );
});

it('leaves plain names alone', () => {
  fc.assert(
    fc.property(NAME, (name) => {
      if (isPlainName(name)) expect(escapedName(name)).toBe(name);
      expect(isPlainName(name)).toBe(/^[!-$&-~]*$/.test(name));
    }),
  );
  expect(escapedName('1.M2P3.h,S=4')).toBe('1.M2P3.h,S=4');
});
