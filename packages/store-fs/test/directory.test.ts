import { statSync, unlinkSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type Directory, readDirectory, stands } from '../src/directory.js';
import { run } from '../src/steps.js';
import { TestMaildir } from './maildirs.js';

const THEN = 1_700_000_000;
const THEN_NS = BigInt(THEN) * 1_000_000_000n;

/** Reads a directory at a time of the file system. */
function readAt(path: string, timeNs: bigint, before: Directory | null = null): Directory {
  const directory = run(readDirectory(path, before, () => timeNs));
  if (!('names' in directory)) throw new Error('not at once');
  return directory;
}

describe('a directory that was read', () => {
  it('stands as long as nothing changes in it', () => {
    const maildir = new TestMaildir();
    const path = join(maildir.path, 'cur');
    maildir.put('cur/17.1.h:2,');
    utimesSync(path, THEN, THEN);
    const directory = readAt(path, THEN_NS + 1n);
    expect(directory.settled).toBe(true);
    expect(stands(path, directory)).toBe(true);
    expect(readAt(path, THEN_NS + 2n, directory)).toBe(directory);
    maildir.put('cur/18.1.h:2,');
    expect(stands(path, directory)).toBe(false);
    expect(readAt(path, THEN_NS + 3n, directory).names.count).toBe(2);
  });

  it('does not stand when it was read in the tick of its last change', () => {
    const maildir = new TestMaildir();
    const path = join(maildir.path, 'cur');
    maildir.put('cur/17.1.h:2,');
    utimesSync(path, THEN, THEN);
    const directory = readAt(path, THEN_NS);
    // A change that leaves the time as it was, as one within the tick does.
    maildir.put('cur/18.1.h:2,');
    utimesSync(path, THEN, THEN);
    expect(stands(path, directory)).toBe(false);
    const again = readAt(path, THEN_NS + 1n, directory);
    expect(again.names.count).toBe(2);
    expect(stands(path, again)).toBe(true);
  });

  it('is read again when it changes while it is read', () => {
    const maildir = new TestMaildir();
    const path = join(maildir.path, 'cur');
    for (let i = 0; i < 5_000; i++) maildir.put(`cur/${i}.1.h:2,`, '');
    utimesSync(path, THEN, THEN);
    const steps = readDirectory(path, null, () => THEN_NS + 1n);
    let turns = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) {
      if (turns++ !== 0) continue;
      unlinkSync(join(path, '17.1.h:2,'));
      maildir.put('cur/17.1.h:2,S', '');
      utimesSync(path, THEN - 1, THEN - 1);
    }
    const { names, modifiedNs, settled } = step.value;
    expect([names.count, modifiedNs, settled]).toEqual([
      5_000,
      statSync(path, { bigint: true }).mtimeNs,
      true,
    ]);
    expect(turns).toBe(4);
  });

  it('does not stand when it changed each time it was read', () => {
    const maildir = new TestMaildir();
    const path = join(maildir.path, 'cur');
    for (let i = 0; i < 2_100; i++) maildir.put(`cur/${i}.1.h:2,`, '');
    const steps = readDirectory(path, null, () => THEN_NS * 2n);
    let changes = 0;
    let step = steps.next();
    for (; step.done !== true; step = steps.next()) utimesSync(path, THEN + ++changes, THEN + changes);
    expect(step.value.names.count).toBe(2_100);
    expect(stands(path, step.value)).toBe(false);
  });
});
