import type { ByteChannel } from '@pop3/core/driver';
import type { WebSocket } from 'ws';

/**
 * A WebSocket as the core's driver wants it. Messages carry the octets of one stream, and where a message ends
 * means nothing. There is no `upgradeTls`, so STLS is not offered: the WebSocket is inside TLS already, or is not.
 */
export class WebSocketChannel implements ByteChannel {
  readonly #socket: WebSocket;
  readonly #onWrite: () => void;
  /** Few: the socket is paused while one waits here. */
  readonly #chunks: Uint8Array[] = [];
  #ended = false;
  #wake = (): void => {};

  /** @param onWrite - told of everything that is sent */
  constructor(socket: WebSocket, onWrite: () => void) {
    this.#socket = socket;
    this.#onWrite = onWrite;
    socket.on('message', (octets: Buffer) => {
      if (this.#ended) return;
      this.#chunks.push(octets);
      socket.pause();
      this.#wake();
    });
    // What breaks a socket also closes it.
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  async read(): Promise<Uint8Array | null> {
    while (this.#chunks.length === 0 && !this.#ended) {
      this.#socket.resume();
      await new Promise<void>((wake) => (this.#wake = wake));
    }
    return this.#chunks.shift() ?? null;
  }

  /** The octets are lent until the socket has taken them: resolves no earlier, which is the backpressure, too. */
  write(octets: Uint8Array): Promise<void> {
    this.#onWrite();
    return new Promise((resolve, reject) => {
      this.#socket.send(octets, (error) => (error ? reject(error) : resolve()));
    });
  }

  /** Says goodbye. What the peer still sends is read, or its own goodbye would never come, and dropped. */
  close(): void {
    this.#ended = true;
    this.#socket.resume();
    this.#socket.close(1000);
  }
}
