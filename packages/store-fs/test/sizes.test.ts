import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectHonest, ids, inspect, open, read, sizes, TestMaildir, wireOctets } from './maildirs.js';

const LF = 'Subject: x\n\nHello.\n';
/** As long as `LF`, with one line end less. */
const LONGER_LINE = 'Subject: x!\nHello.\n';
const CRLF = 'Subject: x\r\n\r\nHello.\r\n';

/** More than are counted at one open although their names say their sizes. */
const MANY = 200;

/** Replaces a message by another of the same length and time: whoever reads it again sees another size. */
function replaceUnseen(path: string, content: string): void {
  const { atimeMs, mtimeMs, size } = statSync(path);
  expect(content.length).toBe(size);
  writeFileSync(path, content);
  utimesSync(path, atimeMs / 1000, mtimeMs / 1000);
}

describe('sizes', () => {
  it.each([
    ['LF', LF, 22],
    ['CRLF', CRLF, 22],
    ['both', 'Subject: x\r\n\nHello.\n', 22],
    ['no last line end', 'Subject: x\n\nHello.', 22],
    ['nothing', '', 0],
    ['a bare CR', 'a\rb\r', 6],
  ])('are those with CRLF of a message stored with %s', async (_, content, octets) => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', content);
    const session = await open(maildir.store());
    expect(sizes(session)).toEqual([octets]);
    await expectHonest(session);
  });

  it('are counted once, also for another process', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,', LF);
    await inspect(maildir.store(), sizes);
    replaceUnseen(path, LONGER_LINE);
    expect(await inspect(maildir.store(), sizes)).toEqual([22]);
  });

  it('of a message that arrived later are counted once, also for another process', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', LF);
    const store = maildir.store();
    await inspect(store, sizes);
    const path = maildir.put('new/18.1.h', LF);
    await inspect(store, sizes);
    replaceUnseen(path, LONGER_LINE);
    expect(await inspect(maildir.store(), sizes)).toEqual([22, 22]);
  });
});

