import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TopCutter } from '../src/top-cutter.js';
import { chunkLengths, chunksOf, cuts, latin1, octets, storedMessage } from './stored-message.js';

/** Cuts chunk after chunk, until the end of the answer has been found. */
function cutOff(chunks: readonly Uint8Array[], lines: number): { answer: string; done: boolean } {
  const cutter = new TopCutter(lines);
  let answer = '';
  for (const chunk of chunks) {
    expect(cutter.done).toBe(false);
    const belongs = cutter.cut(chunk);
    answer += latin1(chunk.subarray(0, belongs));
    if (cutter.done) break;
    expect(belongs).toBe(chunk.length);
  }
  return { answer, done: cutter.done };
}

/** The rule, written on the whole text. */
function topOf(stored: string, lines: number): { answer: string; done: boolean } {
  const all = stored.split(/(?<=\n)/);
  const blank = all.findIndex((line) => line === '\n' || line === '\r\n');
  const end = blank + 1 + lines;
  const enough = all.length > end || (all.length === end && stored.endsWith('\n'));
  return { answer: blank === -1 ? stored : all.slice(0, end).join(''), done: blank !== -1 && enough };
}

const HEADER = 'Subject: hi\nTo: ann\n\n';

const VECTORS: readonly (readonly [
  rule: string,
  stored: string,
  lines: number,
  answer: string,
  done: boolean,
])[] = [
  ['sends the header and the blank line for 0 lines', `${HEADER}a\nb\n`, 0, HEADER, true],
  ['sends so many lines of the body', `${HEADER}a\nb\nc\n`, 2, `${HEADER}a\nb\n`, true],
  ['counts blank lines of the body', `${HEADER}\n\nc\n`, 2, `${HEADER}\n\n`, true],
  ['sends all of a shorter body', `${HEADER}a\nb`, 3, `${HEADER}a\nb`, false],
  ['is done with the last line of the body', `${HEADER}a\nb\n`, 2, `${HEADER}a\nb\n`, true],
  ['waits for the end of a last line without one', `${HEADER}a\nb`, 2, `${HEADER}a\nb`, false],
  ['takes the largest numbers that clients send', `${HEADER}a\nb\n`, 99_999_999, `${HEADER}a\nb\n`, false],
  ['takes Infinity', `${HEADER}a\nb\n`, Number.POSITIVE_INFINITY, `${HEADER}a\nb\n`, false],
  ['sends all of a message without a body', 'Subject: hi\n', 0, 'Subject: hi\n', false],
  ['sends all of an empty message', '', 0, '', false],
  ['finds the blank line at the very start', '\na\nb\n', 1, '\na\n', true],
  ['finds the blank line at the very start with CRLF', '\r\na\r\nb\r\n', 1, '\r\na\r\n', true],
  ['finds CRLF line ends', 'A: b\r\n\r\n1\r\n2\r\n', 1, 'A: b\r\n\r\n1\r\n', true],
  ['finds a blank line with LF after lines with CRLF', 'A: b\r\n\n1\r\n2\n', 1, 'A: b\r\n\n1\r\n', true],
  ['finds a blank line with CRLF after lines with LF', 'A: b\n\r\n1\n2\r\n', 1, 'A: b\n\r\n1\n', true],
  ['takes a line of CR CR LF for no blank line', 'A: b\n\r\r\n\n1\n', 0, 'A: b\n\r\r\n\n', true],
  ['takes a bare CR for no line end', 'A: b\r\rc\n\n1\r\r2\n3\n', 1, 'A: b\r\rc\n\n1\r\r2\n', true],
  ['takes a line of a space for no blank line', 'A: b\n \n\n1\n', 0, 'A: b\n \n\n', true],
  ['does not know of dots', `.\n${HEADER}.\n..\n`, 1, `.\n${HEADER}.\n`, true],
];

describe('TopCutter', () => {
  for (const [rule, stored, lines, answer, done] of VECTORS) {
    it(rule, () => {
      for (const [cut, chunks] of Object.entries(cuts(stored))) {
        expect(cutOff(chunks, lines), cut).toEqual({ answer, done });
      }
    });
  }

  it('finds the end in any message and any chunks', () => {
    fc.assert(
      fc.property(storedMessage, chunkLengths, fc.nat({ max: 8 }), (stored, lengths, lines) => {
        expect(cutOff(chunksOf(stored, lengths), lines)).toEqual(topOf(latin1(stored), lines));
      }),
      { numRuns: 5000 },
    );
  });

  it('gives nothing away after the end', () => {
    const cutter = new TopCutter(0);
    expect(cutter.cut(octets('A: b\n\nbody\n'))).toBe(6);
    expect(cutter.cut(octets('more\n'))).toBe(0);
    expect(cutter.done).toBe(true);
  });
});
