import { decodeUtf8 } from '../text.js';

/** RFC 4616 section 2 wants so many accepted. */
const MAX_FIELD_OCTETS = 255;

/** A name or a password in a SASL response: UTF-8 without NUL, CR and LF, which no system takes for part of one. */
export function fieldOf(octets: Uint8Array): string | null {
  const text = octets.length > MAX_FIELD_OCTETS ? null : decodeUtf8(octets);
  return text === null || /[\0\r\n]/.test(text) ? null : text;
}
