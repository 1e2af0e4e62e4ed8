/** Servers that stop talking. The clock is a toy: nothing here waits. */
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { expectNothingDeleted, quirk, text } from './quirk.js';
import { MESSAGES, octets, type ScriptedServer } from './scripted-server.js';

beforeEach(() => {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date', 'performance'],
  });
});

afterEach(() => {
  vi.useRealTimers();
});

/** Lets so much time pass once the server is silent: not a millisecond less is enough. */
async function after(ms: number, server: ScriptedServer, work: Promise<unknown>): Promise<void> {
  let settled = false;
  const settle = () => {
    settled = true;
  };
  work.then(settle, settle);
  await server.quiet();
  await vi.advanceTimersByTimeAsync(ms - 1);
  expect(settled).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
}

const PIPELINING = `C: CAPA
   S: +OK
   S: PIPELINING
   S: USER
   S: .`;

quirk('QS-CAPA.1: CAPA hangs', ['C: CAPA\n silence', ''], async ({ connect, server }) => {
  const connected = connect();
  await after(60_000, server, connected);
  const client = await connected;
  expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  expect(await client.capabilities()).toBeNull();
  expect(server.connections[0]?.lines).toEqual(['CAPA']);
  expect(server.connections[1]?.lines).not.toContain('CAPA');
  expect(server.connections[0]?.ended).toBe(true);
});

quirk(
  'QS-CAPA.1: CAPA hangs in the middle of its answer',
  ['C: CAPA\n S: +OK\n S: TOP\n silence', ''],
  async ({ connect, server }) => {
    const connected = connect();
    await after(60_000, server, connected);
    const client = await connected;
    expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  },
);

quirk(
  'CAPA is answered a line at a time, for ever',
  ['C: CAPA\n S: +OK\n wait\n S: TOP\n wait\n S: UIDL\n silence', ''],
  async ({ connect, server }) => {
    const connected = connect();
    for (let i = 0; i < 2; i++) {
      await server.quiet();
      await vi.advanceTimersByTimeAsync(29_000);
      server.release();
    }
    await after(2_000, server, connected);
    expect(await text((await connected).retrieve(1))).toBe(MESSAGES[0]);
    expect(server.connections[1]?.lines).not.toContain('CAPA');
  },
);

quirk('the server never greets', 'silence', async ({ connect, server }) => {
  const connected = connect();
  await after(60_000, server, connected);
  await expect(connected).rejects.toMatchObject({ code: 'POP3_TIMEOUT', retryable: true });
  await server.ended();
  expect(server.connections).toHaveLength(1);
  expect(server.octets).toBe('');
});

quirk(
  'PASS is answered after almost five minutes',
  `C: PASS secret
   wait
   S: +OK`,
  async ({ connect, server }) => {
    const connected = connect();
    await server.quiet();
    await vi.advanceTimersByTimeAsync(299_000);
    server.release();
    const client = await connected;
    expect(await client.stat()).toEqual({ messages: 3, octets: 70 });
  },
);

quirk(
  'PASS is never answered',
  `C: PASS secret
   silence`,
  async ({ connect, server }) => {
    const connected = connect({ timeouts: { loginMs: 420_000 } });
    await after(420_000, server, connected);
    await expect(connected).rejects.toMatchObject({ code: 'POP3_TIMEOUT', verb: 'PASS' });
    await server.ended();
    // Another try could lock the account.
    expect(server.connections).toHaveLength(1);
  },
);

quirk('a command is never answered', 'C: STAT\n silence', async ({ connect, server }) => {
  const client = await connect();
  client.delete(1);
  const stat = client.stat();
  await after(60_000, server, stat);
  await expect(stat).rejects.toMatchObject({ code: 'POP3_TIMEOUT', verb: 'STAT', retryable: true });
  await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_TIMEOUT' });
  await server.ended();
  expectNothingDeleted(server);
});

quirk(
  'QS-EXCH.5: a message without a last line end, and the terminator glued to it',
  String.raw`C: RETR 1
   S: +OK
   S| Subject: one\r\n\r\nno line end.\r\n
   silence`,
  async ({ connect, server }) => {
    const client = await connect();
    client.delete(1);
    const body = text(client.retrieve(1));
    await after(60_000, server, body);
    await expect(body).rejects.toMatchObject({ code: 'POP3_TIMEOUT', verb: 'RETR' });
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_TIMEOUT' });
    expectNothingDeleted(server);
  },
);

