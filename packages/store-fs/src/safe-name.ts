/** Most file systems have names of up to 255 octets. */
const MAX_NAME_OCTETS = 255;

/**
 * Characters that look like `/` or `\` and are not changed by normalisation. The others are: U+FF0F becomes `/`, U+2024
 * becomes `.`, and so a name with one of them is not its own normal form.
 */
const LOOK_ALIKES = /[\u2044\u2215\u2216\u29f5\u29f8\u29f9\u{1f67c}\u{1f67d}]/u;

/** Separators of paths and of Windows' named streams; control, format, private, unassigned and half characters. */
const NEVER = /[/\\:\p{C}]/u;

/** White space other than a space within the name. */
const ODD_SPACE = /[\p{Zl}\p{Zp}]|(?! )\p{Zs}|^ | $/u;

/**
 * Whether a name that a user chose may become one component of a path, as it is.
 *
 * True for 1 to 255 octets of UTF-8 that are the same in every normal form a file system may bring them into, do not
 * start or end with a dot, do not start or end with a space, and hold no separator, no look-alike of one, and nothing
 * that cannot be seen. So two names never mean one directory, and no name means a directory above.
 */
export function safeName(name: string): boolean {
  // A UTF-16 unit is at least one octet: what is longer need not be looked into.
  if (name.length === 0 || name.length > MAX_NAME_OCTETS) return false;
  if (PLAIN.test(name)) return true;
  if (NEVER.test(name) || LOOK_ALIKES.test(name) || ODD_SPACE.test(name)) return false;
  // Some file systems drop dots at the end: two names would be one directory.
  if (name.startsWith('.') || name.endsWith('.')) return false;
  return name.normalize('NFKC') === name && Buffer.byteLength(name) <= MAX_NAME_OCTETS;
}

/** Most names. They need none of the other checks. */
const PLAIN = /^[A-Za-z0-9_][A-Za-z0-9_@+=-]*(?:\.[A-Za-z0-9_@+=-]+)*$/;
