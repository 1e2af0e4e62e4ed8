/**
 * Reads the server name out of the first message of TLS, before OpenSSL does (RFC 8446 section 4.1.2, RFC 6066 section 3).
 * Node can change the certificate when OpenSSL tells it the name, but then OpenSSL still knows the certificate of before,
 * and takes it for a client that likes its kind of key better: with RSA for one name and ECDSA for another, clients get the
 * wrong one. So the name is looked for here, and each certificate has a context of its own.
 */
import type { Socket } from 'node:net';

const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const HOST_NAME = 0;
const RECORD_HEADER_OCTETS = 5;
const MESSAGE_HEADER_OCTETS = 4;
/** Of one record (RFC 8446 section 5.1). A ClientHello has about 2 KiB at most; who needs more gets the first certificate. */
const MAX_HELLO_OCTETS = 16_384;
/** It comes in one, or in two where somebody tests what servers make of that. */
const MAX_RECORDS = 8;

/**
 * @returns undefined while more octets are needed; null when there is no name, or no ClientHello: then OpenSSL knows best
 *   what to answer
 */
export function serverNameIn(octets: Uint8Array): string | null | undefined {
  const hello = helloIn(octets);
  return hello instanceof Uint8Array ? nameIn(new Fields(hello)) : hello;
}

/** The message, put together from the records it came in. */
function helloIn(octets: Uint8Array): Uint8Array | null | undefined {
  const parts: Uint8Array[] = [];
  let at = 0;
  let length = 0;
  for (;;) {
    if (at < octets.length && octets[at] !== HANDSHAKE) return null;
    if (octets.length - at < RECORD_HEADER_OCTETS) return undefined;
    const start = at + RECORD_HEADER_OCTETS;
    at = start + uint16(octets, at + 3);
    if (at === start || parts.length === MAX_RECORDS) return null;
    parts.push(octets.subarray(start, at));
    length += Math.min(at, octets.length) - start;
    const message = parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
    if (length > 0 && message[0] !== CLIENT_HELLO) return null;
    if (length >= MESSAGE_HEADER_OCTETS) {
      const wanted = MESSAGE_HEADER_OCTETS + (message[1] as number) * 65_536 + uint16(message, 2);
      if (wanted > MAX_HELLO_OCTETS) return null;
      if (length >= wanted) return message.subarray(MESSAGE_HEADER_OCTETS, wanted);
    }
    if (at > octets.length) return undefined;
  }
}

/** Version, random, session, ciphers, compressions, and then what is looked for. */
function nameIn(hello: Fields): string | null {
  hello.skip(2 + 32);
  hello.vector(1);
  hello.vector(2);
  hello.vector(1);
  const extensions = hello.vector(2);
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const extension = extensions.vector(2);
    if (type !== SERVER_NAME) continue;
    const names = extension.vector(2);
    const isHostName = names.number(1) === HOST_NAME;
    const name = names.vector(2).text();
    return isHostName && name !== '' ? name : null;
  }
  return null;
}

/** Fields of TLS, one after the other. What is cut off is empty, or 0. */
class Fields {
  readonly #octets: Uint8Array;
  #at = 0;

  constructor(octets: Uint8Array) {
    this.#octets = octets;
  }

  get left(): number {
    return this.#octets.length - this.#at;
  }

  skip(octets: number): void {
    this.#at = Math.min(this.#at + octets, this.#octets.length);
  }

  number(octets: number): number {
    const start = this.#at;
    this.skip(octets);
    return this.#octets.subarray(start, this.#at).reduce((sum, octet) => sum * 256 + octet, 0);
  }

  /** What follows its own length. */
  vector(lengthOctets: number): Fields {
    const length = this.number(lengthOctets);
    const start = this.#at;
    this.skip(length);
    return new Fields(this.#octets.subarray(start, this.#at));
  }

  text(): string {
    return Buffer.from(this.#octets).toString('latin1');
  }
}

function uint16(octets: Uint8Array, at: number): number {
  return ((octets[at] as number) << 8) | (octets[at + 1] as number);
}

/**
 * Waits for the server name of the client at the other end of a socket. All that has come is left in the socket, which is
 * paused then.
 */
export function peekServerName(socket: Socket): Promise<string | null> {
  return new Promise((resolve) => {
    let octets: Uint8Array = new Uint8Array(0);

    function finish(name: string | null): void {
      socket.pause();
      socket.off('data', onData);
      socket.off('end', onOver);
      socket.off('close', onOver);
      if (octets.length > 0 && !socket.readableEnded) socket.unshift(octets);
      resolve(name);
    }

    function onData(chunk: Uint8Array): void {
      octets = octets.length === 0 ? chunk : Buffer.concat([octets, chunk]);
      const name = serverNameIn(octets);
      if (name !== undefined) finish(name);
    }

    function onOver(): void {
      finish(null);
    }

    socket.on('data', onData);
    socket.on('end', onOver);
    socket.on('close', onOver);
    if (socket.isPaused()) socket.resume();
  });
}
