import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { whileLocked } from '../src/file-lock.js';
import { hashPassword, readUsersFile, updateUsersFile, usersFile } from '../src/index.js';
import { temporaryFolder } from './temporary-folder.js';

const ADD_BOB = { type: 'add', name: 'bob', password: '{PLAIN}geheim' } as const;

function fileWith(text: string): string {
  const file = join(temporaryFolder(), 'users');
  writeFileSync(file, text);
  return file;
}

describe('updateUsersFile', () => {
  it('makes the file for the first user, readable by its owner alone', async () => {
    const file = join(temporaryFolder(), 'users');
    expect(await updateUsersFile(file, ADD_BOB)).toBe('done');
    expect(readFileSync(file, 'utf8')).toBe('bob:{PLAIN}geheim::::::\n');
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['add', ADD_BOB, 'done', '# ours\nann:{PLAIN}a:1000::Ann::: extra=1\n\n', 'bob:{PLAIN}geheim::::::\n'],
    ['add, after a last line without an end', ADD_BOB, 'done', 'ann:{PLAIN}a', '\nbob:{PLAIN}geheim::::::\n'],
    [
      'add, with the line ends of the file',
      ADD_BOB,
      'done',
      'ann:{PLAIN}a\r\n',
      'bob:{PLAIN}geheim::::::\r\n',
    ],
    ['add of a user in a comment', ADD_BOB, 'done', '#bob:{PLAIN}x\n', 'bob:{PLAIN}geheim::::::\n'],
  ] as const)('keeps every other octet on %s', async (_what, change, outcome, before, added) => {
    const file = fileWith(before);
    expect(await updateUsersFile(file, change)).toBe(outcome);
    expect(readFileSync(file, 'utf8')).toBe(before + added);
  });

  it.each([
    [
      'ann:{PLAIN}old:1000:8:Ann:/home/ann::extra=a:b \n',
      'ann:{PLAIN}new:1000:8:Ann:/home/ann::extra=a:b \n',
    ],
    ['ann:{PLAIN}old\r\nbob:x\r\n', 'ann:{PLAIN}new\r\nbob:x\r\n'],
    ['# ann:{PLAIN}x\nann:', '# ann:{PLAIN}x\nann:{PLAIN}new'],
    ['ann:{PLAIN}old\nann:{PLAIN}twice\n', 'ann:{PLAIN}new\nann:{PLAIN}twice\n'],
  ])('sets the password of %j and nothing else', async (before, after) => {
    const file = fileWith(before);
    const change = { type: 'set-password', name: 'ann', password: '{PLAIN}new' } as const;
    expect(await updateUsersFile(file, change)).toBe('done');
    expect(readFileSync(file, 'utf8')).toBe(after);
  });

  it('removes each line of a user and no other', async () => {
    const file = fileWith('# ann\nann:{PLAIN}a\nannabel:{PLAIN}b\nann:{PLAIN}twice\n');
    expect(await updateUsersFile(file, { type: 'remove', name: 'ann' })).toBe('done');
    expect(readFileSync(file, 'utf8')).toBe('# ann\nannabel:{PLAIN}b\n');
  });

  it('leaves octets that are not UTF-8 as they are', async () => {
    const file = join(temporaryFolder(), 'users');
    const latin1 = Buffer.from('# j\xf6rg\nj\xf6rg:{PLAIN}x\n', 'latin1');
    writeFileSync(file, latin1);
    await updateUsersFile(file, { type: 'add', name: 'jörg', password: '{PLAIN}y' });
    expect(readFileSync(file)).toEqual(Buffer.concat([latin1, Buffer.from('jörg:{PLAIN}y::::::\n')]));
  });

  it('writes names and passwords in UTF-8', async () => {
    const file = join(temporaryFolder(), 'users');
    await updateUsersFile(file, { type: 'add', name: 'jörg', password: '{PLAIN}pässwörd' });
    expect(readFileSync(file, 'utf8')).toBe('jörg:{PLAIN}pässwörd::::::\n');
    await updateUsersFile(file, { type: 'set-password', name: 'jörg', password: '{PLAIN}密码' });
    expect(readFileSync(file, 'utf8')).toBe('jörg:{PLAIN}密码::::::\n');
  });

  it('says when there is nothing to do, and changes nothing then', async () => {
    const file = fileWith('bob:{PLAIN}b\n');
    const { ino, mtimeNs } = statSync(file, { bigint: true });
    expect(await updateUsersFile(file, ADD_BOB)).toBe('exists');
    const stored = '{PLAIN}x';
    expect(await updateUsersFile(file, { type: 'set-password', name: 'ann', password: stored })).toBe(
      'no-such-user',
    );
    expect(await updateUsersFile(file, { type: 'remove', name: 'ann' })).toBe('no-such-user');
    expect(statSync(file, { bigint: true })).toMatchObject({ ino, mtimeNs });
  });

  it('does not make a file to remove somebody from it', async () => {
    const file = join(temporaryFolder(), 'users');
    expect(await updateUsersFile(file, { type: 'remove', name: 'ann' })).toBe('no-such-user');
    expect(existsSync(file)).toBe(false);
  });

  it('keeps the mode of the file, and a symbolic link to it', async () => {
    const folder = temporaryFolder();
    const [file, link] = [join(folder, 'real'), join(folder, 'users')];
    writeFileSync(file, 'ann:{PLAIN}a\n');
    chmodSync(file, 0o640);
    symlinkSync('real', link);
    await updateUsersFile(link, ADD_BOB);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(file, 'utf8')).toContain('bob:');
    expect(statSync(file).mode & 0o777).toBe(0o640);
    expect(readdirSync(folder).sort()).toEqual(['real', 'users']);
  });

  it.each([
    [{ ...ADD_BOB, name: 'a:b' }, /colon/],
    [{ ...ADD_BOB, name: '' }, /empty/],
    [{ ...ADD_BOB, name: 'a\nb' }, /control character/],
    [{ ...ADD_BOB, name: 'x'.repeat(256) }, /255 octets/],
    [{ ...ADD_BOB, password: 'geheim' }, /\{SCHEME\}data/],
    [{ ...ADD_BOB, password: '{PLAIN}a:b' }, /without colons/],
    [{ ...ADD_BOB, password: '{PLAIN}a\nroot:{PLAIN}x' }, /control characters/],
  ])('refuses %j', async (change, message) => {
    const file = join(temporaryFolder(), 'users');
    await expect(updateUsersFile(file, change)).rejects.toThrow(message);
    expect(existsSync(file)).toBe(false);
  });

  it('loses no change of many writers at once', async () => {
    const file = join(temporaryFolder(), 'users');
    const names = Array.from({ length: 12 }, (_, index) => `user${index}`);
    const outcomes = await Promise.all(
      names.map((name) => updateUsersFile(file, { type: 'add', name, password: '{PLAIN}x' })),
    );
    expect(new Set(outcomes)).toEqual(new Set(['done']));
    const { entries, problems } = await readUsersFile(file);
    expect(entries.map(({ name }) => name).sort()).toEqual(names.sort());
    expect(problems).toEqual([]);
  });

  it('takes over the lock of a process that has died', async () => {
    const file = fileWith('');
    // Beyond every pid_max of Linux.
    writeFileSync(`${file}.lock`, `99999999 ${hostname()} x\n`);
    expect(await updateUsersFile(file, ADD_BOB)).toBe('done');
    expect(readdirSync(join(file, '..'))).toEqual(['users']);
  });

  it('writes what usersFile reads', async () => {
    const file = join(temporaryFolder(), 'users');
    await updateUsersFile(file, ADD_BOB);
    const users = usersFile(file);
    await updateUsersFile(file, { type: 'add', name: 'ann', password: await hashPassword('secret') });
    const credentials = {
      type: 'password',
      username: 'ann',
      password: 'secret',
      authorizationId: '',
    } as const;
    const peer = { address: null, tls: false, certificate: null };
    const context = { signal: new AbortController().signal, peer };
    expect(await users.authenticate(credentials, context)).toMatchObject({ type: 'accepted' });
  });
});

