import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

function textOf(file: string): string {
  return readFileSync(new URL(file, import.meta.url), 'utf8');
}

it('README shows the snippet that is run here', async () => {
  expect(/```ts\n(.*?)```/s.exec(textOf('../README.md'))?.[1]).toBe(textOf('./readme-snippet.ts'));
  await import('./readme-snippet.js');
});
