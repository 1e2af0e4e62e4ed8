import { createPrivateKey, X509Certificate } from 'node:crypto';
import { createSecureContext, DEFAULT_CIPHERS, type SecureContext } from 'node:tls';
import { Pop3Error } from '@pop3/core';
import type { ConnectOptions } from './options.js';
import { type ServerIdentity, serverIdentity } from './server-identity.js';

/** How TLS is done, checked before anything is connected. */
export interface TlsPlan {
  readonly secureContext: SecureContext;
  /** TLS from the first octet, not by STLS. */
  readonly implicit: boolean;
  /** The least version. */
  readonly minVersion: string;
  /** Who the server is; its name is asked for by SNI. Null where only a fingerprint says so. */
  readonly identity: ServerIdentity | null;
  /** SHA-256 in lower-case hexadecimal. With these, neither an authority nor a name is needed; null for none. */
  readonly fingerprints: readonly string[] | null;
}

const DEFAULT_MIN_VERSION = 'TLSv1.2';

/**
 * Null where no TLS is wanted.
 *
 * @throws Pop3Error `POP3_USAGE` for certificates, keys, fingerprints and names that are none, and when there is nothing to
 *   know the server by
 */
export function planTls(options: ConnectOptions): TlsPlan | null {
  const { tls = 'implicit', host, trust = {} } = options;
  if (tls === 'off') return null;
  const fingerprints =
    trust.fingerprint256 === undefined ? null : [trust.fingerprint256].flat().map(digitsOf);
  if (fingerprints?.length === 0) refuse('trust.fingerprint256 is empty: no certificate would do.');
  return {
    secureContext: contextOf(options),
    implicit: tls === 'implicit',
    minVersion: trust.minVersion ?? DEFAULT_MIN_VERSION,
    identity: identityOf(trust.serverName ?? host, fingerprints !== null),
    fingerprints,
  };
}

/** As `X509Certificate.fingerprint256` has it, but for the colons and the case. */
export function digitsOf(fingerprint: string): string {
  const digits = fingerprint.trim().replaceAll(':', '').toLowerCase();
  if (!/^[0-9a-f]{64}$/.test(digits))
    refuse(`trust.fingerprint256 is no SHA-256 fingerprint, which has 64 hexadecimal digits: ${fingerprint}`);
  return digits;
}

function identityOf(host: string | undefined, pinned: boolean): ServerIdentity | null {
  if (host === undefined) {
    if (pinned) return null;
    refuse(
      'TLS over a socket needs to know who the server is: give host, trust.serverName or trust.fingerprint256.',
    );
  }
  return serverIdentity(host) ?? refuse(`${JSON.stringify(host)} is neither a host name nor an address.`);
}

function contextOf({ trust = {}, clientCertificate }: ConnectOptions): SecureContext {
  const { ca, minVersion = DEFAULT_MIN_VERSION } = trust;
  const authorities = ca === undefined ? undefined : [ca].flat().map(pemOf);
  // What is no PEM at all, OpenSSL passes over.
  for (const pem of authorities ?? []) {
    if (!pem.includes('-----BEGIN ')) refuse('trust.ca is not in PEM.');
    parsed('trust.ca has no certificate', () => new X509Certificate(pem));
  }
  const shown = clientCertificate && {
    ...clientCertificate,
    cert: pemOf(clientCertificate.cert),
    key: pemOf(clientCertificate.key),
  };
  if (shown) {
    // Keys of another kind than the certificate are nothing that OpenSSL compares.
    const fits = parsed('clientCertificate is not a certificate and a key in PEM', () =>
      new X509Certificate(shown.cert).checkPrivateKey(createPrivateKey({ ...shown, format: 'pem' })),
    );
    if (!fits) refuse('The key of clientCertificate belongs to another certificate.');
  }
  return parsed('TLS cannot be set up', () =>
    createSecureContext({
      minVersion,
      ...shown,
      ...(authorities && { ca: authorities }),
      // Versions before 1.2 sign with MD5 and SHA-1, which OpenSSL refuses otherwise.
      ...(minVersion < DEFAULT_MIN_VERSION && { ciphers: `${DEFAULT_CIPHERS}:@SECLEVEL=0` }),
    }),
  );
}

function pemOf(pem: string | Uint8Array): string | Buffer {
  return typeof pem === 'string' ? pem : Buffer.from(pem);
}

function parsed<T>(otherwise: string, parse: () => T): T {
  try {
    return parse();
  } catch (cause) {
    throw new Pop3Error('POP3_USAGE', `${otherwise}: ${(cause as Error).message}`, { cause });
  }
}

function refuse(text: string): never {
  throw new Pop3Error('POP3_USAGE', text);
}
