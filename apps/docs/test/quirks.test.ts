import { describe, expect, it } from 'vitest';
import { checkQuirks } from '../src/quirks.mjs';
import { repositoryOf } from './temporary-repository.js';

const HEAD = '| quirk | what the client does | seen at | test |\n|---|---|---|---|';

function problemsOf(text: string): string[] {
  const repository = repositoryOf({
    'quirks.md': text,
    'packages/client-node/test/quirks-a.test.ts': "quirk('CAPA is refused', '', async () => {});",
  });
  return checkQuirks(repository, 'quirks.md').map(({ line, message }) => `${line}: ${message}`);
}

describe('checkQuirks', () => {
  it('accepts a row with a test that is there, seen somewhere or nowhere', () => {
    const rows = ['| a | b | c | `quirks-a: CAPA is` |', '| a | b | | `quirks-a: CAPA is refused` |'];
    expect(problemsOf([HEAD, ...rows].join('\n'))).toEqual([]);
  });

  it.each([
    ['| a | b | c |', '3 cells, expected 4: quirk, what the client does, seen at, test'],
    ['| | b | c | `quirks-a: CAPA is` |', 'no quirk'],
    ['| a | | c | `quirks-a: CAPA is` |', 'a: nothing that the client does'],
    ['| a | b | c | soon |', 'a: no test'],
    ['| a | b | c | `quirks-b: CAPA is` |', 'a: git tracks no packages/client-node/test/quirks-b.test.ts'],
    ['| a | b | c | `quirks-a: is` |', 'a: packages/client-node/test/quirks-a.test.ts has no case "is"'],
    ['| a | b | c | `quirks-a` |', 'a: packages/client-node/test/quirks-a.test.ts has no case ""'],
  ])('reports %s', (row, message) => {
    expect(problemsOf(`${HEAD}\n${row}`)).toEqual([`3: ${message}`]);
  });

  it('reports a page without a table, and one that is not there', () => {
    expect(problemsOf('# Quirks\n')).toEqual([
      '1: no table with the columns quirk, what the client does, seen at, test',
    ]);
    expect(checkQuirks(repositoryOf({}), 'quirks.md')).toHaveLength(1);
  });
});
