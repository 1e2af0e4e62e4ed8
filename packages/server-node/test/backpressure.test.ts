import { createHash } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import type { ConnectionOptions } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { type KeyPair, serverCertificate } from './certificates.js';
import { next, record } from './events.js';
import { GeneratedStore } from './generated-store.js';
import { PASSWORD, Peer } from './peer.js';
import { mailFor, startServer, THREE_MESSAGES } from './started-server.js';
import { quiet, until } from './until.js';

const MIB = 1 << 20;
/** What a pair of sockets holds at the most: 4 MiB to send and 6 MiB received by Linux's defaults, and some of Node's. */
const MAX_IN_BUFFERS = 16 * MIB;

let tls: KeyPair;
let client: ConnectionOptions;
beforeAll(async () => {
  tls = await serverCertificate();
  client = { ca: tls.cert };
});

describe.each(['off', 'implicit'] as const)('with tls: %s', (mode) => {
  const options = () => (mode === 'off' ? {} : { tls: client });

  it('pulls no more from the store than the peer takes', async () => {
    const store = new GeneratedStore(1024 * MIB);
    const { server, port } = await startServer({ tls, store }, { tls: mode });
    const peer = await Peer.loggedIn(port, options());
    peer.pause();
    peer.send('RETR 1\r\n');
    await quiet(() => store.pulled);
    expect(store.pulled).toBeGreaterThan(0);
    expect(store.pulled).toBeLessThan(MAX_IN_BUFFERS);
    peer.reset();
    await until(() => server.connections === 0);
    expect(store.reading).toBe(0);
  });

  it('reads no more from the peer while it takes nothing', async () => {
    const { server, port } = await startServer({ tls, store: new GeneratedStore(1024 * MIB) }, { tls: mode });
    const over = next('session');
    const peer = await Peer.loggedIn(port, options());
    peer.pause();
    peer.send('RETR 1\r\n');
    // More than all buffers hold; what the server does not read stays here.
    const noops = Buffer.from('NOOP\r\n'.repeat(10_000));
    for (let i = 0; i < 64 * MIB; i += noops.length) peer.socket.write(noops);
    await quiet(() => peer.socket.writableLength);
    expect(peer.socket.writableLength).toBeGreaterThan(64 * MIB - MAX_IN_BUFFERS);
    peer.reset();
    await until(() => server.connections === 0);
    expect((await over).octetsReceived).toBeLessThan(MIB);
  });

  it('sends every octet to a peer that reads by fits and starts, from a store that takes its time', async () => {
    const store = new GeneratedStore(12 * MIB, turn);
    const { port } = await startServer({ tls, store }, { tls: mode });
    const peer = await Peer.loggedIn(port, options());
    const { socket } = peer;
    socket.removeAllListeners('data');
    const received = createHash('sha256');
    let octets = 0;
    socket.on('data', (chunk: Buffer) => {
      received.update(chunk);
      octets += chunk.length;
      if (octets % 7 !== 0) return;
      socket.pause();
      setImmediate(() => socket.resume());
    });
    // The second is asked for while the first is on its way.
    peer.send('RETR 1\r\nRETR 1\r\nQUIT\r\n');
    expect(await peer.closed()).toBe('ended');
    const expected = createHash('sha256');
    for (let i = 0; i < 2; i++) {
      expected.update(`+OK ${store.octets} octets\r\n`);
      for (const chunk of store.content()) expected.update(chunk);
      expected.update('.\r\n');
    }
    expected.update('+OK bye\r\n');
    expect(received.digest('hex')).toBe(expected.digest('hex'));
    expect(store.reading).toBe(0);
  });

  it('answers everything that was pipelined before the peer ended its side', async () => {
    const { port } = await startServer({ tls, store: mailFor(...THREE_MESSAGES) }, { tls: mode });
    const peer = await Peer.connect(port, options());
    peer.send(`USER ann\r\nPASS ${PASSWORD}\r\nSTAT\r\n${'RETR 2\r\n'.repeat(300)}QUIT\r\n`);
    peer.halfClose();
    const answers = await peer.rest();
    expect(answers.match(/^\+OK/gm)).toHaveLength(305);
    expect(answers.match(/^Subject: two\r\n\r\n2\r\n\.\r\n/gm)).toHaveLength(300);
    expect(answers.endsWith('+OK bye\r\n')).toBe(true);
  });
});

