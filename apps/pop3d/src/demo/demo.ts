import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword, updateUsersFile } from '@pop3/auth-node';
import { deliverToMaildir } from '@pop3/store-fs';
import { generate } from 'selfsigned';
import type { Config } from '../config/schema.js';
import { instructionsFor } from './instructions.js';
import { demoMessages } from './messages.js';

/** Everything that a server needs, made for the moment. */
export interface Demo {
  readonly config: Config;
  /** What to try, for the person who started it. */
  instructions(listening: readonly string[]): string;
  /** Takes all files away. */
  remove(): void;
}

/** Any free port of this machine, reachable from this machine alone. */
const FREE_PORT = '127.0.0.1:0';
const DAYS_MS = 24 * 60 * 60 * 1000;

/**
 * Makes a Maildir with messages, a user `demo` with the password `demo`, and a certificate, in a temporary folder.
 *
 * @param config - its listeners, limits and so on are kept
 */
export async function startDemo(config: Config): Promise<Demo> {
  const folder = mkdtempSync(join(tmpdir(), 'pop3d-demo-'));
  const remove = () => rmSync(folder, { recursive: true, force: true });
  // Also when something breaks on the way.
  process.once('exit', remove);

  const users = join(folder, 'users');
  const maildir = join(folder, 'mail', '{user}');
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
  // {PLAIN}, so that APOP works as well.
  await updateUsersFile(users, { type: 'add', name: 'demo', password: await hashPassword('demo', 'PLAIN') });
  for (const message of demoMessages(new Date())) {
    await deliverToMaildir(join(folder, 'mail', 'demo'), message, { create: true, fsync: false });
  }
  const certificate = await selfSigned();
  writeFileSync(cert, certificate.cert);
  writeFileSync(key, certificate.private, { mode: 0o600 });

  const { listen, listen_tls } = config.server;
  return {
    config: {
      ...config,
      server: {
        ...config.server,
        listen: listen.length === 0 ? [FREE_PORT] : listen,
        listen_tls: listen_tls.length === 0 ? [FREE_PORT] : listen_tls,
        tls_cert: cert,
        tls_key: key,
      },
      users: { file: users },
      store: { maildir },
    },
    instructions: instructionsFor,
    remove,
  };
}

/** An elliptic key, since an RSA key may take seconds to find. */
function selfSigned() {
  const now = Date.now();
  return generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(now - DAYS_MS),
    notAfterDate: new Date(now + 30 * DAYS_MS),
    extensions: [
      { name: 'basicConstraints', cA: false },
      { name: 'keyUsage', digitalSignature: true },
      { name: 'extKeyUsage', serverAuth: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 2, value: 'localhost' },
          { type: 7, ip: '127.0.0.1' },
          { type: 7, ip: '::1' },
        ],
      },
    ],
  });
}
