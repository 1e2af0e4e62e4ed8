import { expect, it } from 'vitest';
import { against, expectOver, quirk, text } from './quirk.js';
import { MESSAGES, octets } from './scripted-server.js';

const PIPELINING = `C: CAPA
   S: +OK
   S: PIPELINING
   S: USER
   S: .`;

for (const how of ['close', 'reset']) {
  quirk(
    `the connection ends in a message, by ${how}`,
    `C: RETR 2
     S: +OK
     S: Subject: two
     S:
     S| half a li
     ${how}`,
    async ({ connect, server }) => {
      const client = await connect();
      const whole: number[] = [];
      const loop = async () => {
        for await (const message of client.messages()) {
          await text(message.body());
          whole.push(message.number);
          message.delete();
        }
      };
      await expect(loop()).rejects.toMatchObject({ code: 'POP3_CLOSED', verb: 'RETR', retryable: true });
      expect(whole).toEqual([1]);
      await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
      await expectOver(client, server, 'POP3_CLOSED');
      expect(await client.reconnect()).toEqual({ lostMarks: [{ number: 1, uniqueId: 'id-1' }] });
      expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
    },
  );

  quirk(
    `QUIT ends the connection without an answer, by ${how}`,
    `C: QUIT
     ${how}`,
    async ({ connect, server }) => {
      const client = await connect();
      await client.uniqueIds();
      client.delete(1);
      client.delete(3);
      const { deleted, failed } = await client.quit();
      expect(deleted).toEqual([]);
      const error = expect.objectContaining({ code: 'POP3_CLOSED', verb: 'QUIT' });
      expect(failed).toHaveLength(2);
      expect(failed).toContainEqual({ number: 1, uniqueId: 'id-1', error });
      expect(failed).toContainEqual({ number: 3, uniqueId: 'id-3', error });
      expect(server.lines.at(-1)).toBe('QUIT');
    },
  );

  quirk(
    `DELE ends the connection, by ${how}`,
    `C: DELE *
     ${how}`,
    async ({ connect, server }) => {
      const client = await connect();
      client.delete(1);
      await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_CLOSED', verb: 'DELE' });
      expect(server.octets).not.toContain('QUIT');
    },
  );
}

quirk(
  'the connection ends between two commands',
  `C: NOOP
   S: +OK
   close`,
  async ({ connect, server }) => {
    const client = await connect();
    client.delete(1);
    await client.noop();
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
    expect(server.octets).not.toContain('QUIT');
  },
);

quirk(
  'a message was removed by somebody else',
  `C: RETR 2
   S: -ERR Message 2 expunged.
   C: DELE 2
   S: -ERR Message 2 expunged.`,
  async ({ connect }) => {
    const client = await connect();
    const whole: number[] = [];
    for await (const message of client.messages()) {
      message.delete();
      try {
        await text(message.body());
        whole.push(message.number);
      } catch (error) {
        expect(error).toMatchObject({
          code: 'POP3_REFUSED',
          verb: 'RETR',
          serverText: 'Message 2 expunged.',
        });
      }
    }
    expect(whole).toEqual([1, 3]);
    const { deleted, failed } = await client.quit();
    expect([...deleted].sort()).toEqual([1, 3]);
    expect(failed).toMatchObject([
      { number: 2, uniqueId: 'id-2', error: { code: 'POP3_REFUSED', verb: 'DELE' } },
    ]);
  },
);

quirk(
  'a message that was fetched ahead is refused, the others are not',
  `${PIPELINING}
   C: RETR 2
   S: -ERR Message 2 expunged.`,
  async ({ connect, server }) => {
    const client = await connect();
    const bodies: string[] = [];
    for await (const message of client.messages({ pipeline: 3 })) {
      bodies.push(await text(message.body()).catch((error: Error & { code: string }) => error.code));
    }
    expect(bodies).toEqual([MESSAGES[0], 'POP3_REFUSED', MESSAGES[2]]);
    expect(server.connections[0]?.mostInFlight).toBeGreaterThan(1);
    await client.noop();
  },
);

quirk(
  'a quota for downloads is used up',
  `C: RETR *
   S: -ERR [SYS/PERM] download limit exceeded`,
  async ({ connect, server }) => {
    const client = await connect();
    await expect(text(client.retrieve(1))).rejects.toMatchObject({
      code: 'POP3_REFUSED',
      responseCode: 'SYS/PERM',
      serverText: 'download limit exceeded',
    });
    expect(await client.stat()).toEqual({ messages: 3, octets: 70 });
    expect(await client.quit()).toEqual({ deleted: [], failed: [] });
    expect(server.octets).not.toContain('DELE');
  },
);

