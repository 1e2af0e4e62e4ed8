import { expect, it } from 'vitest';
import { against, expectOver, quirk, text } from './quirk.js';
import { MESSAGES, octets, WELL_BEHAVED } from './scripted-server.js';

const raw = String.raw;

quirk(
  'QS-FRAME.6: +OK without text, with several spaces, with a tabulator in the text',
  raw`S: +OK
   C: USER ann
   S: +OK   name  is fine
   C: STAT
   S: +OK   3    70
   C: NOOP
   S: +OK \x09
   C: LIST 1
   S: +OK  1  23
   C: RETR 1
   S: +OK\s\s
   S: Subject: one
   S:
   S: first
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(client.greeting).toBe('');
    expect(await client.stat()).toEqual({ messages: 3, octets: 70 });
    await client.noop();
    expect(await client.list(1)).toBe(23);
    expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
    expect(await client.quit()).toEqual({ deleted: [], failed: [] });
  },
);

quirk(
  'an answer comes in several parts',
  raw`C: NOOP
   S| +O
   wait
   S| K\r
   wait
   S| \n
   C: RETR 1
   S| +OK\r\nSubject: one\r\n\r\nfirst\r\n
   wait
   S| .
   wait
   S| \r
   wait
   S| \n`,
  async ({ connect, server }) => {
    const client = await connect();
    const [noop] = await Promise.all([client.noop().then(() => 'done'), resume(2)]);
    expect(noop).toBe('done');
    const [message] = await Promise.all([text(client.retrieve(1)), resume(3)]);
    expect(message).toBe(MESSAGES[0]);

    async function resume(times: number): Promise<void> {
      for (let i = 0; i < times; i++) {
        await server.quiet();
        server.release();
      }
    }
  },
);

const LOWER_CASE = WELL_BEHAVED.replaceAll('+OK', '+ok').replaceAll('-ERR', '-err');

quirk('QS-FRAME.6: +ok in lower case is no answer', LOWER_CASE, async ({ connect, server }) => {
  await expect(connect()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
  expect(server.octets).toBe('');
});

quirk('QS-FRAME.6: +ok in lower case, where the caller says so', LOWER_CASE, async ({ connect }) => {
  const client = await connect({ acceptLowerCaseStatus: true });
  expect(await client.stat()).toEqual({ messages: 3, octets: 70 });
  expect(await text(client.retrieve(2))).toBe(MESSAGES[1]);
  client.delete(2);
  expect(await client.quit()).toEqual({ deleted: [2], failed: [] });
});

for (const [what, line] of [
  ['+ERR', '+ERR no such message'],
  ['-ERROR', '-ERROR no such message'],
  ['+OKAY', '+OKAY'],
  ['a space before +OK', '\\s+OK'],
  ['an empty line', ''],
  ['a line of something else', 'OK'],
  ['NUL octets', '\\x00\\x00'],
] as const) {
  quirk(
    `in place of an answer comes ${what}`,
    `C: NOOP
     S: ${line}`,
    async ({ connect, server }) => {
      const client = await connect();
      client.delete(1);
      await expect(client.noop()).rejects.toMatchObject({ code: 'POP3_PROTOCOL', verb: 'NOOP' });
      await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
      await expectOver(client, server, 'POP3_PROTOCOL');
    },
  );
}

it('what comes behind an answer was not asked for, and ends the session', async () => {
  await against('C: NOOP\n S| +OK\\r\\n+OK\\r\\n', {}, async ({ connect, server }) => {
    const client = await connect();
    client.delete(1);
    await client.noop();
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    await expectOver(client, server, 'POP3_PROTOCOL');
  });
});

for (const octetByOctet of [false, true]) {
  it(`QS-FRAME.1: lines end in a bare LF > ${octetByOctet ? 'octet by octet' : 'whole'}`, async () => {
    await against('', { lineEnd: '\n', octetByOctet }, async ({ connect }) => {
      const client = await connect();
      expect([...(await client.list())]).toEqual([
        [1, 23],
        [2, 22],
        [3, 25],
      ]);
      const bodies: string[] = [];
      for await (const message of client.messages()) {
        bodies.push(await text(message.body()));
        message.delete();
      }
      expect(bodies).toEqual(MESSAGES.map((message) => message.replaceAll('\r\n', '\n')));
      expect(await client.quit()).toEqual({ deleted: [1, 2, 3], failed: [] });
    });
  });
}

quirk(
  'QS-FRAME.1: a lone dot between bare LFs inside a message with CRLF is content',
  raw`C: RETR 1
   S: +OK
   S| Subject: one\r\n\r\nbefore\n.\nafter\n..two\r\n...three\r\n.\r\n`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.retrieve(1))).toBe('Subject: one\r\n\r\nbefore\n.\nafter\n..two\r\n..three\r\n');
    await client.noop();
  },
);

quirk(
  'a message whose only line ends are CRs',
  raw`C: RETR 1
   S: +OK
   S| Subject: one\r\rfirst\r.\rsecond\r\r\n.\r\n`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.retrieve(1))).toBe('Subject: one\r\rfirst\r.\rsecond\r\r\n');
    await client.noop();
  },
);

quirk(
  'QS-FRAME.5: NUL and 8-bit octets, in header and text',
  raw`C: RETR 1
   S: +OK
   S: Subject: na\xefve \xe2\x82\xac \xff\xfe
   S:
   S: \x00 \x00\x01\x7f\x80\xff
   S: \x1a
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.retrieve(1))).toBe(
      'Subject: na\xefve \xe2\x82\xac \xff\xfe\r\n\r\n\x00 \x00\x01\x7f\x80\xff\r\n\x1a\r\n',
    );
    await client.noop();
  },
);

