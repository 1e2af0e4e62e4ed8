import { connect } from 'node:net';

/** A connection that sends a line and waits for one. */
export class LineClient {
  #socket;
  #text = '';
  #ended = false;
  #wake = () => {};

  /** @param {number} port @param {string} from - an address of this machine */
  constructor(port, from) {
    this.#socket = connect({ port, host: '127.0.0.1', localAddress: from });
    this.#socket.on('data', (chunk) => {
      this.#text += chunk.toString('latin1');
      this.#wake();
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** The next line, or null when the connection is over. */
  async line() {
    for (;;) {
      const end = this.#text.indexOf('\r\n');
      if (end !== -1) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return line;
      }
      if (this.#ended) return null;
      await new Promise((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  say(command) {
    this.#socket.write(`${command}\r\n`);
    return this.line();
  }

  async logIn(user, password) {
    await this.say(`USER ${user}`);
    return this.say(`PASS ${password}`);
  }

  close() {
    this.#socket.destroy();
  }
}

/**
 * Guesses until there are no passwords left or the time is over, and connects again when it is thrown out. Half of the guesses
 * of one address alone are for other names than ann.
 */
export async function attackers({ port, addresses, connectionsEach, passwords, forMs }) {
  const clients = new Set();
  let left = passwords;
  let answered = 0;
  let accepted = 0;
  let isOver = false;
  const guess = async (address) => {
    while (!isOver && left > 0) {
      const client = new LineClient(port, address);
      clients.add(client);
      for (let status = await client.line(); status !== null && !isOver && left > 0; ) {
        const number = left--;
        const user = addresses.length === 1 && number % 2 === 0 ? `user-${number}` : 'ann';
        status = await client.logIn(user, `guess-${number}`);
        if (status === null || isOver) break;
        answered++;
        if (status.startsWith('+OK')) accepted++;
      }
      clients.delete(client);
      client.close();
    }
  };
  const all = addresses.flatMap((address) => Array.from({ length: connectionsEach }, () => guess(address)));
  const timer = setTimeout(() => {
    isOver = true;
    for (const client of clients) client.close();
  }, forMs);
  await Promise.all(all);
  clearTimeout(timer);
  return { answered, accepted };
}

/** Ann herself, who knows her password and comes from another address every half second. */
export class LoggedInFromElsewhere {
  #port;
  #running = Promise.resolve();
  #stopped = false;
  #figures = { count: 0, failed: 0, slowestMs: 0 };

  constructor(port) {
    this.#port = port;
  }

  start() {
    this.#running = this.#run();
  }

  async #run() {
    for (let i = 0; !this.#stopped; i++) {
      const client = new LineClient(this.#port, `127.200.0.${(i % 250) + 1}`);
      const startedAt = performance.now();
      await client.line();
      const status = await client.logIn('ann', 'right');
      const tookMs = performance.now() - startedAt;
      this.#figures.count++;
      if (!status?.startsWith('+OK')) this.#figures.failed++;
      this.#figures.slowestMs = Math.max(this.#figures.slowestMs, tookMs);
      await client.say('QUIT');
      client.close();
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  async stop() {
    this.#stopped = true;
    await this.#running;
    return this.#figures;
  }
}

/** Asks for the capabilities again and again: as long as that takes, the event loop of the server was busy. */
export class Pinger {
  #client;
  #running = Promise.resolve();
  #stopped = false;
  #slowestMs = 0;

  constructor(port) {
    this.#client = new LineClient(port, '127.250.0.1');
    this.ready = this.#client.line();
  }

  start() {
    this.#running = this.#run();
  }

  async #run() {
    while (!this.#stopped) {
      const startedAt = performance.now();
      for (let line = await this.#client.say('CAPA'); line !== null && line !== '.'; ) {
        line = await this.#client.line();
      }
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - startedAt);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop() {
    this.#stopped = true;
    await this.#running;
    this.#client.close();
    return this.#slowestMs;
  }
}