quirk('QS-DEL.1: RETR marks a message as deleted; RSET takes it back', '', async ({ connect, server }) => {
  const client = await connect();
  await text(client.retrieve(1));
  client.delete(1);
  await client.reset();
  expect(await client.quit()).toEqual({ deleted: [], failed: [] });
  expect(server.lines.slice(-3)).toEqual(['RETR 1', 'RSET', 'QUIT']);
});

quirk('QS-GMAIL.2: leaving without QUIT changes nothing', '', async ({ connect, server }) => {
  const client = await connect();
  await text(client.retrieve(1));
  client.delete(1);
  await client.close();
  await server.ended();
  expect(server.octets).not.toMatch(/DELE|QUIT/);
});

quirk(
  'DELE is refused',
  `C: DELE 2
   S: -ERR read-only maildrop`,
  async ({ connect }) => {
    const client = await connect();
    for (const number of [1, 2, 3]) client.delete(number);
    const { deleted, failed } = await client.quit();
    expect([...deleted].sort()).toEqual([1, 3]);
    expect(failed).toMatchObject([
      { number: 2, error: { code: 'POP3_REFUSED', verb: 'DELE', serverText: 'read-only maildrop' } },
    ]);
  },
);

quirk(
  'QS-DEL.3: QUIT is answered -ERR',
  `C: DELE 2
   S: -ERR no
   C: QUIT
   S: -ERR [SYS/TEMP] some deleted messages not removed
   close`,
  async ({ connect }) => {
    const client = await connect();
    for (const number of [1, 2, 3]) client.delete(number);
    const { deleted, failed } = await client.quit();
    expect(deleted).toEqual([]);
    expect(failed).toHaveLength(3);
    const refused = { code: 'POP3_REFUSED', verb: 'QUIT', responseCode: 'SYS/TEMP' };
    for (const number of [1, 3]) {
      expect(failed.find((one) => one.number === number)).toMatchObject({ error: refused });
    }
    expect(failed.find(({ number }) => number === 2)).toMatchObject({ error: { verb: 'DELE' } });
  },
);

quirk(
  'DELE removes the message at once, and the numbers behind it shift',
  '',
  async ({ connect, server }) => {
    const client = await connect();
    for await (const message of client.messages()) {
      await text(message.body());
      message.delete();
    }
    await client.quit();
    // From the last one down, every number still means what it meant in the listing.
    expect(server.lines.filter((line) => line.startsWith('DELE'))).toEqual(['DELE 3', 'DELE 2', 'DELE 1']);
  },
);

for (const octetByOctet of [false, true]) {
  it(`numbers shift after DELE, and the right messages go > ${octetByOctet ? 'octet by octet' : 'whole'}`, async () => {
    const maildrop = ['one', 'two', 'three', 'four'];
    const removes = (number: number) => () => {
      const [removed] = maildrop.splice(number - 1, 1);
      return [octets(removed === undefined ? '-ERR\r\n' : '+OK\r\n')];
    };
    const answers = Object.fromEntries([1, 2, 3, 4].map((number) => [`DELE ${number}`, removes(number)]));
    await against(PIPELINING, { answers, octetByOctet }, async ({ connect }) => {
      const client = await connect();
      for (const number of [2, 1, 4]) client.delete(number);
      const { deleted } = await client.quit();
      expect([...deleted].sort()).toEqual([1, 2, 4]);
      expect(maildrop).toEqual(['three']);
    });
  });
}

quirk(
  'QUIT goes out only when every DELE was answered, also where PIPELINING is announced',
  `${PIPELINING}
   C: DELE *
   S: what?`,
  async ({ connect, server }) => {
    const client = await connect();
    for (const number of [1, 2, 3]) client.delete(number);
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_PROTOCOL', verb: 'DELE' });
    expect(server.octets).not.toContain('QUIT');
  },
);

quirk(
  'a message that is left half way: the rest is dropped, and the session goes on in step',
  '',
  async ({ connect, server }) => {
    const client = await connect();
    const numbers: number[] = [];
    for await (const message of client.messages()) {
      numbers.push(message.number);
      for await (const _ of message.body()) break;
    }
    expect(numbers).toEqual([1, 2, 3]);
    expect(await text(client.retrieve(3))).toBe(MESSAGES[2]);
    expect(server.connections[0]?.mostInFlight).toBe(1);
  },
);
