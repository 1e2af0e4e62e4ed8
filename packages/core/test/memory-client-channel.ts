import type { Awaited, ByteChannel, ClientChannel } from '../src/driver/index.js';
import { chunksOf, latin1, octets } from './stored-message.js';

/** One direction of a connection without a network. */
class Pipe {
  readonly #chunks: (Uint8Array | null | Error)[] = [];
  #reader: { resolve(chunk: Uint8Array | null): void; reject(error: Error): void } | null = null;

  /** What has come and was not read. */
  get waiting(): number {
    return this.#chunks.length;
  }

  put(chunk: Uint8Array | null | Error): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) this.#chunks.push(chunk);
    else if (chunk instanceof Error) reader.reject(chunk);
    else reader.resolve(chunk);
  }

  take(): Uint8Array | null {
    return this.#chunks[0] instanceof Uint8Array ? (this.#chunks.shift() as Uint8Array) : null;
  }

  read(): Uint8Array | null | Promise<Uint8Array | null> {
    if (this.#chunks.length === 0) {
      return new Promise((resolve, reject) => {
        this.#reader = { resolve, reject };
      });
    }
    const chunk = this.#chunks.shift() as Uint8Array | null | Error;
    if (chunk instanceof Error) throw chunk;
    return chunk;
  }
}

/** A server by hand: what it says is put in, what the client says can be read. */
export class MemoryClientChannel implements ClientChannel {
  readonly #input = new Pipe();
  readonly #answers: string[] = [];
  /** What was said at a time: one entry for each write. */
  readonly written: string[] = [];
  /** What the client has waited for, one entry for each read. */
  readonly reads: Awaited[] = [];
  onWrite: (said: string) => void = () => undefined;
  upgradeTls?: () => void | Promise<void>;

  /** @param said - chunks that are there at the start */
  constructor(...said: readonly string[]) {
    this.say(...said);
  }

  /** Says this when the client has said something next. */
  answer(...texts: readonly string[]): void {
    this.#answers.push(...texts);
  }

  /** Each text comes as a chunk of its own. */
  say(...texts: readonly string[]): void {
    for (const text of texts) this.#input.put(octets(text));
  }

  end(): void {
    this.#input.put(null);
  }

  fail(error: Error): void {
    this.#input.put(error);
  }

  read(awaited: Awaited): Uint8Array | null | Promise<Uint8Array | null> {
    this.reads.push(awaited);
    return this.#input.read();
  }

  take(): Uint8Array | null {
    return this.#input.take();
  }

  write(chunk: Uint8Array): void {
    this.written.push(latin1(chunk));
    this.onWrite(latin1(chunk));
    this.say(...this.#answers.splice(0));
  }
}

/** Both ends of a connection without a network, on which TLS is a pretence. Chunks are cut into these lengths. */
export function joinedChannels(lengths: readonly number[] = []): {
  /** `end()` is the end of the client. */
  readonly server: ByteChannel & { end(): void };
  readonly client: ClientChannel & { end(): void };
  /** Everything that went over it. */
  readonly said: { server: string; client: string };
} {
  const toServer = new Pipe();
  const toClient = new Pipe();
  const said = { server: '', client: '' };
  let shakeHands: () => void;
  const handshake = new Promise<void>((resolve) => {
    shakeHands = resolve;
  });
  const put = (pipe: Pipe, chunk: Uint8Array) => {
    for (const part of chunksOf(chunk, lengths)) if (part.length > 0) pipe.put(part);
  };
  return {
    said,
    server: {
      read: () => toServer.read(),
      end: () => toServer.put(null),
      write(chunk) {
        said.server += latin1(chunk);
        put(toClient, chunk);
      },
      async upgradeTls() {
        while (toServer.take() !== null);
        await handshake;
        return { address: null, tls: true, certificate: null };
      },
    },
    client: {
      read: () => toClient.read(),
      end: () => toClient.put(null),
      take: () => toClient.take(),
      write(chunk) {
        said.client += latin1(chunk);
        put(toServer, chunk);
      },
      async upgradeTls() {
        if (toClient.waiting > 0) throw new Error('octets in the clear');
        shakeHands();
      },
    },
  };
}
