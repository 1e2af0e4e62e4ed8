import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeMaildir } from '../maildir.js';
import { freePorts } from '../server/free-ports.js';
import { startUnpacked, UNTIL_LISTENING } from '../server/unpacked.js';
import { MAKE_SYSTEM_USERS, writeAccounts } from './accounts.js';
import type { Peer, PeerOptions, RunningPeer } from './peer.js';

/** The POP3 server of GNU Mailutils on Maildirs. */
export const MAILUTILS: Peer = { name: 'GNU Mailutils', unpacked: 'mailutils', start };

async function start(options: PeerOptions): Promise<RunningPeer> {
  const { directory, maildrops } = options;
  const [port, tlsPort] = await freePorts();
  for (const { user, messages } of maildrops) await writeMaildir(join(directory, 'mail', user), messages);
  await writeAccounts(options);
  await writeFile(join(directory, 'mailutils.conf'), configuration(options, port, tlsPort));
  const { process } = await startUnpacked(
    {
      name: 'mailutils',
      directory,
      script: SCRIPT,
      environment: { DIRECTORY: directory, POP3_PORT: `${port}` },
    },
    (printed) => (printed.includes('ready') ? true : undefined),
  );
  return { ...process, port, tlsPort };
}

function configuration({ directory, certificate, key }: PeerOptions, port: number, tlsPort: number): string {
  return `
mode daemon;
foreground yes;
max-children 64;
pidfile ${directory}/mailutils.pid;
logging { syslog no; };
auth { authorization "system"; authentication "generic:system"; };
mailbox { mailbox-pattern "maildir://${directory}/mail/\${user}"; mailbox-type maildir; };
tls-file-checks { key-file none; cert-file none; };
tls { ssl-certificate-file ${certificate}; ssl-key-file ${key}; };
apop-database-file "${directory}/apop.db";
apop-database-safety none;
server 127.0.0.1:${port} { tls-mode ondemand; };
server 127.0.0.1:${tlsPort} { tls-mode connection; };
`;
}

// Without the directory of locks, it says that every maildrop is in use.
const SCRIPT = `
chown -R mail:mail "$DIRECTORY/mail"
mkdir -p /run/lock/subsys/mail
chmod 1777 /run/lock/subsys/mail
${MAKE_SYSTEM_USERS}
pop3d --config-file "$DIRECTORY/mailutils.conf" &
${UNTIL_LISTENING}
echo ready
wait
`;
