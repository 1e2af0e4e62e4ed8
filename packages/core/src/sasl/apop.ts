import type { Credentials } from '../adapter.js';
import { octetsOf } from '../octets.js';
import { encodeUtf8 } from '../text.js';
import { sameOctets } from './constant-time.js';
import { hexOf } from './hex.js';

/** MD5 of the octets, 16 of them. The core has no hash functions of its own. */
export type Md5 = (octets: Uint8Array) => Uint8Array;

/** The digest of APOP (RFC 1939 section 7): MD5 of the timestamp with its brackets, then the secret; 32 hexadecimal digits. */
export function apopDigest(md5: Md5, timestamp: string, secret: string): string {
  return hexOf(md5(encodeUtf8(timestamp + secret)));
}

/** Whether the peer knows the secret. Takes the same time wherever two digests differ. */
export function verifyApop(
  md5: Md5,
  { timestamp, digest }: Extract<Credentials, { type: 'apop' }>,
  secret: string,
): boolean {
  return sameOctets(octetsOf(apopDigest(md5, timestamp, secret)), octetsOf(digest));
}
