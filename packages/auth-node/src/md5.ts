/** The four words of MD5 (RFC 1321) after a whole number of blocks: a hash that can be gone on with. */
export type Md5State = readonly [a: number, b: number, c: number, d: number];

const START: Md5State = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
const BLOCK_OCTETS = 64;

/** RFC 1321 section 3.4: the sines of 1 to 64, and how far each of the four rounds rotates. */
const SINES = Array.from({ length: 64 }, (_, i) => Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32));
const ROTATIONS = [
  [7, 12, 17, 22],
  [5, 9, 14, 20],
  [4, 11, 16, 23],
  [6, 10, 15, 21],
] as const;

/** The state after one block of 64 octets, from the start of a message. */
export function md5StateAfter(block: Uint8Array): Md5State {
  return next(START, wordsOf(block));
}

/** The digest of a message whose first 64 octets have led to `state`, and which goes on with `rest`. 16 octets. */
export function md5GoingOn(state: Md5State, rest: Uint8Array): Buffer {
  const padded = Buffer.alloc(Math.ceil((rest.length + 9) / BLOCK_OCTETS) * BLOCK_OCTETS);
  padded.set(rest);
  padded[rest.length] = 0x80;
  padded.writeBigUInt64LE(BigInt(BLOCK_OCTETS + rest.length) * 8n, padded.length - 8);
  let current = state;
  for (let start = 0; start < padded.length; start += BLOCK_OCTETS) {
    current = next(current, wordsOf(padded.subarray(start, start + BLOCK_OCTETS)));
  }
  return octetsOfState(current);
}

/** The words as they stand in a file and at the end of a digest: the lowest octet first. */
export function octetsOfState(state: Md5State): Buffer {
  const octets = Buffer.alloc(16);
  for (const [i, word] of state.entries()) octets.writeUInt32LE(word, i * 4);
  return octets;
}

export function stateOfOctets(octets: Buffer): Md5State {
  return [octets.readUInt32LE(0), octets.readUInt32LE(4), octets.readUInt32LE(8), octets.readUInt32LE(12)];
}

function wordsOf(block: Uint8Array): number[] {
  const view = new DataView(block.buffer, block.byteOffset, BLOCK_OCTETS);
  return Array.from({ length: 16 }, (_, i) => view.getUint32(i * 4, true));
}

function next(before: Md5State, words: readonly number[]): Md5State {
  let [a, b, c, d] = before;
  for (let i = 0; i < 64; i++) {
    const round = i >> 4;
    const [mixed, word] = step(round, i, b, c, d);
    const sum = (a + mixed + (SINES[i] as number) + (words[word] as number)) | 0;
    const bits = (ROTATIONS[round] as readonly number[])[i & 3] as number;
    [a, b, c, d] = [d, (b + ((sum << bits) | (sum >>> (32 - bits)))) | 0, b, c];
  }
  return [(before[0] + a) >>> 0, (before[1] + b) >>> 0, (before[2] + c) >>> 0, (before[3] + d) >>> 0];
}

/** The function of a round, and which word of the block it takes. */
function step(round: number, i: number, b: number, c: number, d: number): readonly [number, number] {
  switch (round) {
    case 0:
      return [(b & c) | (~b & d), i];
    case 1:
      return [(d & b) | (~d & c), (5 * i + 1) & 15];
    case 2:
      return [b ^ c ^ d, (3 * i + 5) & 15];
    default:
      return [c ^ (b | ~d), (7 * i) & 15];
  }
}
