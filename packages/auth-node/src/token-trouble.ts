import type { Refusal, TokenProblem } from '@pop3/core';

/**
 * What is wrong with a token, for the operator: the peer is told less.
 * - `malformed`: not the form of a token, too long, or without a claim that it must have
 * - `expired`, `not-yet-valid`, `issuer`, `audience`, `scope`: its claim does not fit
 * - `algorithm`: signed in a way that is not allowed
 * - `key`: signed with a key that the issuer does not have
 * - `signature`: not signed with that key
 * - `inactive`: the authorization server says so (RFC 7662), because it is expired, revoked or not one of its own
 * - `user`: it names no user
 * - `other-user`: it is good, and for somebody else than the peer asks for
 */
export type TokenTrouble =
  | 'malformed'
  | 'expired'
  | 'not-yet-valid'
  | 'issuer'
  | 'audience'
  | 'scope'
  | 'algorithm'
  | 'key'
  | 'signature'
  | 'inactive'
  | 'user'
  | 'other-user';

/** What a client is told it can do about it. */
export interface TokenHints {
  readonly scope: string | undefined;
  readonly openidConfiguration: string | undefined;
}

/**
 * What a peer is told (RFC 6750 section 3.1). A new token would not mend that it is for another user, and a client gets
 * a new one after `invalid_token`, so that is `invalid_request`.
 */
export function refusalOf(trouble: TokenTrouble, { scope, openidConfiguration }: TokenHints): Refusal {
  const token: TokenProblem = {
    status: STATUS[trouble] ?? 'invalid_token',
    ...(scope !== undefined && { scope }),
    ...(openidConfiguration !== undefined && { openidConfiguration }),
  };
  return { type: 'refused', reason: 'bad-credentials', token };
}

const STATUS: Partial<Record<TokenTrouble, TokenProblem['status']>> = {
  scope: 'insufficient_scope',
  'other-user': 'invalid_request',
};
