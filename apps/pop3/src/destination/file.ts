import { createWriteStream, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Destination } from './destination.js';
import { syncFolder, writeWholeFile } from './whole-file.js';

/** One message as one file, in place of what was there: whoever names a file means it. */
export function fileDestination(path: string): Destination {
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing !== undefined && !existing.isFile()) return deviceDestination(path);
  // A link stays a link.
  const target = existing === undefined ? path : realpathSync(path);
  return {
    name: path,
    keeps: true,
    has: () => false,
    async store(_message, body) {
      await writeWholeFile(target, body, 'replace');
      return path;
    },
    settle: () => syncFolder(dirname(target)),
  };
}

/** A pipe, or `/dev/null`: nothing can be renamed to it, and nobody knows what becomes of a message. */
function deviceDestination(path: string): Destination {
  return {
    name: path,
    keeps: false,
    has: () => false,
    async store(_message, body) {
      await pipeline(body, createWriteStream(path, { flags: 'a' }));
      return path;
    },
    async settle() {},
  };
}
