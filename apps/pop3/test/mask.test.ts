import { expect, it } from 'vitest';
import { Mask } from '../src/mask.js';

function masked(secret: string, text: string): string {
  const mask = new Mask();
  mask.hide(secret);
  return mask.masked(text);
}

it.each([
  ['hunter2', '-ERR unknown command: PASS hunter2', '-ERR unknown command: PASS ***'],
  ['a.b*c', 'a.b*c and axb', '*** and axb'],
  ['pa', 'pa is no part of a path', '*** is no part of a path'],
  ['', 'nothing', 'nothing'],
])('hides %j', (secret, text, expected) => {
  expect(masked(secret, text)).toBe(expected);
});

it.each(['', 'a', 'ab', 'abc', '\0ann\0', '\0bobby\0'])('hides it in base64 behind %j', (before) => {
  const line = Buffer.from(`${before}hunter2-secret`).toString('base64');
  expect(masked('hunter2-secret', `AUTH PLAIN ${line}`)).toMatch(/^AUTH PLAIN \S*\*\*\*\S{0,4}$/);
});
