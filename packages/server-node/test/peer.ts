import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';

export interface PeerOptions {
  /** Address to connect from: all of 127.0.0.0/8 is this machine. */
  readonly from?: string;
  /** Begins with TLS. */
  readonly tls?: ConnectionOptions;
}

/** A client that sends exactly what it is told to and reads what it is asked to, one character for each octet. */
export class Peer {
  #socket: Socket;
  readonly #plain: Socket;
  #text = '';
  #over: 'ended' | 'reset' | null = null;
  #changed: (() => void) | null = null;

  /** @param plain - the socket under TLS, where there is TLS from the start */
  constructor(socket: Socket, plain = socket) {
    this.#socket = socket;
    this.#plain = plain;
    this.#listen(socket);
  }

  /** Connects and shakes hands, but does not wait for the greeting. */
  static async connect(port: number, { from, tls }: PeerOptions = {}): Promise<Peer> {
    const plain = connectTcp({ port, host: '127.0.0.1', ...(from !== undefined && { localAddress: from }) });
    await once(plain, 'connect');
    return new Peer(tls === undefined ? plain : await handshake(plain, tls), plain);
  }

  /** Connects, reads the greeting and logs in. */
  static async loggedIn(port: number, options?: PeerOptions & { readonly user?: string }): Promise<Peer> {
    const peer = await Peer.connect(port, options);
    await peer.line();
    await peer.logIn(options?.user);
    return peer;
  }

  get socket(): Socket {
    return this.#socket;
  }

  send(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** The next line, without its CRLF. */
  async line(): Promise<string> {
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      if (this.#over !== null) throw new Error(`No line: the connection was ${this.#over}.`);
      await this.#change();
    }
  }

  /** The lines of a multi-line response that follow its status line, dot-stuffed as they come. */
  async lines(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== '.'; line = await this.line()) lines.push(line);
    return lines;
  }

  /** Sends a line and reads one. */
  command(line: string): Promise<string> {
    this.send(`${line}\r\n`);
    return this.line();
  }

  /** Sends a line and reads a multi-line response. */
  async list(line: string): Promise<string[]> {
    const status = await this.command(line);
    if (!status.startsWith('+OK')) throw new Error(`${line} was answered ${status}`);
    return this.lines();
  }

  async logIn(user = 'ann'): Promise<void> {
    await this.command(`USER ${user}`);
    const status = await this.command(`PASS ${PASSWORD}`);
    if (!status.startsWith('+OK')) throw new Error(`The login was answered ${status}`);
  }

  /** Sends STLS, reads its answer and shakes hands. */
  async startTls(options: ConnectionOptions): Promise<void> {
    const status = await this.command('STLS');
    if (!status.startsWith('+OK')) throw new Error(`STLS was answered ${status}`);
    await this.shakeHands(options);
  }

  /** The handshake alone. */
  async shakeHands(options: ConnectionOptions): Promise<void> {
    const plain = this.#socket;
    for (const event of ['data', 'end', 'close']) plain.removeAllListeners(event);
    this.#socket = await handshake(plain, options);
    this.#listen(this.#socket);
  }

  /** What comes until the connection is over. */
  async rest(): Promise<string> {
    while (this.#over === null) await this.#change();
    const text = this.#text;
    this.#text = '';
    return text;
  }

  /** How the server closed. */
  async closed(): Promise<'ended' | 'reset'> {
    while (this.#over === null) await this.#change();
    return this.#over;
  }

  /** Ends this side and goes on reading. */
  halfClose(): void {
    this.#socket.end();
  }

  /** Is gone without a word. */
  reset(): void {
    this.#plain.resetAndDestroy();
  }

  /** Takes nothing more from the network. */
  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  #listen(socket: Socket): void {
    socket.setNoDelay(true);
    const over = (how: 'ended' | 'reset') => {
      this.#over ??= how;
      this.#changed?.();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
      this.#changed?.();
    });
    socket.on('end', () => over('ended'));
    socket.on('error', () => over('reset'));
    socket.on('close', () => over('reset'));
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#changed = resolve;
    });
  }
}

/** The password of every user of the tests: the diagnostics must never show it. */
export const PASSWORD = 'open sesame 4711';

async function handshake(plain: Socket, options: ConnectionOptions): Promise<TLSSocket> {
  // Which name a certificate has is for the tests to look at.
  const secured = connectTls({ checkServerIdentity: () => undefined, ...options, socket: plain });
  await once(secured, 'secureConnect');
  return secured;
}
