import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { LoginCrypto } from '@pop3/core/driver';

const deriveKey = promisify(pbkdf2);

/** What logins need of Node. PBKDF2 runs in a thread: hundreds of thousands of iterations take tenths of a second. */
export const LOGIN_CRYPTO = {
  scram: {
    'scram-sha-1': scram('sha1', 20),
    'scram-sha-256': scram('sha256', 32),
    'scram-sha-512': scram('sha512', 64),
  },
  hmacMd5: hmac('md5'),
  md5: hash('md5'),
} satisfies LoginCrypto;

function scram(name: string, octets: number) {
  return {
    // 18 octets, which base64 writes without padding (RFC 5802 section 5.1).
    nonce: () => randomBytes(18).toString('base64'),
    crypto: {
      hash: hash(name),
      hmac: hmac(name),
      pbkdf2: (password: Uint8Array, salt: Uint8Array, iterations: number) =>
        deriveKey(password, salt, iterations, octets, name),
    },
  };
}

function hash(name: string) {
  return (octets: Uint8Array): Uint8Array => createHash(name).update(octets).digest();
}

function hmac(name: string) {
  return (key: Uint8Array, octets: Uint8Array): Uint8Array => createHmac(name, key).update(octets).digest();
}
