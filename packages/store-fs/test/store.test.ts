import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { deliverToMaildir, fsStore } from '../src/index.js';
import {
  ANN,
  commit,
  expectHonest,
  ids,
  inspect,
  NEVER_ABORTED,
  octetsOf,
  open,
  read,
  sizes,
  TestMaildir,
  tryOpen,
} from './maildirs.js';

const LONG = 'A line of a long message.\n'.repeat(40_000);

function openFiles(): number {
  return readdirSync('/proc/self/fd').length;
}

/** Runs as a user who may do no more than others, and as before when the test ends. */
function asNobody(maildir: TestMaildir): void {
  if (process.geteuid?.() !== 0) return;
  execFileSync('chown', ['-R', '65534', maildir.path]);
  chmodSync(maildir.root, 0o755);
  onTestFinished(() => process.seteuid?.(0));
  process.seteuid?.(65_534);
}

describe('a listing', () => {
  it('has the messages in new and cur, by second, microsecond and name', async () => {
    const maildir = new TestMaildir();
    const names = [
      'new/letter.eml',
      'cur/9.1.h:2,S',
      'new/1700000001.1.h',
      'cur/1700000001.2.h:2,',
      'new/1700000001.M9P1.h',
      'cur/1700000001.P1M10V7I3.h:2,S',
      'new/1700000001.M000011P1.h',
      'cur/1700000001.H12P1.h:2,',
      'cur/1700000002.M0P1.h:2,F',
      'new/1700000010.1.h',
      'new/17000000011.1.h',
    ];
    for (const name of [...names].reverse()) maildir.put(name);
    const expected = names.map((name) => name.slice(4).replace(/:.*/, ''));
    expect(await inspect(maildir.store(), ids)).toEqual(expected);
  });

  it('has nothing but message files', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    maildir.put('tmp/18.1.h');
    maildir.put('cur/.hidden');
    maildir.put('new/.nfs000001');
    mkdirSync(join(maildir.path, 'cur/19.1.h'));
    symlinkSync('/etc/hostname', join(maildir.path, 'cur/20.1.h:2,'));
    execFileSync('mkfifo', [join(maildir.path, 'new/21.1.h')]);
    expect(await inspect(maildir.store(), ids)).toEqual(['17.1.h']);
  });

  it('is empty without new and cur', async () => {
    const maildir = new TestMaildir();
    rmSync(join(maildir.path, 'new'), { recursive: true });
    rmSync(join(maildir.path, 'cur'), { recursive: true });
    const store = maildir.store();
    expect(await inspect(store, ids)).toEqual([]);
    await deliverToMaildir(maildir.path, Buffer.from('x\n'), { create: true, fsync: false });
    expect(await inspect(store, ids)).toHaveLength(1);
  });

  it('leaves out a message that cannot be read, until it can be', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    const path = maildir.put('cur/18.1.h:2,');
    chmodSync(path, 0);
    asNobody(maildir);
    const store = maildir.store();
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
    expect(maildir.events).toMatchObject([
      { type: 'message-left-out', name: '18.1.h:2,', error: { code: 'EACCES' } },
    ]);
    chmodSync(path, 0o600);
    expect(await inspect(store, ids)).toEqual(['17.1.h', '18.1.h']);
  });

  it('has a message once that has two names', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,S');
    linkSync(path, join(maildir.path, 'new/17.1.h'));
    linkSync(path, join(maildir.path, 'cur/17.1.h:2,'));
    const store = maildir.store();
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
  });

  it('has both of two messages with one name, and gives one of them another', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h,S=2:2,S', '1\n');
    maildir.put('new/17.1.h,S=2', '2\n');
    const store = maildir.store();
    const session = await open(store);
    expect(await Promise.all([read(session, 1), read(session, 2)])).toEqual(['1\n', '2\n']);
    const [first, second] = ids(session);
    expect(first).toBe('17.1.h');
    expect(maildir.events).toMatchObject([{ type: 'duplicate-renamed', from: '17.1.h,S=2' }]);
    expect(await commit(session, 1)).toEqual({ removed: 1, failed: 0 });
    await session.release();
    expect(await inspect(store, ids)).toEqual([second]);
    expect(await inspect(maildir.store(), ids)).toEqual([second]);
  });

  it('has all of many messages with the same names', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < 20; i++) {
      maildir.put(`cur/${i}.1.h:2,S`, `${i}\n`);
      maildir.put(`cur/${i}.1.h:2,`, `${i + 20}\n`);
      maildir.put(`new/${i}.1.h`, `${i + 40}\n`);
    }
    const session = await open(maildir.store());
    const contents = await Promise.all(ids(session).map((_, at) => read(session, at + 1)));
    expect(contents.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('is the same object as long as nothing changes, and comes without a promise', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    // Changes of the same tick could not be told from one another.
    for (const place of ['new', 'cur']) utimesSync(join(maildir.path, place), 1, 1);
    const store = maildir.store();
    const first = await inspect(store, ({ listing }) => listing);
    const again = store.open(ANN, { signal: NEVER_ABORTED });
    if (again instanceof Promise || 'type' in again || 'then' in again) throw new Error('not at once');
    expect(again.listing).toBe(first);
    await again.release();
  });

  it('comes without a promise also to another process, which reads two small files', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < 20; i++) maildir.put(`cur/${i}.1.h:2,`);
    await inspect(maildir.store(), ids);
    const session = maildir.store().open(ANN, { signal: NEVER_ABORTED });
    if (session instanceof Promise || 'type' in session || !('listing' in session))
      throw new Error('not at once');
    expect(session.listing.count).toBe(20);
    session.release();
  });

  it('notices every change, however fast they come', async () => {
    const maildir = new TestMaildir();
    const store = maildir.store();
    const expected: string[] = [];
    for (let i = 0; i < 300; i++) {
      const name = `${1_700_000_000 + i}.1.h`;
      maildir.put(`new/${name}`);
      expected.push(name);
      if (i % 3 === 2) unlinkSync(join(maildir.path, 'new', expected.shift() as string));
      const session = store.open(ANN, { signal: NEVER_ABORTED });
      if (session instanceof Promise || 'type' in session || !('listing' in session))
        throw new Error('not at once');
      expect(session.listing.count).toBe(expected.length);
      session.release();
    }
    expect(await inspect(store, ids)).toEqual(expected);
  });

  it('of a Maildir that was put in the place of another is a new one', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    for (const place of ['new', 'cur']) utimesSync(join(maildir.path, place), 1, 1);
    const store = maildir.store();
    await inspect(store, ids);
    renameSync(join(maildir.path, 'cur'), join(maildir.path, 'old'));
    mkdirSync(join(maildir.path, 'cur'));
    utimesSync(join(maildir.path, 'cur'), 1, 1);
    expect(await inspect(store, ids)).toEqual([]);
  });

  it('does not change while another program delivers, moves and deletes', async () => {
    const maildir = new TestMaildir();
    maildir.put('new/17.1.h', '1\n');
    maildir.put('cur/18.1.h:2,', '2\n');
    maildir.put('cur/19.1.h:2,', '3\n');
    const store = maildir.store();
    const session = await open(store);
    maildir.put('new/16.1.h', '0\n');
    renameSync(join(maildir.path, 'new/17.1.h'), join(maildir.path, 'cur/17.1.h:2,S'));
    unlinkSync(join(maildir.path, 'cur/18.1.h:2,'));
    expect(ids(session)).toEqual(['17.1.h', '18.1.h', '19.1.h']);
    expect(await read(session, 1)).toBe('1\n');
    expect(await read(session, 2)).toBe('gone');
    expect(await read(session, 3)).toBe('3\n');
    expect(await commit(session, 2, 3)).toEqual({ removed: 2, failed: 0 });
    await session.release();
    expect(await inspect(store, ids)).toEqual(['16.1.h', '17.1.h']);
  });

  it('is given again after it was forgotten', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    const store = maildir.store({ indexOctets: 0 });
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
  });

  it('of a large Maildir is made while others have their turn', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < 3_000; i++) maildir.put(`cur/${i}.1.h:2,`, 'x\n');
    let turns = 0;
    const opening = open(maildir.store());
    const count = () => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    const session = await opening;
    clearImmediate(timer);
    expect(session.listing.count).toBe(3_000);
    expect(turns).toBeGreaterThan(20);
  });
});

