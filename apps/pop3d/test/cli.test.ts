import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { passwordSchemes } from '@pop3/auth-node';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { CLI, Client, pop3d, Running, serve } from './pop3d.js';
import { temporaryFolder } from './temporary-folder.js';

describe('help', () => {
  it.each([
    [['--help']],
    [['serve', '--help']],
    [['deliver', '--help']],
    [['user', '--help']],
    [['user', 'add', '--help']],
    [['user', 'passwd', '-h']],
    [['user', 'remove', '--help']],
    [['user', 'list', '--help']],
    [['check', '--help']],
    [['user', 'app-password', '--help']],
    [['user', 'app-password', 'add', '--help']],
    [['user', 'app-password', 'list', '--help']],
    [['user', 'app-password', 'remove', '--help']],
  ])('of %j has an example', async (args) => {
    const { exitCode, stdout, stderr } = await pop3d(args);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(/Usage:\n {2}\$ pop3d/);
    expect(stdout).toMatch(/Examples?:\n {2}\$ .*pop3d/);
  });

  it('is printed, as an error, when there is no command', async () => {
    expect(await pop3d([])).toMatchObject({
      exitCode: EXIT.usage,
      stdout: expect.stringContaining('Usage:'),
    });
    expect(await pop3d(['user'])).toMatchObject({ exitCode: EXIT.usage });
  });
});

it('names every scheme in the help of the commands that write one', async () => {
  for (const args of [['add'], ['passwd'], ['app-password', 'add']]) {
    const { stdout } = await pop3d(['user', ...args, '--help']);
    for (const { names } of passwordSchemes) expect(stdout).toContain(names[0]);
  }
});

it('tells its version', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  expect(await pop3d(['--version'])).toEqual({ exitCode: 0, stdout: `pop3d ${version}\n`, stderr: '' });
});

describe('a wrong call says what is right:', () => {
  it.each<[string[], number, RegExp]>([
    [['srve'], EXIT.usage, /unknown command srve; did you mean serve\?/],
    [
      ['user', 'delete', 'ann'],
      EXIT.usage,
      /unknown command delete; known are add, passwd, remove, list, app-password/,
    ],
    [
      ['serve', '--listn', 'x'],
      EXIT.usage,
      /Unknown option --listn \(did you mean --listen\?\); see pop3d serve --help/,
    ],
    [['serve', '--users'], EXIT.usage, /--users <FILE> value is missing/],
    [['serve', 'now'], EXIT.usage, /Unused args: now/],
    [['deliver'], EXIT.usage, /missing required args for command deliver <user>; see pop3d deliver --help/],
    [['serve', '--demo', '--users', 'users'], EXIT.usage, /--demo brings its own users.*leave out --users/],
    [['serve', '--demo', '--workers', '2'], EXIT.usage, /--demo runs in one process; leave out --workers/],
    [['serve'], EXIT.badConfiguration, /server\.listen: nothing to listen on: give --listen/],
    [['serve', '--listen', 'a:1'], EXIT.badConfiguration, /users\.file is not set: give --users/],
    [
      ['serve', '--listen', 'a:1', '--users', '/nowhere/users'],
      EXIT.badConfiguration,
      /--users: users\.file: \/nowhere\/users is not there; make it: pop3d user add/,
    ],
    [
      ['serve', '--listen', 'a:1', '--users', import.meta.dirname, '--maildir', '/srv/{user}'],
      EXIT.system,
      /users\.file: .*test cannot be read: EISDIR/,
    ],
    [['user', 'list', '--users', import.meta.dirname], EXIT.system, /test: EISDIR/],
    [['serve', '--listen', '110'], EXIT.badConfiguration, /--listen: server\.listen\[0\]: must be HOST:PORT/],
    [['user', 'list'], EXIT.badConfiguration, /users\.file is not set/],
    [['user', 'add', 'ann', '--users', 'u', '--scheme', 'MD5'], EXIT.usage, /--scheme MD5 is not known/],
  ])('%j', async (args, exitCode, message) => {
    const result = await pop3d(args);
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toMatch(message);
    expect(result.stderr.trim().split('\n')).toHaveLength(1);
    expect(result.stderr).toMatch(/^pop3d: /);
  });

  it('a configuration file, each problem on a line of its own', async () => {
    const config = join(temporaryFolder(), 'pop3d.toml');
    writeFileSync(config, '[server]\nlistn = []\n\n[log]\nlevel = "all"\n');
    expect(await pop3d(['serve', '--config', config])).toEqual({
      exitCode: EXIT.badConfiguration,
      stdout: '',
      stderr: [
        `pop3d: ${config}:2:1: server.listn: unknown key; did you mean listen?`,
        `pop3d: ${config}:5:1: log.level: must be one of "debug", "info", "warn", "error", "silent", not "all"`,
        '',
      ].join('\n'),
    });
    expect((await pop3d(['serve'], { env: { POP3D_CONFIG: config } })).stderr).toContain('listn');
  });
});

