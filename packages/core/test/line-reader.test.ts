import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineReader } from '../src/line-reader.js';
import { chunkLengths, chunksOf, cuts, latin1, octets } from './stored-message.js';

/** Everything the reader gives for these chunks; lines as text behind a `>`. */
function readAll(chunks: readonly Uint8Array[], maxOctets: number, ceilingOctets: number): string[] {
  const reader = new LineReader(ceilingOctets);
  const results: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk);
    for (let result = reader.next(maxOctets); result !== 'need-data'; result = reader.next(maxOctets)) {
      results.push(typeof result === 'string' ? result : `>${latin1(result)}`);
      if (result === 'overflow') return results;
    }
    expect(reader.buffered.length).toBeLessThanOrEqual(maxOctets);
  }
  return results;
}

/** The same as a rule on the whole text. */
function linesOf(text: string, maxOctets: number, ceilingOctets: number): string[] {
  const results: string[] = [];
  for (const line of text.split(/(?<=\n)/)) {
    if (line.length <= maxOctets) {
      if (line.endsWith('\n')) results.push(`>${line.replace(/\r?\n$/, '')}`);
    } else if (line.length > ceilingOctets) {
      return [...results, 'overflow'];
    } else if (line.endsWith('\n')) {
      results.push('line-too-long');
    }
  }
  return results;
}

const VECTORS: readonly (readonly [what: string, input: string, results: readonly string[]])[] = [
  ['nothing', '', []],
  ['a line', 'NOOP\r\n', ['>NOOP']],
  ['a line that is not complete', 'NOOP\r', []],
  ['a line and the start of another', 'NOOP\r\nQU', ['>NOOP']],
  ['a bare LF as a line end', 'a\nb\n', ['>a', '>b']],
  ['empty lines', '\r\n\n\r\n', ['>', '>', '>']],
  ['a bare CR as part of a line', 'a\rb\r\r\n', ['>a\rb\r']],
  ['octets of every kind', '\0\x80\xff\r\n', ['>\0\x80\xff']],
  ['a line of exactly the limit', '12345678\r\n', ['>12345678']],
  ['a line of one octet more', '123456789\r\nNOOP\r\n', ['line-too-long', '>NOOP']],
  ['a line of exactly the ceiling', `${'x'.repeat(18)}\r\nNOOP\r\n`, ['line-too-long', '>NOOP']],
  ['a line above the ceiling', `${'x'.repeat(19)}\r\nNOOP\r\n`, ['overflow']],
  ['a line above the ceiling without an end', 'x'.repeat(21), ['overflow']],
];

describe('LineReader', () => {
  for (const [what, input, results] of VECTORS) {
    it(`reads ${what}, whole, in lines and one octet at a time`, () => {
      expect(linesOf(input, 10, 20)).toEqual(results);
      for (const chunks of Object.values(cuts(input))) expect(readAll(chunks, 10, 20)).toEqual(results);
    });
  }

  it('gives the same lines for any octets in any chunking, and keeps no more than a line', () => {
    const input = fc.array(fc.constantFrom('\r', '\n', '\r\n', 'a', 'bcd', 'x'.repeat(9), '\0', '\xff'), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        input,
        chunkLengths,
        fc.integer({ min: 1, max: 30 }),
        fc.nat({ max: 60 }),
        (parts, lengths, max, ceiling) => {
          const text = parts.join('');
          expect(readAll(chunksOf(octets(text), lengths), max, ceiling)).toEqual(linesOf(text, max, ceiling));
        },
      ),
    );
  });

  it('takes the limit of the moment: the same octets may start a line of another kind', () => {
    const reader = new LineReader(100);
    reader.push(octets('123456'));
    expect(reader.next(10)).toBe('need-data');
    reader.push(octets('7890123\r\n'));
    expect(latin1(reader.next(20) as Uint8Array)).toBe('1234567890123');
  });

  it('drops a line of a gigabyte without keeping any of it', () => {
    const reader = new LineReader(2 ** 40);
    const chunk = new Uint8Array(1 << 20).fill(0x78);
    for (let i = 0; i < 1024; i++) {
      reader.push(chunk);
      expect(reader.next(255)).toBe('need-data');
      expect(reader.buffered.length).toBe(0);
    }
    reader.push(octets('\r\nNOOP\r\n'));
    expect(reader.next(255)).toBe('line-too-long');
    expect(latin1(reader.next(255) as Uint8Array)).toBe('NOOP');
  });

  it('does not wait for the end of a line above the ceiling', () => {
    const reader = new LineReader(1000);
    reader.push(new Uint8Array(1001));
    expect(reader.next(255)).toBe('overflow');
    reader.push(octets('\r\nNOOP\r\n'));
    expect(reader.next(255)).toBe('overflow');
  });

  it('passes a line on as a view, without a copy', () => {
    const reader = new LineReader(100);
    const chunk = octets('NOOP\r\nQUIT\r\n');
    reader.push(chunk);
    expect((reader.next(100) as Uint8Array).buffer).toBe(chunk.buffer);
    expect((reader.next(100) as Uint8Array).buffer).toBe(chunk.buffer);
  });

  it('goes on behind what was read otherwise', () => {
    const wire = 'status\r\na\nbody\r\n.\r\nnext\r\nhalf';
    for (const rest of [wire.slice(8), 'line\n'.repeat(3), '']) {
      const reader = new LineReader(1000);
      reader.push(octets(`status\r\n${rest}`));
      expect(latin1(reader.next(1000) as Uint8Array)).toBe('status');
      for (let skipped = 0; skipped <= rest.length; skipped++) {
        expect(latin1(reader.buffered)).toBe(rest.slice(skipped));
        if (skipped < rest.length) reader.skip(1);
      }
      expect(reader.next(1000)).toBe('need-data');
      reader.push(octets('x\r\n'));
      expect(latin1(reader.next(1000) as Uint8Array)).toBe('x');
    }
    const reader = new LineReader(1000);
    reader.push(octets(wire));
    reader.next(1000);
    reader.skip('a\nbody\r\n.\r\n'.length);
    expect(latin1(reader.next(1000) as Uint8Array)).toBe('next');
    expect(reader.next(1000)).toBe('need-data');
    reader.push(octets('way\n'));
    expect(latin1(reader.next(1000) as Uint8Array)).toBe('halfway');
  });

  it('forgets everything when it is cleared: whole lines, half a line, and one that is too long', () => {
    for (const before of ['NOOP\r\nQUIT\r\n', 'PASS sec', 'x'.repeat(50)]) {
      const reader = new LineReader(100);
      reader.push(octets(before));
      reader.next(10);
      reader.clear();
      expect(reader.next(10)).toBe('need-data');
      reader.push(octets('RSET\r\n'));
      expect(latin1(reader.next(10) as Uint8Array)).toBe('RSET');
    }
  });
});