describe('retrieve', () => {
  it('gives a small message in one piece and without a promise', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', 'one\n');
    const session = await open(maildir.store());
    const body = session.retrieve(1, { signal: NEVER_ABORTED });
    expect(body).toBeInstanceOf(Uint8Array);
    expect(Buffer.from(body as Uint8Array).toString()).toBe('one\n');
  });

  it('gives each piece of memory once', async () => {
    const maildir = new TestMaildir();
    const store = maildir.store();
    const messages = Array.from({ length: 40 }, (_, i) => String(i).repeat(20_000));
    for (const [i, message] of messages.entries()) maildir.put(`cur/${i}.1.h:2,`, message);
    const session = await open(store);
    const bodies = messages.map((_, i) => session.retrieve(i + 1, { signal: NEVER_ABORTED }) as Uint8Array);
    for (const [i, message] of messages.entries())
      expect(Buffer.from(bodies[i] as Uint8Array).toString()).toBe(message);
  });

  it('gives a long message in chunks, and closes its file', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', LONG);
    const session = await open(maildir.store());
    const before = openFiles();
    const body = await session.retrieve(1, { signal: NEVER_ABORTED });
    if (body === 'gone' || body instanceof Uint8Array) throw new Error('not in chunks');
    expect(openFiles()).toBe(before + 1);
    expect((await octetsOf(body)).toString()).toBe(LONG);
    expect(openFiles()).toBe(before);
  });

  it('has nothing open after a body was left, aborted or never read', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', LONG);
    const session = await open(maildir.store());
    const before = openFiles();
    for await (const chunk of chunks(await session.retrieve(1, { signal: NEVER_ABORTED }))) {
      expect(chunk.length).toBeGreaterThan(0);
      break;
    }
    const stop = new AbortController();
    const aborted = chunks(await session.retrieve(1, { signal: stop.signal }))[Symbol.asyncIterator]();
    await aborted.next();
    stop.abort(new Error('enough'));
    await expect(aborted.next()).rejects.toThrow('enough');
    expect(await aborted.next()).toEqual({ done: true, value: undefined });
    await session.retrieve(1, { signal: NEVER_ABORTED });
    await session.release();
    // A read that was under way closes its file when it is done.
    await expect.poll(openFiles).toBe(before);
  });

  it('fails, and does not end, when the file becomes shorter meanwhile', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,', LONG);
    const session = await open(maildir.store());
    const body = chunks(await session.retrieve(1, { signal: NEVER_ABORTED }))[Symbol.asyncIterator]();
    truncateSync(path, 1_000);
    await expect(body.next()).rejects.toThrow('became shorter');
  });

  it('goes on with a long message that is renamed or deleted meanwhile', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,', LONG);
    const session = await open(maildir.store());
    const body = await session.retrieve(1, { signal: NEVER_ABORTED });
    unlinkSync(path);
    expect((await octetsOf(body as Exclude<typeof body, 'gone'>)).toString()).toBe(LONG);
    expect(await read(session, 1)).toBe('gone');
  });

  it('finds messages that another program renames again and again', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < 5; i++) maildir.put(`new/${i}.1.h`, `${i}\n`);
    maildir.put('new/9.1.h', LONG);
    const session = await open(maildir.store());
    for (let i = 0; i < 5; i++) {
      renameSync(join(maildir.path, `new/${i}.1.h`), join(maildir.path, `cur/${i}.1.h:2,`));
      expect(await read(session, i + 1)).toBe(`${i}\n`);
    }
    for (let i = 0; i < 5; i++) {
      renameSync(join(maildir.path, `cur/${i}.1.h:2,`), join(maildir.path, `cur/${i}.1.h:2,S`));
      expect(await read(session, i + 1)).toBe(`${i}\n`);
    }
    renameSync(join(maildir.path, 'new/9.1.h'), join(maildir.path, 'cur/9.1.h:2,S'));
    expect(await read(session, 6)).toBe(LONG);
    expect(await commit(session, 1, 2, 3, 4, 5)).toEqual({ removed: 5, failed: 0 });
    expect(readdirSync(join(maildir.path, 'cur'))).toEqual(['9.1.h:2,S']);
  });

  it('reads names of any octets', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.\xff\xfe%\n.h:2,', 'odd\n');
    const session = await open(maildir.store());
    expect(await read(session, 1)).toBe('odd\n');
    expect(await commit(session, 1)).toEqual({ removed: 1, failed: 0 });
    expect(readdirSync(join(maildir.path, 'cur'))).toEqual([]);
  });

  it('throws for a number that is not in the listing', async () => {
    const session = await open(new TestMaildir().store());
    expect(() => session.retrieve(1, { signal: NEVER_ABORTED })).toThrow('There is no message 1');
  });

  it('fails for a message that cannot be read any more', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,');
    asNobody(maildir);
    const session = await open(maildir.store());
    chmodSync(path, 0);
    await expect(read(session, 1)).rejects.toThrow('EACCES');
  });

  it('does not follow a link that took the place of a message', async () => {
    const maildir = new TestMaildir();
    const path = maildir.put('cur/17.1.h:2,');
    const session = await open(maildir.store());
    unlinkSync(path);
    symlinkSync('/etc/hostname', path);
    await expect(read(session, 1)).rejects.toThrow('ELOOP');
  });
});

