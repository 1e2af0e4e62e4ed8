import type { Identity } from '@pop3/core';
import { safeName } from './safe-name.js';

/** Between the user and the folder in the name of a maildrop. */
const FOLDER_SEPARATOR = '/';

/** What a store calls for the Maildir of a user; `maildrop` is without the folder. Null when there is none. */
export type MaildirOf = (identity: Identity) => string | null;

/** Where a maildrop is. */
export interface Location {
  readonly directory: string;
  /** Whether it is a folder: one that is not there is a mistake, and not a user without mail. */
  readonly isFolder: boolean;
}

/**
 * The directory of a maildrop `user` or `user/folder`, or null when there can be none.
 *
 * A folder is a Maildir++ one: `ann/Archive.2024` is `.Archive.2024` in the Maildir of `ann`.
 */
export function locate(identity: Identity, maildirOf: MaildirOf): Location | null {
  const { maildrop, username } = identity;
  const separator = maildrop.indexOf(FOLDER_SEPARATOR);
  const isFolder = separator !== -1;
  const maildir = maildirOf({ maildrop: isFolder ? maildrop.slice(0, separator) : maildrop, username });
  if (maildir === null || !isFolder) return maildir === null ? null : { directory: maildir, isFolder };
  const folder = maildrop.slice(separator + 1);
  // Each dot starts a folder within a folder, and its name is one like any other.
  if (!safeName(folder) || !folder.split('.').every((name) => safeName(name))) return null;
  return { directory: `${maildir}/.${folder}`, isFolder };
}

/**
 * Makes paths of a template: `{user}` is the whole name, `{local}` what is before its last `@` or all of it without one,
 * `{domain}` what is after it. A name for which one of them is no {@link safeName} has no Maildir.
 *
 * @throws TypeError for a template without `{user}` or `{local}`, which would give all users the same mail, or with
 *   another word in braces
 */
export function maildirTemplate(template: string): MaildirOf {
  const parts = template.split(/\{([^{}]*)\}/);
  const words = parts.filter((_, at) => at % 2 === 1);
  const unknown = words.find((word) => word !== 'user' && word !== 'local' && word !== 'domain');
  if (unknown !== undefined) throw new TypeError(`{${unknown}} is none of {user}, {local} and {domain}.`);
  if (!words.some((word) => word === 'user' || word === 'local')) {
    throw new TypeError(`"${template}" has no {user} or {local}: all users would have the same Maildir.`);
  }
  return ({ maildrop }) => {
    if (!safeName(maildrop)) return null;
    let path = '';
    for (const [index, part] of parts.entries()) {
      if (index % 2 === 0) {
        path += part;
        continue;
      }
      const name = namePart(part, maildrop);
      if (name === null) return null;
      path += name;
    }
    return path;
  };
}

function namePart(word: string | undefined, name: string): string | null {
  const at = name.lastIndexOf('@');
  if (word === 'user' || (word === 'local' && at === -1)) return name;
  if (at === -1) return null;
  const part = word === 'local' ? name.slice(0, at) : name.slice(at + 1);
  return safeName(part) ? part : null;
}
