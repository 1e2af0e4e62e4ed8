import { readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const source = new URL('../src/', import.meta.url);
/** What the compiler and the linter cannot forbid: these are words of the language, or parts of what is allowed. */
const FORBIDDEN = /\basync\b|\bawait\b|Math\.random|\bglobalThis\b|from 'node:/;

it('has no promise, no randomness and no runtime of its own outside the driver', () => {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  const pure = files.filter((file) => file.endsWith('.ts') && !file.startsWith('driver'));
  expect(pure.length).toBeGreaterThan(30);
  for (const file of pure) {
    const code = readFileSync(new URL(file, source), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
    expect(FORBIDDEN.exec(code)?.[0], file).toBeUndefined();
  }
});
