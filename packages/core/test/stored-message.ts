import fc from 'fast-check';

/** Octets as text, one character each, and back: rules of the tests are written as expressions on text. */
export function latin1(octets: Uint8Array): string {
  return Buffer.from(octets).toString('latin1');
}
export function octets(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, 'latin1'));
}

/** A message whole, in lines and one octet at a time. */
export function cuts(message: string): Record<string, Uint8Array[]> {
  return {
    whole: [octets(message)],
    'in lines': message.split(/(?<=\n)/).map(octets),
    'one octet at a time': [...message].map(octets),
  };
}

/** Cuts into chunks of the given lengths, used in turn; without any, into one. Empty chunks are among them. */
export function chunksOf(message: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  const total = lengths.reduce((sum, length) => sum + length, 0);
  let at = 0;
  for (let i = 0; total > 0 && at < message.length; i++) {
    const length = lengths[i % lengths.length] as number;
    chunks.push(message.slice(at, at + length));
    at += length;
  }
  if (total === 0) chunks.push(message.slice());
  return chunks;
}

export const chunkLengths: fc.Arbitrary<number[]> = fc.array(fc.nat({ max: 70 }), { maxLength: 6 });

const soup = (characters: string) =>
  fc.array(fc.constantFrom(...characters), { maxLength: 200 }).map((list) => list.join(''));

/** Stored messages, most of them made to be hard: line ends of all kinds, dots, and the two next to each other. */
export const storedMessage: fc.Arbitrary<Uint8Array> = fc
  .oneof(
    soup('\r\n.'),
    soup('\n.'),
    soup('\r\n.aaaaaaa'),
    soup('\n'),
    soup('.'),
    soup('\r'),
    fc
      .array(fc.constantFrom('\n', '\r\n', '.\n', '..\r\n', 'From x\n', `${'x'.repeat(77)}\n`, '\0\xff\r'))
      .map((lines) => lines.join('')),
    fc.uint8Array({ maxLength: 200 }).map(latin1),
  )
  .map(octets);
