import { expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { PASSWORD, serve } from './maildrop-server.js';
import { itOnTerminal, pop3, pop3OnTerminal } from './pop3.js';
import { script } from './scripted-server.js';

const MESSAGES = ['Subject: one\r\n\r\nfirst\r\n'];

it('sends the lines of a pipe, and shows the answers in order', async () => {
  const { args, env } = await serve(MESSAGES);
  const input = 'STAT\nlist\nUIDL 1\nTOP 1 0\n\nLIST 7\nNOOP\nQUIT\nSTAT\n';
  const result = await pop3(['raw', ...args], { env, input });
  expect(result).toMatchObject({ exitCode: 0, stderr: '' });
  expect(result.stdout.replaceAll('\r', '').split('\n')).toEqual([
    '+OK 1 23',
    expect.stringMatching(/^\+OK/),
    '1 23',
    '.',
    '+OK 1 1',
    expect.stringMatching(/^\+OK/),
    'Subject: one',
    '',
    '.',
    expect.stringMatching(/^-ERR/),
    expect.stringMatching(/^\+OK/),
    expect.stringMatching(/^\+OK/),
    '',
  ]);
});

it('sends commands that nobody knows, with lines where that is said', async () => {
  const { args, env, received } = await script('+OK\r\n', (command) =>
    command === '*ENV 1'
      ? '+OK envelope\r\nann@example.org\r\n.\r\n'
      : command === 'CAPA'
        ? '-ERR\r\n'
        : '+OK\r\n',
  );
  const result = await pop3(['raw', ...args, '--multiline', '*env'], { env, input: '*ENV 1\nXHELLO you\n' });
  expect(result).toMatchObject({ exitCode: 0, stdout: '+OK envelope\nann@example.org\r\n.\n+OK\n' });
  expect(received.filter((command) => /^[*X]/.test(command))).toEqual(['*ENV 1', 'XHELLO you']);
});

it('shows an answer that makes no sense, and goes on: the next one may', async () => {
  const { args, env } = await script('+OK\r\n', (command) => {
    if (command === 'CAPA') return '-ERR\r\n';
    return command === 'STAT' ? '+OK many messages\r\n' : '+OK fine\r\n';
  });
  const result = await pop3(['raw', ...args], { env, input: 'STAT\nNOOP\n' });
  expect(result).toMatchObject({ exitCode: EXIT.ok, stdout: '+OK many messages\n+OK fine\n' });
});

it('ends with the error when the session breaks', async () => {
  const { args, env } = await script('+OK\r\n', (command) =>
    command === 'NOOP' ? 'nonsense\r\n' : command === 'CAPA' ? '-ERR\r\n' : '+OK\r\n',
  );
  const result = await pop3(['raw', ...args], { env, input: 'NOOP\nSTAT\n' });
  expect(result).toMatchObject({
    exitCode: EXIT.protocol,
    stdout: '',
    stderr: expect.stringMatching(/^pop3: .*\n$/),
  });
});

it('says what it does not send, and goes on', async () => {
  const { args, env } = await serve(MESSAGES);
  const input = 'PASS secret\nSTLS\nRETR x\nDELE 1\nSTAT\n';
  const { stdout, stderr } = await pop3(['raw', ...args], { env, input });
  expect(stderr.trimEnd().split('\n')).toEqual([
    'not sent: PASS is done by --user, --mechanism and --tls',
    'not sent: STLS is done by --user, --mechanism and --tls',
    'not sent: RETR: bad number.',
    'marked; DELE is sent before QUIT',
  ]);
  expect(stdout).toBe('+OK 1 23\n');
});

it('deletes with QUIT, and not without', async () => {
  const { args, env, left } = await serve(MESSAGES);
  await pop3(['raw', ...args], { env, input: 'DELE 1\n' });
  expect(left()).toEqual(['1']);
  await pop3(['raw', ...args], { env, input: 'DELE 1\nQUIT\n' });
  expect(left()).toEqual([]);
});

itOnTerminal('asks for the password before the dialogue begins', async () => {
  const { args } = await serve(MESSAGES);
  const running = pop3OnTerminal(['raw', ...args]);
  await running.printed(/Password/);
  running.type(`${PASSWORD}\r`);
  await running.printed(/> /);
  running.type('NOOP\rQUIT\r');
  expect((await running.ended).exitCode).toBe(0);
  expect(running.stdout.match(/\+OK/g)).toHaveLength(2);
});

itOnTerminal('is a dialogue on a terminal', async () => {
  const { args, env } = await serve(MESSAGES);
  const running = pop3OnTerminal(['raw', ...args], { env });
  await running.printed(/> /);
  running.type('STAT\r');
  await running.printed(/\+OK 1 23\r\n.*> /);
  running.type('\x03');
  expect(await running.ended).toMatchObject({
    exitCode: 130,
    stdout: expect.stringMatching(/interrupted; nothing was deleted/),
  });
});
