import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto';
import { Pop3Error } from '@pop3/core';
import type { JSONWebKeySet, JWTVerifyGetKey, JWTVerifyOptions } from 'jose';
import { requestJson, serverUrl } from './json-request.js';
import type { ClaimRules, TokenClaims, TokenReader } from './token-claims.js';
import type { TokenTrouble } from './token-trouble.js';

type Jose = typeof import('jose');

/** Where the keys come from that tokens are signed with. */
export type JwtKeys =
  /**
   * The `jwks_uri` of the issuer. Read again when a token names a key that is not there: that is how keys are rotated.
   */
  | {
      readonly url: string | URL;
      /** Least milliseconds from one reading to the next that an unknown key causes: 30 000 by default. */
      readonly cooldownMs?: number;
      /** Milliseconds after which the keys are read again in any case: 600 000 by default. */
      readonly cacheMs?: number;
      /** Milliseconds that the server may take: 5000 by default. */
      readonly timeoutMs?: number;
      /** Lets the keys come in the clear, where nobody else can be on the way. Loopback needs no leave. */
      readonly acceptHttp?: boolean;
    }
  /** Public keys in the same form (RFC 7517), which never change. */
  | { readonly jwks: { readonly keys: readonly JsonWebKey[] } }
  /**
   * One public key or certificate, as PEM or as a key object. A secret key object where `algorithms` has HS256 or the
   * like.
   */
  | { readonly key: string | KeyObject };

export interface JwtRules {
  readonly keys: JwtKeys;
  /**
   * Signature algorithms (RFC 7518 section 3.1). By default those with a public key: RS, PS and ES with 256, 384 and
   * 512, EdDSA and Ed25519. `none` never is one.
   */
  readonly algorithms?: readonly string[];
  /** What `typ` in the header must be, such as `at+jwt` (RFC 9068 section 2.1). By default it does not matter. */
  readonly typ?: string;
}

const RSA_ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'];
const CURVE_ALGORITHMS: Readonly<Record<string, string>> = {
  prime256v1: 'ES256',
  secp384r1: 'ES384',
  secp521r1: 'ES512',
};
const ED25519_ALGORITHMS = ['EdDSA', 'Ed25519'];
const PUBLIC_KEY_ALGORITHMS = [...RSA_ALGORITHMS, ...Object.values(CURVE_ALGORITHMS), ...ED25519_ALGORITHMS];
/** With the least octets of a key: those of the digest (RFC 7518 section 3.2). */
const SECRET_KEY_ALGORITHMS: Readonly<Record<string, number>> = { HS256: 32, HS384: 48, HS512: 64 };
/** RFC 7518 section 3.3. */
const MIN_RSA_BITS = 2048;
/** An issuer has a few keys, of some hundred octets each, or some thousand with their certificates. */
const MAX_KEYS_OCTETS = 256 * 1024;

/** Errors of jose that speak of the token. All others are faults: of the key source, or of a key. */
const TROUBLES: Readonly<Record<string, TokenTrouble>> = {
  ERR_JWS_INVALID: 'malformed',
  ERR_JWT_INVALID: 'malformed',
  ERR_JWT_EXPIRED: 'expired',
  ERR_JOSE_ALG_NOT_ALLOWED: 'algorithm',
  ERR_JOSE_NOT_SUPPORTED: 'algorithm',
  ERR_JWKS_NO_MATCHING_KEY: 'key',
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: 'signature',
};

/**
 * Reads signed tokens (RFC 7519, RFC 9068), with the package `jose`.
 *
 * @throws Pop3Error `POP3_USAGE` for keys and algorithms that can check nothing, or are not safe together.
 */
export function jwtReader(rules: JwtRules, claimRules: ClaimRules): TokenReader {
  const algorithms = algorithmsOf(rules);
  const { issuers, audiences } = claimRules;
  const fixed: JWTVerifyOptions = {
    algorithms,
    // Without it a token would be good for ever.
    requiredClaims: ['exp'],
    clockTolerance: claimRules.clockToleranceMs / 1000,
    ...(issuers !== undefined && { issuer: [...issuers] }),
    ...(audiences !== undefined && { audience: [...audiences] }),
    ...(rules.typ !== undefined && { typ: rules.typ }),
  };
  const keySource = keySourceOf(rules.keys);
  let loaded: Promise<readonly [jose: Jose, keyOf: JWTVerifyGetKey]> | undefined;
  return async (token) => {
    loaded ??= loadPackage().then((jose) => [jose, keySource(jose)]);
    const [jose, keyOf] = await loaded;
    const options = { ...fixed, currentDate: new Date(claimRules.now()) };
    return verified(jose, token, keyOf, options);
  };
}

async function verified(
  jose: Jose,
  token: string,
  keyOf: JWTVerifyGetKey,
  options: JWTVerifyOptions,
): Promise<TokenClaims | TokenTrouble> {
  try {
    return (await jose.jwtVerify(token, keyOf, options)).payload;
  } catch (error) {
    if (!(error instanceof jose.errors.JWKSMultipleMatchingKeys)) return troubleOf(error);
    // The token does not name its key: it may be any of them.
    let trouble: TokenTrouble = 'signature';
    for await (const key of error) {
      const claims = await verified(jose, token, () => key, options);
      if (claims !== 'signature') return claims;
      trouble = claims;
    }
    return trouble;
  }
}

