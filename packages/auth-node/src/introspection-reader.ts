import { requestJson, serverUrl } from './json-request.js';
import { type ClaimRules, type TokenClaims, type TokenReader, textsOf } from './token-claims.js';
import type { TokenTrouble } from './token-trouble.js';

/** How the authorization server is asked about a token (RFC 7662). */
export interface Introspection {
  readonly endpoint: string | URL;
  readonly clientId: string;
  readonly clientSecret: string;
  /**
   * How this server shows who it is (RFC 6749 section 2.3.1): `basic` in the header Authorization, `post` in the body.
   * By default `basic`, which every server has to support.
   */
  readonly clientAuth?: 'basic' | 'post';
  /** Milliseconds that the server may take for one answer: 5000 by default. */
  readonly timeoutMs?: number;
  /** Asks in the clear, where nobody else can be on the way. Loopback needs no leave. */
  readonly acceptHttp?: boolean;
}

/** An answer has a dozen claims; some servers add all roles of a user. */
const MAX_ANSWER_OCTETS = 64 * 1024;

/**
 * Asks the authorization server about each token.
 *
 * @throws Pop3Error `POP3_USAGE` for an endpoint that is no URL, or would be asked in the clear.
 */
export function introspectionReader(introspection: Introspection, rules: ClaimRules): TokenReader {
  const {
    clientId,
    clientSecret,
    clientAuth = 'basic',
    timeoutMs = 5000,
    acceptHttp = false,
  } = introspection;
  const endpoint = serverUrl('introspection.endpoint', introspection.endpoint, acceptHttp);
  const isBasic = clientAuth === 'basic';
  const headers = {
    accept: 'application/json',
    ...(isBasic && { authorization: `Basic ${basicPair(clientId, clientSecret)}` }),
  };
  const client = isBasic ? {} : { client_id: clientId, client_secret: clientSecret };
  return async (token) => {
    const body = new URLSearchParams({ ...client, token, token_type_hint: 'access_token' });
    const limits = { timeoutMs, maxOctets: MAX_ANSWER_OCTETS };
    const answer = await requestJson(endpoint, { method: 'POST', headers, body }, limits);
    if (!isIntrospection(answer)) {
      throw new Error(`${endpoint.origin}${endpoint.pathname} did not say whether the token is active.`);
    }
    return answer.active ? (claimTrouble(answer, rules) ?? answer) : 'inactive';
  };
}

function basicPair(clientId: string, clientSecret: string): string {
  return Buffer.from(`${formEncoded(clientId)}:${formEncoded(clientSecret)}`).toString('base64');
}

/** As in a form (RFC 6749 appendix B): a colon in the name would end it. */
function formEncoded(text: string): string {
  return new URLSearchParams({ text }).toString().slice('text='.length);
}

function isIntrospection(answer: unknown): answer is TokenClaims & { readonly active: boolean } {
  return (
    typeof answer === 'object' && answer !== null && 'active' in answer && typeof answer.active === 'boolean'
  );
}

/** What is null is not said, as some servers write it. A time that is no number is none. */
function claimTrouble(claims: TokenClaims, rules: ClaimRules): TokenTrouble | null {
  const { iss, aud } = claims;
  const { issuers, audiences, clockToleranceMs } = rules;
  const end = claims.exp ?? Number.POSITIVE_INFINITY;
  const start = claims.nbf ?? 0;
  if (typeof end !== 'number' || typeof start !== 'number') return 'malformed';
  if (end * 1000 + clockToleranceMs <= rules.now()) return 'expired';
  if (start * 1000 - clockToleranceMs > rules.now()) return 'not-yet-valid';
  if (issuers !== undefined && !issuers.some((issuer) => issuer === iss)) return 'issuer';
  const named = textsOf(aud);
  return audiences === undefined || audiences.some((audience) => named.includes(audience))
    ? null
    : 'audience';
}
