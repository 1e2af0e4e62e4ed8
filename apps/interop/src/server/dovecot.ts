import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathOf } from '../programs.js';
import { runOk } from '../run.js';
import type { RunningServer, ServerOptions } from '../server.js';
import { freePorts } from './free-ports.js';
import { startProcess } from './process.js';

export interface DovecotOptions extends ServerOptions {
  /** Further settings, which override those before them. */
  readonly settings?: string;
}

/** Starts Dovecot in the foreground, with all its files in the test's directory. Needs root, as Dovecot does. */
export async function startDovecot(options: DovecotOptions): Promise<RunningServer> {
  const dovecot = pathOf('dovecot');
  if (dovecot === undefined) throw new Error('dovecot is missing (Debian package dovecot-pop3d)');
  const [port, tlsPort] = await freePorts();
  const home = join(options.directory, 'dovecot');
  await mkdir(join(home, 'index'), { recursive: true });
  await chmod(join(home, 'index'), 0o777);
  const config = join(home, 'dovecot.conf');
  await writeFile(config, configuration(options, home, port, tlsPort));
  const { process } = await startProcess(dovecot, ['-F', '-c', config], (printed) =>
    printed.includes('starting up') ? true : undefined,
  );
  return { ...process, port, tlsPort, adopt: giveToMail };
}

function configuration(options: DovecotOptions, home: string, port: number, tlsPort: number): string {
  return `
base_dir = ${home}/base
state_dir = ${home}/state
log_path = /dev/stderr
protocols = pop3
listen = 127.0.0.1
ssl = yes
ssl_cert = <${options.certificate}
ssl_key = <${options.key}
disable_plaintext_auth = no
auth_mechanisms = plain login apop cram-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
first_valid_uid = 8
mail_max_userip_connections = 0
# Its own files live elsewhere, so that the Maildirs hold messages only.
mail_location = maildir:${options.maildirs}/%u:INDEX=${home}/index/%u:CONTROL=${home}/index/%u
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u ${options.users}
}
userdb {
  driver = static
  args = uid=mail gid=mail home=${home}/index/%u
}
service pop3-login {
  inet_listener pop3 {
    port = ${port}
  }
  inet_listener pop3s {
    port = ${tlsPort}
    ssl = yes
  }
}
# Many wrong passwords come from one address.
service anvil {
  client_limit = 2048
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
${options.settings ?? ''}
`;
}

/** Dovecot serves mail as the user `mail`; the files belong to the user who runs the tests. */
async function giveToMail(maildir: string): Promise<void> {
  await runOk('/usr/bin/chown', ['-R', 'mail:mail', maildir], { home: maildir });
}
