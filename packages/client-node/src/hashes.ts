import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { ScramForm } from '@pop3/core';
import type { ScramPasswordCrypto } from '@pop3/core/sasl';

const deriveKey = promisify(pbkdf2);

export function md5(octets: Uint8Array): Uint8Array {
  return createHash('md5').update(octets).digest();
}

export function hmacMd5(key: Uint8Array, octets: Uint8Array): Uint8Array {
  return createHmac('md5', key).update(octets).digest();
}

/** The hash functions of SCRAM. PBKDF2 runs in a thread: hundreds of thousands of iterations take tenths of a second. */
export const SCRAM_CRYPTO: Record<ScramForm, ScramPasswordCrypto> = {
  'scram-sha-1': cryptoOf('sha1', 20),
  'scram-sha-256': cryptoOf('sha256', 32),
  'scram-sha-512': cryptoOf('sha512', 64),
};

/** 18 random octets, which base64 writes without padding: a nonce of SCRAM (RFC 5802 section 5.1). */
export function freshNonce(): string {
  return randomBytes(18).toString('base64');
}

function cryptoOf(name: string, octets: number): ScramPasswordCrypto {
  return {
    hash: (data) => createHash(name).update(data).digest(),
    hmac: (key, data) => createHmac(name, key).update(data).digest(),
    pbkdf2: (password, salt, iterations) => deriveKey(password, salt, iterations, octets, name),
  };
}
