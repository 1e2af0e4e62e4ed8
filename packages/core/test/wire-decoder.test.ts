import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WireDecoder, type WireDecoderOptions } from '../src/wire-decoder.js';
import { WireEncoder } from '../src/wire-encoder.js';
import { chunkLengths, chunksOf, cuts, latin1, octets, storedMessage } from './stored-message.js';

interface Read {
  readonly content: string;
  readonly done: boolean;
  /** What came after the terminator. */
  readonly rest: string;
}

function read(chunks: readonly Uint8Array[], options?: WireDecoderOptions): Read {
  const decoder = new WireDecoder(options);
  let content = '';
  for (const [i, chunk] of chunks.entries()) {
    // The decoder works in the memory of what it is given.
    const decoded = decoder.decode(chunk.slice());
    const { consumed, done } = decoded;
    content += latin1(decoded.content);
    if (done) {
      const rest =
        latin1(chunk.subarray(consumed)) +
        chunks
          .slice(i + 1)
          .map(latin1)
          .join('');
      return { content, done, rest };
    }
    expect(consumed).toBe(chunk.length);
  }
  return { content, done: false, rest: '' };
}

/** The rule, written on the whole text: lines end with what this expression says. */
function expected(wire: string, lineEnd: '\\r\\n' | '\\r?\\n'): Read {
  const terminator = new RegExp(`(?<=^|${lineEnd})\\.${lineEnd}`).exec(wire);
  const stuffing = new RegExp(`(?<=^|${lineEnd})\\.`, 'g');
  if (terminator !== null) {
    const content = wire.slice(0, terminator.index).replace(stuffing, '');
    return { content, done: true, rest: wire.slice(terminator.index + terminator[0].length) };
  }
  // A dot that starts the last line, with or without a CR, may be the start of the terminator.
  const certain = wire.replace(new RegExp(`(?<=(?:^|${lineEnd})\\.)\\r$`), '');
  return { content: certain.replace(stuffing, ''), done: false, rest: '' };
}

const VECTORS: readonly (readonly [rule: string, wire: string, content: string])[] = [
  ['reads an empty response', '.\r\n', ''],
  // TV-STUFF
  ['removes one dot', 'a\r\n..\r\n...b\r\n..c\r\n\r\n.\r\n', 'a\r\n.\r\n..b\r\n.c\r\n\r\n'],
  ['removes a dot that nobody had to stuff', '.a\r\n.\r\n', 'a\r\n'],
  ['takes no line for the terminator that only starts with a dot', '. \r\n.x\r\n.\r\n', ' \r\nx\r\n'],
  ['takes ". CR" and something else for content', 'a\r\n.\rb\r\n.\r\r\n.\r\n', 'a\r\n\rb\r\n\r\r\n'],
  ['leaves dots inside lines alone', 'a.\r\nb..c\r\n.\r\n', 'a.\r\nb..c\r\n'],
  ['takes a lone dot between bare LFs for content', 'A: b\r\n\n.\n\r\n.\r\n', 'A: b\r\n\n.\n\r\n'],
  ['takes a lone dot between a bare LF and CRLF for content', 'A: b\r\n\n.\r\n.\r\n', 'A: b\r\n\n.\r\n'],
  ['takes a lone dot between CRLF and a bare LF for content', 'A: b\r\n.\nc\r\n.\r\n', 'A: b\r\n\nc\r\n'],
  ['takes a lone dot between bare CRs for content', 'a\r.\r.\r\n.\r\n', 'a\r.\r.\r\n'],
  ['finds the terminator after CR CR LF', 'a\r\r\n.\r\n', 'a\r\r\n'],
  ['leaves NUL and 8-bit octets alone', '\0\x80\xff\r\n.\r\n', '\0\x80\xff\r\n'],
];

const BARE_LF_VECTORS: readonly (readonly [rule: string, wire: string, content: string])[] = [
  ['reads an empty response that ends in a bare LF', '.\n', ''],
  ['reads a response with bare LFs, and leaves them', 'a\n..\n...b\n\n.\n', 'a\n.\n..b\n\n'],
  ['finds a proper terminator after bare LFs', 'a\nb\n.\r\n', 'a\nb\n'],
  ['reads both line ends once the first was a bare LF', 'a\n..b\r\n..c\n.\n', 'a\n.b\r\n.c\n'],
];

/** After the terminator another response starts, which may look like anything. */
const NEXT = ['', '+OK\r\n', '.\r\n', '\n'];

