import { expect, it } from 'vitest';
import { messagesText, octetsText } from '../src/octets-text.js';

it.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1000, '1.0 kB'],
  [12_345, '12.3 kB'],
  [123_456, '123 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [5e15, '5000 TB'],
])('%d octets are %s', (octets, text) => {
  expect(octetsText(octets)).toBe(text);
});

it('counts one message as one', () => {
  expect([0, 1, 2].map(messagesText)).toEqual(['0 messages', '1 message', '2 messages']);
});