describe(',W= in a name', () => {
  it.each([
    ['true', `,S=${LF.length},W=22`],
    ['too large', `,S=${LF.length},W=23`],
    ['the stored size', `,S=${LF.length},W=${LF.length}`],
    ['smaller than the file', `,S=${LF.length},W=5`],
    ['impossibly large', `,S=${LF.length},W=9999`],
    ['without ,S=', ',W=21'],
    ['with another ,S=', ',S=30,W=33'],
    ['with ,S= of the wire', ',S=22,W=22'],
    ['no number', `,S=${LF.length},W=x`],
  ])('that is %s makes no listing wrong', async (_, fields) => {
    const maildir = new TestMaildir();
    maildir.put(`cur/17.1.h${fields}:2,`, LF);
    maildir.put(`new/18.1.h${fields}`, LF);
    const session = await open(maildir.store());
    expect(sizes(session)).toEqual([22, 22]);
    await expectHonest(session);
  });

  it('of a message without a last line end, which does not count it, makes no listing wrong', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h,S=18,W=20:2,', LF.slice(0, -1));
    expect(await inspect(maildir.store(), sizes)).toEqual([22]);
  });

  it('of messages without a last line end is completed in a large Maildir too, where few are counted', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < MANY; i++) maildir.put(`cur/${1_000 + i}.1.h,S=18,W=20:2,`, LF.slice(0, -1));
    const session = await open(maildir.store());
    expect(sizes(session)).toEqual(Array(MANY).fill(22));
    await expectHonest(session);
  });

  it('makes a first open of a large Maildir read few messages', async () => {
    const maildir = new TestMaildir();
    const paths = Array.from({ length: MANY }, (_, i) =>
      maildir.put(`cur/${1_000 + i}.1.h,S=19,W=22:2,`, LF),
    );
    replaceUnseen(paths[0] as string, LONGER_LINE);
    const session = await open(maildir.store());
    expect(sizes(session)[0]).toBe(22);
    expect(sizes(session)).toEqual(Array(MANY).fill(22));
  });

  it('is not believed about a file of another size than ,S= says', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < MANY; i++) maildir.put(`cur/${1_000 + i}.1.h,S=19,W=22:2,`, i === 0 ? `${LF}\n` : LF);
    expect((await inspect(maildir.store(), sizes))[0]).toBe(24);
  });

  it('that lies in a large Maildir fails the message rather than sending another size, and is right afterwards', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < MANY; i++) maildir.put(`cur/${1_000 + i}.1.h,S=19,W=${i === 0 ? 25 : 22}:2,`, LF);
    const store = maildir.store();
    const session = await open(store);
    expect(sizes(session)[0]).toBe(25);
    for (let times = 0; times < 2; times++) {
      await expect(read(session, 1)).rejects.toThrow('has 22 octets and was listed with 25');
    }
    expect(maildir.events).toMatchObject([{ type: 'size-corrected', listedOctets: 25, octets: 22 }]);
    expect(await read(session, 2)).toBe(LF);
    await session.release();
    for (const next of [store, maildir.store()]) {
      await inspect(next, async (found) => {
        expect(sizes(found)).toEqual(Array(MANY).fill(22));
        expect(await read(found, 1)).toBe(LF);
      });
    }
  });

  it('that lies about a long message fails it before the first octet', async () => {
    const maildir = new TestMaildir();
    const long = `${'x'.repeat(599_999)}\n`;
    maildir.put('cur/1.1.h,S=600000,W=600002:2,', long);
    for (let i = 0; i < MANY; i++) maildir.put(`cur/${1_000 + i}.1.h,S=19,W=22:2,`, LF);
    const store = maildir.store();
    const session = await open(store);
    await expect(read(session, 1)).rejects.toThrow('has 600001 octets and was listed with 600002');
    await session.release();
    await inspect(store, expectHonest);
  });

  it('is not believed in a Maildir where another was wrong', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < MANY; i++) {
      maildir.put(`cur/${1_000 + i}.1.h,S=19,W=${i === 0 || i === MANY - 1 ? 25 : 22}:2,`, LF);
    }
    await inspect(maildir.store(), expectHonest);
  });

  it('is believed again by another process, without reading', async () => {
    const maildir = new TestMaildir();
    const paths = Array.from({ length: MANY }, (_, i) =>
      maildir.put(`cur/${1_000 + i}.1.h,S=19,W=22:2,`, LF),
    );
    await inspect(maildir.store(), sizes);
    replaceUnseen(paths[0] as string, LONGER_LINE);
    expect(await inspect(maildir.store(), sizes)).toEqual(Array(MANY).fill(22));
  });
});

