import { expect, it } from 'vitest';
import { LOGIN_CRYPTO } from '../src/hashes.js';

it.each(['scram-sha-1', 'scram-sha-256', 'scram-sha-512'] as const)(
  '%s leaves the event loop free while it computes, and gives as many octets as the hash has',
  async (form) => {
    const { crypto } = LOGIN_CRYPTO.scram[form];
    const derived = crypto.pbkdf2(Buffer.from('pencil'), Buffer.from('salt'), 4_096);
    expect(derived).toBeInstanceOf(Promise);
    expect((await derived).length).toBe(crypto.hash(Buffer.from('')).length);
    expect(crypto.hmac(Buffer.from('key'), Buffer.from(''))).toHaveLength((await derived).length);
  },
);

it('has a nonce of 18 octets, another each time', () => {
  const nonces = new Set(Array.from({ length: 100 }, LOGIN_CRYPTO.scram['scram-sha-256'].nonce));
  expect(nonces.size).toBe(100);
  for (const nonce of nonces) expect(nonce).toMatch(/^[A-Za-z0-9+/]{24}$/);
});
