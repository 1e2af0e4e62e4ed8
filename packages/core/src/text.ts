import { textOf } from './octets.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function encodeUtf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Null when the octets are not well-formed UTF-8. */
export function decodeUtf8(octets: Uint8Array): string | null {
  try {
    return decoder.decode(octets);
  } catch {
    return null;
  }
}

/**
 * USER and PASS name no character set (RFC 1939). Nearly all clients send UTF-8; octets that cannot be UTF-8 come
 * from clients that use ISO 8859-1, and refusing them would only lock these people out.
 */
export function decodeName(octets: Uint8Array): string {
  return decodeUtf8(octets) ?? textOf(octets);
}
