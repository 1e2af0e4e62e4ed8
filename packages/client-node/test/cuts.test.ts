/**
 * A session is cut off behind each of its octets: by an end, by a reset, and by silence. Whatever the place, the client comes
 * to an end, a message is whole or an error, and nothing counts as deleted before QUIT was answered.
 */
import { Duplex } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { isPop3Error } from '@pop3/core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type ConnectOptions, connectPop3, type QuitResult } from '../src/index.js';
import { certificate, type KeyPair } from './certificates.js';
import { PLAIN, text } from './quirk.js';
import { MESSAGES, octets, ScriptedServer, type ScriptedServerOptions } from './scripted-server.js';

const PIPELINING = `C: CAPA
   S: +OK
   S: PIPELINING
   S: USER
   S: .`;
const SASL = `C: CAPA
   S: +OK
   S: SASL LOGIN
   S: .
   C: AUTH LOGIN
   S: + VXNlcm5hbWU6
   C> YW5u
   S: + UGFzc3dvcmQ6
   C> c2VjcmV0
   S: +OK`;
const STLS = `C: STLS
   S: +OK
   tls`;

const unhandled: unknown[] = [];
const note = (reason: unknown) => {
  unhandled.push(reason);
};
beforeAll(() => {
  process.on('unhandledRejection', note);
});
afterAll(() => {
  process.off('unhandledRejection', note);
});
afterEach(() => {
  vi.useRealTimers();
  expect(unhandled.splice(0)).toEqual([]);
});

interface Outcome {
  /** The messages that were read to what the client says is their end. */
  readonly whole: ReadonlyMap<number, string>;
  readonly result: QuitResult | null;
  readonly error: unknown;
}

/** Reads everything, marks it and quits. */
async function fetchAll(options: ConnectOptions): Promise<Outcome> {
  const whole = new Map<number, string>();
  try {
    await using client = await connectPop3(options);
    for await (const message of client.messages({ pipeline: 3 })) {
      whole.set(message.number, await text(message.body()));
      message.delete();
    }
    return { whole, result: await client.quit(), error: null };
  } catch (error) {
    return { whole, result: null, error };
  }
}

/** @param all - whether every octet of the server was said */
function expectHonest({ whole, result, error }: Outcome, server: ScriptedServer, all: boolean): void {
  for (const [number, body] of whole) expect(body).toBe(MESSAGES[number - 1]);
  if (result === null) {
    expect(error).toSatisfy(isPop3Error);
    expect(error).toMatchObject({
      code: expect.stringMatching(/^POP3_(CONNECT|CLOSED|TIMEOUT|TLS)$/),
      retryable: true,
    });
    expect(server.octets).not.toContain('QUIT');
  } else {
    expect(result.deleted.length + result.failed.length).toBe(3);
    expect(result.deleted).toHaveLength(all ? 3 : 0);
  }
  if (whole.size < 3) expect(server.octets).not.toMatch(/DELE|QUIT/);
}

async function octetsOf(script: string, options: ScriptedServerOptions = {}): Promise<number> {
  await using server = new ScriptedServer(script, options);
  const outcome = await fetchAll({ ...PLAIN, socket: server.socket });
  expect(outcome).toMatchObject({ error: null, result: { failed: [] } });
  return server.connections[0]?.answered ?? 0;
}

describe.each([
  ['with USER and PASS, a message at a time', ''],
  ['with PIPELINING', PIPELINING],
  ['with SASL', SASL],
])('a session %s', (_name, script) => {
  it.each(['close', 'reset'] as const)('is cut behind each octet by %s', async (how) => {
    const all = await octetsOf(script);
    expect(all).toBeGreaterThan(200);
    for (let afterOctets = 0; afterOctets <= all; afterOctets++) {
      await using server = new ScriptedServer(script, { cut: { afterOctets, how } });
      const outcome = await fetchAll({ ...PLAIN, socket: server.socket });
      expectHonest(outcome, server, afterOctets === all);
      await server.ended(server.connections.length);
    }
  });

  it('falls silent behind each octet', async () => {
    const all = await octetsOf(script);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    for (let afterOctets = 0; afterOctets <= all; afterOctets++) {
      await using server = new ScriptedServer(script, { cut: { afterOctets, how: 'silence' } });
      let settled = false;
      const fetched = fetchAll({ ...PLAIN, socket: server.socket }).finally(() => {
        settled = true;
      });
      // Once for the connection, once for the one without CAPA; five minutes is the longest that anything may take.
      for (let connection = 1; connection <= 2 && !settled; connection++) {
        await Promise.race([server.quiet(connection), fetched]);
        await vi.advanceTimersByTimeAsync(300_000);
      }
      expectHonest(await fetched, server, afterOctets === all);
    }
  });
});

