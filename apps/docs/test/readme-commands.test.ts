import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, expect, it } from 'vitest';

const root = new URL('../../../', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'readme-'));
let server: ChildProcess | undefined;

afterAll(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

/** The commands of the block below a heading of the front page, as they stand there. */
function commandsUnder(heading: string): string[] {
  const page = readFileSync(new URL('README.md', root), 'utf8');
  const block = /```console\n([\s\S]*?)```/.exec(page.slice(page.indexOf(heading)));
  return (block?.[1] ?? '').trim().split('\n');
}

/** The same with paths and a port of this test. */
function argumentsOf(command: string): string[] {
  const [program, ...rest] = command
    .replace('apps/pop3d', new URL('apps/pop3d', root).pathname)
    .replace('/srv/mail', join(folder, 'mail'))
    .replace(':2110', ':0')
    .split(' ');
  expect(program).toBe('node');
  return rest;
}

it('serves the Maildirs of a machine with the commands of the front page', async () => {
  const [addUser, serve, ...others] = commandsUnder('### Serve the Maildirs of a machine');
  expect(others).toEqual([]);

  const added = spawnSync(process.execPath, argumentsOf(addUser as string), {
    cwd: folder,
    input: 'secret\n',
  });
  expect(added.status, added.stderr.toString()).toBe(0);

  server = spawn(process.execPath, argumentsOf(serve as string), { cwd: folder });
  const [line] = await once(createInterface({ input: server.stdout as NodeJS.ReadableStream }), 'line');
  const port = Number(/^listening pop3 127\.0\.0\.1:(\d+)$/.exec(line)?.[1]);

  const peer = connect(port, '127.0.0.1');
  peer.end('USER ann\r\nPASS secret\r\nSTAT\r\nQUIT\r\n');
  let said = '';
  for await (const octets of peer) said += octets;
  expect(said.split('\r\n').slice(2)).toEqual(['+OK 0 messages (0 octets)', '+OK 0 0', '+OK bye', '']);

  server.kill();
  const [code] = await once(server, 'exit');
  expect(code).toBe(0);
});
