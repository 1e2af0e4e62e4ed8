import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deliverToMaildir, parseMaildirName, removeStaleDeliveries } from '../src/index.js';
import { startChild } from './children.js';
import { expectHonest, ids, inspect, sizes, TestMaildir, wireOctets } from './maildirs.js';

const MESSAGE = Buffer.from('Subject: x\n\nHello.\n');

function inNew(maildir: TestMaildir): string[] {
  return readdirSync(join(maildir.path, 'new'));
}

describe('deliverToMaildir', () => {
  it('puts a message into new under a name that says its time, process, inode, host and sizes', async () => {
    const maildir = new TestMaildir();
    const { name, uniqueId, octets } = await deliverToMaildir(maildir.path, MESSAGE);
    const { ino, dev } = statSync(join(maildir.path, 'new', name));
    const form = /^(\d{10})\.M(\d{6})P(\d+)Q\d+V([0-9a-f]+)I([0-9a-f]+)\.(.+),S=19,W=22$/.exec(name);
    expect(form?.slice(3)).toEqual([String(process.pid), dev.toString(16), ino.toString(16), hostname()]);
    expect(Math.abs(Date.now() / 1000 - Number(form?.[1]))).toBeLessThan(60);
    expect(readFileSync(join(maildir.path, 'new', name))).toEqual(MESSAGE);
    expect(readdirSync(join(maildir.path, 'tmp'))).toEqual([]);
    expect(uniqueId).toBe(parseMaildirName(name).unique);
    expect(octets).toBe(22);
    await inspect(maildir.store(), (found) => {
      expect([ids(found), sizes(found)]).toEqual([[uniqueId], [22]]);
    });
  });

  it('says the unique-id also when it is a hash', async () => {
    const maildir = new TestMaildir();
    const { uniqueId } = await deliverToMaildir(maildir.path, MESSAGE, { host: `${'h'.repeat(80)}.example` });
    expect(uniqueId).toHaveLength(43);
    expect(await inspect(maildir.store(), ids)).toEqual([uniqueId]);
  });

  it.each([
    ['LF', 'a\nb\n', ',S=4,W=6'],
    ['CRLF', 'a\r\nb\r\n', ',S=6,W=6'],
    ['nothing', '', ',S=0,W=0'],
    // Others do not count the end of a last line that has none, POP3 does.
    ['no last line end', 'a\nb', ',S=3'],
  ])('names the sizes of a message with %s', async (_, text, fields) => {
    const maildir = new TestMaildir();
    const { name, octets } = await deliverToMaildir(maildir.path, Buffer.from(text), { fsync: false });
    expect(name.slice(name.indexOf(','))).toBe(fields);
    expect(octets).toBe(wireOctets(text));
    await inspect(maildir.store(), expectHonest);
  });

  it('takes chunks, cut anywhere', async () => {
    const maildir = new TestMaildir();
    async function* parts() {
      for (const part of ['a\r', '\nb', '', '\n', '\r', '\n']) yield Buffer.from(part);
    }
    const { name, octets } = await deliverToMaildir(maildir.path, parts(), { fsync: false });
    expect(readFileSync(join(maildir.path, 'new', name), 'latin1')).toBe('a\r\nb\n\r\n');
    expect(octets).toBe(8);
    await deliverToMaildir(maildir.path, [Buffer.from('x'), Buffer.from('y\n')], { fsync: false });
    await inspect(maildir.store(), expectHonest);
  });

  it('keeps the order in which one process delivers', async () => {
    const maildir = new TestMaildir();
    const delivered: string[] = [];
    for (let i = 0; i < 50; i++) {
      delivered.push((await deliverToMaildir(maildir.path, MESSAGE, { fsync: false })).uniqueId);
    }
    expect(await inspect(maildir.store(), ids)).toEqual(delivered);
  });

  it.each([
    ['a/b:c', 'a\\057b\\072c'],
    ['m\u00fcller, inc', 'm_ller__inc'],
    ['', 'localhost'],
  ])('spells the host %j as %s', async (host, spelled) => {
    const maildir = new TestMaildir();
    const { name } = await deliverToMaildir(maildir.path, MESSAGE, { host, fsync: false });
    expect(name).toMatch(/^\d+\.[^.]+\./);
    expect(name.replace(/^\d+\.[^.]+\./, '')).toBe(`${spelled},S=19,W=22`);
  });

  it('leaves nothing when the message fails', async () => {
    const maildir = new TestMaildir();
    async function* broken() {
      yield MESSAGE;
      throw new Error('the peer is gone');
    }
    await expect(deliverToMaildir(maildir.path, broken())).rejects.toThrow('the peer is gone');
    expect([inNew(maildir), readdirSync(join(maildir.path, 'tmp'))]).toEqual([[], []]);
  });

  it('leaves nothing when it is stopped', async () => {
    const maildir = new TestMaildir();
    const stop = new AbortController();
    async function* slow() {
      yield MESSAGE;
      stop.abort(new Error('enough'));
      yield MESSAGE;
    }
    await expect(deliverToMaildir(maildir.path, slow(), { signal: stop.signal })).rejects.toThrow('enough');
    await expect(deliverToMaildir(maildir.path, MESSAGE, { signal: stop.signal })).rejects.toThrow('enough');
    expect([inNew(maildir), readdirSync(join(maildir.path, 'tmp'))]).toEqual([[], []]);
  });

  it('fails without a Maildir, and makes one when asked', async () => {
    const maildir = new TestMaildir();
    const path = join(maildir.root, 'example.org', 'bob');
    await expect(deliverToMaildir(path, MESSAGE)).rejects.toThrow('ENOENT');
    expect(existsSync(path)).toBe(false);
    await deliverToMaildir(path, MESSAGE, { create: true });
    expect(readdirSync(path).sort()).toEqual(['cur', 'new', 'tmp']);
    expect(statSync(path).mode & 0o777).toBe(0o700);
    rmSync(join(path, 'cur'), { recursive: true });
    await deliverToMaildir(path, MESSAGE, { create: true });
    expect(readdirSync(path).sort()).toEqual(['cur', 'new', 'tmp']);
  });

  it('marks a folder that it makes', async () => {
    const maildir = new TestMaildir();
    await deliverToMaildir(join(maildir.path, '.Archive'), MESSAGE, { create: true, fsync: false });
    expect(readdirSync(join(maildir.path, '.Archive')).sort()).toEqual([
      'cur',
      'maildirfolder',
      'new',
      'tmp',
    ]);
  });

  it('shows every message whole or not at all when the process is killed', async () => {
    const maildir = new TestMaildir();
    const child = await startChild(
      `
        import { deliverToMaildir } from '@pop3/store-fs';
        const message = Buffer.alloc(300_000, 'A line of the message.\\n');
        async function* parts() {
          for (let at = 0; at < message.length; at += 30_000) yield message.subarray(at, at + 30_000);
        }
        for (let delivered = 1; ; delivered++) {
          await deliverToMaildir(process.argv[2], parts());
          if (delivered === 20) process.send('go');
        }
      `,
      maildir.path,
    );
    await child.next();
    await child.kill();
    const found = inNew(maildir);
    expect(found.length).toBeGreaterThanOrEqual(20);
    for (const name of found) expect(statSync(join(maildir.path, 'new', name)).size).toBe(300_000);
    await inspect(maildir.store(), (session) => expect(ids(session)).toHaveLength(found.length));
  });
});

