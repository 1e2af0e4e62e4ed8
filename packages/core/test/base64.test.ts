import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeBase64, encodeBase64 } from '../src/base64.js';
import { octets } from './stored-message.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** RFC 4648 section 4, six bits at a time. */
function encodedByHand(source: Uint8Array): string {
  const bits = [...source].map((octet) => octet.toString(2).padStart(8, '0')).join('');
  const sextets = bits.match(/.{1,6}/g) ?? [];
  const text = sextets.map((sextet) => ALPHABET[Number.parseInt(sextet.padEnd(6, '0'), 2)]).join('');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

function decodedByHand(text: string): number[] | null {
  const [, digits = '', padding = ''] = /^([^=]*)(={0,2})$/.exec(text) ?? [];
  if (digits.length + padding.length !== text.length || text.length % 4 !== 0) return null;
  if ([...digits].some((digit) => !ALPHABET.includes(digit))) return null;
  const bits = [...digits].map((digit) => ALPHABET.indexOf(digit).toString(2).padStart(6, '0')).join('');
  return (bits.match(/.{8}/g) ?? []).map((octet) => Number.parseInt(octet, 2));
}

describe('base64', () => {
  const vectors: readonly (readonly [plain: string, encoded: string])[] = [
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
    ['test\0test\0test', 'dGVzdAB0ZXN0AHRlc3Q='],
    ['Username:', 'VXNlcm5hbWU6'],
    ['\0\xff\xfe\x80', 'AP/+gA=='],
  ];
  for (const [plain, encoded] of vectors) {
    it(`writes ${JSON.stringify(plain)} as ${JSON.stringify(encoded)} and reads it back`, () => {
      expect(encodeBase64(octets(plain))).toBe(encoded);
      expect(decodeBase64(encoded)).toEqual(octets(plain));
    });
  }

  const bad = ['=', '==', '=AAA', 'AAA=BBB', 'AAA=BBBB', 'A===', 'AA=A', '====', 'A', 'AA', 'AAA', 'AAAAA'];
  for (const text of [...bad, 'AA-_', 'AA A', ' AAAA', 'AAAA ', 'AAAA\n', 'AAAA\r\n', 'AA\0A', 'AAAé', '*']) {
    it(`refuses ${JSON.stringify(text)} instead of skipping what is wrong with it`, () => {
      expect(decodeBase64(text)).toBeNull();
    });
  }

  it('agrees with a reference written bit by bit, for any octets and any text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (source) => {
        expect(encodeBase64(source)).toBe(encodedByHand(source));
        expect(decodeBase64(encodedByHand(source))).toEqual(source);
      }),
    );
    const text = fc.string({
      unit: fc.constantFrom(...ALPHABET.slice(0, 6), '+', '/', '=', '=', ' '),
      maxLength: 13,
    });
    fc.assert(
      fc.property(text, (any) => {
        const decoded = decodeBase64(any);
        expect(decoded && [...decoded]).toEqual(decodedByHand(any));
      }),
      { numRuns: 1000 },
    );
  });

  it('reads the longest SASL response that a session takes', () => {
    expect(decodeBase64('QUFB'.repeat(16_384))).toHaveLength(49_152);
    expect(decodeBase64(`${'QUFB'.repeat(16_384)}=`)).toBeNull();
  });
});