it('a session over TCP is reset in any of its parts', async () => {
  const all = await octetsOf(PIPELINING);
  for (let afterOctets = 0; afterOctets <= all; afterOctets += 11) {
    await using server = new ScriptedServer(PIPELINING, { cut: { afterOctets, how: 'reset' } });
    const outcome = await fetchAll({ ...PLAIN, ...(await server.listen()) });
    expectHonest(outcome, server, afterOctets === all);
  }
});

describe('with STLS', () => {
  let own: KeyPair;
  beforeAll(async () => {
    own = await certificate({ names: ['localhost'] });
  });

  it.each(['close', 'reset'] as const)('the encrypted stream is cut anywhere by %s', async (how) => {
    const run = async (afterOctets: number) => {
      await using server = new ScriptedServer(STLS, { certificate: own });
      let passed = 0;
      const outcome = await fetchAll({
        ...PLAIN,
        tls: 'starttls',
        host: 'localhost',
        trust: { ca: own.cert },
        socket: () => {
          const cut = cutAfter(server.socket(), afterOctets, how, (length) => {
            passed += length;
          });
          return cut;
        },
      });
      return { outcome, server, passed };
    };
    const { passed } = await run(Number.POSITIVE_INFINITY);
    expect(passed).toBeGreaterThan(1000);
    for (let afterOctets = 0; afterOctets < passed; afterOctets += 23) {
      const { outcome, server } = await run(afterOctets);
      // How long the records are is chance, so the last octets may or may not be there.
      const all = outcome.result !== null && outcome.result.deleted.length === 3;
      expectHonest(outcome, server, all);
      if (all) expect(server.octets).toContain('QUIT');
    }
  });
});

describe('a session in which one octet is wrong, wherever it is', () => {
  const ALTERATIONS: readonly (readonly [what: string, alter: (octet: number) => readonly number[]])[] = [
    ['is missing', () => []],
    ['comes twice', (octet) => [octet, octet]],
    ['is another one', (octet) => [octet ^ 1]],
    ['is a line feed', () => [0x0a]],
    ['is NUL', () => [0]],
    ['is a dot', () => [0x2e]],
    ['has a whole answer before it', (octet) => [...octets('\r\n+OK\r\n'), octet]],
    ['has a terminator before it', (octet) => [...octets('\r\n.\r\n'), octet]],
  ];

  it.each(ALTERATIONS)('it %s', async (_what, alteration) => {
    const all = await octetsOf(PIPELINING);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date', 'performance'] });
    for (let wrong = 0; wrong < all; wrong++) {
      const alter = (chunk: Uint8Array, first: number) => {
        const at = wrong - first;
        if (at < 0 || at >= chunk.length) return chunk;
        const changed = alteration(chunk[at] as number);
        return Uint8Array.from([...chunk.subarray(0, at), ...changed, ...chunk.subarray(at + 1)]);
      };
      await using server = new ScriptedServer([PIPELINING, ''], { alter });
      const { whole, result, error } = await patiently(server, fetchAll({ ...PLAIN, socket: server.socket }));
      const where = `octet ${wrong}`;
      if (result === null) expect(error, where).toSatisfy(isPop3Error);
      // QUIT is for somebody who has everything that was listed.
      if (server.octets.includes('QUIT')) expect(result, where).not.toBeNull();
      for (const { number } of result?.failed ?? []) expect([...whole.keys()], where).toContain(number);
      for (const number of result?.deleted ?? []) expect([...whole.keys()], where).toContain(number);
    }
  });

  /** Lets time pass whenever both wait for each other. */
  async function patiently(server: ScriptedServer, fetched: Promise<Outcome>): Promise<Outcome> {
    let settled = false;
    const settle = () => {
      settled = true;
    };
    fetched.then(settle, settle);
    const activity = () =>
      server.octets.length + server.connections.reduce((sum, { answered }) => sum + answered, 0);
    for (let pauses = 0; !settled; pauses++) {
      expect(pauses, 'how often the client had to be waited for').toBeLessThan(5);
      for (let still = 0, before = -1; still < 5 && !settled; before = activity()) {
        await turn();
        still = activity() === before ? still + 1 : 0;
      }
      if (!settled) await vi.advanceTimersByTimeAsync(300_000);
    }
    return fetched;
  }
});

