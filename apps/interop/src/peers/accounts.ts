import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PeerOptions } from './peer.js';

/**
 * Writes who may log in to `accounts`, one line each: the name, a tab, the password.
 *
 * @returns the path, for a script that reads it line by line
 */
export async function writeAccounts({ directory, maildrops }: PeerOptions): Promise<string> {
  const file = join(directory, 'accounts');
  await writeFile(file, maildrops.map(({ user, password }) => `${user}\t${password}\n`).join(''));
  await chmod(file, 0o600);
  return file;
}

/**
 * Shell: makes a user of the system of each account, with the password; all of them are the user `mail`. Only within the
 * namespace of `startUnpacked`.
 */
export const MAKE_SYSTEM_USERS = `
tab=$(printf '\\t')
while IFS=$tab read -r user password; do
  printf '%s:x:8:8::%s:/bin/sh\\n' "$user" "$DIRECTORY" >>/etc/passwd
  printf '%s:%s:19000:0:99999:7:::\\n' "$user" "$(printf '%s\\n' "$password" | openssl passwd -6 -stdin)" >>/etc/shadow
done <"$DIRECTORY/accounts"
`;
