import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { serve } from './maildrop-server.js';
import { CLI, Running } from './pop3.js';
import { script } from './scripted-server.js';
import { temporaryFolder } from './temporary-folder.js';

/** A maildrop whose second message never ends. */
function endless(onSecond: () => void) {
  return script('+OK\r\n', (command) => {
    if (command === 'LIST') return '+OK\r\n1 5\r\n2 500\r\n.\r\n';
    if (command === 'UIDL' || command === 'CAPA') return '-ERR no\r\n';
    if (command === 'RETR 1') return '+OK\r\none\r\n.\r\n';
    if (command !== 'RETR 2') return '+OK\r\n';
    onSecond();
    return '+OK\r\nhalf';
  });
}

it.each([
  ['SIGINT', EXIT.interrupted],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const)(
  '%s ends the connection, deletes nothing and leaves no half message',
  async (signal, exitCode) => {
    const folder = temporaryFolder();
    let interrupt = () => {};
    const { args, env, received } = await endless(() => interrupt());
    const running = new Running(process.execPath, [CLI, 'get', ...args, '-o', folder, '--delete'], { env });
    interrupt = () => running.process.kill(signal);
    const result = await running.ended;
    expect(result).toMatchObject({ exitCode, stdout: '' });
    expect(result.stderr).toBe(
      `1 message, 5 bytes, stored in ${folder}; none was deleted\npop3: interrupted; nothing was deleted\n`,
    );
    expect(readdirSync(folder)).toEqual(['1.eml']);
    expect(received.filter((command) => /^(DELE|QUIT)/.test(command))).toEqual([]);
  },
);

it('does not say that nothing was deleted when it does not know', async () => {
  let interrupt = () => {};
  const { args, env } = await script('+OK\r\n', (command) => {
    if (command === 'LIST') return '+OK\r\n1 5\r\n.\r\n';
    if (command === 'UIDL' || command === 'CAPA') return '-ERR no\r\n';
    if (command !== 'QUIT') return '+OK\r\n';
    interrupt();
    return '';
  });
  const running = new Running(process.execPath, [CLI, 'delete', ...args, '1', '--yes'], { env });
  interrupt = () => running.process.kill('SIGINT');
  expect(await running.ended).toMatchObject({
    exitCode: EXIT.interrupted,
    stderr: 'pop3: interrupted while the server deleted; pop3 list shows what is left\n',
  });
});

it('ends quietly when nobody reads on', async () => {
  const { args, env } = await serve(Array.from({ length: 5000 }, () => 'Subject: one\r\n\r\n'));
  const running = new Running(
    '/bin/sh',
    ['-c', `"$@" | head -n 1`, 'sh', process.execPath, CLI, 'list', ...args],
    { env },
  );
  expect(await running.ended).toEqual({ exitCode: 0, stdout: '1\t16\t1\n', stderr: '' });
});

it.skipIf(process.platform !== 'linux').each([['list'], ['get', '1'], ['top', '1'], ['capa'], ['raw']])(
  'says that the disk is full: %s',
  async (command, ...operands) => {
    const { args, env } = await serve(['Subject: one\r\n\r\n']);
    const words = [process.execPath, CLI, command, ...args, ...operands];
    const running = new Running('/bin/sh', ['-c', `echo NOOP | "$@" > /dev/full`, 'sh', ...words], { env });
    const { exitCode, stderr } = await running.ended;
    expect(exitCode).toBe(EXIT.cannotWrite);
    expect(stderr).toMatch(/^pop3: the output cannot be written: ENOSPC.*\n/m);
    expect(stderr.match(/pop3:/g)).toHaveLength(1);
  },
);

it.skipIf(process.platform !== 'linux')(
  'says that there is room for a part of the message only',
  async () => {
    const { args, env } = await serve([`Subject: one\r\n\r\n${'x'.repeat(60_000)}\r\n`]);
    const file = join(temporaryFolder(), 'message');
    const words = [process.execPath, CLI, 'get', ...args, '1'];
    const shell = `trap '' XFSZ; ulimit -f 8; "$@" > ${file}`;
    const running = new Running('/bin/sh', ['-c', shell, 'sh', ...words], { env });
    expect(await running.ended).toMatchObject({
      exitCode: EXIT.cannotWrite,
      stderr: expect.stringMatching(/^pop3: the output cannot be written: EFBIG.*\n$/),
    });
  },
);

it('also ends while a command makes the password', async () => {
  const { args } = await serve([]);
  const flags = ['--password-command', 'echo ready >&2; exec sleep 60'];
  const running = new Running(process.execPath, [CLI, 'list', ...args, ...flags]);
  await running.printed(/ready/, 'stderr');
  running.process.kill('SIGTERM');
  expect(await running.ended).toMatchObject({ exitCode: 143 });
});
