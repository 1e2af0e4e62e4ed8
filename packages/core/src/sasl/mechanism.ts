import type {
  AuthContext,
  Authenticator,
  AuthOutcome,
  Credentials,
  MaybePromise,
  Refusal,
  ScramForm,
  ScramKeys,
} from '../adapter.js';
import type { SaslOutcome } from '../server/requests.js';

/** The server's half of a SASL mechanism (RFC 4422). */
export interface SaslServerMechanism {
  /** 1 to 20 characters from A-Z, 0-9, `-` and `_`. */
  readonly name: string;
  /** Hands over a secret that others could use, a password or a token: offered only where that is allowed. */
  readonly plaintext: boolean;
  /** The credentials it ends in. Offered only when the authenticator accepts them. */
  readonly credentials: Credentials['type'];
  /** Left out when it needs nothing of the connection; EXTERNAL needs a certificate. */
  available?(context: AuthContext): boolean;
  /** Begins one exchange. */
  start(context: SaslServerContext): SaslServerExchange;
}

export interface SaslServerContext extends AuthContext {
  /** Asks the {@link Authenticator} of this connection. */
  authenticate(credentials: Credentials): MaybePromise<AuthOutcome>;
  /** Asks it for the keys of a user; a fault where it has none to give. */
  scramKeys(username: string, form: ScramForm): MaybePromise<ScramKeys | Refusal>;
}

/** One exchange. After anything but a challenge it is over. */
export interface SaslServerExchange {
  /** @param response - null when the peer sent no initial response, which is not the same as an empty one */
  step(response: Uint8Array | null): MaybePromise<SaslOutcome>;
}

/** The client's half of a SASL mechanism, with the credentials that it will use. */
export interface SaslClientMechanism {
  /** As on the wire, such as `SCRAM-SHA-256-PLUS`. */
  readonly name: string;
  /** Hands the server a secret that others could use: for encrypted connections only. */
  readonly plaintext: boolean;
  /** Begins one exchange. */
  start(): SaslClientExchange;
}

/** One exchange. After a failure it is over, and must be cancelled with `*`. */
export interface SaslClientExchange {
  /**
   * @param challenge - null at the start, before the server has said anything: the answer to that is the initial
   *   response, null where the server speaks first. To a challenge the answer is never null.
   */
  step(challenge: Uint8Array | null): MaybePromise<SaslClientStep>;
  /** Whether a `+OK` may be believed now. Before that it is no proof that the server is the right one. */
  readonly complete: boolean;
  /**
   * What the server has said is wrong before it refuses; null as long as it has not. Of a token it is JSON (RFC 7628 section
   * 3.2.2), of SCRAM a word such as `invalid-proof` (RFC 5802 section 7). Left out by mechanisms that have no such thing.
   */
  readonly problem?: string | null;
}

export type SaslClientStep =
  | { readonly type: 'response'; readonly response: Uint8Array | null }
  /** What the server says is wrong: it is another one, or somebody in between has changed it. `text` has no secret. */
  | { readonly type: 'failed'; readonly text: string };

/** The challenge of a mechanism in which the client speaks first, to a client that has not (RFC 5034 section 4). */
export const NOTHING: Uint8Array = /* @__PURE__ */ new Uint8Array(0);

/** What a mechanism says to a response that it cannot read. */
export const MALFORMED: Refusal = { type: 'refused', reason: 'bad-credentials', text: 'malformed response' };

/** Those of `mechanisms` that can work with this authenticator on this connection, in the same order. */
export function usableMechanisms(
  mechanisms: readonly SaslServerMechanism[],
  authenticator: Authenticator,
  context: AuthContext,
): SaslServerMechanism[] {
  return mechanisms.filter(
    (mechanism) =>
      authenticator.accepts.includes(mechanism.credentials) && (mechanism.available?.(context) ?? true),
  );
}
