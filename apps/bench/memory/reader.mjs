// A client that checks every octet it gets and keeps none.
import { once } from 'node:events';
import { connect } from 'node:net';

export class Reader {
  #socket;
  #chunks;
  #rest = Buffer.alloc(0);

  static async loggedIn(port, user = 'ann') {
    const reader = new Reader(connect(port, '127.0.0.1'));
    await reader.line();
    await reader.command(`USER ${user}`);
    await reader.command('PASS secret');
    return reader;
  }

  constructor(socket) {
    this.#socket = socket;
    this.#chunks = socket[Symbol.asyncIterator]();
  }

  send(line) {
    this.#socket.write(`${line}\r\n`);
  }

  async command(line) {
    this.send(line);
    const answer = await this.line();
    if (!answer.startsWith('+OK')) throw new Error(`${line.split(' ')[0]} was answered ${answer}`);
    return answer;
  }

  async line() {
    for (;;) {
      const end = this.#rest.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#rest.toString('latin1', 0, end);
        this.#rest = this.#rest.subarray(end + 2);
        return line;
      }
      this.#rest = Buffer.concat([this.#rest, await this.#next()]);
    }
  }

  /** Reads exactly these octets; returns how many they were. */
  async expect(expected) {
    let octets = 0;
    for (const block of expected) {
      for (let at = 0; at < block.length; ) {
        if (this.#rest.length === 0) this.#rest = await this.#next();
        const size = Math.min(this.#rest.length, block.length - at);
        if (block.compare(this.#rest, 0, size, at, at + size) !== 0) {
          throw new Error(`The response is wrong somewhere in octets ${octets} to ${octets + size}.`);
        }
        this.#rest = this.#rest.subarray(size);
        at += size;
        octets += size;
      }
    }
    return octets;
  }

  /** The lines of a multi-line response behind its status line, one at a time. */
  async *lines() {
    for (let line = await this.line(); line !== '.'; line = await this.line()) yield line;
  }

  async quit() {
    await this.command('QUIT');
    this.#socket.end();
    await once(this.#socket, 'close');
  }

  /** Is gone without a word. */
  reset() {
    this.#socket.resetAndDestroy();
  }

  async #next() {
    const { done, value } = await this.#chunks.next();
    if (done) throw new Error('The server closed the connection.');
    return value;
  }
}
