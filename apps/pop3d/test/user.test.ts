import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Readable } from 'node:stream';
import { passwordSchemes, verifyPassword } from '@pop3/auth-node';
import { describe, expect, it } from 'vitest';
import { EXIT, type Failure } from '../src/failure.js';
import { changeUser, type UserAction } from '../src/user.js';
import { listUsers } from '../src/user-list.js';
import { temporaryFolder } from './temporary-folder.js';

/** Runs a command with `piped` on its standard input. */
async function run(
  action: UserAction | 'list' | 'list-long',
  name: string,
  file: string,
  { piped = 'secret\n', scheme }: { readonly piped?: string; readonly scheme?: string } = {},
) {
  const output = new PassThrough();
  const error = new PassThrough();
  const terminal = { input: Readable.from([Buffer.from(piped)]), output, error };
  let failure: Failure | null = null;
  try {
    const long = action === 'list-long';
    if (action === 'list' || long) await listUsers(file, { defaultScheme: undefined, long }, terminal);
    else await changeUser(action, name, file, scheme, terminal);
  } catch (thrown) {
    failure = thrown as Failure;
  }
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  return {
    output: text(output),
    error: text(error),
    exitCode: failure?.exitCode ?? 0,
    message: failure?.message,
  };
}

function passwordOf(file: string, name: string): string {
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((candidate) => candidate.startsWith(`${name}:`));
  return line?.split(':')[1] ?? '';
}

it('adds, changes, lists and removes users', async () => {
  const file = join(temporaryFolder(), 'users');
  expect(await run('add', 'ann', file)).toMatchObject({ output: 'added ann\n', exitCode: 0 });
  expect(passwordOf(file, 'ann')).toMatch(/^\{SCRYPT\}/);
  expect(await verifyPassword('secret', passwordOf(file, 'ann'))).toBe(true);

  expect(await run('add', 'bob', file, { scheme: 'plain' })).toMatchObject({ exitCode: 0 });
  expect(passwordOf(file, 'bob')).toBe('{PLAIN}secret');
  expect(await run('list', '', file)).toMatchObject({ output: 'ann\nbob\n', error: '' });

  expect(await run('passwd', 'ann', file, { piped: 'neu\n', scheme: 'BLF-CRYPT' })).toMatchObject({
    output: 'changed the password of ann\n',
  });
  expect(passwordOf(file, 'ann')).toMatch(/^\{BLF-CRYPT\}/);
  expect(await verifyPassword('neu', passwordOf(file, 'ann'))).toBe(true);

  expect(await run('remove', 'ann', file)).toMatchObject({ output: 'removed ann\n' });
  expect(await run('list', '', file)).toMatchObject({ output: 'bob\n' });
});

