import {
  lstatSync,
  lutimesSync,
  readdirSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Clock } from '../src/index.js';
import { HEARTBEAT_MS, MaildirLocks, STALE_MS } from '../src/lock.js';
import { thisProcess } from '../src/process-identity.js';
import { startChild } from './children.js';
import { ANN, commit, inspect, NEVER_ABORTED, open, sizes, TestMaildir, tryOpen } from './maildirs.js';

/** Time that passes when a test says so, from now on. */
class TestClock implements Clock {
  #aheadMs = 0;
  readonly #beats = new Set<() => void>();

  now(): number {
    return Date.now() + this.#aheadMs;
  }

  every(_: number, beat: () => void) {
    this.#beats.add(beat);
    return { stop: () => this.#beats.delete(beat) };
  }

  get ticking(): number {
    return this.#beats.size;
  }

  /** Lets time pass, with heartbeats after it. */
  pass(milliseconds: number): void {
    this.#aheadMs += milliseconds;
    for (const beat of this.#beats) beat();
  }

  /** Lets time pass for everybody but the timers, as when a process is stopped. */
  jump(milliseconds: number): void {
    this.#aheadMs += milliseconds;
  }
}

/** A process that locks `ann` in a directory and says what came of it. */
const HOLDER = `
  import { fsStore } from '@pop3/store-fs';
  const store = fsStore({ maildir: process.argv[2] + '/{user}' });
  const opened = await store.open({ maildrop: 'ann', username: 'ann' }, { signal: new AbortController().signal });
  process.send('type' in opened ? opened.reason : 'locked');
  process.on('message', () => { opened.release(); process.send('released'); });
`;

function lockOf(maildir: TestMaildir): string {
  return join(maildir.path, 'pop3.lock');
}

describe('the lock', () => {
  it('is a link that says who holds it, and goes with the session', async () => {
    const maildir = new TestMaildir();
    const session = await open(maildir.store());
    const [token, pid, started, space, host] = readlinkSync(lockOf(maildir)).split(' ');
    expect(token).toMatch(/^[\w-]{9,}$/);
    expect(Number(pid)).toBe(process.pid);
    expect([Number(started), space]).toEqual([thisProcess().startTicks, thisProcess().space || '-']);
    expect(thisProcess().host.startsWith(host as string)).toBe(true);
    expect(readlinkSync(lockOf(maildir)).length).toBeLessThan(60);
    await session.release();
    expect(maildir.files()).toEqual([]);
  });

  it('is taken from a process that was killed, at once', async () => {
    const maildir = new TestMaildir();
    const child = await startChild(HOLDER, maildir.root);
    expect(await child.next()).toBe('locked');
    expect(await tryOpen(maildir.store())).toEqual({ type: 'refused', reason: 'in-use' });
    await child.kill();
    const session = await open(maildir.store());
    expect(maildir.events).toEqual([
      { type: 'lock-taken-over', maildir: maildir.path, reason: 'holder-dead' },
    ]);
    expect(maildir.files()).toEqual(['pop3.lock']);
    await session.release();
    expect(maildir.files()).toEqual([]);
  });

  it('is left to a process that lives', async () => {
    const maildir = new TestMaildir();
    const child = await startChild(HOLDER, maildir.root);
    await child.next();
    const clock = new TestClock();
    clock.jump(STALE_MS - 10_000);
    expect(await tryOpen(maildir.store({ clock }))).toMatchObject({ reason: 'in-use' });
    child.send('release');
    expect(await child.next()).toBe('released');
    await inspect(maildir.store(), () => undefined);
  });

  it('is taken from a process that has another start time than the holder', async () => {
    const maildir = new TestMaildir();
    const { pid, startTicks, space } = thisProcess();
    symlinkSync(`abcdefgh1 ${pid} ${startTicks + 1} ${space} here`, lockOf(maildir));
    await open(maildir.store());
    expect(maildir.events).toMatchObject([{ reason: 'holder-dead' }]);
  });

  it.each([
    ['another host or container', () => `abcdefgh1 999999 1 abcdefghijkl there`],
    ['a system without /proc', () => `abcdefgh1 999999 0 - there`],
    [
      'a thread of this process',
      () => `abcdefgh1 ${process.pid} ${thisProcess().startTicks} ${thisProcess().space} here`,
    ],
    ['another program', () => 'who knows'],
    ['nobody', () => '.'],
  ])('of %s is left alone as long as it may be renewed, and then taken', async (_, target) => {
    const maildir = new TestMaildir();
    symlinkSync(target(), lockOf(maildir));
    const clock = new TestClock();
    const store = maildir.store({ clock });
    clock.jump(STALE_MS - 5_000);
    expect(await tryOpen(store)).toMatchObject({ reason: 'in-use' });
    clock.jump(10_000);
    await open(store);
    expect(maildir.events).toMatchObject([{ reason: 'no-heartbeat' }]);
    expect(maildir.files()).toEqual(['pop3.lock']);
  });

  it('of another kind of file is taken after the same time', async () => {
    const maildir = new TestMaildir();
    writeFileSync(lockOf(maildir), 'pid 17');
    const clock = new TestClock();
    const store = maildir.store({ clock });
    expect(await tryOpen(store)).toMatchObject({ reason: 'in-use' });
    clock.jump(STALE_MS + 1_000);
    await open(store);
  });

  it('does not last longer when its time is in the future', async () => {
    const maildir = new TestMaildir();
    symlinkSync('abcdefgh1 999999 1 abcdefghijkl there', lockOf(maildir));
    const inAnHour = Date.now() / 1000 + 3_600;
    lutimesSync(lockOf(maildir), inAnHour, inAnHour);
    await open(maildir.store());
  });

  it('is renewed while it is held, and nothing ticks afterwards', async () => {
    const maildir = new TestMaildir();
    const clock = new TestClock();
    const session = await open(maildir.store({ clock }));
    for (let passed = 0; passed < STALE_MS * 3; passed += HEARTBEAT_MS + 1) {
      clock.pass(HEARTBEAT_MS + 1);
      expect(clock.now() - lstatSync(lockOf(maildir)).mtimeMs).toBeLessThan(5_000);
    }
    await session.release();
    expect(clock.ticking).toBe(1);
    clock.pass(1_000);
    expect(clock.ticking).toBe(0);
  });

  it('is not renewed, given up or used once it was taken by another process', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/1.1.h:2,');
    const clock = new TestClock();
    const session = await open(maildir.store({ clock }));
    clock.jump(STALE_MS + 1_000);
    const other = new TestClock();
    other.jump(STALE_MS + 2_000);
    const taker = await open(maildir.store({ clock: other }));
    const taken = readlinkSync(lockOf(maildir));
    const before = lstatSync(lockOf(maildir)).mtimeMs;
    clock.pass(HEARTBEAT_MS);
    expect(lstatSync(lockOf(maildir)).mtimeMs).toBe(before);
    await expect(commit(session, 1)).rejects.toThrow(/taken by another process/);
    await session.release();
    expect(readlinkSync(lockOf(maildir))).toBe(taken);
    expect(maildir.has('cur/1.1.h:2,')).toBe(true);
    expect(await commit(taker, 1)).toEqual({ removed: 1, failed: 0 });
  });

  it('of another process is not given up with one that was taken', async () => {
    const maildir = new TestMaildir();
    const session = await open(maildir.store());
    unlinkSync(lockOf(maildir));
    await open(maildir.store());
    await session.release();
    expect(await tryOpen(maildir.store())).toMatchObject({ reason: 'in-use' });
  });

  it('is held by this store whatever its age', async () => {
    const maildir = new TestMaildir();
    const clock = new TestClock();
    const store = maildir.store({ clock });
    await open(store);
    clock.jump(STALE_MS * 10);
    expect(await tryOpen(store)).toMatchObject({ reason: 'in-use' });
  });

  it('is not left behind when the open fails', async () => {
    const maildir = new TestMaildir();
    maildir.put('cur/1.1.h:2,');
    maildir.put('pop3-uidl', 'something else\n');
    await expect(tryOpen(maildir.store())).rejects.toThrow('pop3-uidl: line 1 is not "pop3-uidl 1"');
    expect(maildir.files()).not.toContain('pop3.lock');
  });

  it('is not left behind when nobody waits for the open any more', async () => {
    const maildir = new TestMaildir();
    for (let i = 0; i < 200; i++) maildir.put(`cur/${i}.1.h:2,`);
    const stop = new AbortController();
    const opening = maildir.store().open(ANN, { signal: stop.signal });
    stop.abort(new Error('gone'));
    await expect(opening).rejects.toThrow('gone');
    expect(maildir.files()).not.toContain('pop3.lock');
    // What was counted before is not counted again.
    expect(maildir.files()).toContain('pop3-sizes');
  });

  it('fails where no link can be made', () => {
    const maildir = new TestMaildir();
    const locks = new MaildirLocks(new TestClock());
    expect(() => locks.lock(maildir.put('file'))).toThrow('ENOTDIR');
  });
});

describe('taking over a lock', () => {
  it('goes on where a process has died in the middle of it', async () => {
    const maildir = new TestMaildir();
    const child = await startChild(HOLDER, maildir.root);
    await child.next();
    await child.kill();
    const dead = readlinkSync(lockOf(maildir));
    const [token, ...rest] = dead.split(' ');
    symlinkSync(['ijklmnop1', ...rest].join(' '), `${lockOf(maildir)}.${token}`);
    symlinkSync(['qrstuvwx1', ...rest].join(' '), `${lockOf(maildir)}.${token}.1`);
    await open(maildir.store());
    expect(maildir.files()).toEqual(['pop3.lock']);
  });

  it('waits for a process that is in the middle of it', async () => {
    const maildir = new TestMaildir();
    const { pid, startTicks, space } = thisProcess();
    symlinkSync(`abcdefgh1 ${pid} ${startTicks + 1} ${space} here`, lockOf(maildir));
    symlinkSync(`ijklmnop1 ${pid} ${startTicks} ${space} here`, `${lockOf(maildir)}.abcdefgh1`);
    expect(await tryOpen(maildir.store())).toMatchObject({ reason: 'in-use' });
    unlinkSync(`${lockOf(maildir)}.abcdefgh1`);
    await open(maildir.store());
  });

  it('has one winner among many processes', async () => {
    const maildir = new TestMaildir();
    const taker = `
      import { fsStore } from '@pop3/store-fs';
      const store = fsStore({ maildir: process.argv[2] + '/{user}' });
      process.send('ready');
      process.on('message', async () => {
        const opened = await store.open({ maildrop: 'ann', username: 'ann' }, { signal: new AbortController().signal });
        process.send('type' in opened ? opened.reason : 'locked');
      });
    `;
    const takers = await Promise.all(Array.from({ length: 6 }, () => startChild(taker, maildir.root)));
    for (const each of takers) await each.next();
    const { space } = thisProcess();
    // No process has this start time: whoever held this lock is dead.
    symlinkSync(`abcdefgh1 1 1 ${space} here`, lockOf(maildir));
    for (const each of takers) each.send('go');
    const results = await Promise.all(takers.map((each) => each.next()));
    expect(results.filter((result) => result === 'locked')).toHaveLength(1);
    expect(results.filter((result) => result === 'in-use')).toHaveLength(5);
    expect(readdirSync(maildir.path).filter((name) => name.startsWith('pop3.lock'))).toEqual(['pop3.lock']);
  });

  it('has never two winners, round after round', { timeout: 60_000 }, async () => {
    // In each round, every process tries to take the lock over until one has it. The winner checks that nobody else
    // believes the same, leaves the lock as a dead process would, and starts the next round.
    const maildir = new TestMaildir();
    const { space } = thisProcess();
    const rounds = 150;
    const fighter = `
      import { existsSync, mkdirSync, renameSync, rmdirSync, symlinkSync } from 'node:fs';
      import { fsStore } from '@pop3/store-fs';
      const [, , root, space, rounds] = process.argv;
      const store = fsStore({ maildir: root + '/{user}' });
      const signal = new AbortController().signal;
      let wins = 0;
      let wrong = 0;
      process.send('ready');
      process.on('message', async () => {
        while (!existsSync(root + '/done')) {
          const opened = await store.open({ maildrop: 'ann', username: 'ann' }, { signal });
          if ('type' in opened) { await new Promise((resolve) => setImmediate(resolve)); continue; }
          try { mkdirSync(root + '/inside'); } catch { wrong++; }
          wins++;
          let round = 0;
          while (existsSync(root + '/round' + round)) round++;
          mkdirSync(root + '/round' + round);
          if (round + 1 >= Number(rounds)) mkdirSync(root + '/done', { recursive: true });
          try { rmdirSync(root + '/inside'); } catch { wrong++; }
          const stale = root + '/stale' + process.pid;
          symlinkSync('stale' + String(round).padStart(6, '0') + ' 1 1 ' + space + ' here', stale);
          renameSync(stale, root + '/ann/pop3.lock');
          opened.release();
        }
        process.send({ wins, wrong });
      });
    `;
    const args = [maildir.root, space, String(rounds)];
    const fighters = await Promise.all(Array.from({ length: 4 }, () => startChild(fighter, ...args)));
    for (const each of fighters) await each.next();
    symlinkSync(`abcdefgh1 1 1 ${space} here`, lockOf(maildir));
    for (const each of fighters) each.send('go');
    const results = (await Promise.all(fighters.map((each) => each.next()))) as {
      wins: number;
      wrong: number;
    }[];
    expect(results.reduce((sum, { wrong }) => sum + wrong, 0)).toBe(0);
    expect(results.reduce((sum, { wins }) => sum + wins, 0)).toBeGreaterThanOrEqual(rounds);
  });
});

describe('a Maildir that is not there', () => {
  it('is an empty maildrop with a lock of its own, and is not made', async () => {
    const maildir = new TestMaildir();
    const store = maildir.store();
    const session = await store.open({ maildrop: 'bob', username: 'bob' }, { signal: NEVER_ABORTED });
    if ('type' in session) throw new Error(session.reason);
    expect(sizes(session)).toEqual([]);
    expect(await tryOpen(store, 'bob')).toMatchObject({ reason: 'in-use' });
    await session.release();
    await session.release();
    await open(store, 'bob');
    expect(readdirSync(maildir.root)).toEqual(['ann']);
  });
});
