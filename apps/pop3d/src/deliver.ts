import type { Readable } from 'node:stream';
import { readUsersFile } from '@pop3/auth-node';
import { deliverToMaildir } from '@pop3/store-fs';
import { ConfigError } from './config/load.js';
import { required } from './config/required.js';
import type { Config } from './config/schema.js';
import { EXIT, Failure, isPermissionError } from './failure.js';
import { maildirsOf, missingFolderOf } from './maildir-template.js';
import { withoutEnvelopeLine } from './without-envelope-line.js';

/**
 * `pop3d deliver USER`: puts a message into the Maildir of a user.
 *
 * Mail systems read the exit code: 0 delivered, 67 there is no such user (send it back), 77 no permission to write into
 * the Maildir, and 75 for whatever else somebody may mend, a broken configuration or a users file that cannot be read
 * included: the message stays in their queue.
 *
 * @throws Failure with that exit code
 */
export async function deliver(user: string, loadConfig: () => Config, message: Readable): Promise<number> {
  try {
    const config = loadConfig();
    const template = required(config.store.maildir, '--maildir', 'store.maildir');
    const maildirOf = maildirsOf(template);
    const maildir = maildirOf({ maildrop: user, username: user });
    if (maildir === null) throw noSuchUser(user, 'it cannot be the name of a Maildir');
    await checkUser(user, config.users.file);
    // A disk that is not mounted must not get mail into the directory below.
    const missing = missingFolderOf(template);
    if (missing !== null) throw new Failure(EXIT.temporary, `store.maildir: ${missing}`);
    await deliverToMaildir(maildir, withoutEnvelopeLine(message), { create: true });
    return EXIT.ok;
  } catch (error) {
    throw asMailSystemsReadIt(error);
  }
}

async function checkUser(user: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const { entries } = await readUsersFile(file).catch((error: Error) => {
    throw new Failure(EXIT.temporary, `users.file: ${file} cannot be read: ${error.message}`);
  });
  if (!entries.some(({ name }) => name === user)) throw noSuchUser(user, `it is not in ${file}`);
}

function noSuchUser(user: string, why: string): Failure {
  return new Failure(EXIT.noSuchUser, `no such user ${JSON.stringify(user)}: ${why}`);
}

function asMailSystemsReadIt(error: unknown): Failure {
  if (error instanceof ConfigError) return new Failure(EXIT.temporary, error.problems.join('\npop3d: '));
  if (error instanceof Failure) {
    return error.exitCode === EXIT.badConfiguration ? new Failure(EXIT.temporary, error.message) : error;
  }
  const { message } = error as Error;
  return new Failure(isPermissionError(error) ? EXIT.noPermission : EXIT.temporary, message);
}
