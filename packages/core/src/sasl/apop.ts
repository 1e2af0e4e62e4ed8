import type { Credentials } from '../adapter.js';
import { encodeUtf8 } from '../text.js';

/** MD5 of the octets, 16 of them. The core has no hash functions of its own. */
export type Md5 = (octets: Uint8Array) => Uint8Array;

/** The digest of APOP (RFC 1939 section 7): MD5 of the timestamp with its brackets, then the secret; 32 hexadecimal digits. */
export function apopDigest(md5: Md5, timestamp: string, secret: string): string {
  let digest = '';
  for (const octet of md5(encodeUtf8(timestamp + secret))) digest += octet.toString(16).padStart(2, '0');
  return digest;
}

/** Whether the peer knows the secret. Takes the same time wherever two digests differ. */
export function verifyApop(
  md5: Md5,
  { timestamp, digest }: Extract<Credentials, { type: 'apop' }>,
  secret: string,
): boolean {
  const expected = apopDigest(md5, timestamp, secret);
  let difference = expected.length ^ digest.length;
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ digest.charCodeAt(i);
  return difference === 0;
}
