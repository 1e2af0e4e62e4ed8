import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import type { ScramForm } from '../src/adapter.js';
import type { ScramPasswordCrypto } from '../src/sasl/index.js';

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
