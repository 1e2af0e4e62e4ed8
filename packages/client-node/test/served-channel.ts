import { type ClientChannel, type ServeOptions, serve } from '@pop3/core/driver';
import { memoryStore } from '@pop3/store-memory';

/** One direction of a connection. */
class Pipe {
  readonly #chunks: (Uint8Array | null)[] = [];
  #reader: ((chunk: Uint8Array | null) => void) | null = null;

  put(chunk: Uint8Array | null): void {
    const reader = this.#reader;
    this.#reader = null;
    if (reader === null) this.#chunks.push(chunk);
    else reader(chunk);
  }

  take(): Uint8Array | null {
    return this.#chunks.shift() ?? null;
  }

  read(): Uint8Array | null | Promise<Uint8Array | null> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) return chunk;
    return new Promise((resolve) => {
      this.#reader = resolve;
    });
  }
}

/** A connection to a server of the core, without a network. `said` has the lines of the client. */
export function servedChannel(
  options: Omit<ServeOptions, 'channel' | 'store'>,
): ClientChannel & { readonly said: string[] } {
  const toServer = new Pipe();
  const toClient = new Pipe();
  const said: string[] = [];
  const channel = {
    read: () => toServer.read(),
    write: (octets: Uint8Array) => toClient.put(octets.slice()),
  };
  void serve({ ...options, channel, store: memoryStore() }).then(() => toClient.put(null));
  return {
    said,
    read: () => toClient.read(),
    take: () => toClient.take(),
    write(octets) {
      said.push(...Buffer.from(octets).toString().split('\r\n').slice(0, -1));
      toServer.put(octets);
    },
  };
}
