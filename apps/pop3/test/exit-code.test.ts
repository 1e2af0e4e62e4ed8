import { type AddressInfo, createServer } from 'node:net';
import { Pop3Error } from '@pop3/core';
import { expect, it } from 'vitest';
import { exitCodeOf } from '../src/exit-code.js';
import { EXIT, Failure } from '../src/failure.js';
import { serve } from './maildrop-server.js';
import { pop3 } from './pop3.js';
import { script } from './scripted-server.js';

it.each<[unknown, number | null]>([
  [new Failure(EXIT.noInput, ''), EXIT.noInput],
  [new Pop3Error('POP3_CONNECT', '', { cause: systemError('ENOTFOUND'), retryable: true }), EXIT.noHost],
  [
    new Pop3Error('POP3_CONNECT', '', { cause: systemError('ECONNREFUSED'), retryable: true }),
    EXIT.temporary,
  ],
  [new Pop3Error('POP3_TLS', ''), EXIT.unavailable],
  [new Pop3Error('POP3_UNSUPPORTED', ''), EXIT.unavailable],
  [new Pop3Error('POP3_REFUSED', '', { verb: 'PASS' }), EXIT.loginRefused],
  [new Pop3Error('POP3_REFUSED', '', { verb: 'AUTH', retryable: true }), EXIT.temporary],
  [new Pop3Error('POP3_REFUSED', '', { verb: 'LIST' }), EXIT.unavailable],
  [new Pop3Error('POP3_PROTOCOL', '', { verb: 'PASS' }), EXIT.protocol],
  [new Pop3Error('POP3_USAGE', ''), EXIT.usage],
  [systemError('ENOSPC'), EXIT.cannotWrite],
  [systemError('ERR_INVALID_ARG_TYPE'), null],
  [new TypeError('x is not a function'), null],
])('%s gives %s', (error, exitCode) => {
  expect(exitCodeOf(error)).toBe(exitCode);
});

function systemError(code: string): Error {
  return Object.assign(new Error(code), { code });
}

it('a login that is refused is 77, in one line', async () => {
  const { args } = await serve([], { limits: { failedLoginDelayMs: 0 } });
  const result = await pop3(['list', ...args], { env: { POP3_PASSWORD: 'wrong' } });
  expect(result).toMatchObject({
    exitCode: EXIT.loginRefused,
    stdout: '',
    stderr: expect.stringMatching(/^pop3: .*\n$/),
  });
});

it('a maildrop that is in use is 75', async () => {
  const { args, env } = await script('+OK\r\n', (command) =>
    command.startsWith('PASS') ? '-ERR [IN-USE] locked\r\n' : command === 'CAPA' ? '-ERR\r\n' : '+OK\r\n',
  );
  expect(await pop3(['list', ...args], { env })).toMatchObject({ exitCode: EXIT.temporary });
});

it('a port where nobody listens is 75', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  const result = await pop3(['capa', `127.0.0.1:${port}`]);
  expect(result).toMatchObject({ exitCode: EXIT.temporary, stderr: expect.stringMatching(/ECONNREFUSED/) });
});

it('a server of something else is 76', async () => {
  const { args } = await script('220 smtp.example.org ESMTP\r\n', () => '500\r\n');
  const [host = ''] = args;
  expect(await pop3(['capa', host, '--tls', 'off'])).toMatchObject({ exitCode: EXIT.protocol });
});

it('a server that says nothing is 75 after the timeout', async () => {
  const { args } = await script('', () => '');
  const [host = ''] = args;
  const result = await pop3(['capa', host, '--tls', 'off', '--timeout', '0.05']);
  expect(result).toMatchObject({
    exitCode: EXIT.temporary,
    stderr: expect.stringMatching(/--timeout can be raised/),
  });
});

it('a text of the server cannot steer the terminal or add lines', async () => {
  const { args } = await script('-ERR \x1b[2Jgo\x07 away\r\n', () => '');
  const [host = ''] = args;
  const { stderr } = await pop3(['capa', host, '--tls', 'off']);
  expect(stderr).toMatch(/^pop3: .*\?\[2Jgo\? away.*\n$/);
});