quirk(
  'QS-FRAME.2: lines without line ends',
  `C: LIST
   S| +OK1 232 223 25.
   silence`,
  async ({ connect, server }) => {
    const client = await connect();
    const list = client.list();
    await after(60_000, server, list);
    await expect(list).rejects.toMatchObject({ code: 'POP3_TIMEOUT', verb: 'LIST' });
  },
);

quirk(
  'a message pauses, but never for as long as the limit',
  `C: RETR 1
   S: +OK
   wait
   S: Subject: one
   S:
   wait
   S: first
   wait
   S: .`,
  async ({ connect, server }) => {
    const client = await connect();
    const body = text(client.retrieve(1));
    for (let i = 0; i < 3; i++) {
      await server.quiet();
      await vi.advanceTimersByTimeAsync(59_000);
      server.release();
    }
    expect(await body).toBe(MESSAGES[0]);
  },
);

quirk(
  'a message that nobody reads has all the time of the world',
  '',
  async ({ connect }) => {
    const client = await connect();
    const body = client.retrieve(1)[Symbol.asyncIterator]();
    let whole = '';
    for (let part = await body.next(); !part.done; part = await body.next()) {
      whole += Buffer.from(part.value).toString('latin1');
      // The server has said what it can by then.
      for (let i = 0; i < 20; i++) await turn();
      await vi.advanceTimersByTimeAsync(600_000);
    }
    expect(whole).toBe('one\r\ntwo\r\n');
    await vi.advanceTimersByTimeAsync(600_000);
    await client.noop();
  },
  { answers: { 'RETR 1': () => ['+OK\r\none\r\n', 'two\r\n', '.\r\n'].map(octets) } },
);

quirk(
  'QUIT is not answered, and the connection stays open',
  `C: QUIT
   silence`,
  async ({ connect, server }) => {
    const client = await connect();
    client.delete(1);
    const quit = client.quit();
    await after(300_000, server, quit);
    expect(await quit).toMatchObject({
      deleted: [],
      failed: [{ number: 1, error: { code: 'POP3_TIMEOUT', verb: 'QUIT' } }],
    });
    await server.ended();
  },
);

quirk(
  'QS-CAPA.3: PIPELINING is announced, and the second command gets lost',
  [
    `${PIPELINING}
     C: RETR 2
     silence`,
    PIPELINING,
  ],
  async ({ connect, server }) => {
    const client = await connect();
    const whole: string[] = [];
    const loop = async () => {
      for await (const message of client.messages({ pipeline: 3 })) {
        whole.push(await text(message.body()));
        message.delete();
      }
    };
    const looped = loop();
    await after(60_000, server, looped);
    await expect(looped).rejects.toMatchObject({ code: 'POP3_TIMEOUT', verb: 'RETR' });
    expect(whole).toEqual(MESSAGES.slice(0, 1));
    expectNothingDeleted(server);
    expect(server.connections[0]?.mostInFlight).toBeGreaterThan(1);
    expect(await client.reconnect()).toEqual({ lostMarks: [{ number: 1, uniqueId: 'id-1' }] });
    whole.length = 0;
    await loop();
    expect(whole).toEqual(MESSAGES);
    expect(server.connections[1]?.mostInFlight).toBe(1);
    expect((await client.quit()).deleted).toHaveLength(3);
    expect(server.connections[1]?.mostInFlight).toBe(1);
  },
);

quirk(
  'QS-CAPA.3: PIPELINING is announced, and a second command closes the connection',
  [
    `${PIPELINING}
     C: RETR 2
     close`,
    PIPELINING,
  ],
  async ({ connect, server }) => {
    const client = await connect();
    const loop = async () => {
      for await (const message of client.messages({ pipeline: 3 })) await text(message.body());
    };
    await expect(loop()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
    await client.reconnect();
    await loop();
    expect(server.connections[1]?.mostInFlight).toBe(1);
  },
);
