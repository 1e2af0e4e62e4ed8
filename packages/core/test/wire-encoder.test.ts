import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import wabt from 'wabt';
import { WireEncoder } from '../src/wire-encoder.js';
import { KERNEL_CODE, type WireKernel, wireKernel } from '../src/wire-kernel.js';
import { chunkLengths, chunksOf, cuts, latin1, octets, storedMessage } from './stored-message.js';

/** The kernel of a fresh copy of the module, as a runtime with this WebAssembly has it. */
async function kernelWith(webAssembly: unknown): Promise<WireKernel | null> {
  vi.resetModules();
  vi.stubGlobal('WebAssembly', webAssembly);
  try {
    return (await import('../src/wire-kernel.js')).wireKernel();
  } finally {
    vi.unstubAllGlobals();
  }
}

const kernel = wireKernel() as WireKernel;
const forms = { WebAssembly: kernel, JavaScript: null };

/** What has to go out, written as rules on the whole text. */
function wireFormOf(stored: string): string {
  const lines = stored.replace(/(?<!\r)\n/g, '\r\n');
  const completed = lines === '' || lines.endsWith('\n') ? lines : `${lines}\r\n`;
  return `${completed.replace(/(?<=^|\n)\./g, '..')}.\r\n`;
}

/** Encodes with a target of this many octets, which is emptied whenever nothing more fits. */
function encoded(encoder: WireEncoder, chunks: readonly Uint8Array[], targetOctets: number): string {
  const target = new Uint8Array(targetOctets);
  let wire = '';
  for (const chunk of chunks) {
    for (let from = 0; from < chunk.length; from += encoder.consumed) {
      encoder.encode(chunk, from, target, 0);
      expect(encoder.consumed).toBeGreaterThan(0);
      wire += latin1(target.subarray(0, encoder.produced));
    }
  }
  const last = new Uint8Array(5);
  return wire + latin1(last.subarray(0, encoder.end(last, 0)));
}

const VECTORS: readonly (readonly [rule: string, stored: string, wire: string])[] = [
  ['sends an empty message as the terminator alone', '', '.\r\n'],
  // TV-STUFF
  ['stuffs every line that starts with a dot', 'a\n.\n..b\n.c\n\n', 'a\r\n..\r\n...b\r\n..c\r\n\r\n.\r\n'],
  ['passes CRLF as it is', 'a\r\n.\r\n..b\r\n\r\n', 'a\r\n..\r\n...b\r\n\r\n.\r\n'],
  ['turns LF into CRLF in a message with both', 'a\r\nb\n\n\r\nc\n', 'a\r\nb\r\n\r\n\r\nc\r\n.\r\n'],
  ['completes the last line', 'abc', 'abc\r\n.\r\n'],
  ['completes a last line that is a dot', '.', '..\r\n.\r\n'],
  ['leaves a bare CR where it is and completes the line', 'abc\r', 'abc\r\r\n.\r\n'],
  ['takes a bare CR for no line end', 'a\r.b\r\r.\n', 'a\r.b\r\r.\r\n.\r\n'],
  ['takes CR CR LF for a bare CR and a CRLF', '\r\r\n.', '\r\r\n..\r\n.\r\n'],
  ['stuffs the very first octet', '.a\n', '..a\r\n.\r\n'],
  ['stuffs after an LF that it converts', '\n.\n', '\r\n..\r\n.\r\n'],
  ['stuffs no dot inside a line', 'a.b..\n', 'a.b..\r\n.\r\n'],
  ['leaves NUL and 8-bit octets alone', '\0\x80\xff\n\0', '\0\x80\xff\r\n\0\r\n.\r\n'],
];

