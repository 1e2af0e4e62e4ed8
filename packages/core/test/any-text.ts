import fc from 'fast-check';

/** Any character that is well-formed alone, most of them from where lines and codes can break. */
export const anyCharacter: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('\r', '\n', '\0', '\t', ' ', '[', ']', '<', '>', '@', '"', '\\', '\x7f', '\x85', '\u2028'),
  fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  fc.integer({ min: 0, max: 0x10_ffff }).map((code) => {
    const surrogate = code >= 0xd800 && code <= 0xdfff;
    return surrogate ? '\ufffd' : String.fromCodePoint(code);
  }),
);

export function anyText(maxLength: number): fc.Arbitrary<string> {
  return fc.string({ unit: anyCharacter, maxLength });
}
