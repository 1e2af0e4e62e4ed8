import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { ScramForm } from '../src/adapter.js';
import type { LoginCrypto } from '../src/driver/index.js';
import type { ScramPasswordCrypto } from '../src/sasl/index.js';

export function md5(octets: Uint8Array): Uint8Array {
  return createHash('md5').update(octets).digest();
}

export function hmacMd5(key: Uint8Array, octets: Uint8Array): Uint8Array {
  return createHmac('md5', key).update(octets).digest();
}

function hashesOf(name: string): ScramPasswordCrypto {
  const hash = (octets: Uint8Array) => createHash(name).update(octets).digest();
  return {
    hash,
    hmac: (key, octets) => createHmac(name, key).update(octets).digest(),
    pbkdf2: (password, salt, iterations) =>
      pbkdf2Sync(password, salt, iterations, hash(new Uint8Array(0)).length, name),
  };
}

export const HASHES: Record<ScramForm, ScramPasswordCrypto> = {
  'scram-sha-1': hashesOf('sha1'),
  'scram-sha-256': hashesOf('sha256'),
  'scram-sha-512': hashesOf('sha512'),
};

/** Everything that a login can need. The nonce is the one of RFC 5802 section 5. */
export const LOGIN_CRYPTO: LoginCrypto = {
  scram: {
    'scram-sha-1': withNonce('scram-sha-1'),
    'scram-sha-256': withNonce('scram-sha-256'),
    'scram-sha-512': withNonce('scram-sha-512'),
  },
  hmacMd5,
  md5,
};

function withNonce(form: ScramForm) {
  return { crypto: HASHES[form], nonce: () => 'fyko+d2lbbFgONRv9qkxdawL' };
}
