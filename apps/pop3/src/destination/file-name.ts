import { createHash } from 'node:crypto';

/** What file systems take is 255 octets; the rest is for endings. */
const MAX_OCTETS = 200;

/**
 * A unique-id as the name of a file: letters, digits and `_ - .` stay, but for a first dot, and all else is `%XX`. Two
 * unique-ids never have the same name; of a long one, a part is replaced by a hash of it.
 */
export function fileNameOf(uniqueId: string): string {
  const name = uniqueId.replace(/^\.|[^A-Za-z0-9_.-]/gu, percent);
  if (name.length <= MAX_OCTETS) return name;
  const hash = createHash('sha256').update(uniqueId).digest('hex');
  return `${name.slice(0, MAX_OCTETS - hash.length - 1)}~${hash}`;
}

function percent(character: string): string {
  return Array.from(
    Buffer.from(character),
    (octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`,
  ).join('');
}
