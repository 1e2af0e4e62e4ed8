import { readFileSync } from 'node:fs';
import { describe, expect, it, vi } from 'vitest';

// The snippet of the kit runs on node:test. Here it hands its cases to this runner.
vi.mock('node:test', async () => {
  const { describe, it } = await import('vitest');
  return { describe, it };
});
await import('./kit-readme-snippet.js');

// The kit has no store to show; its snippet uses this one.
const SNIPPETS = [
  ['../README.md', './readme-snippet.ts'],
  ['../../store-conformance/README.md', './kit-readme-snippet.ts'],
] as const;

describe('README', () => {
  it.each(SNIPPETS)('%s shows %s as it is run here', (readme, snippet) => {
    const shown = /```ts\n(.*?)```/s.exec(textOf(readme))?.[1];
    expect(shown).toBe(textOf(snippet));
  });

  it('has a snippet that runs', async () => {
    await import('./readme-snippet.js');
  });
});

function textOf(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}
