import { expect, it } from 'vitest';
import { serve } from './maildrop-server.js';
import { itOnTerminal, pop3, pop3OnTerminal } from './pop3.js';
import { script } from './scripted-server.js';

const MESSAGES = ['Subject: one\r\n\r\nfirst\r\n', `Subject: two\r\n\r\n${'x'.repeat(1000)}\r\n`];

it('writes number, octets and unique-id between tabs into a pipe, and the total beside it', async () => {
  const { args, env } = await serve(MESSAGES);
  expect(await pop3(['list', ...args], { env })).toEqual({
    exitCode: 0,
    stdout: '1\t23\t1\n2\t1018\t2\n',
    stderr: '2 messages, 1.0 kB\n',
  });
});

it('writes a line of JSON for each message', async () => {
  const { args, env } = await serve(MESSAGES);
  const { stdout } = await pop3(['list', ...args, '--json'], { env });
  expect(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line)),
  ).toEqual([
    { number: 1, octets: 23, uniqueId: '1' },
    { number: 2, octets: 1018, uniqueId: '2' },
  ]);
});

itOnTerminal('aligns the columns on a terminal', async () => {
  const { args, env } = await serve(MESSAGES);
  const { stdout } = await pop3OnTerminal(['list', ...args], { env }).ended;
  expect(stdout.replaceAll('\r\n', '\n')).toBe('1    23  1\n2  1018  2\n2 messages, 1.0 kB\n');
});

itOnTerminal('shows a maildrop that the server cannot count', async () => {
  const { args, env } = await script('+OK\r\n', (command) => {
    if (command === 'LIST') return '+OK\r\n2 50\r\n10 ?\r\n.\r\n';
    if (command === 'UIDL' || command === 'CAPA') return '-ERR no\r\n';
    return command === 'STAT' ? '+OK many\r\n' : '+OK\r\n';
  });
  const { stdout } = await pop3OnTerminal(['list', ...args], { env }).ended;
  expect(stdout.replaceAll('\r\n', '\n')).toBe(' 2  50\n10   ?\n2 messages, 50 bytes\n');
});
