import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CorpusMessage } from '../corpus.js';
import { writeMaildir } from '../maildir.js';
import { freePorts } from '../server/free-ports.js';
import { startUnpacked, UNTIL_LISTENING } from '../server/unpacked.js';
import { MAKE_SYSTEM_USERS, writeAccounts } from './accounts.js';
import { APOP_USER, type Peer, type PeerOptions, type RunningPeer } from './peer.js';
import { crBeforeEachLf, RIGHT } from './rules.js';

/**
 * The POP3 server of GNU Mailutils on Maildirs. Mailutils 3.15
 * - puts `X-UIDL` with the unique-id below the header, also into the file,
 * - loses a message whose header ends in CRLF, lines of a header without a colon, and messages without a header, in the file
 *   as well: they are not given to it,
 * - puts a CR before each LF, even where there is one,
 * - counts neither `X-UIDL` nor the line end that it completes a message with,
 * - takes blanks from the end of a password,
 * - sends one blank line more between the header and the lines of TOP.
 */
export const MAILUTILS: Peer = {
  ...RIGHT,
  name: 'GNU Mailutils',
  unpacked: 'mailutils',
  mechanisms: () => ['USER', 'APOP'],
  chosen: () => 'USER',
  keepsPassword: (password) => !password.endsWith(' '),
  takes: hasProperHeader,
  sends: ({ stored }, uniqueId) => Buffer.concat(parts(stored, uniqueId)),
  lists: ({ stored }) => crBeforeEachLf(stored).length - (stored.at(-1) === 0x0a ? 0 : 2),
  tops({ stored }, lines, uniqueId) {
    const [header, blank, body] = parts(stored, uniqueId);
    if (lines === 0) return Buffer.concat([header, blank]);
    const kept = body
      .toString('latin1')
      .split(/(?<=\n)/)
      .slice(0, lines);
    return Buffer.concat([header, blank, blank, Buffer.from(kept.join(''), 'latin1')]);
  },
  remaining: () => null,
  start,
};

function hasProperHeader({ stored }: CorpusMessage): boolean {
  const text = Buffer.from(stored).toString('latin1');
  return /^(?:[!-9;-~]+: [^\r\n]*\n(?:[ \t][^\r\n]*\n)*)+\n/.test(text);
}

/** The header, the blank line and the rest. */
function parts(stored: Uint8Array, uniqueId: string | null): [Buffer, Buffer, Buffer] {
  const sent = crBeforeEachLf(stored);
  const end = sent.indexOf('\r\n\r\n') + 2;
  const header = Buffer.concat([sent.subarray(0, end), Buffer.from(`X-UIDL: ${uniqueId}\r\n`)]);
  return [header, sent.subarray(end, end + 2), sent.subarray(end + 2)];
}

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
      environment: { DIRECTORY: directory, POP3_PORT: `${port}`, APOP_USER },
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
grep "^$APOP_USER$tab" "$DIRECTORY/accounts" | popauth --create --file /dev/stdin --output "$DIRECTORY/apop.db"
pop3d --config-file "$DIRECTORY/mailutils.conf" &
${UNTIL_LISTENING}
echo ready
wait
`;
