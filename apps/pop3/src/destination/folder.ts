import { lstatSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../exit-code.js';
import { EXIT, Failure } from '../failure.js';
import type { MessageFacts } from '../selection.js';
import type { Destination } from './destination.js';
import { fileNameOf } from './file-name.js';
import { syncFolder, writeWholeFile } from './whole-file.js';

/** What names the files: the number, which another message has in the next session, or the unique-id, which none has. */
export type NamedBy = 'number' | 'unique-id';

/** Each message as a file of its own. No file is ever replaced. */
export function folderDestination(folder: string, namedBy: NamedBy): Destination {
  const pathOf = (message: MessageFacts) => join(folder, nameOf(message, namedBy));
  return {
    name: folder,
    keeps: true,
    has: (message) => {
      if (namedBy !== 'unique-id' || message.uniqueId === null) return false;
      return lstatSync(pathOf(message), { throwIfNoEntry: false }) !== undefined;
    },
    async store(message, body) {
      const path = pathOf(message);
      if (lstatSync(path, { throwIfNoEntry: false }) !== undefined) throw alreadyThere(path, namedBy);
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await writeWholeFile(path, body, 'keep').catch((error: unknown) => {
        throw systemCodeOf(error) === 'EEXIST' ? alreadyThere(path, namedBy) : error;
      });
      return path;
    },
    settle: () => syncFolder(folder),
  };
}

function nameOf({ number, uniqueId }: MessageFacts, namedBy: NamedBy): string {
  if (namedBy === 'number') return `${number}.eml`;
  if (uniqueId !== null) return `${fileNameOf(uniqueId)}.eml`;
  throw new Failure(EXIT.partial, 'the server has no unique-id for it; leave out --name unique-id');
}

function alreadyThere(path: string, namedBy: NamedBy): Failure {
  const advice =
    namedBy === 'number'
      ? 'numbers change between sessions: take another folder, or --name unique-id'
      : 'another message has the same unique-id: take --name number and another folder';
  return new Failure(EXIT.partial, `${path} is there already, and is not replaced; ${advice}`);
}
