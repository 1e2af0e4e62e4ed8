import type { Socket } from 'node:net';
import type { Awaited, ClientChannel } from '@pop3/core/driver';
export class SocketChannel implements ClientChannel {
  readonly encrypted: boolean = false;
  #socket: Socket;
  #chunk: Uint8Array | null = null;
  #ended = false;
  #read: ((c: Uint8Array | null) => void) | null = null;
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (this.#read) {
        const r = this.#read;
        this.#read = null;
        r(chunk);
      } else {
        this.#chunk = chunk;
        socket.pause();
      }
    });
    socket.on('error', () => {});
    const end = () => {
      this.#ended = true;
      this.#read?.(null);
      this.#read = null;
    };
    socket.on('end', end);
    socket.on('close', end);
  }
  read(_awaited: Awaited) {
    const c = this.take();
    if (c || this.#ended) return c;
    this.#socket.resume();
    return new Promise<Uint8Array | null>((r) => {
      this.#read = r;
    });
  }
  take() {
    const c = this.#chunk;
    this.#chunk = null;
    return c;
  }
  write(o: Uint8Array) {
    this.#socket.write(o);
  }
  channelBinding(_t: string): Uint8Array | null {
    return null;
  }
  destroy() {
    this.#socket.destroy();
  }
}