/** @throws Error for a fault, without the error that it comes from: that may hold the token. */
function troubleOf(error: unknown): TokenTrouble {
  if (error instanceof KeyFault) throw error;
  const code = codeOf(error);
  if (code === 'ERR_JWT_CLAIM_VALIDATION_FAILED') return claimTroubleOf(error);
  const trouble = TROUBLES[code];
  if (trouble !== undefined) return trouble;
  throw new KeyFault(`The keys for tokens cannot be used (${code}).`);
}

function claimTroubleOf(error: unknown): TokenTrouble {
  const { claim, reason } = error as { readonly claim: unknown; readonly reason: unknown };
  if (claim === 'iss') return 'issuer';
  if (claim === 'aud') return 'audience';
  return claim === 'nbf' && reason === 'check_failed' ? 'not-yet-valid' : 'malformed';
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

/** Something that the operator has to mend. Holds nothing of a token. */
class KeyFault extends Error {}

type KeySource = (jose: Jose) => JWTVerifyGetKey;

function keySourceOf(keys: JwtKeys): KeySource {
  if ('key' in keys) {
    const key = keyObjectOf(keys.key);
    return () => () => key;
  }
  if ('jwks' in keys) return (jose) => jose.createLocalJWKSet(keys.jwks as JSONWebKeySet);
  const url = serverUrl('keys.url', keys.url, keys.acceptHttp ?? false);
  const { cooldownMs = 30_000, cacheMs = 600_000, timeoutMs = 5000 } = keys;
  return (jose) => {
    const remote = jose.createRemoteJWKSet(url, {
      cooldownDuration: cooldownMs,
      cacheMaxAge: cacheMs,
      timeoutDuration: timeoutMs,
      [jose.customFetch]: async (_, { headers }) =>
        Response.json(
          await requestJson(url, { headers }, { timeoutMs, maxOctets: MAX_KEYS_OCTETS }).catch(asKeyFault),
        ),
    });
    return remote;
  };
}

function asKeyFault(error: unknown): never {
  throw new KeyFault(`No keys for tokens: ${error instanceof Error ? error.message : 'unknown error'}`);
}

function algorithmsOf({ keys, algorithms = PUBLIC_KEY_ALGORITHMS }: JwtRules): string[] {
  for (const algorithm of algorithms) {
    if (PUBLIC_KEY_ALGORITHMS.includes(algorithm) || Object.hasOwn(SECRET_KEY_ALGORITHMS, algorithm))
      continue;
    refuse(`The algorithm ${JSON.stringify(algorithm)} is not one that tokens can be signed with here.`);
  }
  const usable = algorithms.filter(fits(keys));
  if (usable.length === 0) refuse('The keys fit none of the algorithms.');
  return usable;
}

/**
 * A key is used for algorithms of its own kind alone. Otherwise whoever has a public key could sign with it as if it
 * were the secret of HS256 (RFC 8725 section 2.1).
 */
function fits(keys: JwtKeys): (algorithm: string) => boolean {
  if (!('key' in keys)) {
    if ('jwks' in keys) checkKeySet(keys.jwks.keys);
    return (algorithm) => PUBLIC_KEY_ALGORITHMS.includes(algorithm);
  }
  const key = keyObjectOf(keys.key);
  if (key.type === 'secret') {
    return (algorithm) => {
      const least = SECRET_KEY_ALGORITHMS[algorithm];
      if (least === undefined) return false;
      if ((key.symmetricKeySize ?? 0) < least) refuse(`A key for ${algorithm} has at least ${least} octets.`);
      return true;
    };
  }
  const fitting = publicKeyAlgorithms(key);
  return (algorithm) => fitting.includes(algorithm);
}

function publicKeyAlgorithms({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): readonly string[] {
  if (asymmetricKeyType === 'rsa') {
    if ((asymmetricKeyDetails?.modulusLength ?? 0) < MIN_RSA_BITS)
      refuse(`An RSA key has at least ${MIN_RSA_BITS} bits.`);
    return RSA_ALGORITHMS;
  }
  if (asymmetricKeyType === 'ed25519') return ED25519_ALGORITHMS;
  const algorithm = CURVE_ALGORITHMS[asymmetricKeyDetails?.namedCurve ?? ''];
  return algorithm === undefined ? [] : [algorithm];
}

function checkKeySet(keys: readonly JsonWebKey[]): void {
  if (!Array.isArray(keys) || keys.length === 0) refuse('keys.jwks has no keys.');
  if (keys.some((key) => key.d !== undefined || key.k !== undefined)) refuse('keys.jwks holds a secret key.');
}

function keyObjectOf(key: string | KeyObject): KeyObject {
  if (typeof key !== 'string') {
    if (key.type === 'private') refuse('keys.key is a private key: the public one does it.');
    return key;
  }
  if (key.includes('PRIVATE KEY')) refuse('keys.key is a private key: the public one does it.');
  try {
    return createPublicKey(key);
  } catch {
    return refuse('keys.key is no public key or certificate in PEM.');
  }
}

function refuse(message: string): never {
  throw new Pop3Error('POP3_USAGE', message);
}

async function loadPackage(): Promise<Jose> {
  try {
    return await import('jose');
  } catch (cause) {
    throw new Error('Checking JSON Web Tokens needs the package jose: npm install jose', { cause });
  }
}
