import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientCommand } from '../src/command.js';
import {
  converse,
  type ListingLimits,
  type ReplyBody,
  readScanListing,
  readUniqueIds,
} from '../src/driver/index.js';
import { MemoryClientChannel } from './memory-client-channel.js';
import { chunkLengths, chunksOf, latin1, octets } from './stored-message.js';

/** The body of a listing whose lines come in these chunks, and what remains of the conversation. */
async function bodyOf(chunks: readonly string[]) {
  const channel = new MemoryClientChannel('+OK\r\n');
  const conversation = converse({ channel });
  await conversation.greeting();
  channel.answer('+OK\r\n+OK\r\n');
  const login: ClientCommand[] = [
    { verb: 'USER', name: 'ann' },
    { verb: 'PASS', password: 'secret' },
  ];
  await Promise.all(login.map((command) => conversation.send(command)));
  channel.answer('+OK\r\n', ...chunks, '.\r\n');
  const { body } = await conversation.send({ verb: 'LIST', messageNumber: null });
  return { body: body as ReplyBody, conversation, channel };
}

async function sizes(wire: string, limits?: Partial<ListingLimits>) {
  return [...(await readScanListing((await bodyOf([wire])).body, limits))];
}

async function ids(wire: string, limits?: Partial<ListingLimits>) {
  return [...(await readUniqueIds((await bodyOf([wire])).body, limits))];
}

/** What a line says, as a rule on text. */
function scanRule(line: string): [number, number | null] | null {
  const [, number, size = ''] = /^(?:\+OK )?(\d{1,15})(?:[ \t]+(\S*)|$)/.exec(line) ?? [];
  return number === undefined ? null : [Number(number), /^\d{1,15}$/.test(size) ? Number(size) : null];
}

function uniqueIdRule(line: string): [number, string] | null {
  const [, number, id = ''] = /^(?:\+OK )?(\d{1,15})[ \t]+(\S(?:.*\S)?)\s*$/.exec(line) ?? [];
  return number === undefined ? null : [Number(number), id];
}

const PROTOCOL: unknown = expect.objectContaining({ code: 'POP3_PROTOCOL' });

describe('readScanListing', () => {
  it('gives the octets by number, in the order of the numbers', async () => {
    const listing = await readScanListing((await bodyOf(['2 200\r\n1 120\r\n7 0\r\n'])).body);
    expect([...listing]).toEqual([
      [1, 120],
      [2, 200],
      [7, 0],
    ]);
    expect([listing.size, listing.last, listing.get(2), listing.get(3), listing.has(7)]).toEqual([
      3,
      7,
      200,
      undefined,
      true,
    ]);
    expect([...listing.keys()]).toEqual([1, 2, 7]);
    expect([...listing.values()]).toEqual([120, 200, 0]);
    const visited: unknown[] = [];
    listing.forEach((octets, number, map) => void visited.push([number, octets, map === listing]));
    expect(visited).toEqual([
      [1, 120, true],
      [2, 200, true],
      [7, 0, true],
    ]);
    for (const number of [0, -1, 1.5, Number.NaN, 2 ** 53]) expect(listing.get(number)).toBe(undefined);
  });

  it('is empty for an empty maildrop', async () => {
    expect(await sizes('')).toEqual([]);
  });

  it('takes sizes beyond 32 bits, and null where there is no count: the message is there all the same', async () => {
    expect(await sizes('1 4294967297\r\n2 -1\r\n3\r\n4 many\r\n5 120 more\r\n')).toEqual([
      [1, 4_294_967_297],
      [2, null],
      [3, null],
      [4, null],
      [5, 120],
    ]);
  });

  it('passes over what is no line of a listing, and numbers that no maildrop has', async () => {
    expect(
      await sizes('Messages:\r\n\r\n0 1\r\n-1 1\r\n1 120\r\n2000001 1\r\n999999999999999 1\r\n'),
    ).toEqual([[1, 120]]);
  });

  it('takes the first line where a message has several', async () => {
    expect(await sizes('1 120\r\n1 99\r\n2\r\n2 5\r\n')).toEqual([
      [1, 120],
      [2, null],
    ]);
  });

  it('reads lines that end in a bare LF, too', async () => {
    expect(await sizes('1 120\n2 200\n')).toEqual([
      [1, 120],
      [2, 200],
    ]);
  });
});