describe('whileLocked', () => {
  it('takes over an old lock without an owner, and not one that was made just now', async () => {
    const lock = join(temporaryFolder(), 'users.lock');
    writeFileSync(lock, '');
    const twoHoursAgo = new Date(Date.now() - 7_200_000);
    const inTwoHours = new Date(Date.now() + 7_200_000);
    utimesSync(lock, inTwoHours, inTwoHours);
    await expect(whileLocked(lock, async () => {}, 0)).rejects.toMatchObject({ code: 'ELOCKED' });
    utimesSync(lock, twoHoursAgo, twoHoursAgo);
    expect(await whileLocked(lock, async (isMine) => isMine(), 0)).toBe(true);
    expect(existsSync(lock)).toBe(false);
  });

  it('leaves no lock behind when its line cannot be written', async () => {
    const folder = temporaryFolder();
    const handle = await open(join(folder, 'any'), 'w');
    await handle.close();
    const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    const write = vi.spyOn(Object.getPrototypeOf(handle) as FileHandle, 'writeFile');
    write.mockRejectedValueOnce(full);
    await expect(whileLocked(join(folder, 'users.lock'), async () => {})).rejects.toBe(full);
    write.mockRestore();
    expect(readdirSync(folder)).toEqual(['any']);
  });

  it('names the file of a lock that a living process does not give up', async () => {
    const lock = join(temporaryFolder(), 'users.lock');
    writeFileSync(lock, `${process.pid} ${hostname()} x\n`);
    await expect(whileLocked(lock, async () => {}, 0)).rejects.toThrow(`${lock} is held by another process`);
  });

  it('gives up the lock when the work fails, and leaves one that is not its own', async () => {
    const lock = join(temporaryFolder(), 'users.lock');
    const failing = whileLocked(lock, async () => {
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(existsSync(lock)).toBe(false);
    const robbed = await whileLocked(lock, async (isMine) => {
      writeFileSync(lock, 'somebody else');
      return isMine();
    });
    expect(robbed).toBe(false);
    expect(existsSync(lock)).toBe(true);
  });
});
