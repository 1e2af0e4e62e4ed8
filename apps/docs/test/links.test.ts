import { expect, it } from 'vitest';
import { checkLinks } from '../src/links.mjs';
import { repositoryOf } from './temporary-repository.js';

const OTHER = '# Other page\n\n## Part two\n';

function problemsOf(text: string): string[] {
  const repository = repositoryOf({
    'docs/page.md': text,
    'docs/other.md': OTHER,
    'src/a file.ts': '',
    'README.md': '',
  });
  return checkLinks(repository, ['docs/page.md']).map(
    ({ file, line, message }) => `${file}:${line}: ${message}`,
  );
}

it('accepts links to files, folders, headings and other places', () => {
  const targets = [
    'other.md',
    './other.md#part-two',
    '#own',
    '../README.md',
    '../src',
    '../src/',
    '..',
    '../src/a%20file.ts',
    'https://example.org/none',
    'mailto:ann@example.org',
  ];
  expect(problemsOf(`# Own\n${targets.map((target) => `[x](${target})`).join('\n')}`)).toEqual([]);
});

it.each([
  ['missing.md', 'missing.md: git tracks no such file'],
  ['Other.md', 'Other.md: git tracks no such file'],
  ['other.md#part-three', 'other.md#part-three: no such heading in docs/other.md'],
  ['#none', '#none: no such heading in docs/page.md'],
  ['/README.md', '/README.md: write links relative to this file'],
  ['../../etc/passwd', '../../etc/passwd: leads out of the repository'],
  ['../src/a%20file.ts#L1', '../src/a%20file.ts#L1: only headings of Markdown files can be named'],
  ['', 'link without a target'],
])('reports a link to "%s"', (target, message) => {
  expect(problemsOf(`first line\n[x](${target})`)).toEqual([`docs/page.md:2: ${message}`]);
});
