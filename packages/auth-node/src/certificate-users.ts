import {
  type Authenticator,
  type AuthOutcome,
  type PeerCertificate,
  Pop3Error,
  type Refusal,
} from '@pop3/core';
import { actingAs, isUserName, type MayAct } from './authorization-id.js';

export interface CertificateUsersOptions {
  /**
   * The user of a certificate, null for nobody. By default the e-mail address (rfc822Name) when there is exactly one,
   * the common name when there is none, and nobody when there are several.
   */
  readonly userOf?: (certificate: PeerCertificate) => string | null;
  /**
   * SHA-256 fingerprints of the certificates that may log in, in hexadecimal, in any case, with or without colons. By
   * default every one that the transport has verified.
   */
  readonly fingerprints?: readonly string[];
  /** By default nobody may act for anybody else. */
  readonly mayAct?: MayAct;
}

const BAD_CREDENTIALS: Refusal = { type: 'refused', reason: 'bad-credentials' };

/**
 * Users known by the client certificates of their TLS connections: EXTERNAL (RFC 4422 appendix A). The maildrop of a
 * user has the user's name. The transport has verified the certificate; here is decided whom it names.
 *
 * @throws Pop3Error `POP3_USAGE` for a fingerprint that is not one of SHA-256.
 */
export function certificateUsers(options: CertificateUsersOptions = {}): Authenticator {
  const { userOf = namedUser, mayAct } = options;
  const allowed = options.fingerprints && new Set(options.fingerprints.map(normalFingerprint));
  return {
    accepts: ['external'],
    async authenticate(credentials, { peer }): Promise<AuthOutcome> {
      const { certificate } = peer;
      if (credentials.type !== 'external' || certificate === null) return BAD_CREDENTIALS;
      if (allowed && !allowed.has(certificate.fingerprint256)) return BAD_CREDENTIALS;
      const username = userOf(certificate);
      if (!isUserName(username)) return BAD_CREDENTIALS;
      const identity = await actingAs({ username, maildrop: username }, credentials.authorizationId, mayAct);
      return identity === null ? BAD_CREDENTIALS : { type: 'accepted', identity };
    },
  };
}

function namedUser({ emailAddresses, commonName }: PeerCertificate): string | null {
  if (emailAddresses.length > 1) return null;
  return emailAddresses[0] ?? commonName;
}

function normalFingerprint(text: string): string {
  const digits = text.replaceAll(':', '').toLowerCase();
  if (/^[0-9a-f]{64}$/.test(digits)) return digits;
  throw new Pop3Error('POP3_USAGE', `${JSON.stringify(text)} is not a SHA-256 fingerprint in hexadecimal.`);
}
