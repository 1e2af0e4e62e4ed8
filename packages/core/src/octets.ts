/** Octets with a meaning on the wire, and the conversions between them and text. */
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const PLUS = 0x2b;
export const DOT = 0x2e;
export const DIGIT_0 = 0x30;
export const DIGIT_9 = 0x39;

/** The octets of a text that holds only code points below 256, one octet each. */
export function octetsOf(text: string): Uint8Array {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
  return octets;
}

/** One character for each octet (ISO 8859-1), so that no octet is lost; `mask` says which bits of them count. */
export function textOf(octets: Uint8Array, mask = 0xff): string {
  let text = '';
  for (const octet of octets) text += String.fromCharCode(octet & mask);
  return text;
}