describe('a refusal says why, and changes nothing:', () => {
  it.each<[string, UserAction, string, object, number, RegExp]>([
    [
      'a user that exists',
      'add',
      'ann',
      {},
      EXIT.badInput,
      /ann is in .* already.*pop3d user passwd ann --users /,
    ],
    [
      'no such user to change',
      'passwd',
      'eve',
      {},
      EXIT.noSuchUser,
      /eve is not in .*pop3d user list --users /,
    ],
    ['no such user to remove', 'remove', 'eve', {}, EXIT.noSuchUser, /eve is not in/],
    [
      'a name that is a path',
      'add',
      '../ann',
      {},
      EXIT.badInput,
      /"\.\.\/ann": no Maildir can have this name/,
    ],
    ['a name with a colon', 'add', 'a:b', {}, EXIT.badInput, /"a:b": a name cannot hold a colon/],
    [
      'a scheme that is not known',
      'add',
      'bob',
      { scheme: 'MD5' },
      EXIT.usage,
      /known are SCRYPT, .*, PLAIN/,
    ],
    ['an empty password', 'add', 'bob', { piped: '\n' }, EXIT.badInput, /password is empty/],
    [
      'a password the scheme cannot hold',
      'add',
      'bob',
      { piped: 'a:b', scheme: 'PLAIN' },
      EXIT.badInput,
      /colon/,
    ],
  ])('%s', async (_what, action, name, options, exitCode, message) => {
    const file = join(temporaryFolder(), 'users');
    const before = '# ours\nann:{PLAIN}x\n';
    writeFileSync(file, before);
    const result = await run(action, name, file, options);
    expect(result.exitCode).toBe(exitCode);
    expect(result.message).toMatch(message);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('a file that is not there', async () => {
    const file = join(temporaryFolder(), 'users');
    for (const action of ['passwd', 'remove', 'list'] as const) {
      const { exitCode, message } = await run(action, 'ann', file);
      expect({ exitCode, message }).toEqual({
        exitCode: EXIT.badInput,
        message: `${file} is not there; pop3d user add NAME --users ${file} makes it, in a folder that exists`,
      });
    }
    expect(existsSync(file)).toBe(false);
    expect((await run('add', 'ann', join(file, 'below'))).message).toContain('a folder that exists');
  });
});

it('treats a user with a bad line as one who is there', async () => {
  const file = join(temporaryFolder(), 'users');
  writeFileSync(file, 'ann\n');
  expect(await run('add', 'ann', file)).toMatchObject({
    exitCode: EXIT.badInput,
    message: expect.stringContaining('pop3d user passwd ann'),
  });
  expect(await run('passwd', 'ann', file, { scheme: 'PLAIN' })).toMatchObject({ exitCode: 0 });
  expect(readFileSync(file, 'utf8')).toBe('ann:{PLAIN}secret\n');
  writeFileSync(file, '# x\nann\n');
  expect(await run('remove', 'ann', file)).toMatchObject({ exitCode: 0 });
  expect(readFileSync(file, 'utf8')).toBe('# x\n');
});

it.each([
  ['{PLAIN}old', '{PLAIN}'],
  ['{bcrypt}$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK', '{BLF-CRYPT}'],
  ['{NOPE}old', '{SCRYPT}'],
  ['', '{SCRYPT}'],
])('passwd of a user with %j writes %s', async (stored, scheme) => {
  const file = join(temporaryFolder(), 'users');
  writeFileSync(file, `ann:${stored}\n`);
  expect(await run('passwd', 'ann', file)).toMatchObject({ exitCode: 0 });
  expect(passwordOf(file, 'ann').startsWith(scheme)).toBe(true);
});

it('list names bad lines on the error output', async () => {
  const file = join(temporaryFolder(), 'users');
  writeFileSync(file, 'ann:{PLAIN}x\nbroken\n');
  expect(await run('list', '', file)).toEqual({
    output: 'ann\n',
    error: `${file}:2: there is no colon after the name\n`,
    exitCode: 0,
    message: undefined,
  });
});

it('list --long says how each can log in, and who cannot', async () => {
  const file = join(temporaryFolder(), 'users');
  writeFileSync(
    file,
    [
      'ann:{PLAIN}x',
      'bob:',
      'cy:{SCRYPT}broken',
      'dan:{PLAIN}x::::::nologin',
      'eve:{PLAIN}x::::::allow_nets=192.0.2.0/24,::1 app_password=phone;{PLAIN}y',
      '',
    ].join('\n'),
  );
  const { output, error } = await run('list-long', '', file);
  expect(error).toBe('');
  const lines = output.split('\n').map((line) => line.split('\t'));
  expect(lines[0]).toEqual(['ann', 'PLAIN']);
  expect(lines[1]).toEqual(['bob', '-', 'cannot log in: no password']);
  expect(lines[2]).toEqual(['cy', 'SCRYPT', expect.stringMatching(/; cy cannot log in$/)]);
  expect(lines[3]).toEqual(['dan', 'PLAIN', 'cannot log in: nologin']);
  expect(lines[4]).toEqual(['eve', 'PLAIN', '1 app password; from 192.0.2.0/24, ::1']);
});

it.each(passwordSchemes.map(({ names: [name] }) => name))('stores a password as %s', async (scheme) => {
  const file = join(temporaryFolder(), 'users');
  const { exitCode, message } = await run('add', 'ann', file, { scheme });
  // Those that need a package of their own say which.
  if (exitCode !== 0) {
    expect(message).toMatch(/@node-rs\/argon2|CRYPT/);
    return;
  }
  expect(passwordOf(file, 'ann')).toMatch(new RegExp(`^\\{${scheme.replace('.', '\\.')}\\}`));
  expect(await verifyPassword('secret', passwordOf(file, 'ann'))).toBe(true);
});
