/** Maildirs as other programs leave them behind, and what is left in them after a session. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CorpusMessage } from './corpus.js';

/** How one delivery program names its files. `name` gets a time that grows by one second a message. */
interface Naming {
  readonly program: string;
  name(seconds: number, serial: number, stored: Uint8Array): string;
}

const HOST = 'mail.example.org';

/** Octets with each bare LF as CRLF. Unlike POP3, Dovecot does not complete a last line here. */
function dovecotVirtualSize(stored: Uint8Array): number {
  return Buffer.from(stored).toString('latin1').replaceAll('\r\n', '\n').replaceAll('\n', '\r\n').length;
}

/** File names as seen on running systems; the forms are in the Maildir manuals of these programs. */
const NAMINGS: readonly Naming[] = [
  { program: 'postfix', name: (s, n) => `${s}.Vfe01I${(0x2000 + n).toString(16)}M${100_000 + n}.${HOST}` },
  {
    program: 'dovecot',
    name: (s, n, stored) =>
      `${s}.M${100_000 + n}P4711.${HOST},S=${stored.length},W=${dovecotVirtualSize(stored)}`,
  },
  {
    program: 'courier',
    name: (s, n, stored) =>
      `${s}.M${100_000 + n}P4712V000000000000FE01I0000000000${(0x2000 + n).toString(16)}_0.${HOST},S=${stored.length}`,
  },
  { program: 'procmail', name: (s, n) => `${s}.4713_${n}.${HOST}` },
  { program: 'qmail', name: (s, n) => `${s}.${5000 + n}.${HOST}` },
];

/** Where a message lies and what its name says of it: unseen in new/, or in cur/ with flags. */
const PLACES: readonly (readonly [folder: 'new' | 'cur', info: string])[] = [
  ['new', ''],
  ['cur', ':2,'],
  ['cur', ':2,S'],
  ['new', ''],
  ['cur', ':2,RS'],
  ['cur', ':2,FSab'],
  ['cur', ':2,PS'],
];

/** 2024-03-01, the time of the first message; each next one comes a second later. */
const FIRST_SECONDS = 1_709_287_200;

/**
 * Creates the Maildir `root` with the messages in this order: by the time in the names, so that message number n is
 * `messages[n - 1]` on any server that sorts by time of delivery.
 */
export async function writeMaildir(root: string, messages: readonly CorpusMessage[]): Promise<void> {
  for (const folder of ['tmp', 'new', 'cur']) await mkdir(join(root, folder), { recursive: true });
  for (const [i, { stored }] of messages.entries()) {
    const [folder, info] = PLACES[i % PLACES.length]!;
    const name = NAMINGS[i % NAMINGS.length]!.name(FIRST_SECONDS + i, i, stored);
    await writeFile(join(root, folder, name + info), stored);
  }
}

/**
 * The numbers of the messages that are still there, ascending. A server may move files from new/ to cur/ and add
 * flags, so a file is recognised by the time in its name.
 *
 * @throws Error when there is a file {@link writeMaildir} did not write, or one whose octets have changed.
 */
export async function remaining(root: string, messages: readonly CorpusMessage[]): Promise<number[]> {
  const numbers: number[] = [];
  for (const folder of ['new', 'cur', 'tmp']) {
    for (const name of await readdir(join(root, folder))) {
      const index = Number.parseInt(name, 10) - FIRST_SECONDS;
      const message = messages[index];
      if (folder === 'tmp' || message === undefined) throw new Error(`unexpected file ${folder}/${name}`);
      const octets = await readFile(join(root, folder, name));
      if (Buffer.compare(octets, message.stored) !== 0) throw new Error(`${folder}/${name} has changed`);
      numbers.push(index + 1);
    }
  }
  return numbers.sort((a, b) => a - b);
}
