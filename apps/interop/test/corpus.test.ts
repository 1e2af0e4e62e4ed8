import { describe, expect, it } from 'vitest';
import { CLASSES, corpus, SEED, tinyCorpus } from '../src/corpus.js';

const messages = corpus();

/** Octets as text, so that a pattern can look at them. */
const text = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
const some = (wanted: (stored: string) => boolean): boolean =>
  messages.some((message) => message.stored.length < 2_000_000 && wanted(text(message.stored)));

describe('the corpus', () => {
  it('is the same for the same seed and another for another one', () => {
    const again = corpus();
    expect(again.map((m) => m.name)).toEqual(messages.map((m) => m.name));
    expect(again.every((m, i) => Buffer.compare(m.stored, messages[i]!.stored) === 0)).toBe(true);
    expect(corpus(SEED + 1).some((m, i) => Buffer.compare(m.stored, messages[i]!.stored) !== 0)).toBe(true);
  });

  it('has at least a hundred messages with names of their own', () => {
    expect(messages.length).toBeGreaterThanOrEqual(100);
    expect(new Set(messages.map((m) => m.name)).size).toBe(messages.length);
  });

  it.each(CLASSES)('has a message of class %s', (wanted) => {
    expect(messages.some((m) => m.classes.includes(wanted))).toBe(true);
  });

  it('gives the size of the wire form as the size', () => {
    for (const message of messages) expect(message.octets).toBe(message.wire.length);
  });

  it('has no bare LF on the wire and ends every message that is not empty with CRLF', () => {
    for (const { name, wire } of messages) {
      expect(/(?<!\r)\n/.test(text(wire)), name).toBe(false);
      expect(wire.length === 0 || text(wire).endsWith('\r\n'), name).toBe(true);
    }
  });

  it.each([
    ['an empty file', (s: string) => s === ''],
    ['a dot as the first octet', (s: string) => s.startsWith('.')],
    ['a dot as the last octet', (s: string) => /\n\.$/.test(s)],
    ['CRLF dot CRLF inside', (s: string) => s.includes('\r\n.\r\n+OK') || /\r\n\.\r\nQUIT/.test(s)],
    ['no CR at all', (s: string) => s.includes('\n') && !s.includes('\r')],
    ['no bare LF at all', (s: string) => s.includes('\r\n') && !/(?<!\r)\n/.test(s)],
    ['LF beside CRLF', (s: string) => /\r\n/.test(s) && /(?<!\r)\n/.test(s)],
    ['a bare CR', (s: string) => /\r(?!\n)./.test(s)],
    ['a CR as the last octet', (s: string) => s.length > 1 && s.endsWith('\r')],
    ['a line of a megabyte', (s: string) => s.split('\n').some((line) => line.length >= 1024 * 1024)],
    ['NUL', (s: string) => s.includes('\0')],
    ['octets that are not UTF-8', (s: string) => s.includes('\xff')],
    ['a From line in the body', (s: string) => s.includes('\n\nFrom ')],
    ['a quoted From line', (s: string) => s.includes('\n>From ')],
    ['blanks before a line end', (s: string) => /[ \t]\n/.test(s)],
    ['thousands of header fields', (s: string) => s.includes('X-Header-4999: ')],
    ['a header without a blank line', (s: string) => s.startsWith('From: ') && !/\r?\n\r?\n/.test(s)],
    [
      'a header with a blank line and no body',
      (s: string) => s.startsWith('From: ') && /^[^\n].*[^\n]\n\n$/s.test(s),
    ],
  ])('has %s', (_, wanted) => {
    expect(some(wanted)).toBe(true);
  });

  it.each([4096, 16_384, 65_536])(
    'has a dot line exactly at octet %i, with both kinds of line end',
    (border) => {
      expect(some((s) => s.slice(border - 1, border + 2) === '\n.\n')).toBe(true);
      expect(some((s) => s.slice(border - 2, border + 3) === '\r\n.\r\n')).toBe(true);
      expect(some((s) => s.length === border)).toBe(true);
    },
  );

  it('has a message of 25 MB, and it is the last', () => {
    expect(messages.at(-1)!.stored.length).toBeGreaterThanOrEqual(25 * 1024 * 1024);
  });

  it('makes as many tiny letters as asked, each different', () => {
    const tiny = tinyCorpus(2000);
    expect(new Set(tiny.map((m) => text(m.wire))).size).toBe(2000);
    expect(Math.max(...tiny.map((m) => m.octets))).toBeLessThan(400);
  });
});
