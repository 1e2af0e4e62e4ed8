import { describe, expect, it } from 'vitest';
import { type ProxyHeaderRead, ProxyHeaderReader } from '../src/proxy-header.js';
import { binaryHeader, field, SIGNATURE, tlsField, withChecksum } from './proxy-octets.js';

/** Reads octets in pieces of a size, and joins what is left over. */
function readInPieces(octets: Uint8Array, size: number): ProxyHeaderRead {
  const reader = new ProxyHeaderReader();
  for (let at = 0; at < octets.length; at += size) {
    const read = reader.push(octets.subarray(at, at + size));
    if (read.type === 'incomplete') continue;
    if (read.type === 'invalid') return read;
    return { ...read, rest: Buffer.concat([read.rest, octets.subarray(at + size)]) };
  }
  return { type: 'incomplete' };
}

/** Reads them whole and in pieces, which must make no difference. */
function read(octets: Uint8Array | string): ProxyHeaderRead {
  const all = Buffer.from(octets as string, 'latin1');
  const whole = readInPieces(all, Math.max(all.length, 1));
  for (const size of [1, 2, 3, 7, 12, 16, 17, 106, 107, 108]) expect(readInPieces(all, size)).toEqual(whole);
  return whole;
}

function header(octets: Uint8Array | string) {
  const found = read(octets);
  return found.type === 'complete' ? found.header : found;
}

function problem(octets: Uint8Array | string): string | null {
  const found = read(octets);
  return found.type === 'invalid' ? found.problem : null;
}

const FULL = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';

describe('version 1', () => {
  it('names both ends, by IPv4', () => {
    expect(header('PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n')).toEqual({
      type: 'proxied',
      source: { address: '192.168.0.1', port: 56324 },
      destination: { address: '192.168.0.11', port: 443 },
      authority: null,
      tls: null,
    });
  });

  it('names both ends, by IPv6, in one form only', () => {
    expect(header('PROXY TCP6 2001:DB8:0::1 ::ffff:192.0.2.1 0 65535\r\n')).toMatchObject({
      source: { address: '2001:db8::1', port: 0 },
      destination: { address: '192.0.2.1', port: 65535 },
    });
  });

  it.each(['PROXY UNKNOWN\r\n', 'PROXY UNKNOWN \r\n', 'PROXY UNKNOWN what ever  it says\r\n'])(
    'may leave it open: %j',
    (line) => {
      expect(header(line)).toEqual({ type: 'unknown' });
    },
  );

  it('may have 107 octets and no more', () => {
    const longest = `PROXY UNKNOWN ${FULL} ${FULL} 65535 65535\r\n`;
    expect(longest).toHaveLength(107);
    expect(header(longest)).toEqual({ type: 'unknown' });
    expect(problem(`PROXY UNKNOWN ${FULL} ${FULL} 65535 65535 \r\n`)).toMatch(/no line end in 107/);
  });

  it.each([
    ['two spaces', 'PROXY  TCP4 1.2.3.4 1.2.3.5 1 2'],
    ['two spaces between addresses', 'PROXY TCP4 1.2.3.4  1.2.3.5 1 2'],
    ['a space at the end', 'PROXY TCP4 1.2.3.4 1.2.3.5 1 2 '],
    ['a tab', 'PROXY TCP4 1.2.3.4\t1.2.3.5 1 2'],
    ['too few fields', 'PROXY TCP4 1.2.3.4 1.2.3.5 1'],
    ['too many fields', 'PROXY TCP4 1.2.3.4 1.2.3.5 1 2 3'],
    ['nothing but the word', 'PROXY '],
    ['a zero in front of a port', 'PROXY TCP4 1.2.3.4 1.2.3.5 01 2'],
    ['a zero in front of a part', 'PROXY TCP4 1.2.3.04 1.2.3.5 1 2'],
    ['a port above 65535', 'PROXY TCP4 1.2.3.4 1.2.3.5 1 65536'],
    ['a port with a sign', 'PROXY TCP4 1.2.3.4 1.2.3.5 +1 2'],
    ['a port that is none', 'PROXY TCP4 1.2.3.4 1.2.3.5 1 x'],
    ['an address that is none', 'PROXY TCP4 1.2.3 1.2.3.5 1 2'],
    ['a name', 'PROXY TCP4 localhost 1.2.3.5 1 2'],
    ['IPv6 for IPv4', 'PROXY TCP4 ::1 ::1 1 2'],
    ['IPv4 for IPv6', 'PROXY TCP6 1.2.3.4 1.2.3.5 1 2'],
    ['a zone', 'PROXY TCP6 fe80::1%lo ::1 1 2'],
    ['UDP', 'PROXY UDP4 1.2.3.4 1.2.3.5 1 2'],
    ['a protocol in lower case', 'PROXY tcp4 1.2.3.4 1.2.3.5 1 2'],
    ['a protocol that only begins so', 'PROXY UNKNOWNX'],
    ['a protocol that every object knows', 'PROXY constructor 1.2.3.4 1.2.3.5 1 2'],
    ['a word in lower case', 'proxy TCP4 1.2.3.4 1.2.3.5 1 2'],
    ['something in front', ' PROXY TCP4 1.2.3.4 1.2.3.5 1 2'],
  ])('refuses %s', (_, line) => {
    expect(problem(`${line}\r\n`)).not.toBeNull();
  });

  it('refuses a line feed alone, and a carriage return alone', () => {
    expect(problem('PROXY TCP4 1.2.3.4 1.2.3.5 1 2\n')).toMatch(/line feed/);
    expect(problem('PROXY UNKNOWN \r \r\n')).toMatch(/carriage return/);
  });

  it('refuses the first octet that does not belong there', () => {
    for (const octets of ['X', 'PX', 'CAPA\r\n', 'PROXY\r\n', '\x16\x03\x01', '']) {
      expect(read(octets).type).toBe(octets === '' ? 'incomplete' : 'invalid');
    }
  });

  it('waits for a line that has not ended', () => {
    const line = 'PROXY TCP4 1.2.3.4 1.2.3.5 1 2\r\n';
    for (let end = 0; end < line.length; end++) expect(read(line.slice(0, end)).type).toBe('incomplete');
  });
});

