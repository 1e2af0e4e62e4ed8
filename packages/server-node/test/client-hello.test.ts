import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { serverNameIn } from '../src/client-hello.js';
import { until } from './until.js';

/** What a client of OpenSSL says first. */
async function helloOf(options: ConnectionOptions): Promise<Buffer> {
  const said: Buffer[] = [];
  const wire = new Duplex({
    read() {},
    write(octets: Buffer, _, done) {
      said.push(octets);
      done();
    },
  });
  const client = connect({ ...options, socket: wire });
  client.on('error', () => {});
  await until(() => said.length > 0);
  client.destroy();
  return said[0] as Buffer;
}

/** The same message in records of so many octets. */
function inRecords(hello: Buffer, size: number): Buffer {
  const message = hello.subarray(5);
  const records: Buffer[] = [];
  for (let at = 0; at < message.length; at += size) {
    const part = message.subarray(at, at + size);
    records.push(Buffer.concat([Buffer.of(22, 3, 1, part.length >> 8, part.length & 0xff), part]));
  }
  return Buffer.concat(records);
}

describe('the server name', () => {
  it.each([
    ['TLSv1.2', 'mail.example.org'],
    ['TLSv1.3', 'mail.example.org'],
    ['TLSv1.3', undefined],
  ] as const)(
    'is found as soon as the ClientHello is whole, and not before: %s, %s',
    async (version, servername) => {
      const hello = await helloOf({ minVersion: version, maxVersion: version, servername });
      const found = servername ?? null;
      for (const octets of [hello, inRecords(hello, 100), inRecords(hello, hello.length - 6)]) {
        for (let end = 0; end < octets.length; end++) {
          expect(serverNameIn(octets.subarray(0, end))).toBeUndefined();
        }
        expect(serverNameIn(octets)).toBe(found);
        expect(serverNameIn(Buffer.concat([octets, Buffer.from('what follows')]))).toBe(found);
      }
    },
  );

  it.each([
    ['commands', 'USER ann\r\n'],
    ['an alert', '\x15\x03\x01\x00\x02\x02\x28'],
    ['another message', '\x16\x03\x01\x00\x04\x02\x00\x00\x00'],
    ['an empty record', '\x16\x03\x01\x00\x00'],
    ['a message that would be too long', '\x16\x03\x01\x00\x04\x01\xff\xff\xff'],
    ['a message without anything', '\x16\x03\x01\x00\x04\x01\x00\x00\x00'],
    ['too many records', '\x16\x03\x01\x00\x01\x01'.repeat(9)],
  ])('is not looked for in %s', (_, octets) => {
    expect(serverNameIn(Buffer.from(octets, 'latin1'))).toBeNull();
  });

  it('is a name, nothing or unknown, whichever octet is wrong', async () => {
    const hello = await helloOf({ servername: 'mail.example.org' });
    for (let at = 0; at < hello.length; at++) {
      for (const octet of [0x00, 0x01, 0x7f, 0xff]) {
        const wrong = Buffer.from(hello);
        wrong[at] = octet;
        const name = serverNameIn(wrong);
        expect(name == null || typeof name === 'string').toBe(true);
      }
    }
  });
});
