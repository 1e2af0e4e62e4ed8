import { hash, timingSafeEqual } from 'node:crypto';
import { md5GoingOn, md5StateAfter, octetsOfState, stateOfOctets } from './md5.js';
import type { PasswordScheme } from './password-scheme.js';

const BLOCK_OCTETS = 64;
const CONTEXT = /^[0-9a-f]{64}$/i;

/**
 * `{CRAM-MD5}` and `{HMAC-MD5}`: what HMAC-MD5 (RFC 2104) makes of the password before it sees a challenge, as Dovecot
 * writes it: the MD5 state behind the outer pad and the one behind the inner pad, in hexadecimal. Whoever reads it can log
 * in by CRAM-MD5 and has not yet the password; a guess costs two blocks of MD5, so it protects nothing but a good one.
 */
export const cramMd5Context: PasswordScheme = {
  names: ['CRAM-MD5', 'HMAC-MD5'],
  slow: false,
  problemOf: (data) => (CONTEXT.test(data) ? null : 'the data is not 64 hexadecimal digits'),
  costOf: () => '',
  verify: (password, data) => timingSafeEqual(contextOf(password), Buffer.from(data, 'hex')),
  hash: (password) => contextOf(password).toString('hex'),
  hmacMd5(data, octets) {
    const context = Buffer.from(data, 'hex');
    const inner = md5GoingOn(stateOfOctets(context.subarray(16)), octets);
    return md5GoingOn(stateOfOctets(context.subarray(0, 16)), inner);
  },
};

function contextOf(password: string): Buffer {
  const octets = Buffer.from(password);
  const key = Buffer.alloc(BLOCK_OCTETS);
  key.set(octets.length > BLOCK_OCTETS ? hash('md5', octets, 'buffer') : octets);
  const stateBehind = (pad: number): Buffer => octetsOfState(md5StateAfter(key.map((octet) => octet ^ pad)));
  return Buffer.concat([stateBehind(0x5c), stateBehind(0x36)]);
}
