import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { checkFences, snippetsOf } from '../src/snippets.mjs';
import { checkTypes } from '../src/types.mjs';
import { repositoryOf } from './temporary-repository.js';

const TSCONFIG = fileURLToPath(new URL('../tsconfig.json', import.meta.url));

const PAGE = `# Page

\`\`\`ts
import { wireOctetsOf } from '@pop3/core';
const shared = wireOctetsOf(new Uint8Array());
export { shared };
\`\`\`

\`\`\`ts
console.log(shared);
\`\`\`

\`\`\`ts
import { noSuchThing } from '@pop3/core';
import './beside.js';

wireOctetsOf('text'
\`\`\`

\`\`\`ts fragment
whatever(
\`\`\`
`;

it('reports what does not type-check, at its line in the document', () => {
  const repository = repositoryOf({ 'page.md': PAGE });
  const problems = checkTypes(TSCONFIG, snippetsOf(repository, ['page.md']));
  expect(problems.map(({ file, line, message }) => `${file}:${line}: ${message}`)).toEqual([
    "page.md:10: Cannot find name 'shared'.",
    "page.md:18: ')' expected.",
    expect.stringMatching(/^page\.md:14: .*no exported member 'noSuchThing'/),
    expect.stringMatching(/^page\.md:15: .*'\.\/beside\.js'/),
    "page.md:17: Cannot find name 'wireOctetsOf'.",
  ]);
});

it('reports fences that would slip past the checks', () => {
  const repository = repositoryOf({ 'page.md': '```typescript\n```\n```ts fragmnt\n```\n```sh\n```\n' });
  expect(checkFences(repository, ['page.md'])).toEqual([
    {
      file: 'page.md',
      line: 1,
      message: 'write "ts", not "typescript": only those blocks are checked and run',
    },
    { file: 'page.md', line: 3, message: 'unknown mark "fragmnt"; there is only "fragment"' },
  ]);
});
