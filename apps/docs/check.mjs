// node check.mjs [ROOT]: checks the documents of the repository, or of the one at ROOT: links, commands, the
// rfc-map, the quirks, and the types of every snippet. Exits 1 with one line `file:line: message` for each problem.
import { fileURLToPath } from 'node:url';
import { checkCommands } from './src/commands.mjs';
import { checkLinks } from './src/links.mjs';
import { checkQuirks } from './src/quirks.mjs';
import { Repository } from './src/repository.mjs';
import { checkRfcMap } from './src/rfc-map.mjs';
import { checkFences, snippetsOf } from './src/snippets.mjs';
import { checkTypes } from './src/types.mjs';

const WITH_SNIPPETS = /^(README\.md|(packages|apps)\/[^/]+\/README\.md|apps\/docs\/[^/]+\.md)$/;

const root = process.argv[2] ?? fileURLToPath(new URL('../..', import.meta.url));
const repository = Repository.tracked(root);
const documents = repository.matching(/\.md$/);
const withSnippets = documents.filter((file) => WITH_SNIPPETS.test(file));
const snippets = snippetsOf(repository, withSnippets);

const problems = [
  ...checkLinks(repository, documents),
  ...checkCommands(repository, documents),
  ...checkRfcMap(repository, 'apps/docs/rfc-map.md'),
  ...checkQuirks(repository, 'apps/docs/quirks.md'),
  ...checkFences(repository, withSnippets),
  ...checkTypes(fileURLToPath(new URL('tsconfig.json', import.meta.url)), snippets),
];
problems.sort((one, another) => compare(one.file, another.file) || one.line - another.line);
for (const { file, line, message } of problems) console.error(`${file}:${line}: ${message}`);
console.log(`${documents.length} documents, ${snippets.length} snippets, ${problems.length} problems`);
process.exitCode = problems.length === 0 ? 0 : 1;

/**
 * @param {string} one
 * @param {string} another
 */
function compare(one, another) {
  return one < another ? -1 : one > another ? 1 : 0;
}
