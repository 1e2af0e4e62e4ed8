/** Mail that a client hands to a program, or leaves in a Maildir of its own. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Received } from './compare.js';

/**
 * Writes a mail delivery agent to `home`: a shell script that stores what it reads in `home`/delivered/N, N counting
 * from 1 in the order of delivery.
 *
 * @param last - a shell command to run when the message is stored
 * @returns the path of the script, to be run with /bin/sh
 */
export async function writeDeliveryAgent(home: string, last = 'exit 0'): Promise<string> {
  const script = join(home, 'deliver.sh');
  await mkdir(join(home, 'delivered'));
  const lines = [
    'set -e',
    `n=$(($(cat '${home}/count' 2>/dev/null || echo 0) + 1))`,
    `echo $n > '${home}/count'`,
    `cat > '${home}/delivered/'$n`,
    last,
  ];
  await writeFile(script, `${lines.join('\n')}\n`);
  return script;
}

/** What the agent of {@link writeDeliveryAgent} has stored, in the order of delivery. */
export async function deliveredTo(home: string): Promise<Buffer[]> {
  const folder = join(home, 'delivered');
  const names = (await readdir(folder)).sort((a, b) => Number(a) - Number(b));
  return Promise.all(names.map((name) => readFile(join(folder, name))));
}

/** Creates an empty Maildir for a client to deliver into. */
export async function emptyMaildir(root: string): Promise<string> {
  for (const folder of ['tmp', 'new', 'cur']) await mkdir(join(root, folder), { recursive: true });
  return root;
}

/** The octets of all files in new/ and cur/ of a Maildir, in no particular order. */
export async function filesOf(maildir: string): Promise<Buffer[]> {
  const files: Buffer[] = [];
  for (const folder of ['new', 'cur']) {
    for (const name of await readdir(join(maildir, folder)))
      files.push(await readFile(join(maildir, folder, name)));
  }
  return files;
}

/**
 * Pairs each expectation with the file that has exactly its octets; the others are paired with what is left over, in
 * the order of length, so that a difference shows what became of them. For clients whose file names say nothing
 * about the order.
 */
export function pairUp(
  expected: readonly (readonly [name: string, octets: Uint8Array])[],
  files: readonly Buffer[],
): Received[] {
  const left = new Map<string, Buffer[]>();
  const key = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
  for (const file of files) left.set(key(file), [...(left.get(key(file)) ?? []), file]);
  const pairs = expected.map(([name, octets]) => ({
    name,
    expected: octets,
    actual: left.get(key(octets))?.pop(),
  }));
  const over = [...left.values()].flat().sort((a, b) => a.length - b.length);
  const lonely = pairs.filter(({ actual }) => actual === undefined);
  lonely.sort((a, b) => a.expected.length - b.expected.length);
  for (const [i, pair] of lonely.entries()) pair.actual = over[i];
  const surplus = over.slice(lonely.length);
  return [
    ...pairs,
    ...surplus.map((actual) => ({ name: 'a file too many', expected: new Uint8Array(), actual })),
  ];
}
