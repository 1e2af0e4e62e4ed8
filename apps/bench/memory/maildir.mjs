// A Maildir of many real files: hard links to a few, so that it is made fast and costs little disk.
import { linkSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BODIES = 7;
/** What a file system allows for links to one file is far above this. */
const LINKS_PER_FILE = 10_000;

/**
 * @param messages - how many
 * @param hints - whether the names tell the sizes (`,S=,W=`), as Dovecot's and ours do
 */
export function makeMaildir(messages, hints) {
  const root = mkdtempSync(join(tmpdir(), 'pop3-memory-'));
  const maildir = join(root, 'ann');
  for (const folder of ['tmp', 'new', 'cur', '../sources'])
    mkdirSync(join(maildir, folder), { recursive: true });
  let octets = 0;
  for (let i = 0; i < messages; i++) {
    const body = i % BODIES;
    const stored = storedMessage(body);
    const wire = stored.length + stored.split('\n').length - 1;
    const source = join(root, 'sources', `${body}-${Math.floor(i / LINKS_PER_FILE)}`);
    if (i % LINKS_PER_FILE < BODIES) writeFileSync(source, stored);
    const sizes = hints ? `,S=${stored.length},W=${wire}` : '';
    const name = `${1_600_000_000 + i}.M${String(i).padStart(6, '0')}P4711.mx1${sizes}`;
    linkSync(source, i % 10 === 0 ? join(maildir, 'new', name) : join(maildir, 'cur', `${name}:2,S`));
    octets += wire;
  }
  return { template: join(root, '{user}'), octets, remove: () => rmSync(root, { recursive: true }) };
}

function storedMessage(body) {
  return `From: someone@example.org\nSubject: ${body}\n\n${'A line of text.\n'.repeat(5 + body * 9)}`;
}
