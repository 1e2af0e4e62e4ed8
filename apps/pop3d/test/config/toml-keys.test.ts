import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { type KeyPath, tomlKeys } from '../../src/config/toml-keys.js';

/** Line and column of each path, and a check that the text is what the parser takes for TOML. */
function positions(text: string, paths: readonly KeyPath[]): (string | null)[] {
  parse(text);
  const keys = tomlKeys(text);
  return paths.map((path) => {
    const position = keys.positionOf(path);
    return position && `${position.line}:${position.column}`;
  });
}

describe('tomlKeys finds', () => {
  it.each<[string, string, KeyPath, string]>([
    ['a key at the top', 'a = 1\n', ['a'], '1:1'],
    ['a key after comments and blank lines', '# a = 0\n\n  a = 1 # a\n', ['a'], '3:3'],
    ['a key in a table', 'a = 1\n[t]\n# x\nb = 2\n', ['t', 'b'], '4:1'],
    ['a table itself', 'a = 1\n [ t ]\nb = 2\n', ['t'], '2:4'],
    ['dotted keys', 't.u.b = 1\nt.u.c = 2\n', ['t', 'u', 'c'], '2:1'],
    ['dotted keys with spaces', 't . u = 1\n', ['t', 'u'], '1:1'],
    ['a dotted table', '[t.u]\nb = 1\n', ['t', 'u', 'b'], '2:1'],
    ['quoted keys', '"a b" = 1\n\'c.d\' = 2\n', ['c.d'], '2:1'],
    ['a quoted key with escapes', '"\\u0061\\"\\t" = 1\n', ['a"\t'], '1:1'],
    ['a quoted table name', '[t."u.v"]\nb = 1\n', ['t', 'u.v', 'b'], '2:1'],
    ['keys of an inline table', 't = { a = 1, b = { c = 2 } }\n', ['t', 'b', 'c'], '1:20'],
    ['elements of an array over lines', 'a = [\n  1, # one\n  2,\n]\n', ['a', 1], '3:3'],
    ['keys in an array of inline tables', 'a = [{ b = 1 },\n { b = 2 }]\n', ['a', 1, 'b'], '2:4'],
    ['keys in an array of tables', '[[t]]\nb = 1\n[[t]]\nb = 2\n', ['t', 1, 'b'], '4:1'],
    [
      'a table under an array of tables',
      '[[t]]\n[t.u]\nb = 1\n[[t]]\n[t.u]\nb = 2\n',
      ['t', 1, 'u', 'b'],
      '6:1',
    ],
    ['a key behind a string with a hash, a bracket and quotes', 'a = "# ] \\" ="\nb = 1\n', ['b'], '2:1'],
    ['a key behind a literal string', "a = '\\'\nb = 1\n", ['b'], '2:1'],
    ['a key behind a string over lines', 'a = """\nb = 0\n\\""" ""\\\n"""\nb = 1\n', ['b'], '5:1'],
    ['a key behind a string that ends in quotes', 'a = """x"""""\nb = 1\n', ['b'], '2:1'],
    ['a key behind a literal over lines', "a = '''\nb = 0\n'''\nb = 1\n", ['b'], '4:1'],
    ['a key behind dates and floats', 'a = 1979-05-27 07:32:00Z\nc = [1e3, inf]\nb = 1\n', ['b'], '3:1'],
    ['a key with CRLF line ends', '[t]\r\na = 1\r\nb = 2\r\n', ['t', 'b'], '3:1'],
    ['a key behind a byte order mark', '\uFEFFa = 1\nb = 2\n', ['b'], '2:1'],
    ['a column in characters', '"é😀" = { b = 1 }\n', ['é😀', 'b'], '1:10'],
    ['a key named like a property of objects', '[t]\n__proto__ = 1\n', ['t', '__proto__'], '2:1'],
  ])('%s', (_what, text, path, position) => {
    expect(positions(text, [path])).toEqual([position]);
  });
});

it('gives the closest table around a key that is not there', () => {
  expect(positions('[t]\na = 1\n', [['t', 'b', 0], ['u']])).toEqual(['1:2', null]);
});

it.each(['', '[', '[[', 'a', 'a =', '= 1', '"', 'a = "', 'a = [', 'a = {', ']', '}', 'a = """', '[t', "'''"])(
  'comes to an end on %j, which is not TOML',
  (text) => {
    expect(tomlKeys(text).positionOf(['nothing'])).toBeNull();
  },
);
