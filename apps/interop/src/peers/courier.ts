import { join } from 'node:path';
import type { CorpusMessage } from '../corpus.js';
import { writeMaildir } from '../maildir.js';
import { freePorts } from '../server/free-ports.js';
import { startUnpacked, UNTIL_LISTENING } from '../server/unpacked.js';
import { topOf } from '../wire-form.js';
import { writeAccounts } from './accounts.js';
import type { Peer, PeerOptions, RunningPeer } from './peer.js';
import { crBeforeEachLf, RIGHT, startsWithDot } from './rules.js';

/**
 * Courier's POP3 server with its own listener, its own TLS and its own users. Courier 1.0.16
 * - puts a CR before each LF, even where there is one: mail stored with CRLF arrives with CR CR LF,
 * - does not stuff a dot that is the very first octet,
 * - sends an empty message as a blank line,
 * - wraps a message with octets above 0x7F in its header into a notice, as long as nobody has said UTF8,
 * - does not count the line end that it completes a message with, nor a CR that is the last octet,
 * - takes blank lines at the start for a part of the header when it answers TOP.
 */
export const COURIER: Peer = {
  ...RIGHT,
  name: 'Courier',
  unpacked: 'courier',
  mechanisms: () => ['CRAM-MD5', 'PLAIN', 'LOGIN', 'USER'],
  chosen: () => 'CRAM-MD5',
  takes: (message) => !startsWithDot(message) && !hasOctetAboveAscii(headerOf(message)),
  sends: ({ stored }) => crBeforeEachLf(stored),
  lists({ stored }) {
    const last = stored.at(-1);
    const uncounted = last === 0x0a ? 0 : last === 0x0d ? 3 : 2;
    return crBeforeEachLf(stored).length - uncounted;
  },
  tops: ({ stored }, lines) => topOf(crBeforeEachLf(stored), lines),
  start,
};

/** Up to the blank line as Courier sees it: with CRLF there is none. */
function headerOf({ stored }: CorpusMessage): string {
  const [header = ''] = Buffer.from(stored).toString('latin1').split('\n\n', 1);
  return header;
}

function hasOctetAboveAscii(text: string): boolean {
  return /[\x80-\xff]/.test(text);
}

async function start(options: PeerOptions): Promise<RunningPeer> {
  const { directory, certificate, key, maildrops } = options;
  const [port, tlsPort] = await freePorts();
  for (const { user, messages } of maildrops) await writeMaildir(join(directory, 'mail', user), messages);
  await writeAccounts(options);
  const { process } = await startUnpacked(
    {
      name: 'courier',
      directory,
      script: SCRIPT,
      environment: {
        DIRECTORY: directory,
        CERTIFICATE: certificate,
        KEY: key,
        POP3_PORT: `${port}`,
        POP3S_PORT: `${tlsPort}`,
      },
    },
    (printed) => (printed.includes('ready') ? true : undefined),
  );
  return { ...process, port, tlsPort };
}

// userdb is Courier's own file of users; only in it can a password be kept for CRAM, too. Its daemons want the user `courier`.
const SCRIPT = `
chown -R mail:mail "$DIRECTORY/mail"
echo 'courier:x:997:997::/var/lib/courier:/bin/false' >>/etc/passwd
echo 'courier:x:997:' >>/etc/group
mkdir -p /run/courier/authdaemon
tab=$(printf '\\t')
while IFS=$tab read -r user password; do
  stored=$(printf '%s\\n' "$password" | openssl passwd -6 -stdin)
  cram_md5=$(printf '%s\\n%s\\n' "$password" "$password" | userdbpw -hmac-md5)
  cram_sha1=$(printf '%s\\n%s\\n' "$password" "$password" | userdbpw -hmac-sha1)
  mail=$DIRECTORY/mail/$user
  printf '%s\\tuid=8|gid=8|home=%s|mail=%s|systempw=%s|hmac-md5pw=%s|hmac-sha1pw=%s\\n' \\
    "$user" "$mail" "$mail" "$stored" "$cram_md5" "$cram_sha1"
done <"$DIRECTORY/accounts" >/etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb
cat "$CERTIFICATE" "$KEY" >/etc/courier/pop3d.pem
chmod 600 /etc/courier/pop3d.pem
chown courier /etc/courier/pop3d.pem
printf 'authmodulelist=authuserdb\\ndaemons=2\\n' >/etc/courier/authdaemonrc
authmodulelist=authuserdb daemons=2 /usr/lib/courier/courier-authlib/authdaemond &

set -a
. /etc/courier/pop3d
. /etc/courier/pop3d-ssl
POP3AUTH='PLAIN LOGIN CRAM-MD5 CRAM-SHA1'
POP3AUTH_TLS=$POP3AUTH
TLS_CACHEFILE= TLS_DHPARAMS=
listen='couriertcpd -address=127.0.0.1 -maxprocs=64 -maxperip=64 -nodnslookup -noidentlookup'
serve='/usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir'
$listen "$POP3_PORT" $serve &
POP3_TLS=1 POP3_STARTTLS=NO
$listen "$POP3S_PORT" /usr/bin/couriertls -server -tcpd -user=courier $serve &
${UNTIL_LISTENING}
echo ready
wait
`;
