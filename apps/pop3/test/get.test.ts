import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { serve } from './maildrop-server.js';
import { called, pop3 } from './pop3.js';
import { script } from './scripted-server.js';
import { temporaryFolder } from './temporary-folder.js';

const MESSAGES = [
  'Subject: one\r\n\r\n.dot\r\n',
  'Subject: two\r\n\r\ncaf\u00e9\r\n',
  'Subject: three\r\n\r\nlast\r\n',
];

/** What is in a folder, by name. */
function contentOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  );
}

describe('to the standard output', () => {
  it('writes the octets of one message and nothing else', async () => {
    const { args, env } = await serve(MESSAGES);
    expect(await pop3(['get', ...args, '2'], { env })).toEqual({
      exitCode: 0,
      stdout: MESSAGES[1],
      stderr: '',
    });
  });

  it('finds a message by its unique-id', async () => {
    const { args, env } = await serve(MESSAGES);
    expect(await pop3(['get', ...args, '--unique-id', '3', '-o', '-'], { env })).toMatchObject({
      stdout: MESSAGES[2],
    });
  });

  it.each([
    [['all'], /only one message fits/],
    [['1-2'], /only one message fits/],
    [[], /only one message fits/],
    [['1', '--delete'], /--delete needs --output or --maildir/],
    [['1', '--json'], /--json needs --output or --maildir/],
    [['1', '--output', 'x', '--maildir', 'y'], /give one of them/],
    [['1', '--output', 'x/', '--name', 'size'], /known are number, unique-id/],
    [['0'], /"0" is no message/],
    [['last'], /"last" is no message/],
    [['3-1'], /ends before it begins/],
  ])('%j is a wrong call', async (operands, message) => {
    const result = await called(['get', 'localhost', '--user', 'ann', ...operands], { POP3_PASSWORD: 'x' });
    expect(result).toMatchObject({
      exitCode: EXIT.usage,
      stdout: '',
      stderr: expect.stringMatching(message),
    });
  });
});

describe('into a folder', () => {
  it('makes it, and names each file by its number', async () => {
    const { args, env } = await serve(MESSAGES);
    const folder = join(temporaryFolder(), 'mail');
    const result = await pop3(['get', ...args, 'all', '--output', folder], { env });
    expect(result).toEqual({
      exitCode: 0,
      stdout: '',
      stderr: `3 messages, 69 bytes, stored in ${folder}\n`,
    });
    expect(contentOf(folder)).toEqual({ '1.eml': MESSAGES[0], '2.eml': MESSAGES[1], '3.eml': MESSAGES[2] });
    expect(statSync(join(folder, '1.eml')).mode & 0o777).toBe(0o600);
  });

  it('never replaces a file', async () => {
    const { args, env, left } = await serve(MESSAGES);
    const folder = temporaryFolder();
    writeFileSync(join(folder, '2.eml'), 'another');
    const result = await pop3(['get', ...args, '--output', folder, '--delete'], { env });
    expect(result).toMatchObject({
      exitCode: EXIT.partial,
      stderr: expect.stringMatching(/message 2: .*2\.eml is there already/),
    });
    expect(contentOf(folder)).toEqual({ '1.eml': MESSAGES[0], '2.eml': 'another', '3.eml': MESSAGES[2] });
    expect(left()).toEqual(['2']);
  });

  it('leaves out what it has by its unique-id', async () => {
    const { args, env, left } = await serve(MESSAGES);
    const folder = temporaryFolder();
    writeFileSync(join(folder, '2.eml'), MESSAGES[1] as string);
    const result = await pop3(['get', ...args, '-o', folder, '--name', 'unique-id', '--delete', '--json'], {
      env,
    });
    expect(result.exitCode).toBe(0);
    expect(result.stderr).toBe(
      `1 message stored before\n2 messages, 46 bytes, stored in ${folder}\n2 messages deleted\n`,
    );
    expect(
      result.stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { number: 1, octets: 22, uniqueId: '1', file: join(folder, '1.eml') },
      { number: 3, octets: 24, uniqueId: '3', file: join(folder, '3.eml') },
      { number: 1, uniqueId: '1', deleted: true },
      { number: 3, uniqueId: '3', deleted: true },
    ]);
    expect(left()).toEqual(['2']);
  });

  it('says what is not there, and fetches the rest', async () => {
    const { args, env } = await serve(MESSAGES);
    const folder = temporaryFolder();
    const result = await pop3(['get', ...args, '2-', '7', '--output', folder], { env });
    expect(result).toMatchObject({
      exitCode: EXIT.partial,
      stderr: expect.stringMatching(/^pop3: message 7 is not there/),
    });
    expect(Object.keys(contentOf(folder))).toEqual(['2.eml', '3.eml']);
  });

  it('finds nothing in an empty maildrop, which is no failure', async () => {
    const { args, env } = await serve([]);
    expect(await pop3(['get', ...args, '-o', temporaryFolder()], { env })).toMatchObject({
      exitCode: 0,
      stdout: '',
    });
  });
});

