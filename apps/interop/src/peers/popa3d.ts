import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inMbox, writeMbox } from '../mbox.js';
import { pathOf } from '../programs.js';
import { startUnpacked } from '../server/unpacked.js';
import { topOf } from '../wire-form.js';
import { MAKE_SYSTEM_USERS, writeAccounts } from './accounts.js';
import type { Peer, PeerOptions, RunningPeer } from './peer.js';
import { crBeforeEachLf, RIGHT } from './rules.js';

/**
 * popa3d on mbox files: it has no Maildir, no TLS and neither CAPA nor SASL. popa3d 1.0.3
 * - puts a CR before each LF, even where there is one,
 * - takes the blank line between two messages for the end of a header that has none, and sends it,
 * - makes unique-ids of a few lines of the header.
 */
export const POPA3D: Peer = {
  ...RIGHT,
  name: 'popa3d',
  unpacked: 'popa3d',
  securities: ['plain'],
  mechanisms: () => ['USER'],
  chosen: () => 'USER',
  sends: ({ stored }) => sent(stored),
  lists: ({ stored }) => sent(stored).length,
  tops: ({ stored }, lines) => topOf(sent(stored), lines),
  identifiedBy: ({ stored }) => /^Message-ID: .*/m.exec(Buffer.from(stored).toString('latin1'))?.[0] ?? '',
  remaining: () => null,
  start,
};

function sent(stored: Uint8Array): Buffer {
  const text = inMbox(stored).toString('latin1');
  return crBeforeEachLf(Buffer.from(/^\n|\n\n/.test(text) ? text : `${text}\n`, 'latin1'));
}

// It listens on port 110 and on no other.
const INETD = fileURLToPath(new URL('../server/inetd.py', import.meta.url));

async function start(options: PeerOptions): Promise<RunningPeer> {
  const { directory, maildrops } = options;
  await mkdir(join(directory, 'mail'));
  for (const { user, messages } of maildrops) await writeMbox(join(directory, 'mail', user), messages);
  await writeAccounts(options);
  const { process, found } = await startUnpacked(
    {
      name: 'popa3d',
      directory,
      script: SCRIPT,
      environment: { DIRECTORY: directory, PYTHON: pathOf('python3')!, INETD },
    },
    (printed) => /^listening (\d+)$/m.exec(printed)?.[1],
  );
  return { ...process, port: Number(found), tlsPort: null };
}

const SCRIPT = `
chown -R mail:mail "$DIRECTORY/mail"
mount --bind "$DIRECTORY/mail" /var/mail
echo 'popa3d:x:996:996::/nonexistent:/bin/false' >>/etc/passwd
echo 'popa3d:x:996:' >>/etc/group
echo 'auth required pam_unix.so' >/etc/pam.d/common-auth
echo 'account required pam_unix.so' >/etc/pam.d/common-account
${MAKE_SYSTEM_USERS}
"$PYTHON" "$INETD" /usr/sbin/popa3d &
wait
`;
