import { expect, it } from 'vitest';
import { serve } from './maildrop-server.js';
import { pop3 } from './pop3.js';
import { script } from './scripted-server.js';

it('shows what is offered before the login and after it', async () => {
  const { args, env } = await serve([], { implementation: 'tested' });
  const { exitCode, stdout } = await pop3(['capa', ...args], { env });
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^greeting: POP3 server ready.*\nencrypted: no\nbefore the login:\n/);
  expect(stdout).toMatch(/before the login:\n( {2}.*\n)* {2}USER\n/);
  expect(stdout).toMatch(/after the login by \S+:\n( {2}.*\n)* {2}IMPLEMENTATION tested\n/);
});

it('needs nobody to log in, and tells it in JSON', async () => {
  const { port } = await serve([]);
  const { stdout } = await pop3(['capa', `127.0.0.1:${port}`, '--tls', 'off', '--json']);
  expect(JSON.parse(stdout)).toMatchObject({
    beforeLogin: {
      greeting: expect.any(String),
      encrypted: false,
      mechanism: null,
      capabilities: { UIDL: [], TOP: [] },
    },
    afterLogin: null,
  });
});

it('says so when the server refuses to say', async () => {
  const { args } = await script('+OK hello\r\n', (command) =>
    command === 'CAPA' ? '-ERR what?\r\n' : '+OK\r\n',
  );
  const [host = ''] = args;
  const { stdout } = await pop3(['capa', host, '--tls', 'off']);
  expect(stdout).toBe('greeting: hello\nencrypted: no\nbefore the login:\n  (the server refuses to say)\n');
});
