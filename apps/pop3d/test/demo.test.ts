import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { demoMessages } from '../src/demo/messages.js';
import { isInstalled } from './installed.js';
import { Client, serve } from './pop3d.js';
import { temporaryFolder } from './temporary-folder.js';

const shell = promisify(execFile);

/** The commands that are printed: indented by four spaces, and starting with a program. */
function commandsIn(text: string): string[] {
  return [...text.matchAll(/^ {4}((?:curl|python3|printf) .*)$/gm)].map(([, command]) => command as string);
}

it('prints commands that work as they are, and takes everything away on SIGINT', async () => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'tmp'));
  const running = await serve(['--demo'], { TMPDIR: join(folder, 'tmp') });
  await running.printed(/kill \d+\n/);
  expect(readdirSync(join(folder, 'tmp'))).toHaveLength(1);
  const commands = commandsIn(running.stdout);
  expect(commands).toHaveLength(7);
  const program = (command: string) =>
    command.includes('openssl') ? 'openssl' : (command.split(' ')[0] as string);
  // A machine with only Node runs what it can; the checks of the project have all three.
  const runnable = commands.filter((command) => isInstalled(program(command)));
  const { CI } = process.env;
  if (CI !== undefined) expect(runnable).toEqual(commands);
  const outputs: string[] = [];
  for (const command of runnable) outputs.push((await shell('bash', ['-c', command])).stdout);
  for (const [index, output] of outputs.entries()) {
    expect(output, runnable[index]).toMatch(/Welcome|^1 \d+|dots?$|Köln/m);
  }
  expect(running.stdout).toContain(`kill ${running.process.pid}\n`);
  running.signal('SIGINT');
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expect(readdirSync(join(folder, 'tmp'))).toEqual([]);
});

it('serves its messages as they were written', async () => {
  const running = await serve(['--demo', '--listen', '127.0.0.1:0'], { TMPDIR: temporaryFolder() });
  const [plain, tls] = running.endpoints;
  expect([plain?.kind, tls?.kind]).toEqual(['pop3', 'pop3s']);
  const client = await Client.open(tls?.port ?? 0, { tls: true });
  await client.logIn('demo', 'demo');
  const messages = demoMessages(new Date());
  expect(await client.say('STAT')).toMatch(new RegExp(`^\\+OK ${messages.length} `));
  for (const [index, message] of messages.entries()) {
    const lines = (await client.sayMultiline(`RETR ${index + 1}`)).slice(1);
    const body = lines.map((line) => line.replace(/^\./, ''));
    const withoutDate = (text: string) => text.replace(/^Date: .*$/m, '');
    expect(withoutDate(`${body.join('\n')}\n`)).toBe(withoutDate(message.toString('latin1')));
  }
});

it('ends with its terminal', async () => {
  const folder = temporaryFolder();
  const running = await serve(['--demo'], { TMPDIR: folder });
  running.signal('SIGHUP');
  expect(await running.ended).toMatchObject({ exitCode: 0 });
  expect(readdirSync(folder)).toEqual([]);
});

it('has messages of the kinds that break careless software', () => {
  const messages = demoMessages(new Date(0)).map(String);
  const all = messages.join('\n');
  expect(all).toMatch(/^\.$/m);
  expect(all).toMatch(/^\.\.$/m);
  expect(all).toContain('multipart/alternative');
  expect(all).toContain('filename="visitors.csv"');
  expect(all).toMatch(/横浜/);
  expect(all).toMatch(/^References: (?:<boat\d+@demo\.example>\s*){11}$/m);
  expect(new Set(messages.map((message) => /^Message-ID: (.*)$/m.exec(message)?.[1])).size).toBe(
    messages.length,
  );
});