/** The same connection, of which the client gets so many octets, and what it says goes on as it is. */
function cutAfter(
  inner: Duplex,
  afterOctets: number,
  how: 'close' | 'reset',
  passed: (octets: number) => void,
): Duplex {
  let left = afterOctets;
  const outer = new Duplex({
    read: () => inner.resume(),
    write: (chunk, _encoding, done) => {
      inner.write(chunk, () => done());
    },
    final: (done) => {
      inner.end(() => done());
    },
    destroy: (error, done) => {
      inner.destroy();
      done(error);
    },
  });
  const cut = () => {
    if (how === 'close') outer.push(null);
    else outer.destroy(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
  };
  inner.on('data', (chunk: Uint8Array) => {
    const part = chunk.subarray(0, left);
    left -= part.length;
    passed(part.length);
    if (part.length > 0 && !outer.push(part)) inner.pause();
    if (left > 0) return;
    inner.removeAllListeners('data').resume();
    // What has passed is read first.
    setImmediate(cut);
  });
  inner.on('end', () => outer.push(null));
  inner.on('error', () => undefined);
  if (left === 0) cut();
  return outer;
}

describe('what never ends', () => {
  const X = octets('x'.repeat(16_384));

  function* forever(start: string, part: Uint8Array): Iterable<Uint8Array> {
    yield octets(start);
    for (;;) yield part.slice();
  }

  /** Ends with this code, after so many octets at most. */
  async function expectEnd(
    options: ScriptedServerOptions,
    most: number,
    changes: Partial<ConnectOptions> = {},
    script = '',
  ): Promise<void> {
    await using server = new ScriptedServer(script, options);
    const outcome = await fetchAll({ ...PLAIN, socket: server.socket, ...changes } as ConnectOptions);
    expect(outcome.error).toMatchObject({ code: 'POP3_PROTOCOL' });
    await server.ended();
    expect(server.connections[0]?.answered).toBeLessThan(most);
    expect(server.octets).not.toMatch(/DELE|QUIT/);
  }

  it('a greeting', async () => {
    const script = `S: +OK ${'x'.repeat(100_000)}`;
    await expectEnd({}, 200_000, {}, script);
  });

  it('a status line', () => expectEnd({ answers: { 'USER ann': () => forever('+OK ', X) } }, 200_000));

  it('a status line, with a limit of the caller', () =>
    expectEnd({ answers: { 'USER ann': () => forever('+OK ', octets('x')) } }, 2_000, {
      limits: { maxLineOctets: 1_000 },
    }));

  it('a challenge', () =>
    expectEnd({ answers: { 'AUTH XOAUTH2': () => forever('+ ', X) } }, 200_000, {
      auth: { user: 'ann', accessToken: 'token' },
    }));

  it.each([
    ['a list of capabilities', octets('UIDL\r\n'.repeat(1000))],
    ['a line of a list of capabilities', X],
  ])('%s: the next connection does without', async (_name, part) => {
    await using server = new ScriptedServer('', { answers: { CAPA: () => forever('+OK\r\n', part) } });
    const outcome = await fetchAll({ ...PLAIN, socket: server.socket });
    expect(outcome.result?.deleted).toHaveLength(3);
    expect(server.connections.map(({ lines }) => lines.includes('CAPA'))).toEqual([true, false]);
    expect(server.connections[0]?.answered).toBeLessThan(200_000);
  });

  it('a listing', () =>
    expectEnd({ answers: { LIST: () => forever('+OK\r\n', octets('1 2\r\n'.repeat(1000))) } }, 300_000, {
      limits: { maxMessages: 10_000 },
    }));

  it('a listing of empty lines', () =>
    expectEnd({ answers: { LIST: () => forever('+OK\r\n', octets('\r\n'.repeat(1000))) } }, 300_000, {
      limits: { maxMessages: 10_000 },
    }));

  it('a line of a listing', () => expectEnd({ answers: { LIST: () => forever('+OK\r\n1 2', X) } }, 300_000));

  it('a list of unique-ids', () =>
    expectEnd({ answers: { UIDL: () => forever('+OK\r\n', octets('1 id\r\n'.repeat(1000))) } }, 300_000, {
      limits: { maxMessages: 10_000 },
    }));

  it('a unique-id', () => expectEnd({ answers: { UIDL: () => forever('+OK\r\n1 ', X) } }, 300_000));

  it('a unique-id that is too long', () =>
    expectEnd({}, 10_000, {}, `C: UIDL\n S: +OK\n S: 1 ${'x'.repeat(1025)}\n S: .`));

  it('a message that is left half way, until the caller has enough of it', async () => {
    await using server = new ScriptedServer('', { answers: { 'RETR 1': () => forever('+OK\r\n', X) } });
    const client = await connectPop3({ ...PLAIN, socket: server.socket });
    let received = 0;
    for await (const chunk of client.retrieve(1)) {
      received += chunk.length;
      if (received > 1_000_000) break;
    }
    const enough = new AbortController();
    const noop = expect(client.noop({ signal: enough.signal })).rejects.toThrow('enough');
    for (let i = 0; i < 20; i++) await turn();
    enough.abort(new Error('enough'));
    await noop;
    await server.ended();
    expect(server.connections[0]?.mostInFlight).toBe(1);
  });
});

describe('memory', () => {
  const MESSAGES_LISTED = 1_000_000;

  function* listing(line: (number: number) => string): Iterable<Uint8Array> {
    yield octets('+OK\r\n');
    for (let from = 1; from <= MESSAGES_LISTED; from += 1000) {
      yield octets(Array.from({ length: 1000 }, (_, i) => line(from + i)).join(''));
    }
    yield octets('.\r\n');
  }

  it('a listing of a million messages', async () => {
    await using server = new ScriptedServer('', {
      answers: {
        LIST: () => listing((number) => `${number} ${number * 10}\r\n`),
        UIDL: () => listing((number) => `${number} unique-id-of-message-${number}\r\n`),
      },
    });
    const client = await connectPop3({ ...PLAIN, socket: server.socket });
    const before = held();
    const sizes = await client.list();
    const ids = await client.uniqueIds();
    // 8 octets a size, 28 an id with its place, and as much again for arrays that have just grown.
    expect(held() - before).toBeLessThan(150_000_000);
    expect([sizes.size, ids.size]).toEqual([MESSAGES_LISTED, MESSAGES_LISTED]);
    expect(sizes.get(MESSAGES_LISTED)).toBe(MESSAGES_LISTED * 10);
    expect(ids.get(MESSAGES_LISTED)).toBe(`unique-id-of-message-${MESSAGES_LISTED}`);
  });

  it('a single line with the highest number there can be takes no more than the limit allows', async () => {
    const script = `C: LIST
       S: +OK
       S: 1 1
       S: 2000000 5
       S: 2000001 5
       S: 999999999999999 5
       S: .`;
    await using server = new ScriptedServer(script);
    const client = await connectPop3({ ...PLAIN, socket: server.socket });
    const before = held();
    expect([...(await client.list())]).toEqual([
      [1, 1],
      [2_000_000, 5],
    ]);
    expect(held() - before).toBeLessThan(50_000_000);
  });

  it('a message of 100 MB takes no more than a few of its parts', async () => {
    const part = octets(`${'x'.repeat(998)}\r\n`.repeat(64));
    function* large(): Iterable<Uint8Array> {
      yield octets('+OK\r\n');
      for (let i = 0; i < 1600; i++) yield part.slice();
      yield octets('.\r\n');
    }
    await using server = new ScriptedServer('', { answers: { 'RETR 1': large } });
    const client = await connectPop3({ ...PLAIN, socket: server.socket });
    let received = 0;
    let most = 0;
    const before = process.memoryUsage().rss;
    for await (const chunk of client.retrieve(1)) {
      received += chunk.length;
      most = Math.max(most, process.memoryUsage().rss - before);
    }
    expect(received).toBe(1600 * part.length);
    expect(most).toBeLessThan(100_000_000);
  });

  function held(): number {
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  }
});
