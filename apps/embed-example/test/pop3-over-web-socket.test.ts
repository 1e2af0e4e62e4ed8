import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { staticUsers } from '@pop3/auth-node';
import type { CloseReason } from '@pop3/core';
import { memoryStore } from '@pop3/store-memory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { pop3OverWebSocket } from '../src/pop3-over-web-socket.js';

const authenticator = staticUsers({ ann: 'secret' });

let store: ReturnType<typeof memoryStore>;
let server: WebSocketServer;
let sessions: Promise<CloseReason>[];

beforeEach(async () => {
  store = memoryStore();
  sessions = [];
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (socket) => sessions.push(pop3OverWebSocket(socket, { store, authenticator })));
  await once(server, 'listening');
});

afterEach(async () => {
  for (const socket of server.clients) socket.terminate();
  await new Promise((closed) => server.close(closed));
});

describe('POP3 over a WebSocket', () => {
  it('serves a whole session and deletes what was marked', async () => {
    store.deliver('ann', octetsOf('Subject: first\n\n.dot\nno line end'));
    store.deliver('ann', octetsOf('Subject: second\r\n\r\nstays\r\n'));
    const client = await Client.connect(server);

    expect(await client.line()).toBe('+OK POP3 server ready');
    expect(await client.command('USER ann')).toMatch(/^\+OK/);
    expect(await client.command('PASS secret')).toMatch(/^\+OK/);
    expect(await client.command('STAT')).toBe('+OK 2 63');
    expect(await client.command('RETR 1')).toBe('+OK 37 octets');
    expect(await client.lines()).toEqual(['Subject: first', '', '..dot', 'no line end']);
    expect(await client.command('DELE 1')).toMatch(/^\+OK/);
    expect(await client.command('QUIT')).toMatch(/^\+OK/);
    await client.closed;

    expect(await sessions[0]).toBe('quit');
    expect(await unread()).toBe(1);
  });

  it('answers commands in order, however they are cut into messages', async () => {
    store.deliver('ann', octetsOf('Subject: one\r\n\r\nbody\r\n'));
    const client = await Client.connect(server);
    for (const octet of 'USER ann\r\nPASS sec') client.send(octet);
    client.send('ret\r\nNOOP\r\nRETR 2\r\nLIST 1\r\nQUIT\r\n');
    await client.closed;

    expect(client.received.split('\r\n').map((line) => line.split(' ')[0])).toEqual([
      '+OK', // greeting
      '+OK', // USER
      '+OK', // PASS
      '+OK', // NOOP
      '-ERR', // RETR 2
      '+OK', // LIST 1
      '+OK', // QUIT
      '',
    ]);
  });

  it('sends a message of 8 MiB to a client that pauses, octet by octet', async () => {
    const message = new Uint8Array(8 << 20).fill(0x78);
    for (let at = 75; at < message.length; at += 77) message.set([0x0d, 0x0a], at);
    store.deliver('ann', message);
    const client = await Client.connect(server);
    client.send('USER ann\r\nPASS secret\r\nRETR 1\r\n');
    client.socket.pause();
    await new Promise((soon) => setImmediate(soon));
    client.socket.resume();
    client.send('QUIT\r\n');
    await client.closed;

    const body = client.received.slice(client.received.indexOf('octets\r\n', 60) + 'octets\r\n'.length);
    expect(body.startsWith(Buffer.from(message).toString('latin1'))).toBe(true);
  });

  it('deletes nothing when the connection is lost', async () => {
    store.deliver('ann', octetsOf('Subject: one\r\n\r\nbody\r\n'));
    const client = await Client.connect(server);
    await client.line();
    await client.command('USER ann');
    await client.command('PASS secret');
    await client.command('DELE 1');
    client.socket.terminate();

    expect(await sessions[0]).toBe('peer-closed');
    expect(await unread()).toBe(1);
  });

  it('does not offer STLS, and reads text messages as it reads binary ones', async () => {
    const client = await Client.connect(server);
    await client.line();
    client.socket.send('CAPA\r\n');
    expect(await client.line()).toMatch(/^\+OK/);
    expect(await client.lines()).not.toContain('STLS');
  });
});

/** Messages that a next session finds. */
async function unread(): Promise<number> {
  const { signal } = new AbortController();
  const maildrop = await store.open({ maildrop: 'ann', username: 'ann' }, { signal });
  if (!('listing' in maildrop)) throw new Error(maildrop.reason);
  await maildrop.release();
  return maildrop.listing.count;
}

class Client {
  readonly socket: WebSocket;
  readonly closed: Promise<unknown>;
  received = '';
  #read = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = once(socket, 'close');
    socket.on('message', (octets: Buffer) => {
      this.received += octets.toString('latin1');
    });
  }

  static async connect(server: WebSocketServer): Promise<Client> {
    const client = new Client(new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`));
    await once(client.socket, 'open');
    return client;
  }

  send(text: string): void {
    this.socket.send(octetsOf(text));
  }

  command(text: string): Promise<string> {
    this.send(`${text}\r\n`);
    return this.line();
  }

  async line(): Promise<string> {
    for (;;) {
      const end = this.received.indexOf('\r\n', this.#read);
      if (end !== -1) {
        const line = this.received.slice(this.#read, end);
        this.#read = end + 2;
        return line;
      }
      await Promise.race([once(this.socket, 'message'), this.closed.then(() => this.#gone())]);
    }
  }

  /** Lines up to the terminator, as they came. */
  async lines(): Promise<string[]> {
    const lines: string[] = [];
    for (let line = await this.line(); line !== '.'; line = await this.line()) lines.push(line);
    return lines;
  }

  #gone(): never {
    throw new Error('The server has closed the connection.');
  }
}

function octetsOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
