import { close, fsync, open } from 'node:fs';
import { promisify } from 'node:util';

const opened = promisify(open);
const synced = promisify(fsync);
const closed = promisify(close);

/** Makes the names in a directory last: those that were added, and the absence of those that were removed. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await opened(path, 'r');
  try {
    await synced(directory);
  } catch (error) {
    // Some file systems cannot, because they need not.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
  } finally {
    await closed(directory);
  }
}
