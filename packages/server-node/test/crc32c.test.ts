import { expect, it } from 'vitest';
import { crc32c } from '../src/crc32c.js';

// RFC 3720 appendix B.4, and the check value of the CRC catalogues.
it.each([
  ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
  ['32 octets with all bits', Buffer.alloc(32, 0xff), 0x62a8ab43],
  ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e],
  ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, i) => 31 - i)), 0x113fdb5c],
  ['the digits', Buffer.from('123456789'), 0xe3069283],
  ['nothing', Buffer.alloc(0), 0],
])('is right for %s', (_, octets, sum) => {
  expect(crc32c(octets)).toBe(sum);
});
