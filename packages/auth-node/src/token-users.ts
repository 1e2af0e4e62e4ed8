import type {
  AuthContext,
  Authenticator,
  AuthOutcome,
  Credentials,
  Identity,
  MaybePromise,
  Refusal,
} from '@pop3/core';
import { actingAs, isUserName, type MayAct } from './authorization-id.js';
import { type Introspection, introspectionReader } from './introspection-reader.js';
import { type JwtRules, jwtReader } from './jwt-reader.js';
import { type ClaimRules, expiryOf, grants, type TokenClaims, type TokenReader } from './token-claims.js';
import { refusalOf, type TokenTrouble } from './token-trouble.js';
import { VerdictCache, type VerdictCacheLimits } from './verdict-cache.js';

/** What holds for both ways to check a token. */
interface TokenRules {
  /**
   * The claim that is the user's name, and that of the maildrop. By default `sub` of a signed token, `username` of an
   * introspection. An `email` is not taken from a token that says `email_verified: false`.
   */
  readonly user?: string;
  /** Whose token it is, null for nobody, in place of `user`. Its errors must not hold secrets. */
  readonly identity?: (claims: TokenClaims) => MaybePromise<Identity | null>;
  /** All that a token must grant. By default none: then any token for this audience opens the maildrop. */
  readonly scopes?: readonly string[];
  /** Where a client that was refused learns how to get a token: an URL of OpenID Connect discovery or of RFC 8414. */
  readonly openidConfiguration?: string;
  /** By default nobody may act for anybody else: the name that comes with a token must be that of its user. */
  readonly mayAct?: MayAct;
  /** By how much clocks may differ, in milliseconds: 30 000 by default. */
  readonly clockToleranceMs?: number;
  /** A longer token is refused unread: 16 384 octets by default. */
  readonly maxTokenOctets?: number;
  /** Told why a token was refused; the peer is told less. `username` is the token's user, as far as it is certain. */
  readonly onRefused?: (refused: TokenRefused) => void;
  /** Milliseconds since 1970. By default the clock of the machine. */
  readonly now?: () => number;
}

export interface TokenRefused {
  readonly trouble: TokenTrouble;
  readonly username: string | null;
}

/** Tokens that are read here: JSON Web Tokens (RFC 9068). A token that is revoked stays good until its end. */
export interface JwtUsersOptions extends TokenRules {
  readonly jwt: JwtRules;
  /** `iss` of the tokens: one, or any of several. */
  readonly issuer: string | readonly string[];
  /**
   * `aud` of the tokens: one, or any of several. Null takes tokens that were made for other services too, whose
   * operators could then read the mail of whoever logs in there.
   */
  readonly audience: string | readonly string[] | null;
  readonly introspection?: never;
  readonly cache?: never;
}

/** Tokens that the authorization server is asked about (RFC 7662). */
export interface IntrospectedUsersOptions extends TokenRules {
  readonly introspection: Introspection;
  /** By default what the server says is active is good. */
  readonly issuer?: string | readonly string[];
  /** By default, and with null, what the server says is active is good. */
  readonly audience?: string | readonly string[] | null;
  /** Tells, too, how long a token that is revoked can still be used. */
  readonly cache?: VerdictCacheLimits;
  readonly jwt?: never;
}

export type TokenUsersOptions = JwtUsersOptions | IntrospectedUsersOptions;

interface Verdict {
  readonly good: boolean;
  readonly expiresAtMs: number;
  readonly identity: Identity | null;
  readonly trouble: TokenTrouble | null;
}

