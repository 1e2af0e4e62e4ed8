import { octetsOf, textOf } from './octets.js';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Base64 with padding and without line ends (RFC 4648 section 4). */
export function encodeBase64(octets: Uint8Array): string {
  return btoa(textOf(octets));
}

/**
 * Null for anything but whole groups of the alphabet: an octet outside it, or a `=` before the end, is an error of
 * the peer and must not be skipped (RFC 5034 section 4).
 */
export function decodeBase64(text: string): Uint8Array | null {
  return text.length % 4 === 0 && BASE64.test(text) ? octetsOf(atob(text)) : null;
}
