import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it, vi } from 'vitest';
import { temporaryFolder } from './temporary-folder.js';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const snippets = [...readme.matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1] as string);

it.each(snippets)('README snippet %# prints what its comments say', async (snippet) => {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'node_modules/@pop3'), { recursive: true });
  symlinkSync(resolve(import.meta.dirname, '..'), join(folder, 'node_modules/@pop3/auth-node'));
  const file = join(folder, 'snippet.ts');
  writeFileSync(file, snippet);
  const print = vi.spyOn(console, 'log').mockImplementation(() => {});
  await import(file);
  const printed = print.mock.calls.map(([text]) => String(text));
  print.mockRestore();
  const promised = [...snippet.matchAll(/console\.log\(.*\); \/\/ (.*)/g)].map((match) => match[1]);
  expect(promised.length).toBeGreaterThan(0);
  expect(printed).toEqual(promised);
});