describe('into a file', () => {
  it('puts one message in place of what was there', async () => {
    const { args, env } = await serve(MESSAGES);
    const folder = temporaryFolder();
    const file = join(folder, 'message.eml');
    writeFileSync(file, 'older');
    expect(await pop3(['get', ...args, '1', '--output', file], { env })).toMatchObject({ exitCode: 0 });
    expect(contentOf(folder)).toEqual({ 'message.eml': MESSAGES[0] });
  });

  it('deletes nothing that went into a device', async () => {
    const { args, env, left } = await serve(MESSAGES);
    const result = await pop3(['get', ...args, '1', '--output', '/dev/null', '--delete'], { env });
    expect(result.exitCode).toBe(EXIT.usage);
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    expect(left()).toEqual(['1', '2', '3']);
  });

  it('says what the system has against it', async () => {
    const { args, env } = await serve(MESSAGES);
    const result = await pop3(
      ['get', ...args, '1', '--output', join(temporaryFolder(), 'no', 'such', 'place')],
      { env },
    );
    expect(result).toMatchObject({
      exitCode: EXIT.cannotWrite,
      stderr: expect.stringMatching(/^pop3: .*place cannot be written: ENOENT: no such file or directory\n$/),
    });
  });
});

it('delivers into a Maildir, with LF line ends, and deletes what is safe', async () => {
  const { args, env, left } = await serve(MESSAGES);
  const maildir = join(temporaryFolder(), 'Maildir');
  const result = await pop3(['get', ...args, '--maildir', maildir, '--delete'], { env });
  expect(result).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: `3 messages, 69 bytes, stored in ${maildir}\n3 messages deleted\n`,
  });
  expect(Object.values(contentOf(join(maildir, 'new'))).sort()).toEqual(
    MESSAGES.map((message) => message.replaceAll('\r\n', '\n')).sort(),
  );
  expect(readdirSync(join(maildir, 'tmp'))).toEqual([]);
  expect(left()).toEqual([]);
});

describe('a connection that breaks off', () => {
  const listing = '+OK\r\n1 20\r\n2 20\r\n.\r\n';
  const answers: Record<string, string> = {
    LIST: listing,
    UIDL: '+OK\r\n1 a\r\n2 b\r\n.\r\n',
    'RETR 1': '+OK\r\nwhole\r\n.\r\n',
    CAPA: '-ERR\r\n',
  };
  const halfWay = () =>
    script('+OK ready\r\n', (command) =>
      command === 'RETR 2' ? ['+OK\r\nhalf a mess'] : (answers[command] ?? '+OK\r\n'),
    );

  it.each(['--output', '--maildir'])(
    'leaves nothing of half a message in %s, and deletes nothing',
    async (flag) => {
      const { args, env, received } = await halfWay();
      const folder = temporaryFolder();
      const result = await pop3(['get', ...args, flag, folder, '--delete'], { env });
      expect(result.exitCode).toBe(EXIT.temporary);
      expect(result.stderr).toMatch(
        /1 message, 7 bytes, stored in .*; none was deleted\npop3: .*closed the connection/,
      );
      const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
        entry.isFile(),
      );
      expect(
        files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1').trim()),
      ).toEqual(['whole']);
      expect(received.filter((command) => /^(DELE|QUIT)/.test(command))).toEqual([]);
    },
  );

  it('leaves the file that was there', async () => {
    const { args, env } = await halfWay();
    const file = join(temporaryFolder(), 'message.eml');
    writeFileSync(file, 'older');
    expect(await pop3(['get', ...args, '2', '-o', file], { env })).toMatchObject({
      exitCode: EXIT.temporary,
    });
    expect(readFileSync(file, 'utf8')).toBe('older');
  });
});

it('a message that the server refuses does not keep the others', async () => {
  const { args, env } = await script('+OK\r\n', (command) => {
    if (command === 'LIST') return '+OK\r\n1 5\r\n2 5\r\n.\r\n';
    if (command === 'UIDL' || command === 'CAPA') return '-ERR no\r\n';
    if (command === 'RETR 1') return '-ERR expunged\r\n';
    return command === 'RETR 2' ? '+OK\r\ntwo\r\n.\r\n' : '+OK\r\n';
  });
  const folder = temporaryFolder();
  const result = await pop3(['get', ...args, '-o', folder], { env });
  expect(result).toMatchObject({
    exitCode: EXIT.partial,
    stderr: expect.stringMatching(/^pop3: message 1: .*expunged/),
  });
  expect(contentOf(folder)).toEqual({ '2.eml': 'two\r\n' });
});

it('a unique-id cannot lead out of the folder', async () => {
  const { args, env } = await script('+OK\r\n', (command) => {
    if (command === 'LIST') return '+OK\r\n1 5\r\n2 5\r\n.\r\n';
    if (command === 'UIDL') return `+OK\r\n1 ../../escaped\r\n2 ${'x/'.repeat(200)}\r\n.\r\n`;
    if (command === 'CAPA') return '-ERR no\r\n';
    return command.startsWith('RETR') ? '+OK\r\nmail\r\n.\r\n' : '+OK\r\n';
  });
  const folder = join(temporaryFolder(), 'deep', 'er');
  mkdirSync(folder, { recursive: true });
  expect(await pop3(['get', ...args, '-o', folder, '--name', 'unique-id'], { env })).toMatchObject({
    exitCode: 0,
  });
  const [dotted, long] = readdirSync(folder).sort();
  expect(dotted).toBe('%2E.%2F..%2Fescaped.eml');
  expect(long).toMatch(/^x%2F.*~[0-9a-f]{64}\.eml$/);
});