describe('the file pop3-sizes', () => {
  async function counted(): Promise<{ maildir: TestMaildir; path: string }> {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', LF);
    maildir.put('cur/18.a b%\xe4.h:2,', CRLF);
    await inspect(maildir.store(), sizes);
    return { maildir, path: join(maildir.path, 'pop3-sizes') };
  }

  it('has a line for each message', async () => {
    const { path } = await counted();
    const [header, one, other, end] = readFileSync(path, 'latin1').split('\n');
    expect(header).toBe('pop3-sizes 1');
    expect([one, other].sort()).toEqual([
      expect.stringMatching(/^17\.1\.h 19 22 \d+ c [0-9a-z]+$/),
      expect.stringMatching(/^18\.a%20b%25\xe4\.h 22 22 \d+ c [0-9a-z]+$/),
    ]);
    expect(end).toBe('');
  });

  it('knows names of any octets', async () => {
    const { maildir } = await counted();
    replaceUnseen(join(maildir.path, 'cur/17.1.h:2,'), LONGER_LINE);
    expect(await inspect(maildir.store(), sizes)).toEqual([22, 22]);
  });

  it.each([
    ['missing', (path: string) => rmSync(path)],
    ['empty', (path: string) => writeFileSync(path, '')],
    ['of another version', (path: string) => writeFileSync(path, 'pop3-sizes 2\n17.1.h 19 25 1 c 1\n')],
    ['of another program', (path: string) => writeFileSync(path, Buffer.alloc(300_000, 0xff))],
    ['cut off', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, -3))],
    ['cut off in its first line', (path: string) => writeFileSync(path, 'pop3-si')],
    [
      'wrong',
      (path: string) =>
        writeFileSync(path, readFileSync(path, 'latin1').replaceAll(' 22 ', ' 23 '), 'latin1'),
    ],
    [
      'wrong about a name',
      (path: string) => writeFileSync(path, readFileSync(path, 'latin1').replace('17.1', '18.1'), 'latin1'),
    ],
    [
      'longer than it should be',
      (path: string) => appendFileSync(path, '17.1.h 19 25 1 c 1\n\n \nx\n17.1.h'),
    ],
  ])('is made anew when it is %s', async (_, damage) => {
    const { maildir, path } = await counted();
    damage(path);
    const store = maildir.store();
    await inspect(store, expectHonest);
    expect(await inspect(maildir.store(), sizes)).toEqual([22, 22]);
    expect(readFileSync(path, 'latin1')).toMatch(/^pop3-sizes 1\n/);
  });

  it('is not believed about a message that was replaced', async () => {
    const { maildir } = await counted();
    maildir.put('cur/17.1.h:2,', 'Subject: y\n\nAnother one.\n');
    await inspect(maildir.store(), expectHonest);
    maildir.put('cur/17.1.h:2,', 'Subject: y\n\nAnother.!\n.\n');
    utimesSync(join(maildir.path, 'cur/17.1.h:2,'), 1_700_000_000, 1_700_000_000);
    await inspect(maildir.store(), expectHonest);
  });

  it('is not followed when it is a link', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', LF);
    const victim = maildir.put('victim', 'precious');
    symlinkSync(victim, join(maildir.path, 'pop3-sizes'));
    symlinkSync(victim, join(maildir.path, 'pop3-sizes.tmp'));
    expect(await inspect(maildir.store(), sizes)).toEqual([22]);
    expect(readFileSync(victim, 'latin1')).toBe('precious');
  });

  it('loses what is about messages that are gone', async () => {
    const maildir = new TestMaildir();
    const paths = Array.from({ length: 1_100 }, (_, i) => maildir.put(`cur/${1_000 + i}.1.h:2,`, LF));
    await inspect(maildir.store(), sizes);
    for (const path of paths.slice(10)) rmSync(path);
    await inspect(maildir.store(), sizes);
    expect(readFileSync(join(maildir.path, 'pop3-sizes'), 'latin1').trim().split('\n')).toHaveLength(11);
    replaceUnseen(paths[0] as string, LONGER_LINE);
    expect(await inspect(maildir.store(), sizes)).toEqual(Array(10).fill(22));
  });

  it('is not needed', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', LF);
    // A directory in its place cannot be read, written or replaced.
    mkdirSync(join(maildir.path, 'pop3-sizes'));
    expect(await inspect(maildir.store(), ids)).toEqual(['17.1.h']);
  });
});

describe('a message that is changed in its place', () => {
  it('is not sent with another size than it was listed with', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,', LF);
    const store = maildir.store();
    const session = await open(store);
    for (const changed of ['Subject: y\n', `${LF}more\n`, 'x'.repeat(600_000)]) {
      writeFileSync(path, changed);
      await expect(read(session, 1)).rejects.toThrow('was listed with 22');
      await expect(read(session, 1)).rejects.toThrow('was listed with 22');
    }
    writeFileSync(path, LF);
    expect(await read(session, 1)).toBe(LF);
    writeFileSync(path, 'x'.repeat(600_000));
    await expect(read(session, 1)).rejects.toThrow('was listed with 22');
    await session.release();
    await inspect(store, async (next) => {
      expect(sizes(next)).toEqual([600_002]);
      await expectHonest(next);
    });
    await inspect(maildir.store(), expectHonest);
  });

  it('is sent when it has the same size all the same', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,', LF);
    const session = await open(maildir.store());
    writeFileSync(path, CRLF);
    expect(wireOctets(CRLF)).toBe(wireOctets(LF));
    expect(await read(session, 1)).toBe(CRLF);
    expect(await read(session, 1)).toBe(CRLF);
  });
});
