import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';
import { expect, it, onTestFinished, vi } from 'vitest';
import { readmeWorld } from './readme-world.js';

const FOLDER = fileURLToPath(new URL('.tmp/', import.meta.url));
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const snippets = [...readme.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ''], n) => ({
  n,
  code,
  about: /^(?:const|async function) .*$/m.exec(code)?.[0] ?? code.split('\n').at(-2),
}));

it.each(snippets)('README snippet $n prints what its comments say: $about', async ({ n, code }) => {
  const world = await readmeWorld();
  const before = process.cwd();
  process.chdir(world.folder);
  const print = vi.spyOn(console, 'log').mockImplementation(() => {});
  onTestFinished(async () => {
    print.mockRestore();
    process.chdir(before);
    await world.close();
    rmSync(FOLDER, { recursive: true, force: true });
  });
  mkdirSync(FOLDER, { recursive: true });
  const file = `${FOLDER}snippet-${process.pid}-${n}.ts`;
  writeFileSync(
    file,
    code
      .replace("'@pop3/client-node'", "'../readme-world.js'")
      .replace("host: 'proxy.example.org', port: 8080", `host: '127.0.0.1', port: ${world.proxyPort}`),
  );
  await import(/* @vite-ignore */ file);
  const printed = print.mock.calls.map(([text, ...values]) => format(text, ...values));
  for (const [, promised] of code.matchAll(/console\.log\(.*\); \/\/ (.*)/g))
    expect(printed).toContain(promised);
});
