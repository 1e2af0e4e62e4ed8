import { expect, it } from 'vitest';
import { Selection } from '../src/selection.js';

const LISTING = [1, 2, 3, 5, 8].map((number) => ({ number, octets: 1, uniqueId: `id${number}` }));

it.each<[string[], string[], number[], string[]]>([
  [['3'], [], [3], []],
  [['2-5'], [], [2, 3, 5], []],
  [['5-'], [], [5, 8], []],
  [['-2'], [], [1, 2], []],
  [['1,3', '8'], [], [1, 3, 8], []],
  [['all'], [], [1, 2, 3, 5, 8], []],
  [['4'], [], [], ['message 4']],
  [['all', '9'], [], [1, 2, 3, 5, 8], ['message 9']],
  [['6-7'], [], [], []],
  [[], ['id5', 'none'], [5], ['unique-id none']],
  [['1'], ['id1'], [1], []],
])('%j with the unique-ids %j is %j; missing: %j', (operands, uniqueIds, numbers, missing) => {
  const selection = new Selection(operands, uniqueIds);
  expect(LISTING.filter(selection.wants).map(({ number }) => number)).toEqual(numbers);
  expect(selection.missing).toEqual(missing);
});

it.each<[string[], string[], boolean]>([
  [['3'], [], true],
  [['3-3'], [], true],
  [[], ['id'], true],
  [['3-4'], [], false],
  [['3', '4'], [], false],
  [['3'], ['id'], false],
  [['all'], [], false],
  [[], [], false],
])('%j with %j can mean one message alone: %s', (operands, uniqueIds, single) => {
  expect(new Selection(operands, uniqueIds).single).toBe(single);
});

it.each(['0', '-', 'one', '1.5', '3-1', '1-0', '0-1', '1,,2', '1 2', ''])('"%s" is no message', (operand) => {
  expect(() => new Selection([operand], [])).toThrow(/no message|ends before/);
});
