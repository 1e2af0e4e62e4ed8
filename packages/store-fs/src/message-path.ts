import type { PathLike } from 'node:fs';
import { isPlainName } from './escaped-name.js';

/** Octets of names as characters: every name can be said so, also one that is not UTF-8. */
export const NAME_ENCODING = 'latin1';

/** The two directories of a Maildir that hold messages. */
export type Place = 'new' | 'cur';

/** The path of a file in a Maildir. */
export function messagePath(maildir: string, place: Place | 'tmp', name: string): PathLike {
  const path = `${maildir}/${place}/`;
  if (isPlainName(name)) return path + name;
  return Buffer.concat([Buffer.from(path), Buffer.from(name, NAME_ENCODING)]);
}
