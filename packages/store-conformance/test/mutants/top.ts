import { textOf } from '../../src/wire-form.js';
import type { Mutant } from './mutant.js';

export const topMutants: readonly Mutant[] = [
  {
    name: 'gives a line too few to TOP',
    caughtBy: 'gives the top of an ordinary message',
    parts: () => ({ top: ({ content }, lines) => headAndLines(content, /\r?\n\r?\n/, lines - 1) }),
  },
  {
    name: 'looks for CRLF CRLF and else takes the first line for the header',
    caughtBy: 'gives the top of a message stored with LF',
    parts: () => ({ top: ({ content }, lines) => headAndLines(content, /\r\n\r\n|\n/, lines) }),
  },
  {
    name: 'reads no more than 64 KiB for TOP',
    caughtBy: 'gives the top of a message of many chunks, seed 40013',
    parts: () => ({ top: ({ content }) => content.subarray(0, 65_536) }),
  },
  {
    name: 'gives nothing to TOP for a message without a blank line',
    caughtBy: 'gives the top of a header only',
    parts: () => ({ top: ({ content }) => (/\n\r?\n/.test(textOf(content)) ? content : new Uint8Array(0)) }),
  },
  {
    name: 'gives the next message to TOP when one is gone',
    caughtBy: 'says of the top of a message that it is gone when another program has removed it',
    parts: () => ({ find: (box, _entries, messageNumber) => box.entries[messageNumber - 1] }),
  },
  {
    name: 'takes a CR CR LF for a blank line',
    caughtBy: 'gives the top of random messages, seed 40009',
    parts: () => ({ top: ({ content }, lines) => headAndLines(content, /\n(?:\r*)\n|^\r?\n/, lines) }),
  },
];

/** The octets up to the end of what `blank` finds, and so many lines more. */
function headAndLines(content: Uint8Array, blank: RegExp, lines: number): Uint8Array {
  const found = blank.exec(textOf(content));
  if (found === null) return content;
  let end = found.index + found[0].length;
  for (let left = lines; left > 0 && end < content.length; left--) {
    const lineFeed = content.indexOf(0x0a, end);
    end = lineFeed === -1 ? content.length : lineFeed + 1;
  }
  return content.subarray(0, end);
}
