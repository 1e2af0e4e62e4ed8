import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Account } from './world.js';

/**
 * A session that does nothing by itself: for tests in which a second client meets the first one, the server dies under
 * it, or each line counts.
 */
export class StandingSession {
  readonly #socket: Socket;
  readonly #lines: AsyncIterator<string>;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('error', () => {
      // The server was killed; the next command tells.
    });
    this.#lines = createInterface({ input: socket, crlfDelay: Number.POSITIVE_INFINITY })[
      Symbol.asyncIterator
    ]();
  }

  /** Reads the greeting, and does nothing else. */
  static async greeted(socket: Socket): Promise<StandingSession> {
    const session = new StandingSession(socket);
    await session.#line();
    return session;
  }

  /** Connects to a plain-text port, and reads the greeting. */
  static connect(port: number): Promise<StandingSession> {
    return StandingSession.greeted(connect(port, '127.0.0.1'));
  }

  /** Logs in on a plain-text port. */
  static async open(port: number, { user, password }: Account): Promise<StandingSession> {
    const session = await StandingSession.connect(port);
    for (const command of [`USER ${user}`, `PASS ${password}`]) {
      const status = await session.command(command);
      if (!status.startsWith('+OK')) throw new Error(`login refused: ${status}`);
    }
    return session;
  }

  /** Sends a command and returns the status line without CRLF. */
  command(line: string): Promise<string> {
    this.#socket.write(`${line}\r\n`);
    return this.#line();
  }

  /** Closes the connection without QUIT. */
  drop(): void {
    this.#socket.destroy();
  }

  async #line(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error('the server closed the connection');
    return value;
  }
}