describe('commitDeletes', () => {
  it('makes deletions last', async () => {
    const maildir = new TestMaildir();
    maildir.put('new/17.1.h');
    maildir.put('cur/18.1.h:2,');
    const session = await open(fsStore({ maildir: `${maildir.root}/{user}` }));
    expect(await commit(session, 1, 2)).toEqual({ removed: 2, failed: 0 });
    expect(readdirSync(join(maildir.path, 'cur'))).toEqual([]);
  });

  it('deletes many messages while others have their turn', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < 1_000; i++) maildir.put(`cur/${i}.1.h:2,`, 'x\n');
    const store = maildir.store();
    const session = await open(store);
    let turns = 0;
    const committing = commit(session, ...Array.from({ length: 999 }, (_, i) => i + 2));
    const count = () => {
      turns++;
      timer = setImmediate(count);
    };
    let timer = setImmediate(count);
    expect(await committing).toEqual({ removed: 999, failed: 0 });
    clearImmediate(timer);
    expect(turns).toBeGreaterThan(5);
    await session.release();
    expect(await inspect(store, ids)).toEqual(['0.1.h']);
  });

  it('counts and reports what cannot be deleted', async () => {
    const maildir = new TestMaildir();
    maildir.put('new/17.1.h');
    maildir.put('cur/18.1.h:2,');
    asNobody(maildir);
    const store = maildir.store();
    const session = await open(store);
    chmodSync(join(maildir.path, 'cur'), 0o500);
    expect(await commit(session, 1, 2)).toEqual({ removed: 1, failed: 1 });
    expect(maildir.events).toMatchObject([
      { type: 'delete-failed', name: '18.1.h:2,', error: { code: 'EACCES' } },
    ]);
    await session.release();
    expect(await inspect(store, ids)).toEqual(['18.1.h']);
    chmodSync(join(maildir.path, 'cur'), 0o700);
  });

  it('does nothing for nothing', async () => {
    const maildir = new TestMaildir();
    const session = await open(maildir.store());
    unlinkSync(join(maildir.path, 'pop3.lock'));
    expect(await commit(session)).toEqual({ removed: 0, failed: 0 });
  });
});

