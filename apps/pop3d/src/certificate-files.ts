import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Conflict } from './config/conflicts.js';
import type { CertificateConfig } from './config/listeners.js';

/** What the file of a certificate says of it. */
export interface CertificateFacts {
  /** For whom it is, as clients look for it: DNS names and addresses. */
  readonly names: readonly string[];
  /** Milliseconds since 1970. */
  readonly validFrom: number;
  readonly validTo: number;
}

const DAY_MS = 24 * 60 * 60 * 1000;
/** Let's Encrypt renews at 30 days; what is below was not renewed. */
const SOON_DAYS = 14;
const PEM_CERTIFICATES = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g;

/** Reads a certificate with its key and sees that they belong together. */
export function readCertificate(files: CertificateConfig): CertificateFacts | Conflict {
  const certificate = certificateIn(files);
  if ('message' in certificate) return certificate;
  const key = keyIn(files);
  if ('message' in key) return key;
  if (!certificate.checkPrivateKey(key)) {
    return {
      path: files.keyPath,
      message: `${files.key} is not the key of the certificate in ${files.cert}; give the one that it was made with`,
    };
  }
  const { subjectAltName = '', validFrom, validTo } = certificate;
  return {
    names: subjectAltName.split(', ').flatMap((name) => /^(?:DNS|IP Address):(.*)$/.exec(name)?.[1] ?? []),
    validFrom: Date.parse(validFrom),
    validTo: Date.parse(validTo),
  };
}

/** The certificates in a file of authorities. */
export function readAuthorities(path: Conflict['path'], file: string): readonly X509Certificate[] | Conflict {
  const text = readText(path, file, 'the certificates of the authorities, PEM');
  if (typeof text !== 'string') return text;
  try {
    const found = (text.match(PEM_CERTIFICATES) ?? []).map((pem) => new X509Certificate(pem));
    if (found.length > 0) return found;
  } catch {
    // Of no use is what OpenSSL says; what a file must hold is below.
  }
  return { path, message: `${file} holds no certificate in PEM form: -----BEGIN CERTIFICATE-----` };
}

/** Whole days from `now` to the end of a certificate, below 0 when that is past. */
export function daysLeft({ validTo }: CertificateFacts, now: number): number {
  return Math.floor((validTo - now) / DAY_MS);
}

/** Why clients may refuse a certificate, as a clause that begins with its file; null for no reason. */
export function certificateWarning(file: string, facts: CertificateFacts, now: number): string | null {
  const days = daysLeft(facts, now);
  if (now < facts.validFrom) return `${file} is not valid before ${dateOf(facts.validFrom)}`;
  if (days < 0) return `${file} has expired on ${dateOf(facts.validTo)}: clients refuse it; renew it`;
  if (days < SOON_DAYS) return `${file} expires in ${days} days, on ${dateOf(facts.validTo)}: renew it`;
  return facts.names.length === 0 ? `${file} names no host (subjectAltName): clients refuse it` : null;
}

/** `2026-11-24`, in UTC. */
export function dateOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}

function certificateIn({ cert, certPath }: CertificateConfig): X509Certificate | Conflict {
  const text = readText(certPath, cert, 'the certificate and its chain, PEM');
  if (typeof text !== 'string') return text;
  try {
    return new X509Certificate(text);
  } catch {
    return {
      path: certPath,
      message: `${cert} holds no certificate in PEM form: -----BEGIN CERTIFICATE-----`,
    };
  }
}

function keyIn({ key, keyPath }: CertificateConfig): KeyObject | Conflict {
  const text = readText(keyPath, key, 'the key of the certificate, PEM');
  if (typeof text !== 'string') return text;
  try {
    return createPrivateKey(text);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return {
      path: keyPath,
      message:
        code === 'ERR_MISSING_PASSPHRASE'
          ? `${key} is locked by a passphrase, which nobody is there to type; unlock it: openssl pkey -in ${key} -out FILE`
          : `${key} holds no private key in PEM form: -----BEGIN PRIVATE KEY-----`,
    };
  }
}

function readText(path: Conflict['path'], file: string, what: string): string | Conflict {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    return { path, message: `cannot be read: ${(error as Error).message}; give the file with ${what}` };
  }
}