for (const [form, kernel] of Object.entries(forms)) {
  describe(`WireEncoder in ${form}`, () => {
    for (const [rule, stored, wire] of VECTORS) {
      it(rule, () => {
        // Long enough, and at every place within a block of 16, for the kernel to take its part.
        for (let lines = 0; lines < 12; lines++) {
          const before = `${'x'.repeat(lines)}\n`.repeat(lines);
          const expected = before.replaceAll('\n', '\r\n') + wire;
          for (const [cut, chunks] of Object.entries(cuts(before + stored))) {
            expect(encoded(new WireEncoder(kernel), chunks, 4096), cut).toBe(expected);
          }
        }
      });
    }

    it('makes the wire form of any message in any chunks with any target', () => {
      const targetOctets = fc.oneof(fc.integer({ min: 2, max: 70 }), fc.integer({ min: 71, max: 700 }));
      fc.assert(
        fc.property(storedMessage, chunkLengths, targetOctets, (stored, lengths, target) => {
          const wire = encoded(new WireEncoder(kernel), chunksOf(stored, lengths), target);
          expect(wire).toBe(wireFormOf(latin1(stored)));
        }),
        { numRuns: 3000 },
      );
    });

    it('goes over the borders of the kernel memory', () => {
      const filler = fc.constantFrom('x', '\n', '\r', '.\n', 'mail\n', 'mail\r\n');
      fc.assert(
        fc.property(filler, fc.integer({ min: -40, max: 40 }), storedMessage, (fill, offset, message) => {
          const before = fill.repeat(16_424 / fill.length).slice(0, 16_384 + offset);
          const stored = before + latin1(message) + before;
          expect(encoded(new WireEncoder(kernel), [octets(stored)], 70_000)).toBe(wireFormOf(stored));
        }),
        { numRuns: 100 },
      );
    });

    it('stays within its room, and needs two octets of it', () => {
      const encoder = new WireEncoder(kernel);
      const source = octets('\n.'.repeat(100));
      for (let room = 0; room < 150; room++) {
        const target = new Uint8Array(3 + room).fill(0x7e);
        encoder.encode(source, 0, target, 3);
        expect(encoder.consumed).toBe(Math.floor(room / 2));
        expect(encoder.produced).toBe(encoder.consumed * 2);
        expect(latin1(target)).toBe(
          `~~~${'\r\n..'.repeat(50).slice(0, encoder.produced)}`.padEnd(3 + room, '~'),
        );
        encoder.end(new Uint8Array(5), 0);
      }
    });

    it('starts anew after the end of a message', () => {
      const encoder = new WireEncoder(kernel);
      expect(encoded(encoder, [octets('a\r')], 9)).toBe('a\r\r\n.\r\n');
      expect(encoded(encoder, [octets('.')], 9)).toBe('..\r\n.\r\n');
      expect(encoded(encoder, [], 9)).toBe('.\r\n');
    });
  });
}

describe('WireKernel', () => {
  it('does the step of the JavaScript form, octet by octet, whatever the sizes', () => {
    // One octet before `from` is what came before, so the JavaScript form is brought there by encoding it.
    const room = fc.nat({ max: 300 });
    fc.assert(
      fc.property(
        storedMessage,
        fc.nat({ max: 70 }),
        room,
        fc.nat({ max: 20 }),
        (source, skip, octets, at) => {
          const from = Math.min(skip, source.length);
          const last = from === 0 ? 0x0a : (source[from - 1] as number);
          const byJavaScript = new Uint8Array(at + octets);
          const byKernel = new Uint8Array(at + octets);
          const encoder = new WireEncoder();
          if (from > 0) encoder.encode(Uint8Array.of(last), 0, new Uint8Array(2), 0);
          encoder.encode(source, from, byJavaScript, at);
          kernel.encode(last, source, from, byKernel, at);
          expect([kernel.consumed, kernel.produced]).toEqual([encoder.consumed, encoder.produced]);
          expect(byKernel).toEqual(byJavaScript);
        },
      ),
      { numRuns: 5000 },
    );
  });

  it('is what wire-kernel.wat says', async () => {
    const name = 'wire-kernel.wat';
    const text = readFileSync(new URL(`../src/${name}`, import.meta.url), 'utf8');
    const assembled = (await wabt()).parseWat(name, text, { simd: true }).toBinary({}).buffer;
    expect(KERNEL_CODE).toBe(Buffer.from(assembled).toString('base64'));
  });

  it('is compiled only once, and not before it is asked for', async () => {
    const Module = vi.fn(WebAssembly.Module);
    vi.resetModules();
    vi.stubGlobal('WebAssembly', { Module, Instance: WebAssembly.Instance });
    try {
      const { wireKernel } = await import('../src/wire-kernel.js');
      const { wireOctetsOf } = await import('../src/octet-counter.js');
      wireOctetsOf(octets('short\n'));
      expect(Module).toHaveBeenCalledTimes(0);
      wireOctetsOf(octets('long\n'.repeat(100)));
      expect(wireKernel()).toBe(wireKernel());
      expect(Module).toHaveBeenCalledTimes(1);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('is not there without WebAssembly or where it must not be compiled', async () => {
    const forbidden = {
      Module: class {
        constructor() {
          throw new WebAssembly.CompileError('Wasm code generation disallowed by embedder');
        }
      },
    };
    for (const webAssembly of [undefined, {}, forbidden]) expect(await kernelWith(webAssembly)).toBeNull();
  });
});
