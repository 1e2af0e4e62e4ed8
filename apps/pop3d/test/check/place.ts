import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from 'selfsigned';
import { temporaryFolder } from '../temporary-folder.js';

/** A folder with users, mail, a certificate with its key, and what else configurations name. */
export async function place(): Promise<{ readonly folder: string; write(toml: string): string }> {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'mail'));
  writeFileSync(join(folder, 'users'), 'ann:{PLAIN}secret\nbob:{PLAIN}geheim\n');
  const pair = await selfSigned();
  writeFileSync(join(folder, 'cert.pem'), pair.cert);
  writeFileSync(join(folder, 'key.pem'), pair.private);
  writeFileSync(join(folder, 'other-key.pem'), (await selfSigned()).private);
  writeFileSync(join(folder, 'short.key'), 'short');
  return {
    folder,
    write(toml) {
      const file = join(folder, 'pop3d.toml');
      writeFileSync(file, toml);
      return file;
    },
  };
}

function selfSigned() {
  return generate([{ name: 'commonName', value: 'pop.example.org' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notAfterDate: new Date(Date.now() + 90 * 24 * 60 * 60 * 1000),
    extensions: [
      { name: 'basicConstraints', cA: true },
      { name: 'subjectAltName', altNames: [{ type: 2, value: 'pop.example.org' }] },
    ],
  });
}
