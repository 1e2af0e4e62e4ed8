import { crc32c } from '../src/crc32c.js';

export const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');

export interface BinaryHeader {
  /** Version and command. Default: version 2, PROXY. */
  readonly command?: number;
  /** Family and protocol. Default: TCP over IPv4. */
  readonly family?: number;
  /** Default: {@link TCP4_ADDRESSES}. */
  readonly addresses?: Uint8Array;
  readonly fields?: readonly Uint8Array[];
  /** Says so in place of the real length. */
  readonly length?: number;
}

/** From 192.0.2.1, port 56324, to 198.51.100.2, port 995. */
export const TCP4_ADDRESSES = Buffer.from('c0000201c6336402dc0403e3', 'hex');

/** A header of version 2. */
export function binaryHeader(header: BinaryHeader = {}): Buffer {
  const { command = 0x21, family = 0x11, addresses = TCP4_ADDRESSES, fields = [] } = header;
  const rest = Buffer.concat([addresses, ...fields]);
  return Buffer.concat([SIGNATURE, Buffer.of(command, family), uint16(header.length ?? rest.length), rest]);
}

/** A field: type, length, value. */
export function field(type: number, value: Uint8Array | string): Buffer {
  return Buffer.concat([Buffer.of(type), uint16(value.length), Buffer.from(value as string, 'latin1')]);
}

/** The field that says what the client speaks with the proxy. */
export function tlsField(client: number, version = 'TLSv1.3', cipher = 'TLS_AES_256_GCM_SHA384'): Buffer {
  const verify = Buffer.alloc(4);
  return field(0x20, Buffer.concat([Buffer.of(client), verify, field(0x21, version), field(0x23, cipher)]));
}

/** The same header with a right checksum as its last field. */
export function withChecksum(header: BinaryHeader): Buffer {
  const fields = [...(header.fields ?? []), field(0x03, Buffer.alloc(4))];
  const octets = binaryHeader({ ...header, fields });
  octets.writeUInt32BE(crc32c(octets), octets.length - 4);
  return octets;
}

function uint16(value: number): Buffer {
  return Buffer.of(value >> 8, value & 0xff);
}