describe('readUniqueIds', () => {
  it('gives the unique-ids by number, octet by octet', async () => {
    const long = 'x'.repeat(1024);
    expect(await ids(`3 c\r\n1   a b \r\n2 \xe4\r\n4 ${long}\r\n+OK 5 e\r\n6\r\n7 \r\n`)).toEqual([
      [1, 'a b'],
      [2, '\xe4'],
      [3, 'c'],
      [4, long],
      [5, 'e'],
    ]);
  });

  it('may give several messages the same', async () => {
    expect(await ids('1 a\r\n2 a\r\n1 b\r\n')).toEqual([
      [1, 'a'],
      [2, 'a'],
    ]);
  });

  it('refuses what is longer than the limit', async () => {
    expect(await ids('1 123456789\r\n', { maxUniqueIdOctets: 9 })).toEqual([[1, '123456789']]);
    await expect(ids('1 1234567890\r\n', { maxUniqueIdOctets: 9 })).rejects.toEqual(PROTOCOL);
    await expect(ids(`1 ${'x'.repeat(1025)}\r\n`)).rejects.toEqual(PROTOCOL);
  });
});

describe('both', () => {
  it('read the same in any chunks, whatever the lines are', async () => {
    const line = fc.oneof(
      fc.tuple(fc.nat({ max: 12 }), fc.nat()).map(([number, octets]) => `${number} ${octets}`),
      fc.constantFrom(
        '1',
        '1 ',
        '2  -1',
        '+OK 3 7',
        '..',
        '4\t5',
        'x',
        '',
        '999999999999999 1',
        ' 5 5',
        '6 id with spaces ',
      ),
      fc.string({ maxLength: 12 }).map((text) => text.replace(/[^\x20-\x7e]|^\./g, '?')),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(line, { maxLength: 20 }), chunkLengths, async (lines, lengths) => {
        const wire = lines.map((line) => `${line}\r\n`).join('');
        for (const [read, rule] of [
          [readScanListing, scanRule],
          [readUniqueIds, uniqueIdRule],
        ] as const) {
          const expected = new Map<number, unknown>();
          for (const line of lines) {
            const [number, value] = rule(line) ?? [0, null];
            if (number >= 1 && number <= 2_000_000 && !expected.has(number)) expected.set(number, value);
          }
          const { body } = await bodyOf(chunksOf(octets(wire), lengths).map(latin1));
          expect(new Map<number, unknown>([...(await read(body))])).toEqual(expected);
        }
      }),
      { numRuns: 100 },
    );
  });

  it('are bounded whatever the server sends, and the conversation goes on', async () => {
    for (const read of [readScanListing, readUniqueIds] as const) {
      const limits = { maxMessages: 3 };
      for (const wire of [
        '1 1\r\n2 2\r\n3 3\r\n4 4\r\n',
        '1 1\r\n1 1\r\n1 1\r\n1 1\r\n',
        `1 ${'x'.repeat(70_000)}\r\n`,
      ]) {
        const { body, conversation, channel } = await bodyOf([wire]);
        await expect(read(body, limits)).rejects.toEqual(PROTOCOL);
        expect(body.settled).toBe(true);
        const noop = conversation.send({ verb: 'NOOP' });
        channel.answer('+OK\r\n');
        expect((await noop).status.status).toBe('+OK');
      }
      expect([...(await read((await bodyOf(['1 1\r\n2 2\r\n3 3\r\n'])).body, limits))]).toHaveLength(3);
    }
  });

  it('reject when the listing breaks off', async () => {
    for (const read of [readScanListing, readUniqueIds] as const) {
      const channel = new MemoryClientChannel('+OK\r\n');
      const conversation = converse({ channel });
      await conversation.greeting();
      const sent = conversation.send({ verb: null, keyword: 'XTND', argument: 'XLST', multiline: true });
      channel.say('+OK\r\n1 1\r\n');
      channel.end();
      const { body } = await sent;
      await expect(read(body as ReplyBody)).rejects.toEqual(expect.objectContaining({ code: 'POP3_CLOSED' }));
    }
  });

  it('hold half a million messages in a few arrays', async () => {
    const count = 500_000;
    const chunks: string[] = [];
    for (let from = 1; from <= count; from += 5_000) {
      chunks.push(Array.from({ length: 5_000 }, (_, i) => `${from + i} ${from + i}\r\n`).join(''));
    }
    const scan = await readScanListing((await bodyOf(chunks)).body);
    expect([scan.size, scan.last, scan.get(1), scan.get(count)]).toEqual([count, count, 1, count]);
    const unique = await readUniqueIds((await bodyOf(chunks)).body);
    expect([unique.size, unique.get(77_777), unique.octets]).toEqual([count, '77777', 2_888_895]);
  });
});
