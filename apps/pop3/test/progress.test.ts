import { expect, it } from 'vitest';
import { serve } from './maildrop-server.js';
import { itOnTerminal, pop3, pop3OnTerminal } from './pop3.js';
import { temporaryFolder } from './temporary-folder.js';

const MESSAGES = ['Subject: one\r\n\r\n', 'Subject: two\r\n\r\n'];
const BAR = /message \d of 2 {2}\[[#.]{24}\]/;

itOnTerminal('is drawn on a terminal, and gone at the end', async () => {
  const { args, env } = await serve(MESSAGES);
  const folder = temporaryFolder();
  const { stdout } = await pop3OnTerminal(['get', ...args, '-o', folder], { env }).ended;
  expect(stdout).toMatch(BAR);
  expect(stdout.endsWith(`\r\x1b[K2 messages, 32 bytes, stored in ${folder}\r\n`)).toBe(true);
});

itOnTerminal.each([
  [['--json'], {}],
  [['--no-progress'], {}],
  [['--trace'], {}],
  [[], { TERM: 'dumb' }],
])('is not drawn with %j and %j', async (flags, settings) => {
  const { args, env } = await serve(MESSAGES);
  const running = pop3OnTerminal(['get', ...args, '-o', temporaryFolder(), ...flags], {
    env: { ...env, ...settings },
  });
  expect((await running.ended).stdout).not.toMatch(/message \d of/);
});

itOnTerminal('is not mixed into a message on the screen', async () => {
  const { args, env } = await serve(MESSAGES);
  const { stdout } = await pop3OnTerminal(['get', ...args, '1'], { env }).ended;
  expect(stdout).toBe('Subject: one\r\n\r\n');
});

it('is not drawn in a pipe', async () => {
  const { args, env } = await serve(MESSAGES);
  const folder = temporaryFolder();
  expect(await pop3(['get', ...args, '-o', folder], { env })).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: `2 messages, 32 bytes, stored in ${folder}\n`,
  });
});
