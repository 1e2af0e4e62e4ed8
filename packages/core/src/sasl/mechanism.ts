import type {
  AuthContext,
  Authenticator,
  AuthOutcome,
  Credentials,
  MaybePromise,
  Refusal,
} from '../adapter.js';
import type { SaslOutcome } from '../server/requests.js';

/** The server's half of a SASL mechanism (RFC 4422). */
export interface SaslServerMechanism {
  /** 1 to 20 characters from A-Z, 0-9, `-` and `_`. */
  readonly name: string;
  /** Sends the password in the clear, so it is offered only where that is allowed. */
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
}

/** One exchange. After anything but a challenge it is over. */
export interface SaslServerExchange {
  /** @param response - null when the peer sent no initial response, which is not the same as an empty one */
  step(response: Uint8Array | null): MaybePromise<SaslOutcome>;
}

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
