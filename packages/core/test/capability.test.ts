import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeCapabilities, parseCapabilities } from '../src/capability.js';
import { anyText } from './any-text.js';

describe('encodeCapabilities', () => {
  it('writes the example of RFC 2449', () => {
    const capabilities = new Map([
      ['TOP', []],
      ['SASL', ['CRAM-MD5', 'KERBEROS_V4']],
      ['LOGIN-DELAY', ['900']],
      ['IMPLEMENTATION', ['Shlemazle-Plotz-v302']],
    ]);
    expect(encodeCapabilities(capabilities)).toEqual([
      'TOP',
      'SASL CRAM-MD5 KERBEROS_V4',
      'LOGIN-DELAY 900',
      'IMPLEMENTATION Shlemazle-Plotz-v302',
    ]);
  });

  it('writes one line of printable ASCII for each, whatever the parameters are', () => {
    const parameter = fc.oneof(anyText(100), fc.constant('x'.repeat(600)));
    fc.assert(
      fc.property(fc.array(parameter, { maxLength: 5 }), (parameters) => {
        const [line = '', ...more] = encodeCapabilities(new Map([['IMPLEMENTATION', parameters]]));
        expect(more).toEqual([]);
        expect(line).toMatch(/^IMPLEMENTATION[ -~]*$/);
        expect(line.length).toBeLessThanOrEqual(510);
      }),
    );
  });
});

describe('parseCapabilities', () => {
  const vectors: readonly (readonly [
    what: string,
    lines: string[],
    capabilities: Record<string, string[]>,
  ])[] = [
    ['nothing', [], {}],
    ['tags in any case', ['top', 'Sasl PLAIN'], { TOP: [], SASL: ['PLAIN'] }],
    ['parameters as they are sent', ['EXPIRE 5 USER', 'expire never'], { EXPIRE: ['never'] }],
    ['tags that it does not know', ['CAPA', 'X-FOO bar'], { CAPA: [], 'X-FOO': ['bar'] }],
    ['tags that start with a dot', ['.x'], { '.X': [] }],
    ['spaces at the ends and several between', [' SASL  PLAIN   LOGIN '], { SASL: ['PLAIN', 'LOGIN'] }],
    ['empty lines', ['', 'UIDL', ' '], { UIDL: [] }],
  ];
  for (const [what, lines, capabilities] of vectors) {
    it(`reads ${what}`, () => {
      expect(Object.fromEntries(parseCapabilities(lines))).toEqual(capabilities);
    });
  }

  it('reads what a server writes', () => {
    const word = fc.string({ unit: fc.constantFrom(...'ABCXYZ019-_./'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.dictionary(word, fc.array(word, { maxLength: 5 })), (record) => {
        const capabilities = new Map(Object.entries(record));
        expect(parseCapabilities(encodeCapabilities(capabilities))).toEqual(capabilities);
      }),
    );
  });
});
