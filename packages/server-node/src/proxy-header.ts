/**
 * The PROXY protocol, versions 1 and 2, as HAProxy describes it (doc/proxy-protocol.txt): what a proxy says before
 * anything else about the connection that it passes on. Pure; nothing is believed here that the caller does not believe.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { canonicalAddress } from './addresses.js';
import { crc32c } from './crc32c.js';

/** One end of a connection, the address in its canonical form. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** What a proxy says of its connection. */
export type ProxyHeader =
  /** The proxy itself is the peer: it looks whether we are well. */
  | { readonly type: 'local' }
  /** The proxy does not say who the peer is. */
  | { readonly type: 'unknown' }
  | {
      readonly type: 'proxied';
      readonly source: Endpoint;
      readonly destination: Endpoint;
      /** The name that the client asked for by SNI, or null. */
      readonly authority: string | null;
      /** What the client speaks with the proxy; null for no TLS. */
      readonly tls: { readonly version: string | null; readonly cipher: string | null } | null;
    };

export type ProxyHeaderRead =
  | { readonly type: 'incomplete' }
  /** `rest` is what follows the header: a view of the last chunk. */
  | { readonly type: 'complete'; readonly header: ProxyHeader; readonly rest: Uint8Array }
  | { readonly type: 'invalid'; readonly problem: string };

const SIGNATURE = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const PREFIX = new TextEncoder().encode('PROXY ');
/** A line of version 1 with its CRLF. */
const MAX_LINE_OCTETS = 107;
/** Of version 2, up to and with the length of the rest: at most 65 535 octets more. */
const FIXED_OCTETS = 16;

const LF = 0x0a;
const INCOMPLETE: ProxyHeaderRead = { type: 'incomplete' };

/** Reads one header from chunks of any size. Copies what it keeps; of no use any more after `complete` or `invalid`. */
export class ProxyHeaderReader {
  /** As much as the header can hold, as far as that is known. */
  #octets = new Uint8Array(MAX_LINE_OCTETS);
  #length = 0;

  push(chunk: Uint8Array): ProxyHeaderRead {
    let at = 0;
    for (;;) {
      const wanted = this.#wanted();
      const taken = chunk.subarray(at, at + wanted);
      this.#octets.set(taken, this.#length);
      this.#length += taken.length;
      at += taken.length;
      const read = this.#read();
      if (read.type === 'complete') return { ...read, rest: chunk.subarray(at) };
      if (read.type === 'invalid' || at === chunk.length) return read;
    }
  }

  /** Octets that certainly belong to the header and are still missing. */
  #wanted(): number {
    const length = this.#length;
    if (length < FIXED_OCTETS) return this.#octets[0] === SIGNATURE[0] ? FIXED_OCTETS - length : 1;
    return this.#octets[0] === SIGNATURE[0] ? this.#octets.length - length : 1;
  }

  #read(): ProxyHeaderRead {
    const octets = this.#octets.subarray(0, this.#length);
    const start = octets[0] === SIGNATURE[0] ? SIGNATURE : PREFIX;
    if (!agree(octets, start)) return invalid('it is no PROXY header');
    return start === PREFIX ? readLine(octets) : this.#readBinary(octets);
  }

  #readBinary(octets: Uint8Array): ProxyHeaderRead {
    if (octets.length < FIXED_OCTETS) return INCOMPLETE;
    const total = FIXED_OCTETS + uint16(octets, 14);
    if (octets.length === total) return parseBinary(octets);
    if (octets.length === FIXED_OCTETS) {
      this.#octets = new Uint8Array(total);
      this.#octets.set(octets);
    }
    return INCOMPLETE;
  }
}

function invalid(problem: string): ProxyHeaderRead {
  return { type: 'invalid', problem };
}

function complete(header: ProxyHeader): ProxyHeaderRead {
  return { type: 'complete', header, rest: new Uint8Array(0) };
}

/** Whether these begin as those do, as far as both go. */
function agree(octets: Uint8Array, start: Uint8Array): boolean {
  return octets.subarray(0, start.length).every((octet, i) => octet === start[i]);
}

// ----- version 1

/** Looks at a line whose last octet has just come. */
function readLine(octets: Uint8Array): ProxyHeaderRead {
  const last = octets.at(-1);
  if (last === LF) {
    const line = Buffer.from(octets).toString('latin1');
    if (!line.endsWith('\r\n')) return invalid('a line feed without a carriage return');
    return parseLine(line.slice(0, -2));
  }
  if (octets.length === MAX_LINE_OCTETS) return invalid(`no line end in ${MAX_LINE_OCTETS} octets`);
  if (octets.at(-2) === 0x0d) return invalid('a carriage return without a line feed');
  return INCOMPLETE;
}

/** No sign, no space, no zero in front. */
const PORT = /^(?:0|[1-9][0-9]{0,4})$/;
const IS_ADDRESS: Readonly<Record<string, (text: string) => boolean>> = { TCP4: isIPv4, TCP6: isIPv6 };