describe('WireDecoder', () => {
  for (const [rule, wire, content] of VECTORS) {
    it(rule, () => {
      for (const rest of NEXT) {
        for (const [cut, chunks] of Object.entries(cuts(wire + rest))) {
          expect(read(chunks), cut).toEqual({ content, done: true, rest });
          expect(read(chunks, { acceptBareLf: true }), cut).toEqual({ content, done: true, rest });
        }
      }
    });
  }

  for (const [rule, wire, content] of BARE_LF_VECTORS) {
    it(`${rule}, only with acceptBareLf`, () => {
      for (const [cut, chunks] of Object.entries(cuts(`${wire}+OK\r\n`))) {
        expect(read(chunks, { acceptBareLf: true }), cut).toEqual({ content, done: true, rest: '+OK\r\n' });
        expect(read(chunks).done, cut).toBe(false);
      }
    });
  }

  it('finds the terminator wherever the chunks end', () => {
    const wire = '..\r\n\r\n.\r.\r\n\r\n..\r\r\n.\r\n+OK\r\n';
    const whole = read([octets(wire)]);
    expect(whole).toEqual({ content: '.\r\n\r\n\r.\r\n\r\n.\r\r\n', done: true, rest: '+OK\r\n' });
    for (let first = 0; first <= wire.length; first++) {
      for (let second = first; second <= wire.length; second++) {
        const chunks = [wire.slice(0, first), wire.slice(first, second), wire.slice(second)].map(octets);
        expect(read(chunks)).toEqual(whole);
      }
    }
  });

  it('keeps the CR that a chunk ended with, also where the next chunk has another behind a dot', () => {
    const chunks = ['a\r\n.\r', 'b\r\n.\rc\r\n.\r\n'].map(octets);
    expect(read(chunks)).toEqual({ content: 'a\r\n\rb\r\n\rc\r\n', done: true, rest: '' });
  });

  it('reads any octets by the rule, in any chunks', () => {
    fc.assert(
      fc.property(storedMessage, chunkLengths, fc.boolean(), (wire, lengths, acceptBareLf) => {
        const text = latin1(wire);
        const bareFirst = /^[^\n]*(?<!\r)\n/.test(text);
        const lineEnd = acceptBareLf && bareFirst ? '\\r?\\n' : '\\r\\n';
        expect(read(chunksOf(wire, lengths), { acceptBareLf })).toEqual(expected(text, lineEnd));
      }),
      { numRuns: 5000 },
    );
  });

  it('reads by the rule what is nothing but dots, line ends and a letter, in any two and three chunks', () => {
    const octet = fc.constantFrom('.', '\r', '\n', 'x', '.\r', '\r\n', '\r\n.');
    fc.assert(
      fc.property(
        fc.string({ unit: octet, maxLength: 16 }),
        fc.boolean(),
        fc.nat(),
        (text, acceptBareLf, cut) => {
          const bareFirst = /^[^\n]*(?<!\r)\n/.test(text);
          const wanted = expected(text, acceptBareLf && bareFirst ? '\\r?\\n' : '\\r\\n');
          const first = cut % (text.length + 1);
          for (let second = first; second <= text.length; second++) {
            const chunks = [text.slice(0, first), text.slice(first, second), text.slice(second)].map(octets);
            expect(read(chunks, { acceptBareLf })).toEqual(wanted);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it('gives back what the encoder was given, with its line ends made CRLF', () => {
    fc.assert(
      fc.property(storedMessage, chunkLengths, fc.boolean(), (stored, lengths, acceptBareLf) => {
        const encoder = new WireEncoder();
        const wire = new Uint8Array(stored.length * 2 + 5);
        encoder.encode(stored, 0, wire, 0);
        const end = encoder.end(wire, encoder.produced);
        const lines = latin1(stored).replace(/(?<!\r)\n/g, '\r\n');
        const content = lines === '' || lines.endsWith('\n') ? lines : `${lines}\r\n`;
        const chunks = chunksOf(wire.subarray(0, end), lengths);
        expect(read(chunks, { acceptBareLf })).toEqual({ content, done: true, rest: '' });
      }),
      { numRuns: 3000 },
    );
  });

  it('is not done without a terminator, and gives no octet of a possible one away', () => {
    for (const wire of ['', 'a', 'a\r\n', 'a\r\n.', 'a\r\n.\r']) {
      for (const chunks of Object.values(cuts(wire))) {
        expect(read(chunks)).toEqual({ content: wire.slice(0, 3), done: false, rest: '' });
      }
    }
  });

  it('gives a chunk on as it is, or moved together in its own memory', () => {
    const chunk = octets(`${'x'.repeat(98)}\r\n`.repeat(100));
    expect(new WireDecoder().decode(chunk).content).toBe(chunk);

    const dots = octets('..\r\n'.repeat(10_000));
    const { content } = new WireDecoder().decode(dots);
    expect(content.buffer).toBe(dots.buffer);
    expect(latin1(content)).toBe('.\r\n'.repeat(10_000));
  });

  it('looks for octets by the search that it is given', () => {
    const sought: number[] = [];
    const indexOf = (octets: Uint8Array, wanted: number, from: number) => {
      sought.push(wanted);
      return octets.indexOf(wanted, from);
    };
    const wire = `${'a'.repeat(100)}\r\n${'b'.repeat(100)}\r\n..c\r\n.\r\n`;
    const content = `${'a'.repeat(100)}\r\n${'b'.repeat(100)}\r\n.c\r\n`;
    expect(read([octets(wire)], { indexOf })).toEqual({ content, done: true, rest: '' });
    expect(sought).toContain(0x2e);
  });

  it('leaves what comes after the terminator as it came', () => {
    const chunk = octets('..a\r\n..b\r\n.\r\n+OK\r\n..c\r\n');
    const { consumed } = new WireDecoder().decode(chunk);
    expect(latin1(chunk.subarray(consumed))).toBe('+OK\r\n..c\r\n');
  });

  it('reads one response after the other', () => {
    const decoder = new WireDecoder({ acceptBareLf: true });
    const wire = octets('a\n..\n.\n.\r\nb\r\n\n.\n\r\n.\r\nc\n.\n');
    const contents: string[] = [];
    for (let at = 0; at < wire.length; ) {
      const { content, consumed, done } = decoder.decode(wire.subarray(at));
      expect(done).toBe(true);
      contents.push(latin1(content));
      at += consumed;
    }
    expect(contents).toEqual(['a\n.\n', '', 'b\r\n\n.\n\r\n', 'c\n']);
  });

  it('takes nothing of the response before for the start of the next', () => {
    const decoder = new WireDecoder();
    expect(decoder.decode(octets('.\r')).done).toBe(false);
    expect(decoder.decode(octets('\n')).done).toBe(true);
    const { content, done } = decoder.decode(octets('\n.\r\n.\r\n'));
    expect(latin1(content)).toBe('\n.\r\n');
    expect(done).toBe(true);
  });
});