const BAD_CREDENTIALS: Refusal = { type: 'refused', reason: 'bad-credentials' };
const TOO_BUSY: Refusal = { type: 'refused', reason: 'temporary' };
/** RFC 6750 section 2.1. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;
const DEFAULT_MAX_TOKEN_OCTETS = 16_384;
const DEFAULT_CLOCK_TOLERANCE_MS = 30_000;

/**
 * Users with an OAuth token of an authorization server, for OAUTHBEARER (RFC 7628) and XOAUTH2.
 *
 * Who somebody is, comes from the token. The name that the mechanism sends along must be that of the token's user, in
 * the same letters except those of a domain after the last `@`; or one that `mayAct` allows, whose maildrop is then
 * opened.
 *
 * An authorization server that cannot be reached is a fault: the error names it, and never holds a token or the
 * client's secret.
 *
 * @throws Pop3Error `POP3_USAGE` for options that can check nothing, or would send secrets in the clear.
 */
export function tokenUsers(options: TokenUsersOptions): Authenticator {
  return new TokenUsers(options);
}

class TokenUsers implements Authenticator {
  readonly accepts: readonly Credentials['type'][] = ['token'];
  readonly #options: TokenUsersOptions;
  readonly #read: TokenReader;
  readonly #claim: string;
  readonly #scopes: readonly string[];
  readonly #cache: VerdictCache<Verdict> | null;

  constructor(options: TokenUsersOptions) {
    const { clockToleranceMs = DEFAULT_CLOCK_TOLERANCE_MS, now = Date.now, scopes = [] } = options;
    const rules: ClaimRules = {
      issuers: listOf(options.issuer),
      audiences: listOf(options.audience),
      clockToleranceMs,
      now,
    };
    this.#options = options;
    this.#scopes = scopes;
    if (options.jwt !== undefined) {
      this.#read = jwtReader(options.jwt, rules);
      this.#claim = options.user ?? 'sub';
      this.#cache = null;
    } else {
      this.#read = introspectionReader(options.introspection, rules);
      this.#claim = options.user ?? 'username';
      this.#cache = new VerdictCache((token) => this.#judge(token), options.cache ?? {}, now);
    }
  }

  async authenticate(credentials: Credentials, _context: AuthContext): Promise<AuthOutcome> {
    if (credentials.type !== 'token') return BAD_CREDENTIALS;
    const { token, username } = credentials;
    const { maxTokenOctets = DEFAULT_MAX_TOKEN_OCTETS, mayAct } = this.#options;
    if (token.length > maxTokenOctets || !TOKEN.test(token)) return this.#refuse('malformed', null);
    const verdict = await (this.#cache === null ? this.#judge(token) : this.#cache.judge(token));
    if (verdict === 'busy') return TOO_BUSY;
    const { identity: own, trouble } = verdict;
    if (own === null) return this.#refuse(trouble ?? 'user', null);
    if (trouble !== null) return this.#refuse(trouble, own.username);
    const identity = await actingAs(own, username, mayAct);
    return identity === null ? this.#refuse('other-user', own.username) : { type: 'accepted', identity };
  }

  async #judge(token: string): Promise<Verdict> {
    const claims = await this.#read(token);
    if (typeof claims === 'string') {
      return { good: false, expiresAtMs: 0, identity: null, trouble: claims };
    }
    const identity = await this.#identityOf(claims);
    const trouble = identity === null ? 'user' : grants(claims, this.#scopes) ? null : 'scope';
    return { good: trouble === null, expiresAtMs: expiryOf(claims), identity, trouble };
  }

  async #identityOf(claims: TokenClaims): Promise<Identity | null> {
    if (this.#options.identity !== undefined) return this.#options.identity(claims);
    if (this.#claim === 'email' && isFalse(claims.email_verified)) return null;
    const username = claims[this.#claim];
    return isUserName(username) ? { username, maildrop: username } : null;
  }

  #refuse(trouble: TokenTrouble, username: string | null): Refusal {
    this.#options.onRefused?.({ trouble, username });
    return refusalOf(trouble, {
      scope: this.#scopes.length === 0 ? undefined : this.#scopes.join(' '),
      openidConfiguration: this.#options.openidConfiguration,
    });
  }
}

function listOf(value: string | readonly string[] | null | undefined): readonly string[] | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'string' ? [value] : value;
}

/** Some servers write it as a text. */
function isFalse(value: unknown): boolean {
  return value === false || value === 'false';
}