quirk(
  'a message without a text, one without a header, and one without anything',
  `C: RETR 1
   S: +OK
   S: Subject: one
   S: .
   C: RETR 2
   S: +OK
   S:
   S: only text
   S: .
   C: RETR 3
   S: +OK 0 octets
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    const bodies: string[] = [];
    for await (const message of client.messages()) bodies.push(await text(message.body()));
    expect(bodies).toEqual(['Subject: one\r\n', '\r\nonly text\r\n', '']);
  },
);

quirk(
  'QS-FRAME.10: an extra blank line before the terminator',
  `C: RETR 1
   S: +OK 23 octets
   S: Subject: one
   S:
   S: first
   S:
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.retrieve(1))).toBe(`${MESSAGES[0]}\r\n`);
    await client.noop();
  },
);

quirk(
  'a message has lines that start with dots',
  `C: RETR 1
   S: +OK
   S: ..
   S: ...
   S: .unstuffed
   S: ..stuffed
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.retrieve(1))).toBe('.\r\n..\r\nunstuffed\r\n.stuffed\r\n');
    await client.noop();
  },
);

/** A server that does not stuff a lone dot cuts the message, and what is left of it looks like answers. */
const UNSTUFFED = `C: RETR 1
   S: +OK
   S: Subject: one
   S:
   S: before
   S: .
   S: after
   S: .`;

quirk(
  'QS-FRAME.3: a lone dot is not stuffed, and the rest of the message is no answer',
  UNSTUFFED,
  async ({ connect, server }) => {
    const client = await connect();
    const read = text(client.retrieve(1));
    expect(await read).toBe('Subject: one\r\n\r\nbefore\r\n');
    client.delete(1);
    // Octet by octet the first DELE is on its way before the rest is there; QUIT never is, so nothing is deleted.
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    expect(server.octets).not.toContain('QUIT');
  },
);

it('QS-FRAME.3: nothing at all is said when the rest of the message is there already', async () => {
  await against(UNSTUFFED, {}, async ({ connect, server }) => {
    const client = await connect();
    await text(client.retrieve(1));
    client.delete(1);
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    await expectOver(client, server, 'POP3_PROTOCOL');
  });
});

quirk(
  'QS-FRAME.3: a message fetched ahead is not stuffed',
  `C: CAPA
   S: +OK
   S: PIPELINING
   S: .
   ${UNSTUFFED}`,
  async ({ connect, server }) => {
    const client = await connect();
    const loop = async () => {
      for await (const message of client.messages({ pipeline: 3 })) {
        await text(message.body());
        message.delete();
      }
    };
    await expect(loop()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    await expectOver(client, server, 'POP3_PROTOCOL');
  },
);

it('QS-FRAME.4: a line of 10 MB', async () => {
  const chunk = octets('x'.repeat(65_537));
  const head = octets('+OK\r\n');
  const end = octets('\r\n.\r\n');
  const line = () => [head, ...Array.from({ length: 160 }, () => chunk), end];
  await against('', { answers: { 'RETR 1': line } }, async ({ connect }) => {
    const client = await connect();
    let received = 0;
    for await (const part of client.retrieve(1)) received += part.length;
    expect(received).toBe(160 * chunk.length + 2);
    await client.noop();
  });
});

quirk(
  'TOP is refused',
  `C: TOP 1 0
   S: -ERR command not implemented`,
  async ({ connect }) => {
    const client = await connect();
    await expect(text(client.top(1, 0))).rejects.toMatchObject({
      code: 'POP3_REFUSED',
      verb: 'TOP',
      serverText: 'command not implemented',
    });
    expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  },
);

quirk(
  'QS-EXCH.4: TOP gives another header than RETR, and other lines than were asked for',
  `C: TOP 1 2
   S: +OK
   S: Subject: one, in the form of the database
   S: X-Added: yes
   S:
   S: 1
   S: 2
   S: 3
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.top(1, 2))).toBe(
      'Subject: one, in the form of the database\r\nX-Added: yes\r\n\r\n1\r\n2\r\n3\r\n',
    );
    expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  },
);

quirk(
  'QS-TOP.1: TOP is cut short, and its end is an end all the same',
  `C: TOP 1 99999999
   S: +OK
   S: Subject: one
   S:
   S: fir
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.top(1, 99_999_999))).toBe('Subject: one\r\n\r\nfir\r\n');
    expect(await text(client.retrieve(1))).toBe(MESSAGES[0]);
  },
);

quirk(
  'QS-FRAME.7: TOP is answered with two +OK lines',
  `C: TOP 1 0
   S: +OK top of message follows
   S: +OK
   S: Subject: one
   S:
   S: .
   C: TOP 2 0
   S: +OK
   S: +OK 22 octets
   S: Subject: two
   S:
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    // What cannot be told from content is content; the session stays in step.
    expect(await text(client.top(1, 0))).toBe('+OK\r\nSubject: one\r\n\r\n');
    expect(await text(client.top(2, 0))).toBe('+OK 22 octets\r\nSubject: two\r\n\r\n');
    await client.noop();
  },
);

quirk(
  'QS-FRAME.7: a message that starts like an answer is left as it is',
  `C: RETR 1
   S: +OK
   S: +OK
   S: -ERR
   S: +
   S: .`,
  async ({ connect }) => {
    const client = await connect();
    expect(await text(client.retrieve(1))).toBe('+OK\r\n-ERR\r\n+\r\n');
    await client.noop();
  },
);
