import type { Readable } from 'node:stream';
import { readUsersFile } from '@pop3/auth-node';
import { deliverToMaildir } from '@pop3/store-fs';
import { ConfigError } from './config/load.js';
import { required } from './config/required.js';
import type { Config } from './config/schema.js';
import { EXIT, Failure, isPermissionError } from './failure.js';
import { maildirsOf } from './maildir-template.js';
import { withoutEnvelopeLine } from './without-envelope-line.js';

/**
 * `pop3d deliver USER`: puts a message into the Maildir of a user.
 *
 * Mail systems read the exit code: 0 delivered, 67 there is no such user (send it back), 77 no permission, and 75 for
 * whatever somebody may mend, a broken configuration included: the message stays in their queue.
 *
 * @throws Failure with that exit code
 */
export async function deliver(user: string, loadConfig: () => Config, message: Readable): Promise<number> {
  try {
    const config = loadConfig();
    const maildirOf = maildirsOf(required(config.store.maildir, '--maildir', 'store.maildir'));
    const maildir = maildirOf({ maildrop: user, username: user });
    if (maildir === null) throw noSuchUser(user, 'it cannot be the name of a Maildir');
    await checkUser(user, config.users.file);
    await deliverToMaildir(maildir, withoutEnvelopeLine(message), { create: true });
    return EXIT.ok;
  } catch (error) {
    throw asMailSystemsReadIt(error);
  }
}

async function checkUser(user: string, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const { entries } = await readUsersFile(file);
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
