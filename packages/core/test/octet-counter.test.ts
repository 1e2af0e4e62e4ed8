import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { OctetCounter, wireOctetsOf } from '../src/octet-counter.js';
import { WireEncoder } from '../src/wire-encoder.js';
import { chunkLengths, chunksOf, cuts, latin1, octets, storedMessage } from './stored-message.js';

const SIZES: readonly (readonly [message: string, octets: number])[] = [
  ['', 0],
  ['\n', 2],
  ['\r\n', 2],
  ['\r', 3],
  ['\n\n', 4],
  ['\n\r\n', 4],
  ['\r\r\n', 3],
  ['\r\n\n', 4],
  ['a', 3],
  ['abc\r', 6],
  ['a\rb', 5],
  ['.\n.', 6],
  ['\0\xff\n', 4],
  // TV-STUFF: stuffing is not counted.
  ['a\n.\n..b\n.c\n\n', 17],
  ['a\r\n.\r\n..b\r\n.c\r\n\r\n', 17],
];

/** What goes out for a message, without the stuffing and without the terminator. */
function sentOctets(stored: Uint8Array): number {
  const encoder = new WireEncoder();
  const target = new Uint8Array(stored.length * 2 + 5);
  encoder.encode(stored, 0, target, 0);
  const wire = latin1(target.subarray(0, encoder.end(target, encoder.produced)));
  return wire.slice(0, -'.\r\n'.length).replace(/(?<=^|\r\n)\./g, '').length;
}

async function inJavaScript() {
  vi.resetModules();
  vi.stubGlobal('WebAssembly', undefined);
  try {
    const { OctetCounter, wireOctetsOf } = await import('../src/octet-counter.js');
    wireOctetsOf(new Uint8Array(1000));
    return { OctetCounter, wireOctetsOf };
  } finally {
    vi.unstubAllGlobals();
  }
}

const forms = { WebAssembly: { OctetCounter, wireOctetsOf }, JavaScript: await inJavaScript() };

for (const [form, { OctetCounter, wireOctetsOf }] of Object.entries(forms)) {
  describe(`OctetCounter in ${form}`, () => {
    for (const [message, size] of SIZES) {
      it(`counts ${size} octets for ${JSON.stringify(message)}`, () => {
        // Long enough, and at every place within a block of 16, for the kernel to be asked.
        for (let lines = 0; lines < 20; lines++) {
          const before = `${'x'.repeat(lines)}\n`.repeat(lines);
          for (const [cut, chunks] of Object.entries(cuts(before + message))) {
            const counter = new OctetCounter();
            for (const chunk of chunks) counter.add(chunk);
            expect(counter.octets, cut).toBe(lines * (lines + 2) + size);
          }
        }
      });
    }

    it('counts what the encoder sends, without stuffing and terminator, for any message in any chunks', () => {
      fc.assert(
        fc.property(storedMessage, chunkLengths, (stored, lengths) => {
          const counter = new OctetCounter();
          for (const chunk of chunksOf(stored, lengths)) counter.add(chunk);
          expect(counter.octets).toBe(sentOctets(stored));
          expect(wireOctetsOf(stored)).toBe(counter.octets);
        }),
        { numRuns: 3000 },
      );
    });

    it('goes over the borders of the kernel memory', () => {
      for (const line of ['\n', '\r\n', '\r', 'mail\n', 'mail\r\n']) {
        for (let octetsBefore = 0; octetsBefore < 20; octetsBefore++) {
          const stored = octets('x'.repeat(octetsBefore) + line.repeat(10_000));
          expect(wireOctetsOf(stored)).toBe(sentOctets(stored));
        }
      }
    });

    it('can be asked before the message is complete', () => {
      const counter = new OctetCounter();
      counter.add(octets('a'));
      expect(counter.octets).toBe(3);
      counter.add(octets('b\n'));
      expect(counter.octets).toBe(4);
      counter.add(octets(''));
      expect(counter.octets).toBe(4);
    });
  });
}
