import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EXIT, MEANINGS } from '../src/failure.js';

const readme = readFileSync(join(import.meta.dirname, '../README.md'), 'utf8');

it('the README has every exit code', () => {
  const rows = Object.entries(EXIT).map(
    ([name, code]) => `| ${code} | ${MEANINGS[name as keyof typeof EXIT]} |`,
  );
  expect(readme).toContain(`| code | |\n|--:|---|\n${rows.join('\n')}\n`);
});
