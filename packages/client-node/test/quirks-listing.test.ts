import { expect } from 'vitest';
import type { Pop3Client } from '../src/index.js';
import { expectOver, quirk, text } from './quirk.js';
import { MESSAGES } from './scripted-server.js';

type Listed = [number: number, octets: number | null, uniqueId: string | null];

async function listed(client: Pop3Client): Promise<Listed[]> {
  const all: Listed[] = [];
  for await (const { number, octets, uniqueId } of client.messages()) all.push([number, octets, uniqueId]);
  return all;
}

quirk(
  'QS-LIST.8: numbers are missing from the listing',
  `C: LIST
   S: +OK
   S: 1 23
   S: 3 25
   S: .
   C: UIDL
   S: +OK
   S: 1 id-1
   S: 3 id-3
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect([...(await client.list())]).toEqual([
      [1, 23],
      [3, 25],
    ]);
    const bodies: [number, string][] = [];
    for await (const message of client.messages()) bodies.push([message.number, await text(message.body())]);
    expect(bodies).toEqual([
      [1, MESSAGES[0]],
      [3, MESSAGES[2]],
    ]);
  },
);

quirk(
  'QS-LIST.8: the lines of a listing are in any order, and LIST and UIDL do not have the same',
  `C: LIST
   S: +OK
   S: 3 25
   S: 1 23
   S: .
   C: UIDL
   S: +OK
   S: 2 id-2
   S: 1 id-1
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    const all = await listed(client);
    expect(all).toContainEqual([1, 23, 'id-1']);
    expect(all).toContainEqual([3, 25, null]);
  },
);

quirk(
  'LIST has more columns behind the octets',
  `C: LIST
   S: +OK 3 messages (70 octets)
   S: 1 23 <one@example.org> unread
   S: 2 22octets
   S: 3 25\\t(25)
   S: .
   C: LIST 1
   S: +OK 1 23 octets`,
  async ({ connect }) => {
    const client = await connect();
    expect([...(await client.list())]).toEqual([
      [1, 23],
      [2, null],
      [3, 25],
    ]);
    expect(await client.list(1)).toBe(23);
  },
);

quirk(
  'LIST has sizes that are over 32 bits, negative, missing or no numbers',
  `C: LIST
   S: +OK
   S: 1 5000000000
   S: 2 -22
   S: 3
   S: 4 99999999999999999999
   S: 5 unknown
   S: .
   C: LIST 2
   S: +OK 2 -22`,
  async ({ connect }) => {
    const client = await connect();
    expect([...(await client.list())]).toEqual([
      [1, 5_000_000_000],
      [2, null],
      [3, null],
      [4, null],
      [5, null],
    ]);
    expect(await client.list(2)).toBeNull();
    expect((await listed(client)).map(([, octets]) => octets)).toEqual([
      5_000_000_000,
      null,
      null,
      null,
      null,
    ]);
  },
);

for (const [what, octets] of [
  ['less', 5],
  ['more', 100_000],
  ['nothing', 0],
] as const) {
  quirk(
    `QS-EXCH.4, QS-FRAME.11: LIST says ${what} than RETR sends`,
    `C: LIST
     S: +OK
     S: 1 ${octets}
     S: .`,
    async ({ connect }) => {
      const seen: (number | null)[] = [];
      const client = await connect({ onProgress: ({ total }) => seen.push(total) });
      const bodies: string[] = [];
      for await (const message of client.messages()) {
        expect(message.octets).toBe(octets);
        bodies.push(await text(message.body()));
      }
      expect(bodies).toEqual([MESSAGES[0]]);
      expect(new Set(seen)).toEqual(new Set([octets]));
      await client.noop();
    },
  );
}

