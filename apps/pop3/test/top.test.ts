import { expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { serve } from './maildrop-server.js';
import { itOnTerminal, pop3, pop3OnTerminal } from './pop3.js';
import { script } from './scripted-server.js';

const MESSAGES = ['Subject: one\r\n\r\nfirst\r\nsecond\r\n', 'Subject: two\r\n\r\nfirst\r\nsecond\r\n'];

it.each([
  [['1'], 'Subject: one\r\n\r\n'],
  [['2', '1'], 'Subject: two\r\n\r\nfirst\r\n'],
  [['--unique-id', '2'], 'Subject: two\r\n\r\n'],
  [['1', '--unique-id', '2'], 'Subject: two\r\n\r\nfirst\r\n'],
])('%j shows the header and so many lines', async (operands, stdout) => {
  const { args, env } = await serve(MESSAGES);
  expect(await pop3(['top', ...args, ...operands], { env })).toEqual({ exitCode: 0, stdout, stderr: '' });
});

it('is text in JSON, and base64 where it is no UTF-8', async () => {
  const latin1 = Buffer.from('Subject: caf\xe9\r\n\r\n', 'latin1');
  const { args, env } = await script('+OK\r\n', (command) => {
    if (command === 'TOP 1 0') return '+OK\r\nSubject: one\r\n\r\n.\r\n';
    if (command === 'TOP 2 0') return `+OK\r\n${latin1.toString('latin1')}.\r\n`;
    return command === 'CAPA' ? '-ERR\r\n' : '+OK\r\n';
  });
  const [one, two] = await Promise.all(
    ['1', '2'].map((number) => pop3(['top', ...args, number, '--json'], { env })),
  );
  expect(JSON.parse(one?.stdout ?? '')).toEqual({ number: 1, text: 'Subject: one\r\n\r\n' });
  expect(JSON.parse(two?.stdout ?? '')).toEqual({ number: 2, base64: latin1.toString('base64') });
});

itOnTerminal('does not let a message steer the terminal', async () => {
  const { args, env } = await serve(['Subject: \x1b[2J\x9b2J caf\u00e9\t!\r\n\r\n']);
  const { stdout } = await pop3OnTerminal(['top', ...args, '1'], { env }).ended;
  expect(stdout).toBe('Subject: ?[2J?2J caf\u00e9\t!\r\n\r\n');
});

it.each([
  [[], EXIT.usage, /say which message: NUMBER, or --unique-id ID/],
  [['x'], EXIT.usage, /NUMBER "x" is no number from 1/],
  [['1', '-1'], EXIT.usage, /Unknown option/],
  [['1', '2', '--unique-id', '3'], EXIT.usage, /leave it out/],
  [['--unique-id', '9'], EXIT.partial, /unique-id 9 is not there/],
  [['9'], EXIT.unavailable, /TOP/],
])('%j gives %s', async (operands, exitCode, message) => {
  const { args, env } = await serve(MESSAGES);
  const result = await pop3(['top', ...args, ...operands], { env });
  expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(message) });
});
