import { describe, expect, it } from 'vitest';
import { anchorsOf, blocksOf, linksOf, rowsOf } from '../src/markdown.mjs';

describe('blocksOf', () => {
  it('gives language, marks, line and code of each block', () => {
    const text = ['# t', '```ts fragment', 'let a;', '', '```', 'x', '~~~', '```ts', '~~~'].join('\n');
    expect(blocksOf(text)).toEqual([
      { language: 'ts', marks: ['fragment'], line: 2, code: 'let a;\n\n' },
      { language: '', marks: [], line: 7, code: '```ts\n' },
    ]);
  });

  it('keeps a shorter fence inside a longer one', () => {
    expect(blocksOf('````md\n```ts\nlet a;\n```\n````\n')).toHaveLength(1);
  });

  it('takes a block that is never closed', () => {
    expect(blocksOf('```ts\nlet a;')).toEqual([{ language: 'ts', marks: [], line: 1, code: 'let a;\n' }]);
  });
});

describe('linksOf', () => {
  it('finds links, images, definitions and HTML, with their lines', () => {
    const text = [
      'see [a](a.md) and [b](<b.md> "title")',
      '![i](i.png)',
      '[c]: c.md',
      '<a href="d.md">',
      '[![badge](e.svg)](f.md)',
      '[g](g_(h).md)',
    ];
    expect(linksOf(text.join('\n')).map(({ target, line }) => `${line} ${target}`)).toEqual([
      '1 a.md',
      '1 b.md',
      '2 i.png',
      '3 c.md',
      '4 d.md',
      '5 e.svg',
      '5 f.md',
      '6 g_(h).md',
    ]);
  });

  it('leaves code alone', () => {
    expect(linksOf('`[a](a.md)` ``[`b`](b.md)``\n```\n[c](c.md)\n```\n')).toEqual([]);
  });
});

describe('anchorsOf', () => {
  it('names headings as GitHub does', () => {
    const text = [
      '# One `two()`: three',
      '## Same',
      '## Same ##',
      '### [linked](x.md) & more',
      '#none',
      '```',
      '# code',
      '```',
      '<a id="own"></a>',
    ];
    expect([...anchorsOf(text.join('\n'))]).toEqual([
      'one-two-three',
      'same',
      'same-1',
      'linked--more',
      'own',
    ]);
  });
});

describe('rowsOf', () => {
  it('gives the cells of the tables with these columns and of no other', () => {
    const text = [
      '| a | b |',
      '|---|:-:|',
      '| 1 | `x|y` \\| z |',
      '',
      '| a | c |',
      '|---|---|',
      '| 2 | 3 |',
      '',
      '| a | b |',
      '|---|---|',
      '| 4 | 5 |',
    ];
    expect(rowsOf(text.join('\n'), ['a', 'b'])).toEqual([
      { line: 3, cells: ['1', '`x|y` | z'] },
      { line: 11, cells: ['4', '5'] },
    ]);
  });
});
