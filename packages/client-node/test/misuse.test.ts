/** What callers do in the wrong order, twice or too early. None of it loses mail, hangs, or gives a message for another. */
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import type { Pop3Client, Pop3Message } from '../src/index.js';
import { connectPop3 } from '../src/index.js';
import { listen } from './loopback.js';
import { against, PLAIN, type Setting, text } from './quirk.js';
import { MESSAGES } from './scripted-server.js';

const PIPELINING = `C: CAPA
   S: +OK
   S: PIPELINING
   S: USER
   S: .`;
const USAGE = { code: 'POP3_USAGE' };

function scripted(
  name: string,
  scripts: string | readonly string[],
  test: (setting: Setting) => Promise<void>,
) {
  it(name, () => against(scripts, {}, test));
}

async function allOf(client: Pop3Client, pipeline: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const message of client.messages({ pipeline })) texts.push(await text(message.body()));
  return texts;
}

scripted(
  'a loop that is left before its message was read keeps nobody waiting',
  PIPELINING,
  async ({ connect }) => {
    const client = await connect();
    for await (const message of client.messages({ pipeline: 4 })) {
      message.delete();
      break;
    }
    expect(await client.quit()).toEqual({ deleted: [1], failed: [] });
  },
);

scripted('no command goes behind a message that nobody reads', PIPELINING, async ({ connect }) => {
  const client = await connect();
  for await (const message of client.messages({ pipeline: 4 })) {
    await expect(client.noop()).rejects.toMatchObject(USAGE);
    await text(message.body());
    await expect(client.noop()).rejects.toMatchObject(USAGE);
  }
  await client.noop();
});

scripted('a message that was fetched ahead is read once', PIPELINING, async ({ connect }) => {
  const client = await connect();
  const texts: string[] = [];
  for await (const message of client.messages({ pipeline: 4 })) {
    texts.push(await text(message.body()));
    await expect(text(message.body())).rejects.toMatchObject(USAGE);
  }
  expect(texts).toEqual(MESSAGES);
});

scripted('a message that was not fetched ahead is fetched each time', PIPELINING, async ({ connect }) => {
  const client = await connect();
  for await (const message of client.messages()) {
    expect([await text(message.body()), await text(message.body())]).toEqual(
      Array(2).fill(MESSAGES[message.number - 1]),
    );
  }
});

scripted('a message that the loop has passed is fetched again behind it', PIPELINING, async ({ connect }) => {
  const client = await connect();
  const passed: Pop3Message[] = [];
  for await (const message of client.messages({ pipeline: 4 })) {
    for (const earlier of passed) await expect(text(earlier.body())).rejects.toMatchObject(USAGE);
    passed.push(message);
  }
  for (const message of passed) expect(await text(message.body())).toBe(MESSAGES[message.number - 1]);
});

it.each([1, 4])('a body that is read while the loop goes on is not whole, %d ahead', (pipeline) =>
  against(
    `${PIPELINING}
     C: RETR 1
     S: +OK
     S: Subject: one
     wait
     S: .`,
    {},
    async ({ connect, server }) => {
      const client = await connect();
      const chunks: unknown[] = [];
      let reading: Promise<unknown> | null = null;
      for await (const message of client.messages({ pipeline })) {
        if (message.number > 1) break;
        const body = message.body()[Symbol.asyncIterator]();
        chunks.push(await body.next());
        reading = body.next();
      }
      await expect(reading).rejects.toMatchObject(USAGE);
      server.release();
    },
  ),
);

scripted(
  'two loops that fetch ahead do not get the messages of each other',
  PIPELINING,
  async ({ connect }) => {
    const client = await connect();
    const [first, second] = await Promise.allSettled([allOf(client, 4), allOf(client, 4)]);
    expect(first).toEqual({ status: 'fulfilled', value: MESSAGES });
    expect(second).toMatchObject({ status: 'rejected', reason: USAGE });
    expect(await allOf(client, 4)).toEqual(MESSAGES);
  },
);

it.each([1, 4])('a loop ends with its session, and so do its messages, %d ahead', (pipeline) =>
  against(PIPELINING, {}, async ({ connect, server }) => {
    const client = await connect();
    const messages = client.messages({ pipeline });
    const { value } = await messages.next();
    const message = value as Pop3Message;
    const body = client.retrieve(2);
    await client.reconnect();
    expect(() => message.delete()).toThrow(expect.objectContaining(USAGE));
    expect(() => message.body()).toThrow(expect.objectContaining(USAGE));
    expect(() => message.top(0)).toThrow(expect.objectContaining(USAGE));
    await expect(text(body)).rejects.toMatchObject(USAGE);
    await expect(messages.next()).rejects.toMatchObject(USAGE);
    expect(await client.quit()).toEqual({ deleted: [], failed: [] });
    expect(server.octets).not.toContain('DELE');
  }),
);

