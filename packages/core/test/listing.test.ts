import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPop3Error } from '../src/errors.js';
import { MaildropListing } from '../src/listing.js';
import { latin1 } from './stored-message.js';

const uniqueId = fc.string({
  unit: fc.integer({ min: 0x21, max: 0x7e }).map((octet) => String.fromCharCode(octet)),
  minLength: 1,
  maxLength: 70,
});
const message = fc.record({ octets: fc.nat(), uniqueId });

function written(listing: MaildropListing, messageNumber: number): string {
  const target = new Uint8Array(80);
  return latin1(target.subarray(3, listing.writeUniqueId(messageNumber, target, 3)));
}

function misuse(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isPop3Error(error)) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}

describe('MaildropListing', () => {
  it('gives back what was added, whatever the builder expected', () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 80 }), fc.nat({ max: 100 }), (messages, expected) => {
        const builder = MaildropListing.builder(expected);
        for (const { octets, uniqueId } of messages) builder.add(octets, uniqueId);
        const listing = builder.build();
        expect(listing.count).toBe(messages.length);
        expect(listing.totalOctets).toBe(messages.reduce((sum, { octets }) => sum + octets, 0));
        for (const [index, { octets, uniqueId }] of messages.entries()) {
          expect(listing.octetsOf(index + 1)).toBe(octets);
          expect(listing.uniqueIdOf(index + 1)).toBe(uniqueId);
          expect(written(listing, index + 1)).toBe(uniqueId);
        }
      }),
    );
  });

  it('can be written as objects', () => {
    const listing = MaildropListing.of([{ octets: 120, uniqueId: 'a' }]);
    expect([listing.count, listing.totalOctets, listing.uniqueIdOf(1)]).toEqual([1, 120, 'a']);
  });

  it('holds 100 000 messages', () => {
    const builder = MaildropListing.builder();
    for (let number = 1; number <= 100_000; number++) builder.add(number, `id-${number}`);
    const listing = builder.build();
    expect(listing.totalOctets).toBe(5_000_050_000);
    expect(written(listing, 1)).toBe('id-1');
    expect(written(listing, 77_777)).toBe('id-77777');
    expect(listing.uniqueIdOf(100_000)).toBe('id-100000');
  });

  it('adds up sizes beyond 4 GiB', () => {
    const listing = MaildropListing.of([
      { octets: 2 ** 40, uniqueId: 'a' },
      { octets: 2 ** 40 + 1, uniqueId: 'b' },
    ]);
    expect(listing.octetsOf(2)).toBe(1_099_511_627_777);
    expect(listing.totalOctets).toBe(2_199_023_255_553);
  });

  for (const number of [0, -1, 3, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    it(`has no message ${number} among two`, () => {
      const listing = MaildropListing.of([
        { octets: 1, uniqueId: 'a' },
        { octets: 2, uniqueId: 'b' },
      ]);
      expect(misuse(() => listing.octetsOf(number))).toBe('POP3_USAGE');
      expect(misuse(() => listing.uniqueIdOf(number))).toBe('POP3_USAGE');
      expect(misuse(() => written(listing, number))).toBe('POP3_USAGE');
    });
  }
});

describe('MaildropListingBuilder', () => {
  const refused: readonly (readonly [what: string, octets: number, uniqueId: string])[] = [
    ['a negative size', -1, 'a'],
    ['a size with a fraction', 1.5, 'a'],
    ['a size that is no number', Number.NaN, 'a'],
    ['a size that is not exact', 2 ** 53, 'a'],
    ['an empty unique-id', 1, ''],
    ['a unique-id of 71 octets', 1, 'x'.repeat(71)],
    ['a space in a unique-id', 1, 'a b'],
    ['a line end in a unique-id', 1, 'a\r\n.\r\n'],
    ['DEL in a unique-id', 1, 'a\x7f'],
    ['a unique-id beyond ASCII', 1, 'ä'],
  ];
  for (const [what, octets, uniqueId] of refused) {
    it(`refuses ${what}, and keeps what was added before`, () => {
      const builder = MaildropListing.builder().add(10, 'first');
      expect(misuse(() => builder.add(octets, uniqueId))).toBe('POP3_USAGE');
      const listing = builder.add(20, 'second').build();
      expect([listing.count, listing.totalOctets]).toEqual([2, 30]);
      expect(written(listing, 2)).toBe('second');
    });
  }
});
