import { describe, expect, it } from 'vitest';
import { checkRfcMap } from '../src/rfc-map.mjs';
import { repositoryOf } from './temporary-repository.js';

const HEAD = '| requirement | RFC section | rule | file | test |\n|---|---|---|---|---|';
const LEFT_OUT = '| requirement | rule | why |\n|---|---|---|';
const GOOD = '| RFC1939-3.1 | RFC 1939 §3 | greets | `src/a.ts` | `test/a.test.ts: greets the peer` |';

function problemsOf(text: string): string[] {
  const repository = repositoryOf({
    'map.md': text,
    'src/a.ts': '',
    'test/a.test.ts': ["it('greets the peer', () => {});", 'it(`says \\`no\\``); // ends a row'].join('\n'),
    'test/b.transcript': '',
  });
  return checkRfcMap(repository, 'map.md').map(({ line, message }) => `${line}: ${message}`);
}

function problemsOfRow(row: string): string[] {
  return problemsOf(`${HEAD}\n${row}`);
}

describe('checkRfcMap', () => {
  it.each([
    GOOD,
    '| RFC1939-5.STAT.1 | RFC 1939 §5 | a | `src/a.ts`, `src/a.ts` | `test/b.transcript`, `test/a.test.ts` |',
    '| RFC8314-3.4 | RFC 8314 §3.4 | a | `src/a.ts` | `test/a.test.ts` |',
    '| RFC8314-3.4 | RFC 8314 §3 | a | `src/a.ts` | `test/a.test.ts: says `no`` |',
    '| RFC1957-1 | RFC 1957 | a | `src/a.ts` | `test/a.test.ts` |',
    '| STLS-INJ.3 | - | a | `src/a.ts` | `test/a.test.ts` |',
    '| SASL-PLAIN.2 | RFC 4616 §2 | a | `src/a.ts` | `test/a.test.ts` |',
    '| SASLPREP.2 | RFC 4013 §3 | a | `src/a.ts` | `test/a.test.ts` |',
  ])('accepts %s', (row) => {
    expect(problemsOfRow(row)).toEqual([]);
  });

  it.each([
    ['| SASLPREP | RFC 4013 §3 | a | `src/a.ts` | `test/a.test.ts` |', '"SASLPREP" is no requirement id'],
    ['| rfc1939-3 | RFC 1939 §3 | a | `src/a.ts` | `test/a.test.ts` |', '"rfc1939-3" is no requirement id'],
    [
      '| RFC1939-3.1 | RFC 2449 §3 | a | `src/a.ts` | `test/a.test.ts` |',
      'RFC1939-3.1 is not of RFC 2449 §3',
    ],
    [
      '| RFC1939-3.1 | RFC 1939 §31 | a | `src/a.ts` | `test/a.test.ts` |',
      'RFC1939-3.1 is not of RFC 1939 §31',
    ],
    ['| RFC1939-3.1 | RFC 1939 | a | `src/a.ts` | `test/a.test.ts` |', 'RFC1939-3.1 is not of RFC 1939'],
    [
      '| RFC1939-3.1 | section 3 | a | `src/a.ts` | `test/a.test.ts` |',
      'RFC1939-3.1: "section 3" is no section; write "RFC 1939 §5", or "-" where there is no RFC',
    ],
    ['| RFC1939-3.1 | RFC 1939 §3 | | `src/a.ts` | `test/a.test.ts` |', 'RFC1939-3.1: no rule'],
    ['| RFC1939-3.1 | RFC 1939 §3 | a | src/a.ts | `test/a.test.ts` |', 'RFC1939-3.1: no file'],
    [
      '| RFC1939-3.1 | RFC 1939 §3 | a | `src/b.ts` | `test/a.test.ts` |',
      'RFC1939-3.1: git tracks no src/b.ts',
    ],
    ['| RFC1939-3.1 | RFC 1939 §3 | a | `src/a.ts` | soon |', 'RFC1939-3.1: no test'],
    [
      '| RFC1939-3.1 | RFC 1939 §3 | a | `src/a.ts` | `test/c.test.ts` |',
      'RFC1939-3.1: git tracks no test/c.test.ts',
    ],
    ['| RFC1939-3.1 | RFC 1939 §3 | a | `src/a.ts` | `src/a.ts` |', 'RFC1939-3.1: src/a.ts is no test'],
    [
      '| RFC1939-3.1 | RFC 1939 §3 | a | `src/a.ts` | `test/a.test.ts: ends a row` |',
      'RFC1939-3.1: test/a.test.ts has no case "ends a row"',
    ],
    [
      '| RFC1939-3.1 | RFC 1939 §3 | a | `src/a.ts` |',
      '4 cells, expected 5: requirement, RFC section, rule, file, test',
    ],
  ])('reports %s', (row, message) => {
    expect(problemsOfRow(row)).toEqual([`3: ${message}`]);
  });

  it('reports a requirement that is named twice, in the map or in what is left out', () => {
    const text = [
      HEAD,
      GOOD,
      GOOD,
      '',
      LEFT_OUT,
      '| RFC1939-3.3, RFC1939-3.1 | a | b |',
      '| RFC1939-3.2 | a | |',
    ].join('\n');
    expect(problemsOf(text)).toEqual([
      '4: RFC1939-3.1 was named in line 3 already',
      '8: RFC1939-3.1 was named in line 4 already',
      '9: RFC1939-3.2: no why',
    ]);
  });

  it('reports a map without a table', () => {
    expect(problemsOf('# Map\n')).toEqual([
      '1: no table with the columns requirement, RFC section, rule, file, test',
    ]);
  });
});
