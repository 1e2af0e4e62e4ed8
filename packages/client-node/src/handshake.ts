import { X509Certificate } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { connect, type TLSSocket } from 'node:tls';
import { Pop3Error } from '@pop3/core';
import { isFor, type ServerIdentity } from './server-identity.js';
import { digitsOf, type TlsPlan } from './tls.js';

/** A connection to the server that was meant. */
export interface Secured {
  readonly socket: TLSSocket;
  /** What the server has shown. */
  readonly certificate: X509Certificate;
}

/**
 * Does the TLS handshake as a client on a socket whose octets nobody reads, and looks whether it is the right server.
 * Nothing is sent before that is known. Whoever gives up destroys `plain`; then this rejects, too.
 */
export function shakeHands(plain: Duplex, plan: TlsPlan): Promise<Secured> {
  return new Promise((resolve, reject) => {
    const { identity } = plan;
    const secured = connect({
      socket: plain,
      secureContext: plan.secureContext,
      ...(identity?.type === 'name' && { servername: identity.value }),
      // All of this is done by `verified`, before anything is sent: a pin needs none of it, and what Node says about a
      // certificate that it refuses does not show the certificate.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    });
    secured.on('error', (error) => reject(tlsFailed(error, plan)));
    secured.on('close', () => reject(new Pop3Error('POP3_TLS', LOST, { retryable: true })));
    secured.once('secureConnect', () => {
      try {
        resolve({ socket: secured, certificate: verified(secured, plan) });
      } catch (error) {
        secured.destroy();
        reject(error);
      }
    });
  });
}

const LOST = 'The connection was lost during the TLS handshake.';

function verified(secured: TLSSocket, { fingerprints, identity }: TlsPlan): X509Certificate {
  // Not getPeerX509Certificate(): asked once more, Node's client gives the next one of the chain, or none.
  const { raw } = secured.getPeerCertificate();
  if (raw === undefined) throw new Pop3Error('POP3_TLS', 'The server shows no certificate.');
  const certificate = new X509Certificate(raw);
  if (fingerprints !== null) {
    if (!fingerprints.includes(digitsOf(certificate.fingerprint256))) throw wrongFingerprint(certificate);
  } else if (!secured.authorized) {
    throw notTrusted(certificate, String(secured.authorizationError));
  } else if (identity === null || !isFor(certificate, identity)) {
    throw wrongName(certificate, identity);
  }
  return certificate;
}

function wrongFingerprint({ fingerprint256 }: X509Certificate): Pop3Error {
  const text = `The server shows another certificate than those in trust.fingerprint256. It has ${fingerprint256}.`;
  return new Pop3Error('POP3_TLS', `${text} Ask its operator whether it was replaced.`);
}

/** Names of a certificate that are shown: it may have thousands. */
const MAX_SHOWN_CHARACTERS = 500;

function wrongName({ subjectAltName }: X509Certificate, identity: ServerIdentity | null): Pop3Error {
  const names = subjectAltName?.slice(0, MAX_SHOWN_CHARACTERS) ?? 'no name at all';
  const text = `The certificate of the server is not for ${identity?.value}, but for ${names}.`;
  return new Pop3Error(
    'POP3_TLS',
    `${text} Connect by one of its names, or say in trust.serverName which it has.`,
  );
}

/** What OpenSSL has found about a chain of certificates, and what to do then. */
function notTrusted(certificate: X509Certificate, code: string): Pop3Error {
  const cause = Object.assign(new Error(code), { code });
  const text =
    code === 'CERT_HAS_EXPIRED'
      ? `The certificate of the server, or one above it, has expired. Its own is valid until ${certificate.validTo}: it has to be renewed, or the clock here is wrong`
      : code === 'CERT_NOT_YET_VALID'
        ? `The certificate of the server, or one above it, is not valid yet. Its own is from ${certificate.validFrom}: the clock here may be wrong`
        : UNKNOWN_AUTHORITY.test(code)
          ? `No authority that is believed here vouches for the certificate of the server. When it is the right one, give the authority in trust.ca, or its own fingerprint in trust.fingerprint256; it has ${certificate.fingerprint256}`
          : 'The certificate of the server is not valid';
  return new Pop3Error('POP3_TLS', `${text} (${code}).`, { cause });
}

const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/;

/** What TLS failed of, by how OpenSSL calls it. */
const REASONS: readonly (readonly [code: RegExp, text: (plan: TlsPlan) => string])[] = [
  [
    /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE|BAD_RECORD_TYPE/,
    ({ implicit }) =>
      implicit
        ? "The server does not begin with TLS on this port; one such as 110 takes tls: 'starttls'"
        : 'The server said +OK to STLS, but what it sent then is no TLS',
  ],
  [
    /PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL/,
    ({ minVersion }) => `The server has no version of TLS from ${minVersion} (trust.minVersion)`,
  ],
  [/HANDSHAKE_FAILURE|CERTIFICATE_REQUIRED|ALERT_(BAD_|UNKNOWN_|UNSUPPORTED_)?C/, () => CLIENT_CERTIFICATE],
];
const CLIENT_CERTIFICATE =
  'The server breaks the handshake off. It may want another clientCertificate, or have no cipher in common';

/** Whether OpenSSL says it, also after the handshake: over TLS 1.3 a client certificate is refused behind its end. */
export function isTlsError(error: Error & { readonly code?: string }): boolean {
  return error.code?.startsWith('ERR_SSL_') ?? false;
}

export function tlsFailed(
  cause: Error & { readonly code?: string },
  plan: TlsPlan,
  verb: string | null = null,
): Pop3Error {
  const { code = cause.message } = cause;
  if (!isTlsError(cause)) return new Pop3Error('POP3_TLS', `${LOST} (${code})`, { cause, retryable: true });
  const text = REASONS.find(([pattern]) => pattern.test(code))?.[1](plan) ?? 'TLS with the server failed';
  return new Pop3Error('POP3_TLS', `${text} (${code}).`, { verb, cause });
}