describe('pipelining', () => {
  const COMMANDS = Array.from({ length: 500 }, (_, i) => {
    const n = (i % 4) + 1;
    return [`LIST ${n}`, `RETR ${n}`, 'XYZZY', 'NOOP', `TOP ${n} 0`, `UIDL ${n}`, 'STAT'][i % 7] as string;
  });
  const BODIES = THREE_MESSAGES.map((message) => `${message}.\r\n`);

  /** What has to come back, one string for each command; n = 4 does not exist. */
  function answersTo(command: string): RegExp {
    const [verb, n] = command.split(' ');
    if (verb === 'XYZZY' || n === '4') return /^-ERR [^\r\n]*\r\n$/;
    const index = Number(n) - 1;
    if (verb === 'RETR') return new RegExp(`^\\+OK [^\\r\\n]*\\r\\n${escaped(BODIES[index] as string)}$`);
    if (verb === 'TOP') {
      const [header] = (THREE_MESSAGES[index] as string).split('\r\n');
      return new RegExp(`^\\+OK [^\\r\\n]*\\r\\n${escaped(`${header}\r\n\r\n.\r\n`)}$`);
    }
    if (verb === 'LIST') return new RegExp(`^\\+OK ${n} ${THREE_MESSAGES[index]?.length}\\r\\n$`);
    if (verb === 'UIDL') return new RegExp(`^\\+OK ${n} ${n}\\r\\n$`);
    return /^\+OK [^\r\n]*\r\n$/;
  }

  async function checkAnswers(peer: Peer, commands: readonly string[]): Promise<void> {
    for (const command of commands) {
      let answer = `${await peer.line()}\r\n`;
      if (/^(RETR|TOP)/.test(command) && answer.startsWith('+OK')) {
        for (const line of [...(await peer.lines()), '.']) answer += `${line}\r\n`;
      }
      expect(answer, command).toMatch(answersTo(command));
    }
  }

  it('answers 500 commands of one segment in order, errors in their place', async () => {
    const { port } = await startServer();
    const peer = await Peer.loggedIn(port);
    peer.send(COMMANDS.map((command) => `${command}\r\n`).join(''));
    await checkAnswers(peer, COMMANDS);
    expect(await peer.command('QUIT')).toBe('+OK bye');
  });

  it('answers them when they are cut anywhere', async () => {
    const { port } = await startServer();
    const peer = await Peer.loggedIn(port);
    const text = COMMANDS.map((command) => `${command}\r\n`).join('');
    const answers = checkAnswers(peer, COMMANDS);
    for (let at = 0, size = 1; at < text.length; at += size, size = (size * 7 + 1) % 61 || 1) {
      peer.send(text.slice(at, at + size));
      if (size % 2 === 0) await turn();
    }
    await answers;
  });

  it('answers a peer that sends octet by octet', async () => {
    const { port } = await startServer();
    const peer = await Peer.connect(port);
    await peer.line();
    const commands = COMMANDS.slice(0, 14);
    for (const octet of `USER ann\r\nPASS ${PASSWORD}\r\n${commands.join('\r\n')}\r\n`) {
      peer.send(octet);
      await turn();
    }
    expect(await peer.line()).toBe('+OK send PASS');
    expect(await peer.line()).toMatch(/^\+OK 3 messages/);
    await checkAnswers(peer, commands);
  });

  it('gives other sessions their turn while it answers a flood', async () => {
    const { port } = await startServer();
    const store = new GeneratedStore(1024 * MIB);
    const { port: busyPort } = await startServer({ store });
    const busy = await Peer.loggedIn(busyPort);
    busy.socket.removeAllListeners('data');
    busy.socket.resume();
    busy.send('RETR 1\r\n');
    await until(() => store.pulled > 0);
    const other = await Peer.loggedIn(port);
    for (let i = 0; i < 20; i++) await other.command('NOOP');
    // The big message is still on its way, so nobody waited for its end.
    expect(store.reading).toBe(1);
    expect(store.pulled).toBeLessThan(1024 * MIB);
    busy.reset();
  });
});

function escaped(text: string): string {
  return text
    .replace(/[.\\+*?()[\]{}^$|]/g, '\\$&')
    .replaceAll('\r', '\\r')
    .replaceAll('\n', '\\n');
}

it('counts the octets of both directions in the record of the session', async () => {
  const { port } = await startServer();
  const sessions = record('session');
  const peer = await Peer.connect(port);
  peer.send(`USER ann\r\nPASS ${PASSWORD}\r\nSTAT\r\nQUIT\r\n`);
  const answers = await peer.rest();
  expect(sessions).toMatchObject([
    { octetsReceived: 10 + 7 + PASSWORD.length + 6 + 6, octetsSent: answers.length },
  ]);
});
