import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { certificate, PASSWORD, serve } from './maildrop-server.js';
import { called, pop3 } from './pop3.js';
import { temporaryFolder } from './temporary-folder.js';

/** A server with a certificate of its own, and the file that one believes it by. */
async function secured(tls: 'implicit' | 'starttls') {
  const { cert, key, fingerprint } = await certificate();
  const { port } = await serve(['Subject: one\r\n\r\n'], { tls: { cert, key } }, { tls });
  const ca = join(temporaryFolder(), 'ca.pem');
  writeFileSync(ca, cert);
  return { port, ca, fingerprint, env: { POP3_PASSWORD: PASSWORD } };
}

const LISTED = { exitCode: 0, stdout: '1\t16\t1\n', stderr: '1 message, 16 bytes\n' };

it('is TLS from the start by default, believed by an authority of ours', async () => {
  const { port, ca, env } = await secured('implicit');
  expect(await pop3(['list', `localhost:${port}`, '-u', 'ann', '--ca', ca], { env })).toEqual(LISTED);
  expect(await pop3(['list', `pops://ann@localhost:${port}`, '--ca', ca], { env })).toEqual(LISTED);
});

it('is STLS by pop://, and by --tls starttls', async () => {
  const { port, ca, env } = await secured('starttls');
  expect(await pop3(['list', `pop://ann@localhost:${port}`, '--ca', ca], { env })).toEqual(LISTED);
  const flags = ['--tls', 'starttls', '--ca', ca, '--trace'];
  const { stderr } = await pop3(['list', `localhost:${port}`, '-u', 'ann', ...flags], { env });
  expect(stderr).toMatch(/^S: \+OK .*\nC: STLS\nS: \+OK/);
});

it('believes a certificate by its fingerprint, whatever its name', async () => {
  const { port, fingerprint, env } = await secured('implicit');
  const digits = fingerprint.replaceAll(':', '');
  expect(await pop3(['list', `127.0.0.1:${port}`, '-u', 'ann', '--fingerprint', digits], { env })).toEqual(
    LISTED,
  );
});

it('says how to believe one that nobody vouches for', async () => {
  const { port, fingerprint, env } = await secured('implicit');
  const { exitCode, stderr } = await pop3(['list', `localhost:${port}`, '-u', 'ann'], { env });
  expect(exitCode).toBe(EXIT.unavailable);
  expect(stderr).toMatch(/^pop3: .*--ca.*--fingerprint.*\n$/);
  expect(stderr.replaceAll(':', '').toLowerCase()).toContain(fingerprint.replaceAll(':', '').toLowerCase());
});

it('wants the name that is meant, or another that is said', async () => {
  const { port, ca, env } = await secured('implicit');
  const args = ['list', `127.0.0.1:${port}`, '-u', 'ann', '--ca', ca];
  expect(await pop3(args, { env })).toMatchObject({
    exitCode: EXIT.unavailable,
    stderr: expect.stringMatching(/--server-name/),
  });
  expect(await pop3([...args, '--server-name', 'localhost'], { env })).toEqual(LISTED);
});

it('says that a server in the clear is no server of TLS', async () => {
  const { port, env } = await serve([]);
  const { exitCode, stderr } = await pop3(['list', `localhost:${port}`, '-u', 'ann'], { env });
  expect({ exitCode, stderr }).toEqual({
    exitCode: EXIT.unavailable,
    stderr: expect.stringMatching(/--tls starttls/),
  });
});

it('sends no password in the clear unless it is told to', async () => {
  const { port, env } = await serve([], { mechanisms: [] });
  const args = ['list', `127.0.0.1:${port}`, '-u', 'ann', '--tls', 'off', '--trace'];
  const { exitCode, stderr } = await pop3(args, { env });
  expect(exitCode).toBe(EXIT.unavailable);
  expect(stderr).toMatch(/not encrypted: .*--allow-plaintext/);
  expect(stderr).not.toMatch(/C: (USER|PASS|AUTH)/);
  expect(await pop3([...args, '--allow-plaintext'], { env })).toMatchObject({ exitCode: 0 });
});

it.each<[string[], number, RegExp]>([
  [['--tls', 'on'], EXIT.usage, /--tls on is not known; known are implicit, starttls, opportunistic, off/],
  [['--min-tls', '1.2'], EXIT.usage, /--min-tls 1\.2 is not known; known are TLSv1, /],
  [['--fingerprint', 'ab:cd'], EXIT.usage, /64 hexadecimal digits/],
  [['--cert', 'x'], EXIT.usage, /--cert and --key belong together/],
  [['--ca', '/nowhere/ca.pem'], EXIT.noInput, /--ca \/nowhere\/ca\.pem cannot be read: ENOENT/],
  [['--ca', import.meta.filename], EXIT.usage, /--ca is not in PEM/],
  [['--timeout', 'soon'], EXIT.usage, /--timeout soon is no number of seconds/],
  [['--timeout', '0'], EXIT.usage, /--timeout 0 is no number/],
])('%j is a wrong call', async (flags, exitCode, message) => {
  const result = await called(['list', 'localhost:1', '-u', 'ann', ...flags], { POP3_PASSWORD: 'x' });
  expect(result).toMatchObject({ exitCode, stdout: '', stderr: expect.stringMatching(message) });
});

it('pops:// is not asked to be something else', async () => {
  const result = await called(['list', 'pops://ann@localhost', '--tls', 'off']);
  expect(result).toMatchObject({
    exitCode: EXIT.usage,
    stderr: expect.stringMatching(/leave out --tls off/),
  });
});
