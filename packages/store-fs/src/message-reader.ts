import { closeSync, fstatSync, openSync, type PathLike, readSync } from 'node:fs';
import type { StoreContext } from '@pop3/core';
import { FileBody } from './file-body.js';
import { OPEN_MESSAGE } from './measure.js';

/** Why there is no body: the file is not there, or it has not the size that was listed. */
export type Unread = 'absent' | 'changed';

/**
 * Reads message files. Small ones at once and without a promise: four system calls cost less than waiting for one of
 * them.
 */
export class MessageReader {
  readonly #atOnceOctets: number;

  /** @param atOnceOctets - what is longer is read in chunks, while other sessions go on */
  constructor(atOnceOctets: number) {
    this.#atOnceOctets = atOnceOctets;
  }

  /** Whether a message of this size is read at once. */
  readsAtOnce(octets: number): boolean {
    return octets <= this.#atOnceOctets;
  }

  /**
   * A whole message.
   *
   * @param octets - what the file has to have
   * @param host - may have memory to read into
   * @throws what the file system says
   */
  readAtOnce(path: PathLike, octets: number, host: StoreContext): Uint8Array | Unread {
    const file = opened(path);
    if (file === 'absent') return file;
    try {
      // One octet more than there should be tells whether there is more.
      const memory = host.memory?.(octets + 1) ?? Buffer.allocUnsafeSlow(octets + 1);
      let read = 0;
      for (;;) {
        const more = readSync(file, memory, read, octets + 1 - read, null);
        read += more;
        if (more === 0 || read >= octets) break;
      }
      return read === octets ? memory.subarray(0, octets) : 'changed';
    } finally {
      closeSync(file);
    }
  }

  /**
   * A message in chunks. Close it, also when it was never read.
   *
   * @param octets - what the file has to have
   * @param onClose - told when the body has closed its file
   * @throws what the file system says
   */
  openBody(
    path: PathLike,
    octets: number,
    signal: AbortSignal,
    onClose: (body: FileBody) => void,
  ): FileBody | Unread {
    const file = opened(path);
    if (file === 'absent') return file;
    try {
      const stat = fstatSync(file);
      if (stat.isFile() && stat.size === octets) return new FileBody(file, octets, signal, onClose);
    } catch (error) {
      closeSync(file);
      throw error;
    }
    closeSync(file);
    return 'changed';
  }
}

function opened(path: PathLike): number | 'absent' {
  try {
    return openSync(path, OPEN_MESSAGE);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 'absent';
    throw error;
  }
}
