import { expect, it, vi } from 'vitest';
import { runSnippet } from './run-snippet.js';

vi.mock('node:test', () => import('./node-test.js'));

function run(...lines: string[]): Promise<void> {
  return runSnippet({ file: 'page.md', line: 10, code: lines.join('\n'), fragment: false });
}

it('runs a snippet against the sources of the packages', async () => {
  await run(
    "import { wireOctetsOf } from '@pop3/core';",
    'console.log(wireOctetsOf(new Uint8Array(3)), "octets"); // 5 octets',
    "console.log('more');",
    'console.log(await Promise.resolve({ type: "accepted" })); // { type: \'accepted\' }',
  );
});

it('names the line of the document where a snippet throws', async () => {
  const thrown = run('', 'function one(): never {', "  throw new Error('broken');", '}', 'one();');
  await expect(thrown).rejects.toThrow(/^page\.md:13: broken$/);
});

it('names the line of the document where code of a package throws', async () => {
  const thrown = run(
    "import { Pop3Error, parseCommand } from '@pop3/core';",
    '',
    'parseCommand(null as never);',
  );
  await expect(thrown).rejects.toThrow(/^page\.md:13: /);
});

it('names the block when it cannot be loaded', async () => {
  await expect(run("import 'no-such-package';")).rejects.toThrow(/^page\.md:1[01]: .*no-such-package/);
});

it('reports a promised line that was not printed', async () => {
  const missing = run('console.log(1 + 1); // 3');
  await expect(missing).rejects.toThrow(`page.md:11: did not print "3", but [ '2' ]`);
});

it('reports promised lines that were printed in another order', async () => {
  const swapped = run('queueMicrotask(() => {', '  console.log(1); // 1', '});', 'console.log(2); // 2');
  await expect(swapped).rejects.toThrow('page.md:14: did not print "2"');
});

it('reports a server that is left behind', async () => {
  const left = run(
    "import { createServer } from 'node:net';",
    'const server = createServer().listen(0);',
    'queueMicrotask(() => setTimeout(() => server.close(), 50));',
  );
  await expect(left).rejects.toThrow('page.md:10: leaves a server behind');
});

it('accepts a server that is closed at the end', async () => {
  await run("import { createServer } from 'node:net';", 'createServer().listen(0).close();');
});

it('runs the cases that a snippet defines', async () => {
  const define = ["import { describe, it } from 'node:test';", "describe('sums', () => {"];
  await run(...define, "  it('adds', async () => {});", '});');
  const broken = run(...define, "  it('adds', async () => Promise.reject(new Error('3')));", '});');
  await expect(broken).rejects.toThrow(/^page\.md:10: adds: 3$/);
});
