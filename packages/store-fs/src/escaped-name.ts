/**
 * Names in the files that a store keeps beside the messages: one line for each, parts with spaces between them. In a
 * name, `%` and two hexadecimal digits stand for a space, a `%` and a control character; other octets are as they are.
 */
export function escapedName(name: string): string {
  return NEEDS_ESCAPE.test(name) ? name.replace(ESCAPED, inHexadecimal) : name;
}

const NEEDS_ESCAPE = /[^!-$&-~\x80-\xff]/;
const ESCAPED = /[^!-$&-~\x80-\xff]/g;

function inHexadecimal(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
}
