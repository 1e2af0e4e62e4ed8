import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type UsersFile, type UsersFileOptions, usersFile } from '../src/index.js';
import { temporaryFolder } from './temporary-folder.js';

/** The users of a file with this text. */
export function usersOf(text: string, options: UsersFileOptions = {}): UsersFile {
  const file = join(temporaryFolder(), 'users');
  writeFileSync(file, text);
  return usersFile(file, options);
}
