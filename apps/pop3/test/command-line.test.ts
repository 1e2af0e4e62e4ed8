import { expect, it } from 'vitest';
import { normalized, readCommandLine } from '../src/command-line.js';

const OPTIONS = [
  '-u, --user <NAME>',
  '--unique-id <ID>',
  '-o, --output <PLACE>',
  '--json',
  '--no-progress',
].map((rawName) => ({ rawName }));

it('gives values as they were written', () => {
  const args = [
    'get',
    'h',
    '007',
    '-u',
    '1e3',
    '--uniqueId',
    'a',
    '--unique-id=b=c',
    '--json',
    '--no-progress',
    '-o',
    '-',
  ];
  const line = readCommandLine(normalized(args), OPTIONS);
  expect(line.operands).toEqual(['h', '007']);
  expect(line.value('user')).toBe('1e3');
  expect(line.values('unique-id')).toEqual(['a', 'b=c']);
  expect(line.value('output')).toBe('-');
  expect([line.switch('json'), line.switch('progress')]).toEqual([true, false]);
});

it('says nothing of what was not given', () => {
  const line = readCommandLine(['list', 'h'], OPTIONS);
  expect([line.value('user'), line.switch('json')]).toEqual([null, undefined]);
  expect(line.values('unique-id')).toEqual([]);
});
