/** Certificates as openssl makes them, with keys on a curve, since those are quick to make. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathOf } from './programs.js';
import { runOk } from './run.js';

/** PEM files of a certificate and its key. */
export interface CertificateFiles {
  readonly certificate: string;
  readonly key: string;
}

/** How a new key is made; the certificate holds for two days. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];

/** A certificate for localhost and 127.0.0.1 that is its own authority. */
export async function serverCertificate(directory: string): Promise<CertificateFiles> {
  const files = { certificate: join(directory, 'cert.pem'), key: join(directory, 'key.pem') };
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  await openssl(directory, ['req', '-x509', ...NEW_KEY, ...subject, ...to(files)]);
  return files;
}

/** An authority for certificates of clients. */
export async function clientAuthority(directory: string): Promise<CertificateFiles> {
  const files = { certificate: join(directory, 'authority.pem'), key: join(directory, 'authority-key.pem') };
  await openssl(directory, ['req', '-x509', ...NEW_KEY, '-subj', '/CN=Authority of users', ...to(files)]);
  return files;
}

/** A certificate for a client, whose common name is the user's; it lies in `directory`. */
export async function clientCertificate(
  directory: string,
  user: string,
  authority: CertificateFiles,
): Promise<CertificateFiles> {
  const files = { certificate: join(directory, 'client.pem'), key: join(directory, 'client-key.pem') };
  const request = join(directory, 'client.csr');
  const extensions = join(directory, 'client.ext');
  await writeFile(extensions, 'extendedKeyUsage=clientAuth\n');
  await openssl(directory, [
    'req',
    ...NEW_KEY,
    '-subj',
    `/CN=${user}`,
    '-keyout',
    files.key,
    '-out',
    request,
  ]);
  const signedBy = ['-CA', authority.certificate, '-CAkey', authority.key, '-CAcreateserial', '-days', '2'];
  const form = ['x509', '-req', '-in', request, '-extfile', extensions];
  await openssl(directory, [...form, ...signedBy, '-out', files.certificate]);
  return files;
}

function to({ certificate, key }: CertificateFiles): string[] {
  return ['-keyout', key, '-out', certificate];
}

async function openssl(home: string, args: readonly string[]): Promise<void> {
  const program = pathOf('openssl');
  if (program === undefined) throw new Error('openssl is missing (Debian package openssl)');
  await runOk(program, args, { home });
}
