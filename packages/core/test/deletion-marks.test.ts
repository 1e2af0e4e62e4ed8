import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DeletionMarkSet } from '../src/deletion-marks.js';

describe('DeletionMarkSet', () => {
  it('behaves as a sorted set of the numbers of the maildrop', () => {
    const change = fc.oneof(
      { weight: 20, arbitrary: fc.integer({ min: -2, max: 140 }) },
      { weight: 1, arbitrary: fc.constant('clear' as const) },
    );
    fc.assert(
      fc.property(fc.nat({ max: 130 }), fc.array(change, { maxLength: 100 }), (count, changes) => {
        const marks = new DeletionMarkSet(count);
        const model = new Set<number>();
        for (const number of changes) {
          if (number === 'clear') {
            marks.clear();
            model.clear();
          } else {
            marks.add(number);
            if (number >= 1 && number <= count) model.add(number);
          }
          expect(marks.size).toBe(model.size);
        }
        expect([...marks]).toEqual([...model].sort((a, b) => a - b));
        for (let number = -2; number <= 140; number++) expect(marks.has(number)).toBe(model.has(number));
      }),
    );
  });

  it('can be read more than once, and while it is empty', () => {
    const marks = new DeletionMarkSet(3);
    expect([...marks]).toEqual([]);
    marks.add(3);
    marks.add(1);
    expect([...marks]).toEqual([1, 3]);
    expect([...marks]).toEqual([1, 3]);
  });

  it('holds a mark for each of a million messages', () => {
    const marks = new DeletionMarkSet(1_000_000);
    for (let number = 1; number <= 1_000_000; number++) marks.add(number);
    expect(marks.size).toBe(1_000_000);
    let sum = 0;
    for (const number of marks) sum += number;
    expect(sum).toBe(500_000_500_000);
  });
});