scripted(
  'a mark that is made during a reconnection is lost with the old session',
  '',
  async ({ connect }) => {
    const client = await connect();
    const { value: message } = await client.messages().next();
    const reconnection = client.reconnect();
    (message as Pop3Message).delete();
    expect(await reconnection).toEqual({ lostMarks: [{ number: 1, uniqueId: 'id-1' }] });
    expect(await client.quit()).toEqual({ deleted: [], failed: [] });
  },
);

scripted('the last of two reconnections counts, and close() ends it', '', async ({ connect, server }) => {
  const client = await connect();
  const [first, second] = await Promise.allSettled([client.reconnect(), client.reconnect()]);
  expect(first).toMatchObject({ status: 'rejected', reason: { code: 'POP3_CLOSED' } });
  expect(second).toMatchObject({ status: 'fulfilled' });
  await client.noop();
  const third = client.reconnect();
  await client.close();
  await expect(third).rejects.toMatchObject({ code: 'POP3_CLOSED' });
  await expect(client.noop()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
  await server.ended(server.connections.length);
});

scripted(
  'the signal of a body of the old session does not end the new one',
  `C: RETR 1
   S: +OK
   S: Subject: one
   silence`,
  async ({ connect }) => {
    const client = await connect();
    const controller = new AbortController();
    const body = client.retrieve(1, { signal: controller.signal })[Symbol.asyncIterator]();
    await body.next();
    await client.reconnect();
    controller.abort();
    await client.noop();
  },
);

scripted(
  'a call that waits for another one is aborted at once, and takes nothing with it',
  `C: STAT
   wait
   S: +OK 3 70`,
  async ({ connect, server }) => {
    const client = await connect();
    const stat = client.stat();
    const controller = new AbortController();
    const waiting = client.noop({ signal: controller.signal });
    const behind = client.list(1);
    controller.abort('enough');
    await expect(waiting).rejects.toBe('enough');
    await server.quiet();
    expect(server.octets).not.toContain('LIST');
    server.release();
    expect(await stat).toEqual({ messages: 3, octets: 70 });
    expect(await behind).toBe(23);
    expect(server.octets).not.toContain('NOOP');
  },
);

scripted('a stream that is destroyed before its first chunk blocks nothing', '', async ({ connect }) => {
  const client = await connect();
  const body = client.retrieve(1)[Symbol.asyncIterator]();
  const next = body.next();
  await body.return?.();
  expect(await next).toEqual({ done: true, value: undefined });
  await client.noop();
  const unread = client.retrieve(2)[Symbol.asyncIterator]();
  await unread.return?.();
  expect(await unread.next()).toEqual({ done: true, value: undefined });
});

it('ends by the signal also while a token is awaited that never comes', async () => {
  const port = await listen((socket) => {
    socket.write('+OK ready\r\n');
    socket.on('data', () => socket.write('+OK\r\nSASL XOAUTH2\r\n.\r\n'));
  });
  const controller = new AbortController();
  const accessToken = () => {
    controller.abort('enough');
    return new Promise<string>(() => {});
  };
  const { tls, allowPlaintext } = PLAIN;
  const auth = { user: 'ann', accessToken };
  const { signal } = controller;
  const opening = connectPop3({ host: '127.0.0.1', port, tls, allowPlaintext, auth, signal });
  await expect(opening).rejects.toBe('enough');
});

scripted(
  'no error holds the password, whenever the server repeats it',
  `C: STAT
   S: -ERR no, secret!
   C: UIDL 1
   S: +OK 2 secret
   C: QUIT
   S: -ERR no, secret!`,
  async ({ connect }) => {
    const client = await connect();
    client.delete(1);
    const { failed } = await client.quit();
    const errors: unknown[] = [failed[0]?.error];
    for (const call of [() => client.stat(), () => client.uniqueIds(1)]) {
      await client.reconnect();
      errors.push(await call().catch((error: unknown) => error));
    }
    for (const error of errors) {
      expect(error).toMatchObject({ serverText: expect.stringContaining('***') });
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain('secret');
    }
  },
);

scripted(
  'unique-ids that are not to be had now are not taken for none',
  `C: UIDL
   S: -ERR [SYS/TEMP] index is being rebuilt`,
  async ({ connect }) => {
    const client = await connect();
    await expect(client.messages().next()).rejects.toMatchObject({ code: 'POP3_REFUSED', retryable: true });
  },
);
