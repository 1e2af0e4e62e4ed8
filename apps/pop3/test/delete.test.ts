import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { serve } from './maildrop-server.js';
import { itOnTerminal, pop3, pop3OnTerminal } from './pop3.js';
import { script } from './scripted-server.js';
import { temporaryFolder } from './temporary-folder.js';

const MESSAGES = [
  'Subject: one\r\n\r\n',
  'Subject: two\r\n\r\n',
  'Subject: three\r\n\r\n',
  'Subject: four\r\n\r\n',
];

it('deletes by number and by unique-id, and says what', async () => {
  const { args, env, left } = await serve(MESSAGES);
  expect(await pop3(['delete', ...args, '2', '--unique-id', '4', '--yes'], { env })).toEqual({
    exitCode: 0,
    stdout: 'deleted\t2\t2\ndeleted\t4\t4\n',
    stderr: '2 messages deleted\n',
  });
  expect(left()).toEqual(['1', '3']);
});

it('says it in JSON', async () => {
  const { args, env } = await serve(MESSAGES);
  const { stdout } = await pop3(['delete', ...args, '1', '--yes', '--json'], { env });
  expect(JSON.parse(stdout)).toEqual({ number: 1, uniqueId: '1', deleted: true });
});

it('deletes what is there, and says what is not', async () => {
  const { args, env, left } = await serve(MESSAGES);
  const result = await pop3(['delete', ...args, '3,9', '--unique-id', 'nobody', '--yes'], { env });
  expect(result).toEqual({
    exitCode: EXIT.partial,
    stdout: 'deleted\t3\t3\n',
    stderr:
      'pop3: message 9 is not there; pop3 list shows what is\n' +
      'pop3: unique-id nobody is not there; pop3 list shows what is\n' +
      '1 message deleted\n',
  });
  expect(left()).toEqual(['1', '2', '4']);
});

it.each([
  ['delete', ['--yes']],
  ['get', ['--output', 'file', '--delete']],
] as const)('takes no unique-id that several messages have: %s', async (command, flags) => {
  const { args, env, received } = await script('+OK\r\n', (line) => {
    if (line === 'LIST') return '+OK\r\n1 5\r\n2 5\r\n3 5\r\n.\r\n';
    if (line === 'UIDL') return '+OK\r\n1 a\r\n2 same\r\n3 same\r\n.\r\n';
    return line === 'CAPA' ? '-ERR no\r\n' : '+OK\r\n';
  });
  const cwd = temporaryFolder();
  const result = await pop3([command, ...args, '--unique-id', 'same', ...flags], { env, cwd });
  expect(result).toMatchObject({ exitCode: EXIT.unavailable, stdout: '' });
  expect(result.stderr).toBe(
    'pop3: several messages have the unique-id same; look with pop3 list, and name one by its number\n',
  );
  expect(received.filter((line) => /^(RETR|DELE|QUIT)/.test(line))).toEqual([]);
  expect(readdirSync(cwd)).toEqual([]);
});

it('says which ones the server did not delete', async () => {
  const { args, env } = await script('+OK\r\n', (command) => {
    if (command === 'LIST') return '+OK\r\n1 5\r\n2 5\r\n.\r\n';
    if (command === 'UIDL') return '+OK\r\n1 a\r\n2 b\r\n.\r\n';
    if (command === 'CAPA' || command === 'DELE 1') return '-ERR not now\r\n';
    return '+OK\r\n';
  });
  const result = await pop3(['delete', ...args, 'all', '--yes', '--json'], { env });
  expect(result.exitCode).toBe(EXIT.partial);
  expect(result.stderr).toMatch(/^pop3: message 1 was not deleted: .*not now.*\n1 message deleted\n$/);
  expect(
    result.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { number: 2, uniqueId: 'b', deleted: true },
    { number: 1, uniqueId: 'a', deleted: false, error: expect.stringContaining('not now') },
  ]);
});

it.each([
  [[], /say which messages/],
  [['1'], /there is nobody to be asked whether to delete; give --yes/],
])('in a pipe %j is a wrong call, and nothing is sent', async (operands, message) => {
  const { args, env, received } = await script('+OK\r\n', () => '+OK\r\n');
  const result = await pop3(['delete', ...args, ...operands], { env });
  expect(result).toMatchObject({ exitCode: EXIT.usage, stderr: expect.stringMatching(message) });
  expect(received).toEqual([]);
});

describe('on a terminal', () => {
  itOnTerminal.each([
    ['y\r', EXIT.ok, ['1', '4']],
    ['yes\r', EXIT.ok, ['1', '4']],
    ['\r', EXIT.partial, ['1', '2', '3', '4']],
    ['no\r', EXIT.partial, ['1', '2', '3', '4']],
    ['\x03', EXIT.interrupted, ['1', '2', '3', '4']],
    ['\x04', EXIT.interrupted, ['1', '2', '3', '4']],
  ])('shows the messages and asks; %j ends with %s', async (keys, exitCode, expected) => {
    const { args, env, left } = await serve(MESSAGES);
    const running = pop3OnTerminal(['delete', ...args, '2-3'], { env });
    await running.printed(/2 {2}16 bytes {2}2\r\n3 {2}18 bytes {2}3\r\nDelete 2 messages\? \[y\/N\] /);
    running.type(keys);
    expect(await running.ended).toMatchObject({ exitCode });
    expect(left()).toEqual(expected);
  });
});
