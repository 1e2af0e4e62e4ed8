import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type MaildirOf, maildirTemplate } from '@pop3/store-fs';
import { EXIT, Failure } from './failure.js';

/**
 * Where the Maildir of a user is, by a template such as `/srv/mail/{user}`, for serving and for delivering alike.
 *
 * @throws Failure for a template that cannot be right
 */
export function maildirsOf(template: string): MaildirOf {
  try {
    return maildirTemplate(template);
  } catch (error) {
    const why = (error as Error).message;
    throw new Failure(EXIT.badConfiguration, `store.maildir: ${template} cannot be used: ${why}`);
  }
}

/** What is wrong with the folder that holds all Maildirs of a template, as a clause, or null. */
export function missingFolderOf(template: string): string | null {
  const folder = dirname(`${template.split('{', 1)[0]}user`);
  try {
    return statSync(folder).isDirectory() ? null : `${folder} is not a directory`;
  } catch (error) {
    return `${folder} is not a directory that can be reached: ${(error as Error).message}`;
  }
}