quirk(
  'QS-LIST.7: numbers that no message can have',
  `C: LIST
   S: +OK
   S: 0 10
   S: -1 10
   S: 1 23
   S: 99999999999999999999 10
   S: x 10
   S:
   S: .
   C: UIDL
   S: +OK
   S: 0 zero
   S: -1 minus
   S: 1 id-1
   S: 99999999999999999999 large
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect([...(await client.list())]).toEqual([[1, 23]]);
    expect([...(await client.uniqueIds())]).toEqual([[1, 'id-1']]);
    expect(await listed(client)).toEqual([[1, 23, 'id-1']]);
  },
);

for (const [what, answer] of [
  ['a listing of one', ['+OK', '2 22', '.']],
  ['the line, and a lone dot', ['+OK 2 22', '.']],
  ['the line twice, and a lone dot', ['+OK 2 22', '2 22', '.']],
] as const) {
  quirk(
    `QS-LIST.4: LIST n is answered by ${what}`,
    `C: LIST 2
     ${answer.map((line) => `S: ${line}`).join('\n')}`,
    async ({ connect }) => {
      const client = await connect();
      expect(await client.list(2)).toBe(22);
      expect(await client.stat()).toEqual({ messages: 3, octets: 70 });
      expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
    },
  );
}

quirk(
  'QS-LIST.4: UIDL n is answered by the line and a lone dot',
  `C: UIDL 2
   S: +OK 2 id-2
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await client.uniqueIds(2)).toBe('id-2');
    expect(await client.stat()).toEqual({ messages: 3, octets: 70 });
  },
);

quirk(
  'QS-LIST.4: UIDL n is answered by a listing of one',
  `C: UIDL 2
   S: +OK
   S: 2 id-2
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await client.uniqueIds(2)).toBe('id-2');
    expect(await client.stat()).toEqual({ messages: 3, octets: 70 });
  },
);

quirk(
  'QS-STAT.1: STAT counts other messages than LIST',
  `C: STAT
   S: +OK 5 1000 more text`,
  async ({ connect }) => {
    const client = await connect();
    expect(await client.stat()).toEqual({ messages: 5, octets: 1000 });
    expect((await listed(client)).map(([number]) => number)).toEqual([1, 2, 3]);
  },
);

quirk(
  'STAT counts octets below zero',
  `C: STAT
   S: +OK 3 -1294967296`,
  async ({ connect }) => {
    const client = await connect();
    expect(await client.stat()).toEqual({ messages: 3, octets: null });
    expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  },
);

quirk(
  'QS-UIDL.1: UIDL is refused',
  `C: UIDL
   S: -ERR no such command
   C: UIDL 1
   S: -ERR no such command`,
  async ({ connect }) => {
    const client = await connect();
    const refused = { code: 'POP3_REFUSED', verb: 'UIDL', serverText: 'no such command' };
    await expect(client.uniqueIds()).rejects.toMatchObject(refused);
    await expect(client.uniqueIds(1)).rejects.toMatchObject(refused);
    expect(await listed(client)).toEqual([
      [1, 23, null],
      [2, 22, null],
      [3, 25, null],
    ]);
  },
);

quirk(
  'QS-UIDL.1: UIDL and LIST are refused where there are no messages',
  `C: UIDL
   S: -ERR no messages
   C: LIST
   S: +OK
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await listed(client)).toEqual([]);
  },
);

