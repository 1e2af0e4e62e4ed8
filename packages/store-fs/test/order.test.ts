import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseMaildirName } from '../src/maildir-name.js';
import { type NameTable, NameTableBuilder, NO_NAMES } from '../src/name-table.js';
import { arrivalOrder } from '../src/order.js';

const NAME = fc
  .tuple(
    fc.constantFrom('', '1', '2', '10', '1700000001', '99999999999'),
    fc.constantFrom('', '.M5P1', '.M10P1', '.9', '.x'),
    fc.constantFrom('', '.h', '.h+', '.h!', ',S=1', ',S=2'),
    fc.constantFrom('', ':2,', ':2,S'),
  )
  .map((parts) => `n${parts.join('')}`.replace(/^n(?=\d)/, ''));

function tableOf(names: readonly string[]): NameTable {
  const builder = new NameTableBuilder(NO_NAMES);
  for (const name of names) builder.add(name);
  return builder.build();
}

function keyOf(name: string): [number, number, string, string] {
  const { seconds, microseconds, unique, base } = parseMaildirName(name);
  return [seconds, microseconds, unique, base];
}

it('is by second, microsecond and name, whatever the directory and the flags', () => {
  fc.assert(
    fc.property(fc.array(NAME, { maxLength: 40 }), fc.array(NAME, { maxLength: 40 }), (cur, recent) => {
      const names = [...cur, ...recent];
      const order = [...arrivalOrder(tableOf(cur), tableOf(recent))];
      expect([...order].sort((a, b) => a - b)).toEqual(names.map((_, entry) => entry));
      for (let i = 1; i < order.length; i++) {
        const before = keyOf(names[order[i - 1] as number] as string);
        const after = keyOf(names[order[i] as number] as string);
        const differs = before.findIndex((part, at) => part !== after[at]);
        if (differs !== -1) expect((before[differs] as number) < (after[differs] as number)).toBe(true);
        else expect(order[i - 1]).toBeLessThan(order[i] as number);
      }
    }),
  );
});
