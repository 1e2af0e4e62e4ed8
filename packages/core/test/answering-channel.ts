import type { ClientChannel } from '../src/driver/index.js';

/** A server without a network: it is asked for an answer to each line, and keeps what was said. */
export class AnsweringChannel implements ClientChannel {
  /** Lines of the client. */
  readonly said: string[] = [];
  readonly #answer: (line: string, number: number) => string | null;
  readonly #output: Uint8Array[] = [];
  #closed = false;

  /** @param answer - to each line, the first being number 1; null closes the connection */
  constructor(greeting: string, answer: (line: string, number: number) => string | null) {
    this.#answer = answer;
    this.#output.push(Buffer.from(`${greeting}\r\n`));
  }

  read(): Uint8Array | null {
    const chunk = this.#output.shift();
    if (chunk !== undefined) return chunk;
    if (!this.#closed) throw new Error('The client waits for what does not come.');
    return null;
  }

  take(): Uint8Array | null {
    return this.#output.shift() ?? null;
  }

  write(octets: Uint8Array): void {
    for (const line of Buffer.from(octets).toString().split('\r\n').slice(0, -1)) {
      this.said.push(line);
      const answer = this.#closed ? null : this.#answer(line, this.said.length);
      if (answer === null) this.#closed = true;
      else if (answer !== '') this.#output.push(Buffer.from(`${answer}\r\n`));
    }
  }
}