quirk(
  'UIDL is refused once, then fine',
  `C: UIDL
   S: -ERR [SYS/TEMP] not yet
   C: UIDL
   S: +OK
   S: 1 id-1
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    await expect(client.uniqueIds()).rejects.toMatchObject({
      code: 'POP3_REFUSED',
      responseCode: 'SYS/TEMP',
      retryable: true,
    });
    expect([...(await client.uniqueIds())]).toEqual([[1, 'id-1']]);
    expect((await listed(client))[0]).toEqual([1, 23, 'id-1']);
  },
);

const LONG = 'x'.repeat(300);

quirk(
  'QS-LIST.5: unique-ids that are the same, longer than 70, with spaces, or empty',
  `C: UIDL
   S: +OK
   S: 1 same
   S: 2 same
   S: 3 ${LONG}
   S: 4  id with  spaces \\s
   S: 5\\s
   S: 6
   S: .
   C: UIDL 3
   S: +OK 3 ${LONG}
   C: UIDL 4
   S: +OK 4 id with  spaces
   C: LIST
   S: +OK
   S: 1 23
   S: 4 10
   S: 5 10
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect([...(await client.uniqueIds())]).toEqual([
      [1, 'same'],
      [2, 'same'],
      [3, LONG],
      [4, 'id with  spaces'],
    ]);
    expect(await client.uniqueIds(3)).toBe(LONG);
    expect(await client.uniqueIds(4)).toBe('id with  spaces');
    expect(await listed(client)).toEqual([
      [1, 23, 'same'],
      [4, 10, 'id with  spaces'],
      [5, 10, null],
    ]);
  },
);

quirk(
  'QS-LIST.2: several spaces before the unique-id, or a tabulator',
  `C: UIDL
   S: +OK
   S: 1   2011-id
   S: 2\\tid-2
   S: .
   C: UIDL 1
   S: +OK  1    2011-id`,
  async ({ connect }) => {
    const client = await connect();
    expect([...(await client.uniqueIds())]).toEqual([
      [1, '2011-id'],
      [2, 'id-2'],
    ]);
    expect(await client.uniqueIds(1)).toBe('2011-id');
  },
);

quirk(
  'QS-LIST.3: +OK before every line',
  `C: UIDL
   S: +OK
   S: +OK 1 id-1
   S: +OK 2 id-2
   S: .
   C: LIST
   S: +OK
   S: +OK 1 23
   S: +OK 2 22
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await listed(client)).toEqual([
      [1, 23, 'id-1'],
      [2, 22, 'id-2'],
    ]);
  },
);

quirk(
  'QS-LIST.1: UIDL n without the number',
  `C: UIDL 2
   S: +OK id-2`,
  async ({ connect }) => {
    const client = await connect();
    expect(await client.uniqueIds(2)).toBe('id-2');
  },
);

quirk(
  'QS-LIST.6: UIDL n with the number of another message',
  `C: UIDL 2
   S: +OK 3 id-3`,
  async ({ connect, server }) => {
    const client = await connect();
    client.delete(2);
    await expect(client.uniqueIds(2)).rejects.toMatchObject({ code: 'POP3_PROTOCOL', verb: 'UIDL' });
    await expectOver(client, server, 'POP3_PROTOCOL');
  },
);

quirk(
  'QS-LIST.6: LIST n with the number of another message',
  `C: LIST 2
   S: +OK 3 25`,
  async ({ connect, server }) => {
    const client = await connect();
    await expect(client.list(2)).rejects.toMatchObject({ code: 'POP3_PROTOCOL', verb: 'LIST' });
    await expectOver(client, server, 'POP3_PROTOCOL');
  },
);

quirk(
  'QS-GMAIL.3: only the oldest or newest messages are listed',
  `C: STAT
   S: +OK 1000 1000000`,
  async ({ connect }) => {
    const client = await connect();
    expect(await listed(client)).toHaveLength(3);
  },
);

quirk(
  'QS-HOTMAIL.1: the login is fine, and everything behind it refused',
  `C: STAT
   S: -ERR login allowed only every 15 minutes
   C: LIST
   S: -ERR login allowed only every 15 minutes
   C: UIDL
   S: -ERR login allowed only every 15 minutes`,
  async ({ connect }) => {
    const refused = { code: 'POP3_REFUSED', serverText: 'login allowed only every 15 minutes' };
    const client = await connect();
    await expect(client.stat()).rejects.toMatchObject({ ...refused, verb: 'STAT' });
    await expect(client.list()).rejects.toMatchObject({ ...refused, verb: 'LIST' });
    await expect(listed(client)).rejects.toMatchObject(refused);
  },
);