describe('removeStaleDeliveries', () => {
  it('removes files that nobody has written to for 36 hours', () => {
    const maildir = new TestMaildir();
    const now = Date.now();
    const hours = 60 * 60 * 1000;
    maildir.put('tmp/old');
    mkdirSync(join(maildir.path, 'tmp/directory'));
    symlinkSync('/etc/hostname', join(maildir.path, 'tmp/link'));
    expect(removeStaleDeliveries(maildir.path, now + 35.9 * hours)).toBe(0);
    // A file that is copied with its old time is new all the same.
    const copy = maildir.put('tmp/copy');
    utimesSync(copy, 1, 1);
    expect(removeStaleDeliveries(maildir.path, now)).toBe(0);
    expect(removeStaleDeliveries(maildir.path, now + 36.1 * hours)).toBe(2);
    expect(readdirSync(join(maildir.path, 'tmp')).sort()).toEqual(['directory', 'link']);
  });

  it('leaves what is in new and cur', () => {
    const maildir = new TestMaildir();
    maildir.put('new/17.1.h');
    writeFileSync(join(maildir.path, 'cur/18.1.h:2,'), '');
    expect(removeStaleDeliveries(maildir.path, Date.now() * 2)).toBe(0);
    expect([maildir.has('new/17.1.h'), maildir.has('cur/18.1.h:2,')]).toEqual([true, true]);
  });
});
