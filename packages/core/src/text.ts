import { textOf } from './octets.js';

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Octets of a line that a server says about itself, CRLF included (RFC 1939 section 3, RFC 2449 section 3). */
export const MAX_LINE_OCTETS = 512;

/** A line without its CRLF that nothing can break: what is not printable ASCII becomes `?`, what is too much is cut. */
export function lineOf(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, '?').slice(0, MAX_LINE_OCTETS - 2);
}

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
