import type { MaybePromise } from '../adapter.js';
import type { SaslClientMechanism } from '../sasl/mechanism.js';

/** A login by user name and password. */
export interface PasswordAuth {
  readonly user: string;
  readonly password: string;
  /**
   * Only this one: a SASL mechanism such as `PLAIN`, `USER` for USER and PASS, or `APOP`, which is never chosen otherwise.
   * Default: the strongest that both sides have, from SCRAM-SHA-256-PLUS down to USER and PASS.
   */
  readonly mechanism?: string;
  /** Whose maildrop is wanted, where that is not the user's (RFC 4616 section 2). PLAIN and SCRAM can say it. */
  readonly authorizationId?: string;
}

/** Gives a token. Asked once more, with what the server said, when it refuses the first. */
export type AccessTokenSource = (refused: TokenRefusal | null) => MaybePromise<string>;

export interface TokenRefusal {
  /** The token that was refused. */
  readonly token: string;
  /** What the server says is wrong, as JSON (RFC 7628 section 3.2.2); null where it says nothing. */
  readonly problem: string | null;
}

/** A login by OAuth 2.0. */
export interface TokenAuth {
  readonly user: string;
  readonly accessToken: string | AccessTokenSource;
  /** Default: OAUTHBEARER where it is announced, otherwise XOAUTH2, which some servers have and do not announce. */
  readonly mechanism?: 'OAUTHBEARER' | 'XOAUTH2';
}

/** A login by the client certificate: EXTERNAL (RFC 4422 appendix A). */
export interface CertificateAuth {
  readonly external: true;
  /** Whose maildrop is wanted. Default: what the certificate says. */
  readonly user?: string;
}

/** A login by a mechanism of the caller's, such as GSSAPI. */
export interface MechanismAuth {
  readonly sasl: SaslClientMechanism;
}

export type Auth = PasswordAuth | TokenAuth | CertificateAuth | MechanismAuth;
