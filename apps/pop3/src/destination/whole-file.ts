import { link, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCodeOf } from '../exit-code.js';
import { EXIT, Failure } from '../failure.js';

/** What file systems without hard links say: those of USB sticks, and some over a network. */
const NO_LINKS: readonly (string | null)[] = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'];

/**
 * Writes a file that is under its name whole, or not at all: under another name first, made to last, then renamed.
 *
 * @param existing - what becomes of a file that is there: `replace`, or `keep`, which rejects with EEXIST
 */
export async function writeWholeFile(
  path: string,
  content: AsyncIterable<Uint8Array>,
  existing: 'replace' | 'keep',
): Promise<void> {
  // One at a time: the process is all that has to be told apart.
  const unfinished = join(dirname(path), `.pop3-${process.pid}.part`);
  try {
    const file = await open(unfinished, 'w', 0o600);
    try {
      for await (const chunk of content) await file.writeFile(chunk);
      await file.sync();
    } finally {
      await file.close();
    }
    await (existing === 'replace' ? rename(unfinished, path) : linkNew(unfinished, path));
  } catch (error) {
    const code = systemCodeOf(error);
    if (code === null || code === 'EEXIST') throw error;
    // What the system says names the unfinished file, which nobody knows.
    const [reason] = (error as Error).message.split(',');
    throw new Failure(EXIT.cannotWrite, `${path} cannot be written: ${reason}`);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** Makes the names in a folder last. */
export async function syncFolder(path: string): Promise<void> {
  // Windows opens no folders, and keeps names without being told.
  if (process.platform === 'win32') return;
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Unlike a rename, a link never takes the place of another file. */
async function linkNew(unfinished: string, path: string): Promise<void> {
  try {
    await link(unfinished, path);
  } catch (error) {
    if (!NO_LINKS.includes(systemCodeOf(error))) throw error;
    await (await open(path, 'wx', 0o600)).close();
    await rename(unfinished, path);
  }
}