describe('a folder', () => {
  it('is a maildrop beside the inbox, with a lock and files of its own', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,', 'inbox\n');
    const folder = join(maildir.path, '.Archive.2024');
    await deliverToMaildir(folder, Buffer.from('archived\n'), { create: true, fsync: false });
    const store = maildir.store();
    const inbox = await open(store);
    const archive = await open(store, 'ann/Archive.2024');
    expect([await read(inbox, 1), await read(archive, 1)]).toEqual(['inbox\n', 'archived\n']);
    expect(await tryOpen(store, 'ann/Archive.2024')).toMatchObject({ reason: 'in-use' });
    expect(lstatSync(join(folder, 'pop3.lock')).isSymbolicLink()).toBe(true);
  });

  it('that is not there is refused', async () => {
    expect(await tryOpen(new TestMaildir().store(), 'ann/Archive')).toEqual({
      type: 'refused',
      reason: 'permanent',
    });
  });
});

describe('the store', () => {
  it('refuses names that are no names', async () => {
    const store = new TestMaildir().store();
    for (const name of ['', '..', '../ann', 'ann/', 'x/../../ann', 'ann\0', '\uff0e\uff0e']) {
      expect(await tryOpen(store, name), name).toEqual({ type: 'refused', reason: 'permanent' });
    }
  });

  it('asks a function for the Maildir', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/17.1.h:2,');
    const store = maildir.store({ maildir: ({ maildrop }) => (maildrop === 'bob' ? null : maildir.path) });
    expect(await tryOpen(store, 'bob')).toMatchObject({ type: 'refused', reason: 'permanent' });
    expect(await inspect(store, ids)).toEqual(['17.1.h']);
  });

  it('refuses a template that gives all users the same mail', () => {
    expect(() => fsStore({ maildir: '/srv/mail' })).toThrow(TypeError);
  });

  it('fails where a file is in the place of the Maildir', async () => {
    const maildir = new TestMaildir();
    writeFileSync(join(maildir.root, 'bob'), '');
    await expect(tryOpen(maildir.store(), 'bob')).rejects.toThrow('ENOTDIR');
  });

  it('serves what all kinds of programs have delivered', async () => {
    const maildir = new TestMaildir();
    const messages = [
      '',
      'x',
      '.',
      '\n',
      '\r\n',
      'a\r\n.\r\n..',
      '\0\xff\n',
      `${'y'.repeat(100_000)}\n`,
      LONG,
    ];
    for (const [i, message] of messages.entries()) maildir.put(`new/${i}.1.h`, message);
    const session = await open(maildir.store());
    for (const [i, message] of messages.entries()) expect(await read(session, i + 1)).toBe(message);
    await expectHonest(session);
    expect(sizes(session)).toHaveLength(messages.length);
  });
});

function chunks(body: unknown): AsyncIterable<Uint8Array> {
  if (typeof body !== 'object' || body === null || !(Symbol.asyncIterator in body))
    throw new Error('not in chunks');
  return body as AsyncIterable<Uint8Array>;
}
