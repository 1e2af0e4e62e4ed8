import { decodeUtf8, encodeUtf8 } from '../text.js';
import { saslprep } from './saslprep.js';

/** RFC 4616 section 2 wants so many accepted. */
const MAX_FIELD_OCTETS = 255;

/** What no system takes for part of a name or a password. */
const UNFIT = /[\0\r\n]/;

/** A name or a password in a SASL response: UTF-8 without NUL, CR and LF. */
export function fieldOf(octets: Uint8Array): string | null {
  const text = octets.length > MAX_FIELD_OCTETS ? null : decodeUtf8(octets);
  return text === null || UNFIT.test(text) ? null : text;
}

/** A user name to look for, prepared; null when it is too long, or SASLprep prohibits it or leaves nothing of it. */
export function preparedName(name: string): string | null {
  return (encodeUtf8(name).length <= MAX_FIELD_OCTETS && saslprep(name)) || null;
}

/** An authorisation id, prepared (RFC 5034 section 4); only one that was sent empty is empty. */
export function authorizationIdOf(text: string): string | null {
  return text === '' ? '' : preparedName(text);
}
