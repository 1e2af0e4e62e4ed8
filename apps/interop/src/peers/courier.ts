import { join } from 'node:path';
import { writeMaildir } from '../maildir.js';
import { freePorts } from '../server/free-ports.js';
import { startUnpacked, UNTIL_LISTENING } from '../server/unpacked.js';
import { writeAccounts } from './accounts.js';
import type { Peer, PeerOptions, RunningPeer } from './peer.js';

/** Courier's POP3 server with its own listener, its own TLS and its own users. */
export const COURIER: Peer = { name: 'Courier', unpacked: 'courier', start };

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
      environment: { DIRECTORY: directory, CERTIFICATE: certificate, KEY: key, POP3_PORT: `${port}`, POP3S_PORT: `${tlsPort}` },
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