describe('version 2', () => {
  it('names both ends, by IPv4', () => {
    expect(header(binaryHeader())).toEqual({
      type: 'proxied',
      source: { address: '192.0.2.1', port: 56324 },
      destination: { address: '198.51.100.2', port: 995 },
      authority: null,
      tls: null,
    });
  });

  it('names both ends, by IPv6, and IPv4 in it as such', () => {
    const source = '20010db8000000000000000000000001';
    const mapped = '00000000000000000000ffffc0000207';
    const addresses = Buffer.from(`${source}${mapped}ffff006e`, 'hex');
    expect(header(binaryHeader({ family: 0x21, addresses }))).toMatchObject({
      source: { address: '2001:db8::1', port: 65535 },
      destination: { address: '192.0.2.7', port: 110 },
    });
  });

  it.each([
    ['nothing', {}],
    ['a family', { family: 0x00, addresses: Buffer.alloc(0) }],
    ['octets that mean nothing', { family: 0x31, addresses: Buffer.alloc(999, 0xff) }],
  ])('may come from the proxy itself, with %s behind', (_, given) => {
    expect(header(binaryHeader({ command: 0x20, ...given }))).toEqual({ type: 'local' });
  });

  it.each([
    ['nothing', 0x00, 0],
    ['nothing, and octets that mean nothing', 0x00, 77],
    ['UDP over IPv4', 0x12, 12],
    ['UDP over IPv6', 0x22, 36],
    ['a stream of Unix', 0x31, 216],
    ['datagrams of Unix', 0x32, 216],
    ['IPv4 without a protocol', 0x10, 12],
  ])('may speak for somebody whom it does not name as TCP does: %s', (_, family, octets) => {
    expect(header(binaryHeader({ family, addresses: Buffer.alloc(octets) }))).toEqual({ type: 'unknown' });
  });

  it.each([
    ['version 1', { command: 0x11 }],
    ['version 3', { command: 0x31 }],
    ['command 2', { command: 0x22 }],
    ['command 15', { command: 0x2f }],
    ['family 4', { family: 0x41, addresses: Buffer.alloc(216) }],
    ['family 15', { family: 0xf1, addresses: Buffer.alloc(216) }],
    ['protocol 3', { family: 0x13 }],
    ['protocol 15', { family: 0x1f }],
  ])('refuses %s, which nobody has defined', (_, given) => {
    expect(problem(binaryHeader(given))).toMatch(/unknown/);
  });

  it.each([
    [0x11, 11],
    [0x11, 0],
    [0x21, 35],
    [0x31, 215],
  ])('refuses less than the addresses of family %i need: %i octets', (family, octets) => {
    expect(problem(binaryHeader({ family, addresses: Buffer.alloc(octets) }))).toMatch(/too short/);
  });

  it('refuses a signature with any octet wrong', () => {
    for (let i = 0; i < SIGNATURE.length; i++) {
      const octets = binaryHeader();
      octets[i] = (octets[i] as number) ^ 1;
      expect(problem(octets)).toBe('it is no PROXY header');
    }
  });

  it('waits for the last octet', () => {
    const octets = binaryHeader({ fields: [field(0x04, 'nothing')] });
    for (let end = 0; end < octets.length; end++)
      expect(read(octets.subarray(0, end)).type).toBe('incomplete');
  });

  it('may be as long as its length can say', () => {
    const octets = binaryHeader({ fields: [field(0x04, Buffer.alloc(65_535 - 12 - 3))] });
    expect(octets).toHaveLength(16 + 65_535);
    expect(header(octets)).toMatchObject({ type: 'proxied' });
  });

  describe('fields', () => {
    it('of any type are walked over', () => {
      const fields = [
        field(0x04, ''),
        field(0xe0, 'own'),
        field(0x05, 'id'),
        field(0x02, 'mail.example.org'),
      ];
      expect(header(binaryHeader({ fields }))).toMatchObject({ authority: 'mail.example.org' });
    });

    it.each([
      ['its type alone', Buffer.of(4)],
      ['half a length', Buffer.of(4, 0)],
      ['a length that goes too far', Buffer.of(4, 0, 2, 0)],
    ])('are refused when the last one is %s', (_, cut) => {
      expect(problem(binaryHeader({ fields: [field(0x04, 'x'), cut] }))).toMatch(/longer than the header/);
    });

    it('cannot bring control characters into a log', () => {
      const fields = [field(0x02, 'a\r\nb\0\xe9')];
      expect(header(binaryHeader({ fields }))).toMatchObject({ authority: 'a??b??' });
    });

    it('have a checksum that must be right', () => {
      const right = withChecksum({ fields: [field(0x02, 'mail.example.org')] });
      expect(header(right)).toMatchObject({ type: 'proxied' });
      for (let i = 16; i < right.length - 7; i++) {
        const wrong = Buffer.from(right);
        wrong[i] = (wrong[i] as number) ^ 0x10;
        expect(read(wrong).type).toBe('invalid');
      }
      expect(problem(binaryHeader({ fields: [field(0x03, Buffer.alloc(4))] }))).toMatch(/checksum/);
      expect(problem(binaryHeader({ fields: [field(0x03, Buffer.alloc(3))] }))).toMatch(/checksum/);
    });

    it('say whether the client speaks TLS with the proxy', () => {
      const spoken = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' };
      expect(header(binaryHeader({ fields: [tlsField(0x01)] }))).toMatchObject({ tls: spoken });
      expect(header(binaryHeader({ fields: [tlsField(0x07)] }))).toMatchObject({ tls: spoken });
      // A certificate of an earlier connection is no TLS.
      expect(header(binaryHeader({ fields: [tlsField(0x04)] }))).toMatchObject({ tls: null });
      expect(header(binaryHeader({ fields: [field(0x20, Buffer.of(1, 0, 0, 0, 0))] }))).toMatchObject({
        tls: { version: null, cipher: null },
      });
    });

    it.each([
      ['nothing', Buffer.alloc(0)],
      ['four octets', Buffer.alloc(4)],
      ['half a field', Buffer.of(1, 0, 0, 0, 0, 0x21, 0, 9)],
    ])('about TLS are refused with %s in them', (_, value) => {
      expect(problem(binaryHeader({ fields: [field(0x20, value)] }))).toMatch(/about TLS/);
    });
  });
});

