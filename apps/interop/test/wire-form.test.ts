import { expect, it } from 'vitest';
import { dotStuffed, topOf, wireForm } from '../src/wire-form.js';

const bytes = (text: string): Buffer => Buffer.from(text, 'latin1');

it.each([
  ['', ''],
  ['a', 'a\r\n'],
  ['a\n', 'a\r\n'],
  ['a\r\n', 'a\r\n'],
  ['\n\n', '\r\n\r\n'],
  ['a\rb\n', 'a\rb\r\n'],
  ['a\r\r\n', 'a\r\r\n'],
  ['a\n\rb', 'a\r\n\rb\r\n'],
  ['a\r', 'a\r\r\n'],
  ['\r', '\r\r\n'],
  ['.\n\0\xff', '.\r\n\0\xff\r\n'],
])('gives %j the wire form %j', (stored, wire) => {
  expect(wireForm(bytes(stored)).toString('latin1')).toBe(wire);
});

it('stuffs a dot at each start of a line and nowhere else', () => {
  expect(dotStuffed(bytes('.\r\na.\r\n..\r\n.b\r.\r\n\r\n')).toString('latin1')).toBe(
    '..\r\na.\r\n...\r\n..b\r.\r\n\r\n',
  );
});

it('stuffs nothing into an empty message', () => {
  expect(dotStuffed(bytes(''))).toHaveLength(0);
});

it('cuts the body after the lines asked for, and never the header', () => {
  const wire = bytes('A: 1\r\nB: 2\r\n\r\none\r\n\r\nthree\r\n');
  expect(topOf(wire, 0).toString()).toBe('A: 1\r\nB: 2\r\n\r\n');
  expect(topOf(wire, 2).toString()).toBe('A: 1\r\nB: 2\r\n\r\none\r\n\r\n');
  expect(topOf(wire, 99)).toEqual(wire);
  expect(topOf(bytes('A: 1\r\n'), 0).toString()).toBe('A: 1\r\n');
  expect(topOf(bytes(''), 5)).toHaveLength(0);
});
