import type { TokenTrouble } from './token-trouble.js';

/** What a token, or its authorization server, says of it (RFC 7519 section 4, RFC 7662 section 2.2). */
export interface TokenClaims {
  readonly sub?: unknown;
  readonly username?: unknown;
  readonly iss?: unknown;
  readonly aud?: unknown;
  readonly exp?: unknown;
  readonly nbf?: unknown;
  readonly scope?: unknown;
  readonly scp?: unknown;
  readonly email_verified?: unknown;
  readonly [claim: string]: unknown;
}

/** Tells what a token says once it is certain who made it; or what is wrong with it. */
export type TokenReader = (token: string) => Promise<TokenClaims | TokenTrouble>;

/** What claims must say, beside the scopes. */
export interface ClaimRules {
  /** Any of them; undefined where it does not matter. */
  readonly issuers: readonly string[] | undefined;
  /** Any of them; undefined where it does not matter. */
  readonly audiences: readonly string[] | undefined;
  /** By how much the clocks of two machines may differ. */
  readonly clockToleranceMs: number;
  /** Milliseconds since 1970. */
  now(): number;
}

/** Milliseconds since 1970 at which the token ends; infinite where it does not say. */
export function expiryOf(claims: TokenClaims): number {
  return typeof claims.exp === 'number' ? claims.exp * 1000 : Number.POSITIVE_INFINITY;
}

/** A text, or the texts in a list; what has another type says nothing. */
export function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

/**
 * Whether all of `scopes` are granted. `scope` is a text with spaces between (RFC 8693 section 4.2), with some servers
 * a list; `scp` is what Microsoft and Okta call it.
 */
export function grants(claims: TokenClaims, scopes: readonly string[]): boolean {
  const granted = [...textsOf(claims.scope), ...textsOf(claims.scp)].flatMap((text) => text.split(' '));
  return scopes.every((scope) => granted.includes(scope));
}