function parseLine(line: string): ProxyHeaderRead {
  // What follows is for a human reader at most.
  if (/^PROXY UNKNOWN(?: |$)/.test(line)) return complete({ type: 'unknown' });
  const [, protocol = '', ...fields] = line.split(' ');
  const isAddress = Object.hasOwn(IS_ADDRESS, protocol) ? IS_ADDRESS[protocol] : undefined;
  if (isAddress === undefined) return invalid('an unknown protocol');
  const [source = '', destination = '', sourcePort = '', destinationPort = ''] = fields;
  if (fields.length !== 4) return invalid('not two addresses and two ports, with one space between');
  if (![source, destination].every((text) => isAddress(text) && !text.includes('%'))) {
    return invalid(`no address of ${protocol}`);
  }
  const ports = [sourcePort, destinationPort];
  if (!ports.every((text) => PORT.test(text) && Number(text) <= 65_535)) return invalid('no port');
  return complete({
    type: 'proxied',
    source: endpoint(source, Number(sourcePort)),
    destination: endpoint(destination, Number(destinationPort)),
    authority: null,
    tls: null,
  });
}

function endpoint(address: string, port: number): Endpoint {
  return { address: canonicalAddress(address) ?? address, port };
}

// ----- version 2

const LOCAL = 0x20;
const PROXY = 0x21;
const TCP4 = 0x11;
const TCP6 = 0x21;

/** Octets of both addresses and ports, by the upper half of the family octet: none, IPv4, IPv6, Unix. */
const ADDRESS_OCTETS = [0, 12, 36, 216];
const MOST_PROTOCOL = 2;

const AUTHORITY = 0x02;
const CRC32C = 0x03;
const SSL = 0x20;
const SSL_VERSION = 0x21;
const SSL_CIPHER = 0x23;
/** In the first octet of {@link SSL}. */
const CLIENT_SPOKE_TLS = 0x01;
/** That octet, and whether the client certificate was verified. */
const SSL_FIXED_OCTETS = 5;

/** @param octets - a whole header whose signature is right */
function parseBinary(octets: Uint8Array): ProxyHeaderRead {
  const [command, family] = [octets[12] as number, octets[13] as number];
  if (command !== LOCAL && command !== PROXY) return invalid('an unknown version or command');
  // Whatever it says of addresses is not meant (section 2.2).
  if (command === LOCAL) return complete({ type: 'local' });
  const addressOctets = ADDRESS_OCTETS[family >> 4];
  if (addressOctets === undefined || (family & 0x0f) > MOST_PROTOCOL) return invalid('an unknown family');
  if (addressOctets === 0) return complete({ type: 'unknown' });

  const rest = octets.subarray(FIXED_OCTETS);
  if (rest.length < addressOctets) return invalid('too short for its addresses');
  const fields = fieldsOf(rest.subarray(addressOctets));
  if (fields === null) return invalid('a field that is longer than the header');
  for (const { type, value } of fields) {
    if (type === CRC32C && !isChecksumOf(octets, value)) return invalid('a checksum that is wrong');
  }
  const tls = tlsOf(fields.find(({ type }) => type === SSL)?.value);
  if (tls === 'invalid') return invalid('a field about TLS that is cut off');
  if (family !== TCP4 && family !== TCP6) return complete({ type: 'unknown' });

  const addresses = family === TCP4 ? addressesOf(rest, 4) : addressesOf(rest, 16);
  const authority = fields.find(({ type }) => type === AUTHORITY);
  return complete({ ...addresses, authority: authority ? textOf(authority.value) : null, tls });
}

function addressesOf(rest: Uint8Array, size: 4 | 16) {
  const addressAt = (at: number) => {
    const octets = rest.subarray(at, at + size);
    if (size === 4) return octets.join('.');
    return Array.from({ length: 8 }, (_, i) => uint16(octets, i * 2).toString(16)).join(':');
  };
  return {
    type: 'proxied',
    source: endpoint(addressAt(0), uint16(rest, size * 2)),
    destination: endpoint(addressAt(size), uint16(rest, size * 2 + 2)),
  } as const;
}

interface Field {
  readonly type: number;
  readonly value: Uint8Array;
}

/** Type, length in two octets, value, again and again; null when the last one is cut off. */
function fieldsOf(octets: Uint8Array): Field[] | null {
  const fields: Field[] = [];
  for (let at = 0; at < octets.length; ) {
    if (octets.length - at < 3) return null;
    const start = at + 3;
    const end = start + uint16(octets, at + 1);
    if (end > octets.length) return null;
    fields.push({ type: octets[at] as number, value: octets.subarray(start, end) });
    at = end;
  }
  return fields;
}

/** @param value - where the checksum stands in the header, which counts as zeros there */
function isChecksumOf(header: Uint8Array, value: Uint8Array): boolean {
  if (value.length !== 4) return false;
  const copy = header.slice();
  const at = value.byteOffset - header.byteOffset;
  copy.fill(0, at, at + 4);
  return crc32c(copy) === uint16(value, 0) * 65_536 + uint16(value, 2);
}

function tlsOf(value: Uint8Array | undefined) {
  if (value === undefined) return null;
  const fields = value.length < SSL_FIXED_OCTETS ? null : fieldsOf(value.subarray(SSL_FIXED_OCTETS));
  if (fields === null) return 'invalid';
  if (((value[0] as number) & CLIENT_SPOKE_TLS) === 0) return null;
  const text = (wanted: number) => {
    const field = fields.find(({ type }) => type === wanted);
    return field ? textOf(field.value) : null;
  };
  return { version: text(SSL_VERSION), cipher: text(SSL_CIPHER) };
}

/** For logs: at most 255 characters, what is not printable ASCII replaced. */
function textOf(octets: Uint8Array): string {
  return Buffer.from(octets.subarray(0, 255))
    .toString('latin1')
    .replace(/[^\x20-\x7e]/g, '?');
}

function uint16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}