describe('pop3d user', () => {
  it('manages the users file of a flag, of the environment and of a configuration', async () => {
    const folder = temporaryFolder();
    const users = join(folder, 'users');
    const config = join(folder, 'pop3d.toml');
    writeFileSync(config, '[users]\nfile = "users"\n');
    expect(await pop3d(['user', 'add', 'ann', '--users', users], { input: 'secret\n' })).toEqual({
      exitCode: 0,
      stdout: 'added ann\n',
      stderr: '',
    });
    const env = { POP3D_USERS: users };
    expect(await pop3d(['user', 'add', '0123', '--scheme', 'PLAIN'], { input: 'secret', env })).toMatchObject(
      {
        stdout: 'added 0123\n',
      },
    );
    expect(await pop3d(['user', 'list', '--config', config])).toMatchObject({ stdout: 'ann\n0123\n' });
    expect(await pop3d(['user', 'passwd', 'ann', '--config', config], { input: 'neu\n' })).toMatchObject({
      stdout: 'changed the password of ann\n',
    });
    expect(await pop3d(['user', 'remove', 'ann', '--users', users])).toMatchObject({
      stdout: 'removed ann\n',
    });
    expect(readFileSync(users, 'utf8')).toBe('0123:{PLAIN}secret::::::\n');
    expect(await pop3d(['user', 'remove', 'ann', '--users', users])).toMatchObject({
      exitCode: EXIT.noSuchUser,
      stderr: `pop3d: ann is not in ${users}; to see who is: pop3d user list --users ${users}\n`,
    });
  });

  it('makes an app password that its user logs in with, until it is removed', async () => {
    const folder = temporaryFolder();
    const users = join(folder, 'users');
    writeFileSync(users, 'ann:{PLAIN}secret\n');
    mkdirSync(join(folder, 'mail'));
    const maildir = join(folder, 'mail/{user}');
    const running = await serve(['--listen', '127.0.0.1:0', '--users', users, '--maildir', maildir]);
    const logIn = async (password: string) => {
      const client = await Client.open(running.endpoints[0]?.port ?? 0);
      const status = await client.logIn('ann', password);
      if (status.startsWith('+OK')) await client.say('QUIT');
      return status;
    };
    const added = await pop3d(['user', 'app-password', 'add', 'ann', 'phone', '--users', users]);
    expect(added).toEqual({
      exitCode: 0,
      stdout: expect.stringMatching(/^[a-z2-9]{4}(?:-[a-z2-9]{4}){4}\n$/),
      stderr: 'added the app password phone of ann; it is shown this once:\n',
    });
    expect(await logIn(added.stdout.trim())).toMatch(/^\+OK/);
    expect(await logIn('secret')).toMatch(/^\+OK/);
    expect(await pop3d(['user', 'app-password', 'list', 'ann', '--users', users])).toMatchObject({
      stdout: 'phone\n',
    });
    await pop3d(['user', 'app-password', 'remove', 'ann', 'phone', '--users', users]);
    expect(await logIn(added.stdout.trim())).toMatch(/^-ERR \[AUTH\]/);
  });

  it('takes digits of a flag as text', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, '007'), 'bond:\n');
    expect(await pop3d(['user', 'list', '--users', '007'], { cwd })).toMatchObject({ stdout: 'bond\n' });
  });

  it('ends quietly when nobody reads the list to its end', async () => {
    const users = join(temporaryFolder(), 'users');
    writeFileSync(users, Array.from({ length: 50_000 }, (_, index) => `user-${index}:\n`).join(''));
    const running = new Running(['user', 'list', '--users', users]);
    await running.printed(/user-0/);
    running.process.stdout?.destroy();
    expect(await running.ended).toMatchObject({ exitCode: 0, stderr: '' });
  });

  it('says in one line that the disk is full, and leaves no lock', async () => {
    const folder = temporaryFolder();
    const users = join(folder, 'users');
    // No file may have an octet; without the signal that comes with it, writing fails with EFBIG.
    const limited = `trap '' XFSZ; ulimit -f 0; exec '${process.execPath}' '${CLI}' user add ann --users '${users}'`;
    const { status, stderr } = spawnSync('sh', ['-c', limited], { input: 'secret\n', encoding: 'utf8' });
    expect({ status, stderr }).toEqual({
      status: EXIT.system,
      stderr: expect.stringMatching(/^pop3d: [^\n]*users: EFBIG[^\n]*\n$/),
    });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes no password as an argument', async () => {
    const users = join(temporaryFolder(), 'users');
    expect(await pop3d(['user', 'add', 'ann', 'secret', '--users', users])).toMatchObject({
      exitCode: EXIT.usage,
    });
    expect(await pop3d(['user', 'add', 'ann', '--password', 'x', '--users', users])).toMatchObject({
      exitCode: EXIT.usage,
    });
  });
});
