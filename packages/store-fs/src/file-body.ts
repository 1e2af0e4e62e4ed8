import { close, closeSync, read } from 'node:fs';

const CHUNK_OCTETS = 256 * 1024;

/**
 * A message that is read in chunks, one ahead of the reader, each into memory of its own. Fails when the file ends
 * early: half a message must not look like a whole one.
 */
export class FileBody implements AsyncIterableIterator<Uint8Array> {
  readonly #file: number;
  readonly #octets: number;
  readonly #signal: AbortSignal;
  readonly #onClose: (body: FileBody) => void;
  /** Octets asked for so far. */
  #asked = 0;
  #ahead: Promise<Uint8Array> | null = null;
  #reading = false;
  #closed = false;

  /**
   * @param file - open, and closed by this body
   * @param onClose - told when it has nothing open any more
   */
  constructor(file: number, octets: number, signal: AbortSignal, onClose: (body: FileBody) => void) {
    this.#file = file;
    this.#octets = octets;
    this.#signal = signal;
    this.#onClose = onClose;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#closed) return DONE;
    try {
      this.#signal.throwIfAborted();
      const chunk = await (this.#ahead ?? this.#readNext());
      this.#signal.throwIfAborted();
      this.#ahead = null;
      if (chunk.length === 0) {
        this.close();
        return DONE;
      }
      this.#ahead = this.#readNext();
      // Whoever never asks for that chunk is not told of its trouble either.
      this.#ahead.catch(() => undefined);
      return { done: false, value: chunk };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.close();
    return DONE;
  }

  /** Closes the file, when a read that is under way has ended. May be called again. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose(this);
    if (!this.#reading) closeSync(this.#file);
  }

  #readNext(): Promise<Uint8Array> {
    const octets = Math.min(CHUNK_OCTETS, this.#octets - this.#asked);
    const position = this.#asked;
    this.#asked += octets;
    if (octets === 0 || this.#closed) return Promise.resolve(NOTHING);
    this.#reading = true;
    return new Promise((resolve, reject) => {
      const chunk = Buffer.allocUnsafeSlow(octets);
      const readOn = (from: number): void => {
        read(this.#file, chunk, from, octets - from, position + from, (error, more) => {
          if (error === null && more > 0 && from + more < octets && !this.#closed) return readOn(from + more);
          this.#reading = false;
          // Nobody waits for this close: a file that was only read has nothing to lose.
          if (this.#closed) close(this.#file, () => undefined);
          if (error !== null) reject(error);
          else if (from + more < octets)
            reject(new Error('A message file became shorter while it was read.'));
          else resolve(chunk);
        });
      };
      readOn(0);
    });
  }
}

const NOTHING = new Uint8Array(0);
const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };
