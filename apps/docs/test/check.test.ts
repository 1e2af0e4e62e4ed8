import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './temporary-repository.js';

const CHECK = fileURLToPath(new URL('../check.mjs', import.meta.url));
const MAP = '| requirement | RFC section | rule | file | test |\n|---|---|---|---|---|\n';
const ROW = '| RFC1939-3.1 | RFC 1939 §3 | greets | `a.ts` | `a.test.ts` |\n';
const QUIRKS =
  '| quirk | what the client does | seen at | test |\n|---|---|---|---|\n| a | b | c | `quirks: a` |\n';

function check(files: Readonly<Record<string, string>>): {
  status: number | null;
  stdout: string;
  stderr: string;
} {
  const root = temporaryFolder(files);
  execFileSync('git', ['init', '--quiet', root]);
  execFileSync('git', ['add', '.'], { cwd: root });
  return spawnSync(process.execPath, [CHECK, root], { encoding: 'utf8' });
}

it('exits 0 when all is well', () => {
  const outcome = check({
    'README.md': '[map](apps/docs/rfc-map.md)\n```ts\nconst one: number = 1;\n```\n',
    'apps/docs/rfc-map.md': MAP + ROW,
    'apps/docs/quirks.md': QUIRKS,
    'packages/client-node/test/quirks.test.ts': "it('a', () => {});",
    'a.ts': '',
    'a.test.ts': '',
  });
  expect(outcome).toMatchObject({ status: 0, stderr: '' });
});

it('exits 1 and names file and line of every problem', () => {
  const outcome = check({
    'README.md': '[map](map.md)\n```ts\nconst one: number = "1";\n```\n```js\n```\n',
    'packages/a/README.md': '```ts\none;\n```\n',
    'packages/a/notes.md': '[x](y)\n```ts\n(\n```\n',
    'apps/docs/rfc-map.md': MAP + ROW,
    'apps/docs/quirks.md': QUIRKS,
    'a.ts': '',
  });
  expect(outcome.status).toBe(1);
  expect(outcome.stderr.trimEnd().split('\n')).toEqual([
    'README.md:1: map.md: git tracks no such file',
    "README.md:3: Type 'string' is not assignable to type 'number'.",
    expect.stringMatching(/^README\.md:5: write "ts", not "js"/),
    'apps/docs/quirks.md:3: a: git tracks no packages/client-node/test/quirks.test.ts',
    'apps/docs/rfc-map.md:3: RFC1939-3.1: git tracks no a.test.ts',
    "packages/a/README.md:2: Cannot find name 'one'.",
    'packages/a/notes.md:1: y: git tracks no such file',
  ]);
});
