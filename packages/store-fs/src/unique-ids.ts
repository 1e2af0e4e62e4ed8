/**
 * Which unique-id a message has (RFC 1939 section 7).
 *
 * The default is the part of its name that Maildir wants to be like no other, or a hash of that part when it cannot go
 * on the wire. An id that is anything else is written down in `pop3-uidl` before it is given: ids that another server
 * gave, and the id of a message whose name is not as unique as it should be. What is written there wins for good.
 */
import { createHash } from 'node:crypto';
import { NAME_ENCODING } from './message-path.js';

const MAX_UNIQUE_ID_OCTETS = 70;

/** Whether this can go on the wire as a unique-id: 1 to 70 octets from 0x21 to 0x7E. */
export function isUniqueId(id: string): boolean {
  if (id.length < 1 || id.length > MAX_UNIQUE_ID_OCTETS) return false;
  for (let i = 0; i < id.length; i++) {
    const octet = id.charCodeAt(i);
    if (octet < 0x21 || octet > 0x7e) return false;
  }
  return true;
}

/**
 * The unique-id that follows from the name of a message alone.
 *
 * @param unique - the name up to any comma or flags, octets as Latin-1 characters
 */
export function defaultUniqueId(unique: string): string {
  return isUniqueId(unique) ? unique : hashed(unique);
}

/**
 * The unique-id for a message whose default belongs to another one.
 *
 * @param base - the name without flags, octets as Latin-1 characters
 */
export function distinctUniqueId(base: string): string {
  // A line end is in no default: the two hashes are never of the same octets.
  return hashed(`${base}\n`);
}

/** 43 octets. */
function hashed(text: string): string {
  return createHash('sha256').update(Buffer.from(text, NAME_ENCODING)).digest('base64url');
}
