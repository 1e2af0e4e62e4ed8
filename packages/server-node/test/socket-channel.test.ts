import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { SocketChannel } from '../src/socket-channel.js';
import { until } from './until.js';

/** A socket whose kernel takes octets at once, or when the test says so. */
class FakeSocket extends Duplex {
  /** Whether `write` finishes before it returns, as Node's does when the kernel has room. */
  takesAtOnce = true;
  /** The very chunks handed over, not copies. */
  readonly handed: Uint8Array[] = [];
  #take: (() => void)[] = [];

  constructor() {
    super({ allowHalfOpen: true });
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _: string, done: () => void): void {
    this.handed.push(chunk);
    if (this.takesAtOnce) done();
    else this.#take.push(done);
  }

  /** The kernel has taken the oldest write that waits. */
  takeOne(): void {
    this.#take.shift()?.();
  }
}

const OCTETS = Buffer.from('+OK\r\n');
let socket: FakeSocket;
let told: string[];
let channel: SocketChannel;

function channelOver(plain: FakeSocket, secured?: FakeSocket | Error): SocketChannel {
  const tell = (what: string) => () => void told.push(what);
  const waiting = {
    reading: tell('reading'),
    received: tell('received'),
    sending: tell('sending'),
    sent: tell('sent'),
  };
  const peer = { address: null, tls: true, certificate: null };
  return new SocketChannel(
    plain as unknown as Socket,
    waiting,
    secured === undefined
      ? null
      : async () => {
          if (secured instanceof Error) throw secured;
          return { socket: secured as unknown as Socket, peer };
        },
  );
}

beforeEach(() => {
  socket = new FakeSocket();
  socket.on('error', () => {});
  told = [];
  channel = channelOver(socket);
});

/** Whether a promise is settled after everything that can happen without the test has happened. */
async function settled(promise: unknown): Promise<boolean> {
  let is = false;
  void Promise.resolve(promise).then(() => {
    is = true;
  });
  for (let i = 0; i < 5; i++) await new Promise(setImmediate);
  return is;
}

describe('write', () => {
  it('returns nothing when everything was taken at once', () => {
    expect(channel.write(OCTETS)).toBeUndefined();
    expect(socket.writableLength).toBe(0);
    expect(told).toEqual([]);
  });

  it('returns a promise while a part is held, and settles it when that was taken', async () => {
    socket.takesAtOnce = false;
    const written = channel.write(OCTETS);
    expect(told).toEqual(['sending']);
    expect(await settled(written)).toBe(false);
    socket.takeOne();
    await written;
    expect(told).toEqual(['sending', 'sent']);
  });

  it('hands over the memory it was lent, and does not say that it is free before it was taken', async () => {
    socket.takesAtOnce = false;
    const lent = new Uint8Array(4).fill(1);
    const written = channel.write(lent);
    expect(socket.handed[0]?.buffer).toBe(lent.buffer);
    expect(await settled(written)).toBe(false);
    socket.takeOne();
    await written;
    // From here on the lender may write to it; nobody reads it any more.
    expect(channel.write(lent)).toBeInstanceOf(Promise);
    expect(socket.handed).toHaveLength(2);
    socket.takeOne();
  });

  it('does not take the late callback of a finished write for the end of one that waits', async () => {
    // The callback of the first comes on the next tick although everything was taken at once.
    expect(channel.write(OCTETS)).toBeUndefined();
    socket.takesAtOnce = false;
    const second = channel.write(OCTETS);
    expect(await settled(second)).toBe(false);
    socket.takeOne();
    await second;
    expect(told).toEqual(['sending', 'sent']);
  });

  it('keeps count over many writes of both kinds', async () => {
    for (let i = 0; i < 50; i++) {
      socket.takesAtOnce = true;
      for (let j = 0; j < i % 4; j++) expect(channel.write(OCTETS)).toBeUndefined();
      socket.takesAtOnce = false;
      const held = channel.write(OCTETS);
      expect(await settled(held)).toBe(false);
      socket.takeOne();
      await held;
    }
    expect(told.filter((what) => what === 'sent')).toHaveLength(50);
  });

  it('settles when the socket closes under it', async () => {
    socket.takesAtOnce = false;
    const written = channel.write(OCTETS);
    socket.destroy(new Error('reset'));
    await written;
    expect(told).toEqual(['sending', 'sent']);
  });

  it('throws when the socket is closed already: the peer is gone', () => {
    socket.destroy();
    expect(() => channel.write(OCTETS)).toThrow('The peer is gone');
  });
});

