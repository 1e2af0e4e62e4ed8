import { expect, it } from 'vitest';
import { withoutEnvelopeLine } from '../src/without-envelope-line.js';

async function filtered(message: string, chunkOctets: number): Promise<string> {
  async function* chunks() {
    const octets = Buffer.from(message);
    for (let at = 0; at < octets.length; at += chunkOctets) yield octets.subarray(at, at + chunkOctets);
  }
  const out: Uint8Array[] = [];
  for await (const chunk of withoutEnvelopeLine(chunks())) out.push(chunk);
  return Buffer.concat(out).toString();
}

it.each([
  [
    'takes away the line of an mbox',
    'From ann@example.org Mon Nov 23 07:00:00 2026\nSubject: a\n\nb\n',
    'Subject: a\n\nb\n',
  ],
  ['takes it away with CRLF', 'From ann\r\nSubject: a\r\n', 'Subject: a\r\n'],
  ['takes away one such line only', 'From a\nFrom b\n\nc\n', 'From b\n\nc\n'],
  ['keeps the header field', 'From: ann\nSubject: a\n', 'From: ann\nSubject: a\n'],
  ['keeps the header field in its old form', 'From : ann\n', 'From : ann\n'],
  ['keeps the header field with many spaces', 'From   : ann\n', 'From   : ann\n'],
  ['keeps such a line further on', 'Subject: a\n\nFrom here on\n', 'Subject: a\n\nFrom here on\n'],
  ['keeps a message that is shorter', 'Fro', 'Fro'],
  ['keeps a message of spaces', 'From  ', 'From  '],
  ['makes nothing of nothing', '', ''],
  ['keeps a message that starts with a line end', '\nFrom a\n', '\nFrom a\n'],
  ['makes nothing of a line alone', 'From ann Mon', ''],
])('%s', async (_what, message, expected) => {
  for (const chunkOctets of [1, 2, 5, 7, 1000]) expect(await filtered(message, chunkOctets)).toBe(expected);
});
