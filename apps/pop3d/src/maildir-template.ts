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