describe('read', () => {
  it('waits for octets, and says so', async () => {
    const read = channel.read();
    expect(told).toEqual(['reading']);
    socket.push(OCTETS);
    expect(await read).toEqual(OCTETS);
    expect(told).toEqual(['reading', 'received']);
  });

  it('returns at once what came while nobody read, without a promise', async () => {
    socket.push(OCTETS);
    await until(() => socket.isPaused());
    expect(channel.read()).toEqual(OCTETS);
    expect(told).toEqual([]);
  });

  it('takes no more than one chunk ahead, and goes on when that was read', async () => {
    for (const chunk of ['a', 'b', 'c']) socket.push(Buffer.from(chunk));
    await until(() => socket.isPaused());
    expect(socket.readableLength).toBe(2);
    expect(String(await channel.read())).toBe('a');
    expect(String(await channel.read())).toBe('b');
    expect(String(await channel.read())).toBe('c');
  });

  it('gives what came before the end, then null, again and again', async () => {
    socket.push(OCTETS);
    socket.push(null);
    expect(await channel.read()).toEqual(OCTETS);
    expect(await channel.read()).toBeNull();
    expect(await channel.read()).toBeNull();
  });

  it('gives null when the socket closes', async () => {
    const read = channel.read();
    socket.destroy(new Error('reset'));
    expect(await read).toBeNull();
  });

  it('gives null from stopReading on', async () => {
    const read = channel.read();
    channel.stopReading();
    expect(await read).toBeNull();
    socket.push(OCTETS);
    expect(await channel.read()).toBeNull();
    expect(told).toEqual(['reading', 'received']);
  });
});

describe('upgradeTls', () => {
  it('is not there when TLS cannot be had', () => {
    expect(channel.upgradeTls).toBeUndefined();
  });

  it('forgets what waits, and reads and writes on the new socket', async () => {
    const secured = new FakeSocket();
    channel = channelOver(socket, secured);
    socket.push(Buffer.from('USER mallory\r\n'));
    await until(() => socket.isPaused());
    expect(await channel.upgradeTls?.()).toEqual({ address: null, tls: true, certificate: null });
    expect(channel.socket).toBe(secured);

    const read = channel.read();
    socket.push(Buffer.from('PASS mallory\r\n'));
    expect(await settled(read)).toBe(false);
    secured.push(Buffer.from('CAPA\r\n'));
    expect(String(await read)).toBe('CAPA\r\n');
    channel.write(OCTETS);
    expect(secured.handed).toHaveLength(1);
    expect(socket.handed).toHaveLength(0);
  });

  it('keeps count of writes over the change of sockets', async () => {
    const secured = new FakeSocket();
    channel = channelOver(socket, secured);
    expect(channel.write(OCTETS)).toBeUndefined();
    await channel.upgradeTls?.();
    secured.takesAtOnce = false;
    const written = channel.write(OCTETS);
    expect(await settled(written)).toBe(false);
    secured.takeOne();
    await written;
  });

  it('fails when the handshake fails', async () => {
    channel = channelOver(socket, new Error('no shared cipher'));
    await expect(channel.upgradeTls?.()).rejects.toThrow('no shared cipher');
  });
});

describe('end', () => {
  it('sends what is left, then ends, and reads nothing more for anybody', async () => {
    socket.takesAtOnce = false;
    const written = channel.write(OCTETS);
    let finished = false;
    socket.on('finish', () => {
      finished = true;
    });
    channel.end();
    socket.push(Buffer.from('NOOP\r\n'));
    expect(await settled(undefined)).toBe(true);
    expect(finished).toBe(false);
    socket.takeOne();
    await written;
    await until(() => finished);
    expect(socket.readableLength).toBe(0);
    expect(told).toEqual(['sending', 'sent']);
  });
});

it('cuts off a peer that goes on sending after the end', async () => {
  socket.takesAtOnce = false;
  channel.write(OCTETS);
  channel.end();
  socket.push(Buffer.alloc(262_144));
  await settled(undefined);
  expect(socket.destroyed).toBe(false);
  socket.push(Buffer.alloc(1));
  await until(() => socket.destroyed);
});

it('lets other connections run when asked to', async () => {
  let ran = false;
  setImmediate(() => {
    ran = true;
  });
  await channel.yield();
  expect(ran).toBe(true);
});
