import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { pop3d } from './pop3d.js';
import { temporaryFolder } from './temporary-folder.js';

/** What lies in the Maildir of a user, each message whole. */
function messagesIn(maildir: string): Buffer[] {
  const folder = join(maildir, 'new');
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)));
}

describe('pop3d deliver', () => {
  it('puts every octet into the Maildir, and nothing else', async () => {
    const folder = temporaryFolder();
    const message = Buffer.concat([
      Buffer.from('Subject: octets\r\n\r\n.\n..dots\r\nno end, NUL \0, 8-bit '),
      Buffer.from([0xff, 0xfe, 0x80]),
    ]);
    const args = ['deliver', 'ann', '--maildir', join(folder, '{user}')];
    expect(await pop3d(args, { input: message })).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    expect(messagesIn(join(folder, 'ann'))).toEqual([message]);
    expect(readdirSync(join(folder, 'ann/tmp'))).toEqual([]);
  });

  it('leaves out the From line of an mbox', async () => {
    const folder = temporaryFolder();
    const input = 'From bob@example.org Mon Nov 23 07:00:00 2026\nSubject: a\n\nFrom here\n';
    await pop3d(['deliver', 'ann', '--maildir', join(folder, '{user}')], { input });
    expect(messagesIn(join(folder, 'ann')).map(String)).toEqual(['Subject: a\n\nFrom here\n']);
  });

  it('delivers to users of the users file only, where it is known', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'users'), 'ann:\n');
    const config = join(folder, 'pop3d.toml');
    mkdirSync(join(folder, 'mail'));
    writeFileSync(config, '[users]\nfile = "users"\n[store]\nmaildir = "mail/{user}"\n');
    expect(await pop3d(['deliver', 'ann', '--config', config], { input: 'a\n' })).toMatchObject({
      exitCode: 0,
    });
    expect(messagesIn(join(folder, 'mail/ann'))).toHaveLength(1);
    const refused = await pop3d(['deliver', 'eve', '--config', config], { input: 'a\n' });
    expect(refused).toMatchObject({
      exitCode: EXIT.noSuchUser,
      stderr: `pop3d: no such user "eve": it is not in ${join(folder, 'users')}\n`,
    });
    expect(readdirSync(join(folder, 'mail'))).toEqual(['ann']);
  });

  it.each(['..', 'a/b', '', '.hidden', 'a\nb', '\u2025/x'])('has no user %j', async (user) => {
    const folder = temporaryFolder();
    const result = await pop3d(['deliver', user, '--maildir', join(folder, 'mail/{user}')], { input: 'a\n' });
    expect(result.exitCode).toBe(EXIT.noSuchUser);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('asks to try again for what an operator can mend', async () => {
    const folder = temporaryFolder();
    const config = join(folder, 'pop3d.toml');
    writeFileSync(config, '[stor]\n');
    const maildir = join(folder, '{user}');
    const inTheWay = join(folder, 'file');
    writeFileSync(inTheWay, '');
    for (const args of [
      ['deliver', 'ann', '--config', config],
      ['deliver', 'ann', '--config', join(folder, 'nowhere.toml')],
      ['deliver', 'ann'],
      ['deliver', 'ann', '--maildir', maildir, '--users', join(folder, 'nowhere')],
      ['deliver', 'ann', '--maildir', maildir, '--users', folder],
      ['deliver', 'ann', '--maildir', join(inTheWay, '{user}')],
      // A disk that is not mounted.
      ['deliver', 'ann', '--maildir', join(folder, 'nowhere/{user}')],
    ]) {
      const { exitCode, stderr } = await pop3d(args, { input: 'a\n' });
      expect({ args, exitCode }).toEqual({ args, exitCode: EXIT.temporary });
      expect(stderr).toMatch(/^pop3d: ./);
    }
    expect(existsSync(join(folder, 'nowhere'))).toBe(false);
  });

  it('tells a want of permission', async () => {
    // Root may write everywhere.
    if (process.getuid?.() === 0) return;
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'ann'));
    chmodSync(join(folder, 'ann'), 0o500);
    const result = await pop3d(['deliver', 'ann', '--maildir', join(folder, '{user}')], { input: 'a\n' });
    expect(result.exitCode).toBe(EXIT.noPermission);
    // Of a users file it is a matter for the operator, and no reason to send mail back.
    writeFileSync(join(folder, 'users'), 'ann:\n', { mode: 0o000 });
    const args = ['deliver', 'ann', '--maildir', join(folder, '{user}'), '--users', join(folder, 'users')];
    expect((await pop3d(args, { input: 'a\n' })).exitCode).toBe(EXIT.temporary);
  });

  it('refuses a call without a user', async () => {
    expect(await pop3d(['deliver'])).toMatchObject({ exitCode: EXIT.usage });
  });
});
