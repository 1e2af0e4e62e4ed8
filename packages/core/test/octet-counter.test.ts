import { describe, expect, it } from 'vitest';
import { OctetCounter, wireOctetsOf } from '../src/octet-counter.js';
import { octetsOf } from '../src/octets.js';

const SIZES: readonly (readonly [message: string, octets: number])[] = [
  ['', 0],
  ['\n', 2],
  ['\r\n', 2],
  ['\r', 3],
  ['\n\n', 4],
  ['\n\r\n', 4],
  ['\r\r\n', 3],
  ['\r\n\n', 4],
  ['a', 3],
  ['abc\r', 6],
  ['a\rb', 5],
  ['.\n.', 6],
  ['\0\xff\n', 4],
  // TV-STUFF: stuffing is not counted.
  ['a\n.\n..b\n.c\n\n', 17],
  ['a\r\n.\r\n..b\r\n.c\r\n\r\n', 17],
];

describe('OctetCounter', () => {
  for (const [message, octets] of SIZES) {
    it(`counts ${octets} octets for ${JSON.stringify(message)} whole, in lines and one octet at a time`, () => {
      expect(wireOctetsOf(octetsOf(message))).toBe(octets);
      for (const pieces of [message.split(/(?<=\n)/), message.split('')]) {
        const counter = new OctetCounter();
        for (const piece of pieces) counter.add(octetsOf(piece));
        expect(counter.octets).toBe(octets);
      }
    });
  }

  it('can be asked before the message is complete', () => {
    const counter = new OctetCounter();
    counter.add(octetsOf('a'));
    expect(counter.octets).toBe(3);
    counter.add(octetsOf('b\n'));
    expect(counter.octets).toBe(4);
    counter.add(octetsOf(''));
    expect(counter.octets).toBe(4);
  });
});
