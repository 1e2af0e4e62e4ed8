import { writeFile } from 'node:fs/promises';
import type { CorpusMessage } from './corpus.js';

/**
 * Writes messages as an mbox, as a delivery program does: a `From ` line in front, a blank line behind, and a `>` before each
 * line of a message that starts with `From `.
 */
export async function writeMbox(file: string, messages: readonly CorpusMessage[]): Promise<void> {
  const parts = messages.flatMap(({ stored }, i) => [separator(i), inMbox(stored), Buffer.from('\n')]);
  await writeFile(file, Buffer.concat(parts));
}

/** What is left of a message in an mbox: a last line end is there, and lines with `From ` are quoted. */
export function inMbox(stored: Uint8Array): Buffer {
  const text = Buffer.from(stored)
    .toString('latin1')
    .replace(/(?<=^|\n)From /g, '>From ');
  return Buffer.from(text === '' || text.endsWith('\n') ? text : `${text}\n`, 'latin1');
}

function separator(i: number): Buffer {
  const seconds = `${Math.floor(i / 60)}`.padStart(2, '0');
  return Buffer.from(`From ada@example.org Fri Mar  1 10:${seconds}:${`${i % 60}`.padStart(2, '0')} 2024\n`);
}
