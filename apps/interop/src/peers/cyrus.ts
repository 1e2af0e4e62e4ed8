import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { freePorts } from '../server/free-ports.js';
import { startUnpacked, UNTIL_LISTENING } from '../server/unpacked.js';
import { writeAccounts } from './accounts.js';
import type { Peer, PeerOptions, RunningPeer } from './peer.js';
import { RIGHT } from './rules.js';

/**
 * Cyrus, whose spool is filled as after the loss of its index: by files that `reconstruct` finds. They have CRLF, as its own
 * delivery writes them. Cyrus 3.6.1
 * - drops what stands between NUL and the end of a line, the line end with it,
 * - does not keep empty messages.
 */
export const CYRUS: Peer = cyrusWith('Cyrus', 'tls1_2');

/** With TLS 1.3, Cyrus 3.6.1 offers -PLUS and binds by tls-unique, which is not defined for it (RFC 9266). */
export const CYRUS_WITH_TLS_1_3: Peer = cyrusWith('Cyrus with TLS 1.3', 'tls1_3');

function cyrusWith(name: string, version: string): Peer {
  return {
    ...RIGHT,
    name,
    unpacked: 'cyrus',
    mechanisms: (security) => [
      ...(security === 'plain' ? [] : SCRAM.map((name) => `${name}-PLUS`)),
      ...SCRAM,
      ...['CRAM-MD5', 'PLAIN', 'LOGIN', 'USER', 'APOP'],
    ],
    chosen: (security) => (security === 'plain' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-256-PLUS'),
    takes: ({ stored }) => stored.length > 0 && !stored.includes(0),
    remaining: () => null,
    start: (options) => start(options, version),
  };
}

const SCRAM = ['SCRAM-SHA-256', 'SCRAM-SHA-512', 'SCRAM-SHA-1'];

async function start(options: PeerOptions, version: string): Promise<RunningPeer> {
  const { directory, maildrops } = options;
  const [port, tlsPort] = await freePorts();
  for (const { user, messages } of maildrops) {
    const folder = join(directory, 'mail', user);
    await mkdir(folder, { recursive: true });
    for (const [i, { wire }] of messages.entries()) await writeFile(join(folder, `${i + 1}.`), wire);
  }
  await writeAccounts(options);
  await writeFile(join(directory, 'imapd.conf'), configuration(options, version));
  await writeFile(join(directory, 'cyrus.conf'), services(port, tlsPort));
  const { process } = await startUnpacked(
    {
      name: 'cyrus',
      directory,
      script: SCRIPT,
      environment: { DIRECTORY: directory, KEY: options.key, POP3_PORT: `${port}` },
    },
    (printed) => (printed.includes('ready') ? true : undefined),
  );
  return { ...process, port, tlsPort };
}

function configuration({ directory, certificate, authority }: PeerOptions, version: string): string {
  return `
servername: localhost
configdirectory: /var/lib/cyrus
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
defaultpartition: default
partition-default: /var/spool/cyrus/mail
sievedir: /var/spool/sieve
popminpoll: 0
failedloginpause: 0
allowplaintext: yes
allowapop: yes
expunge_mode: immediate
sasl_pwcheck_method: auxprop
sasl_auxprop_plugin: sasldb
sasl_sasldb_path: ${directory}/sasldb2
autocreate_quota: 0
autocreate_users: anyone
admins: cyrus
tls_server_cert: ${certificate}
tls_server_key: ${directory}/cyrus.key
tls_client_ca_file: ${authority}
tls_versions: ${version}

`;
}

function services(port: number, tlsPort: number): string {
  return `
START { recover cmd="ctl_cyrusdb -r" }
SERVICES {
  pop3 cmd="pop3d" listen="127.0.0.1:${port}" prefork=0
  pop3s cmd="pop3d -s" listen="127.0.0.1:${tlsPort}" prefork=0
}
EVENTS { checkpoint cmd="ctl_cyrusdb -c" period=30 }
`;
}

// A login makes the mailbox; only then has it a folder that files can be put into.
const SCRIPT = `
echo 'cyrus:x:995:8::/var/spool/cyrus:/bin/sh' >>/etc/passwd
mkdir -p /run/cyrus/socket /run/cyrus/proc /run/cyrus/lock /var/spool/sieve
chown -R cyrus:mail /run/cyrus /var/lib/cyrus /var/spool/cyrus /var/spool/sieve
cp "$DIRECTORY/imapd.conf" /etc/imapd.conf
install -o cyrus -m 600 "$KEY" "$DIRECTORY/cyrus.key"
tab=$(printf '\\t')
while IFS=$tab read -r user password; do
  printf '%s' "$password" | saslpasswd2 -p -c -f "$DIRECTORY/sasldb2" -u localhost "$user"
done <"$DIRECTORY/accounts"
chown cyrus:mail "$DIRECTORY/sasldb2"
/usr/lib/cyrus/bin/makedirs >/dev/null
/usr/lib/cyrus/bin/master -D -M "$DIRECTORY/cyrus.conf" -p /run/cyrus/master.pid &
${UNTIL_LISTENING}
while IFS=$tab read -r user password; do
  bash -c 'exec 3<>/dev/tcp/127.0.0.1/$1; printf "USER %s\\r\\nPASS %s\\r\\nQUIT\\r\\n" "$2" "$3" >&3; cat <&3' \\
    login "$POP3_PORT" "$user" "$password" >/dev/null
  spool=$(runuser -u cyrus -- /usr/lib/cyrus/bin/mbpath "user/$user")
  find "$DIRECTORY/mail/$user" -type f -exec install -o cyrus -g mail -m 600 -t "$spool" {} +
done <"$DIRECTORY/accounts"
runuser -u cyrus -- /usr/lib/cyrus/bin/reconstruct -G -r user >/dev/null
echo ready
wait
`;
