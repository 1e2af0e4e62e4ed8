import type { Socket } from 'node:net';
import type { Peer } from '@pop3/core';
import type { ByteChannel } from '@pop3/core/driver';

/** Does the TLS handshake as a server on a socket whose octets nobody reads. */
export type Handshake = (plain: Socket) => Promise<{ readonly socket: Socket; readonly peer: Peer }>;

/** Told when the channel starts and stops waiting for its peer, so that its owner can hold a clock. */
export interface Waiting {
  reading(): void;
  received(): void;
  sending(): void;
  sent(): void;
}

/** Octets left unread when a socket is closed would reset it, and the peer might lose our last words; so many are read. */
const MAX_DROPPED_OCTETS = 262_144;

/**
 * A socket as the core's driver wants it: read when asked, backpressured both ways, and without a promise when the
 * kernel takes or has the octets at once.
 */
export class SocketChannel implements ByteChannel {
  readonly #waiting: Waiting;
  #socket: Socket;
  /** A chunk that came while nobody read; the socket is paused then, so there is at most one. */
  #chunk: Uint8Array | null = null;
  #ended = false;
  #read: ((chunk: Uint8Array | null) => void) | null = null;
  #written: (() => void) | null = null;
  /** Writes whose callback has not come. Node calls back later even when the kernel took everything at once. */
  #unconfirmed = 0;
  /** Left out when STLS cannot be offered. */
  readonly upgradeTls?: () => Promise<Peer>;

  /** @param secure - does the TLS handshake of STLS on a socket; null where it is not offered */
  constructor(socket: Socket, waiting: Waiting, secure: Handshake | null) {
    this.#waiting = waiting;
    this.#socket = socket;
    if (secure !== null) this.upgradeTls = () => this.#upgradeTls(secure);
    this.#attach(socket);
  }

  /** The socket of the moment: STLS replaces it. */
  get socket(): Socket {
    return this.#socket;
  }

  read(): Uint8Array | null | Promise<Uint8Array | null> {
    const chunk = this.#chunk;
    if (chunk !== null || this.#ended) {
      this.#chunk = null;
      return chunk;
    }
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#waiting.reading();
    return new Promise((resolve) => {
      this.#read = resolve;
    });
  }

  write(octets: Uint8Array): void | Promise<void> {
    if (this.#socket.destroyed) throw new Error('The peer is gone.');
    this.#unconfirmed++;
    this.#socket.write(octets, this.#confirm);
    // Nothing left to write means that the kernel has it all, and the memory is free again.
    if (this.#socket.writableLength === 0) return;
    this.#waiting.sending();
    return new Promise((resolve) => {
      this.#written = resolve;
    });
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  /** From now on there is nothing to read, as if the peer had ended. */
  stopReading(): void {
    this.#ended = true;
    this.#finishRead(null);
  }

  /** Says goodbye: sends what is left, then closes. What the peer still sends is dropped, and too much of it cuts it off. */
  end(): void {
    const socket = this.#socket;
    this.#detach(socket);
    let dropped = 0;
    socket.on('data', (chunk) => {
      dropped += chunk.length;
      if (dropped > MAX_DROPPED_OCTETS) socket.destroy();
    });
    socket.resume();
    socket.end();
  }

  readonly #confirm = (): void => {
    if (--this.#unconfirmed === 0) this.#finishWrite();
  };

  #finishWrite(): void {
    const written = this.#written;
    if (written === null) return;
    this.#written = null;
    this.#waiting.sent();
    written();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    if (this.#read === null) {
      this.#chunk = chunk;
      this.#socket.pause();
    } else {
      this.#finishRead(chunk);
    }
  };

  readonly #onEnd = (): void => {
    this.stopReading();
  };

  /** However the connection was lost, nobody waits for it any longer. */
  readonly #onClose = (): void => {
    this.stopReading();
    this.#finishWrite();
  };

  #finishRead(chunk: Uint8Array | null): void {
    const read = this.#read;
    if (read === null) return;
    this.#read = null;
    this.#waiting.received();
    read(chunk);
  }

  async #upgradeTls(secure: Handshake): Promise<Peer> {
    const plain = this.#socket;
    // Whatever is waiting here came in the clear, behind STLS, and must not be taken for what TLS brought.
    this.#chunk = null;
    this.#detach(plain);
    const { socket, peer } = await secure(plain);
    this.#socket = socket;
    this.#attach(socket);
    return peer;
  }

  #attach(socket: Socket): void {
    socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('close', this.#onClose);
  }

  #detach(socket: Socket): void {
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('close', this.#onClose);
  }
}
