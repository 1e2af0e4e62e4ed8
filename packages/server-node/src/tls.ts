import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { SecureContextOptions, SecureVersion } from 'node:tls';
import { Pop3Error } from '@pop3/core';

/** A certificate with its key, both PEM; the authorities in between may follow the certificate. */
export interface CertificateOptions extends Pick<SecureContextOptions, 'passphrase'> {
  readonly cert: NonNullable<SecureContextOptions['cert']>;
  readonly key: NonNullable<SecureContextOptions['key']>;
}

/**
 * What TLS needs. With `ca`, and an authenticator that accepts `external`, clients may present a certificate of these
 * authorities and log in by AUTH EXTERNAL. TLS 1.2 is the least version (RFC 8996, RFC 8997) unless `minVersion` here or
 * of a listener says otherwise. `ciphers` as OpenSSL has them; by default only what is forward-secret and authenticated.
 */
export interface TlsOptions
  extends CertificateOptions,
    Pick<SecureContextOptions, 'ca' | 'ciphers' | 'minVersion' | 'maxVersion'> {
  /**
   * Further certificates, each for the DNS names in it; `*.example.org` stands for one label. A client that names no
   * server, or one that is in none of them, gets the certificate above (RFC 6066 section 3).
   */
  readonly certificates?: readonly CertificateOptions[];
  /**
   * 48 secret octets that session tickets are sealed with. Processes that have the same ones, and the same `ca`, `ciphers`
   * and `minVersion`, resume each other's sessions. Tickets of earlier keys lead to a full handshake. Default: random
   * ones, for the life of the server.
   */
  readonly ticketKeys?: Buffer;
}

/** Where the certificates come from when they may change. */
export interface TlsSource {
  /** Asked before each handshake. The same object as before means that nothing has changed; otherwise it is read anew. */
  current(): TlsOptions;
}

export const DEFAULT_MIN_VERSION = 'TLSv1.2';

/** Forward-secret, and encrypted with authentication: nothing else of TLS 1.2 is left (RFC 9325 section 4.2). */
const DEFAULT_CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
];

/** What devices from before TLS 1.2 have, worst last: the very last ones are not forward-secret. */
const OLD_CIPHERS = [
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-SHA',
  'AES256-SHA',
];

/** Below TLS 1.2 OpenSSL wants its security level lowered, since these versions sign with MD5 and SHA-1. */
const LOWERED = '@SECLEVEL=0';

/** The list of ciphers for a least version. One that was given stays, but for the security level that old versions need. */
export function ciphersOf(minVersion: SecureVersion, given: string | undefined): string {
  const isOld = minVersion === 'TLSv1' || minVersion === 'TLSv1.1';
  if (!isOld) return given ?? DEFAULT_CIPHERS.join(':');
  const ciphers = given ?? [...DEFAULT_CIPHERS, ...OLD_CIPHERS].join(':');
  return ciphers.includes('@SECLEVEL') ? ciphers : `${ciphers}:${LOWERED}`;
}

/**
 * What a session must have been made under to be resumed: at most 32 octets, the same in every process with the same
 * policy. A client certificate is verified in full handshakes only, so other authorities make another context.
 */
export function sessionIdContextOf(policy: {
  readonly minVersion: SecureVersion;
  readonly ciphers: string;
  readonly ca: SecureContextOptions['ca'];
}): string {
  const hash = createHash('sha256').update(`pop3 ${policy.minVersion} ${policy.ciphers}`);
  for (const authority of [policy.ca ?? []].flat()) {
    hash.update(createHash('sha256').update(authority).digest());
  }
  return hash.digest('hex').slice(0, 32);
}

export const TICKET_KEY_OCTETS = 48;

/** @throws Pop3Error `POP3_USAGE` for keys that are not 48 octets. */
export function checkTicketKeys({ ticketKeys }: TlsOptions): void {
  if (ticketKeys === undefined || ticketKeys.length === TICKET_KEY_OCTETS) return;
  throw new Pop3Error(
    'POP3_USAGE',
    `tls.ticketKeys has ${ticketKeys.length} octets; it must have ${TICKET_KEY_OCTETS}.`,
  );
}

const VERSIONS: readonly SecureVersion[] = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'];

/** @throws Pop3Error `POP3_USAGE` when there is no version from the least to the highest; OpenSSL would find out with each client. */
export function checkVersions(minVersion: SecureVersion, maxVersion: SecureVersion = 'TLSv1.3'): void {
  if (VERSIONS.indexOf(minVersion) <= VERSIONS.indexOf(maxVersion)) return;
  throw new Pop3Error('POP3_USAGE', `There is no version of TLS from ${minVersion} to ${maxVersion}.`);
}

/**
 * Certificates and keys of different kinds, such as RSA and ECDSA, are nothing that OpenSSL compares: it would take them,
 * and find no certificate to use when a client comes.
 *
 * @throws Error when a certificate has no key
 */
export function checkKeys({ cert, key, passphrase }: CertificateOptions): void {
  const keys = [key].flat().map((given): KeyObject => {
    const pem = typeof given === 'object' && 'pem' in given ? given : { pem: given };
    const opening = ('passphrase' in pem ? pem.passphrase : undefined) ?? passphrase;
    return createPrivateKey({ key: pem.pem, ...(opening !== undefined && { passphrase: opening }) });
  });
  for (const pem of [cert].flat()) {
    const certificate = new X509Certificate(pem);
    if (!keys.some((known) => certificate.checkPrivateKey(known))) {
      throw new Error('The key does not belong to the certificate.');
    }
  }
}
