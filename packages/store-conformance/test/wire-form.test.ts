import { describe, expect, it } from 'vitest';
import { octetsOf, textOf, topForm, wireForm, wireOctets } from '../src/wire-form.js';

const WIRE: readonly (readonly [stored: string, sent: string])[] = [
  ['', ''],
  ['x', 'x\r\n'],
  ['x\n', 'x\r\n'],
  ['x\r\n', 'x\r\n'],
  ['x\r', 'x\r\r\n'],
  ['\r', '\r\r\n'],
  ['\n', '\r\n'],
  ['\r\r\n', '\r\r\n'],
  ['\n\r', '\r\n\r\r\n'],
  ['a\rb\nc\r\nd', 'a\rb\r\nc\r\nd\r\n'],
  ['.\n.', '.\r\n.\r\n'],
  ['\0\xff', '\0\xff\r\n'],
];

const TOP: readonly (readonly [stored: string, lines: number, sent: string])[] = [
  ['', 0, ''],
  ['A: 1\nB: 2\n\none\ntwo\n', 0, 'A: 1\r\nB: 2\r\n\r\n'],
  ['A: 1\nB: 2\n\none\ntwo\n', 1, 'A: 1\r\nB: 2\r\n\r\none\r\n'],
  ['A: 1\nB: 2\n\none\ntwo\n', 2, 'A: 1\r\nB: 2\r\n\r\none\r\ntwo\r\n'],
  ['A: 1\nB: 2\n\none\ntwo', 99_999_999, 'A: 1\r\nB: 2\r\n\r\none\r\ntwo\r\n'],
  ['A: 1', 3, 'A: 1\r\n'],
  ['A: 1\r\n', 0, 'A: 1\r\n'],
  ['\r\none\r\n', 0, '\r\n'],
  ['\r\none\r\n', 1, '\r\none\r\n'],
  ['\n\n\n', 1, '\r\n\r\n'],
  ['A: 1\r\n\r\r\n\r\none', 0, 'A: 1\r\n\r\r\n\r\n'],
];

describe('wire form', () => {
  it.each(WIRE)('of %j is %j', (stored, sent) => {
    expect(textOf(wireForm(octetsOf(stored)))).toBe(sent);
    expect(wireOctets(octetsOf(stored))).toBe(sent.length);
  });

  it.each(TOP)('of the top of %j with %i lines is %j', (stored, lines, sent) => {
    expect(textOf(topForm(octetsOf(stored), lines))).toBe(sent);
  });
});