it('is a header, half of one or none, whichever octet is wrong', () => {
  const types = ['complete', 'incomplete', 'invalid'];
  const fields = [tlsField(0x01), field(0x02, 'mail.example.org')];
  for (const octets of [withChecksum({ fields }), Buffer.from('PROXY TCP6 ::1 ::2 1 2\r\n')]) {
    for (let at = 0; at < octets.length; at++) {
      for (const octet of [0x00, 0x20, 0x7f, 0xff]) {
        const wrong = Buffer.from(octets);
        wrong[at] = octet;
        expect(types).toContain(readInPieces(wrong, 16).type);
      }
    }
  }
});

it.each([
  ['version 1', Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n')],
  ['version 1, the longest', Buffer.from(`PROXY UNKNOWN ${FULL} ${FULL} 65535 65535\r\n`)],
  ['version 2', binaryHeader({ fields: [field(0x04, 'x'.repeat(75))] })],
  ['version 2, the shortest', binaryHeader({ command: 0x20, addresses: Buffer.alloc(0) })],
])('leaves what follows %s as it is', (_, octets) => {
  const rest = Buffer.from('\r\n\x16\x03PROXY TCP4\r\nQUIT\r\n'.repeat(9), 'latin1');
  expect(read(Buffer.concat([octets, rest]))).toMatchObject({ type: 'complete', rest });
});
