const PERCENT = 0x25;

/**
 * Names in the files that a store keeps beside the messages: one line for each, parts with spaces between them. In a
 * name, `%` and two hexadecimal digits stand for a space, a `%` and a control character; other octets are as they are.
 */
export function escapedName(name: string): string {
  return isPlainName(name) ? name : name.replace(/[^!-$&-~\x80-\xff]/g, inHexadecimal);
}

/** What {@link escapedName} was made of. */
export function unescapedName(escaped: string): string {
  return escaped.replace(/%([0-9A-F]{2})/g, (_, digits) => String.fromCharCode(Number.parseInt(digits, 16)));
}

/**
 * Whether a name is ASCII and needs no escapes, as nearly all do. A loop, since this is asked of every name there is:
 * an expression costs as much and leaves garbage.
 */
export function isPlainName(name: string): boolean {
  for (let i = 0; i < name.length; i++) {
    const octet = name.charCodeAt(i);
    if (octet < 0x21 || octet > 0x7e || octet === PERCENT) return false;
  }
  return true;
}

function inHexadecimal(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
