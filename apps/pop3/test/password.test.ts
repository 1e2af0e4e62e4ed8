import { expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { PASSWORD, serve } from './maildrop-server.js';
import { called, itOnTerminal, pop3, pop3OnTerminal } from './pop3.js';
import { script } from './scripted-server.js';

const MESSAGES = ['Subject: one\r\n\r\n'];
const LISTED = { exitCode: 0, stdout: '1\t16\t1\n', stderr: '1 message, 16 bytes\n' };

it.each<[string, string[], Record<string, string>]>([
  ['POP3_PASSWORD', [], { POP3_PASSWORD: PASSWORD }],
  ['a variable that is named', ['--password-env', 'MINE'], { MINE: PASSWORD, POP3_PASSWORD: 'wrong' }],
  [
    'a command',
    ['--password-command', 'echo "$A$B"; echo more'],
    { A: PASSWORD.slice(0, 4), B: PASSWORD.slice(4) },
  ],
])('takes the password from %s', async (_where, flags, env) => {
  const { args } = await serve(MESSAGES);
  expect(await pop3(['list', ...args, ...flags], { env })).toEqual(LISTED);
});

it('takes the user from POP3_USER', async () => {
  const { port, env } = await serve(MESSAGES);
  const args = ['list', `127.0.0.1:${port}`, '--tls', 'off', '--allow-plaintext'];
  expect(await pop3(args, { env: { ...env, POP3_USER: 'ann' } })).toEqual(LISTED);
  expect(await pop3(args, { env })).toMatchObject({
    exitCode: EXIT.usage,
    stderr: expect.stringMatching(/nobody is named/),
  });
});

itOnTerminal('asks for it on the terminal, and shows nothing of it', async () => {
  const { args } = await serve(MESSAGES);
  const running = pop3OnTerminal(['list', ...args]);
  await running.printed(/Password of ann at 127\.0\.0\.1: /);
  running.type(`${PASSWORD}\r`);
  const { exitCode, stdout } = await running.ended;
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/: \r\n1 {2}16 {2}1\r\n/);
  expect(stdout).not.toContain(PASSWORD.slice(1));
});

itOnTerminal('asks on the terminal of whoever called although all streams are pipes', async () => {
  const { args } = await serve(MESSAGES);
  const running = pop3OnTerminal(['list', ...args], { redirect: '< /dev/null 2>&1 | cat' });
  await running.printed(/Password of ann/);
  running.type(`${PASSWORD}\r`);
  expect((await running.ended).stdout).toMatch(/1\t16\t1\r\n/);
});

itOnTerminal.each(['\x03', '\x04', 'half\x03'])('%j instead of the password ends it', async (keys) => {
  const { args } = await serve(MESSAGES);
  const running = pop3OnTerminal(['list', ...args]);
  await running.printed(/Password/);
  running.type(keys);
  expect(await running.ended).toMatchObject({ exitCode: EXIT.interrupted });
});

it.each<[string[], number, RegExp]>([
  [
    [],
    EXIT.usage,
    /there is no terminal to ask for the password on; set POP3_PASSWORD, or give --password-env/,
  ],
  [['--password-env', 'NONE'], EXIT.noInput, /--password-env NONE: the environment has no such variable/],
  [['--password-command', 'exit 3'], EXIT.noInput, /the command of --password-command has ended with 3/],
  [['--password-command', 'true'], EXIT.noInput, /the command of --password-command has printed nothing/],
  [['--password-env', 'A', '--password-command', 'B'], EXIT.usage, /give one of them/],
  [['--mechanism', 'XOAUTH2'], EXIT.usage, /XOAUTH2 needs a token: give --token-env/],
  [['--mechanism', 'PLAIN', '--token-env', 'A'], EXIT.usage, /--mechanism PLAIN does not log in by a token/],
  [['--mechanism', 'EXTERNAL'], EXIT.usage, /give --cert FILE and --key FILE/],
])('without a terminal %j is an error', async (flags, exitCode, message) => {
  const result = await pop3(['list', 'localhost:1', '--user', 'ann', ...flags]);
  expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(message) });
  expect(result.stderr.trimEnd().split('\n')).toHaveLength(1);
});

it.each([
  ['--password', 'hunter2'],
  ['--password=hunter2'],
  ['--pass=hunter2'],
  ['-phunter2'],
  ['--token', 'hunter2'],
])('never takes a secret as an argument: %j', async (...flags) => {
  const result = await called(['list', 'localhost', '--user', 'ann', ...flags]);
  expect(result.exitCode).toBe(EXIT.usage);
  expect(result.stderr).toMatch(/ is not taken: every user .*POP3_PASSWORD.*--password-command/);
  expect(result.stderr).not.toContain('hunter2');
});

it('a token is asked for once more when it is refused', async () => {
  const tokens: string[] = [];
  const { args } = await script('+OK\r\n', (command) => {
    const token = /Bearer (fresh-\d+)/.exec(Buffer.from(command, 'base64').toString())?.[1];
    if (command.startsWith('AUTH')) return '+ \r\n';
    if (token === undefined) return command === 'CAPA' ? '-ERR\r\n' : '+OK\r\n.\r\n';
    tokens.push(token);
    return tokens.length === 1 ? `-ERR [AUTH] ${token} has expired\r\n` : '+OK\r\n';
  });
  const result = await pop3(['list', ...args, '--token-command', 'echo fresh-$$', '--trace']);
  expect(result).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/0 messages, 0 bytes\n$/) });
  expect(new Set(tokens).size).toBe(2);
  expect(result.stderr).toContain('S: -ERR [AUTH] *** has expired');
});

it('the mechanism of a URL is the only one', async () => {
  const { args, env, received } = await script('+OK\r\n', (command) =>
    command === 'CAPA' ? '+OK\r\nSASL SCRAM-SHA-256 PLAIN\r\nUSER\r\n.\r\n' : '-ERR no\r\n',
  );
  const url = `pop://ann;auth=plain@${args[0]}`;
  const result = await pop3(['list', url, '--tls', 'off', '--allow-plaintext'], { env });
  expect(result.exitCode).toBe(EXIT.loginRefused);
  expect(received.filter((command) => /^(AUTH|USER|APOP)/.test(command))).toEqual([
    expect.stringMatching(/^AUTH PLAIN/),
  ]);
});

it('a password is in nothing that is printed, although the server repeats it', async () => {
  const repeated: string[] = [];
  const { args, env } = await script(`+OK ${PASSWORD}\r\n`, (command) => {
    repeated.push(command);
    return command === 'CAPA'
      ? '-ERR\r\n'
      : command.startsWith('PASS')
        ? `-ERR not ${command}\r\n`
        : `+OK ${PASSWORD}\r\n`;
  });
  const { exitCode, stdout, stderr } = await pop3(['list', ...args, '--trace'], { env });
  expect(exitCode).toBe(EXIT.loginRefused);
  expect(repeated).toContain(`PASS ${PASSWORD}`);
  expect(stderr).toMatch(/C: USER "ann"\nS: \+OK \*\*\*\nC: PASS \*\*\*\nS: -ERR not PASS \*\*\*\npop3: /);
  expect(stdout + stderr).not.toContain(PASSWORD);
});
