import { codeSpansOf, rowsOf } from './markdown.mjs';
import { hasCase } from './rfc-map.mjs';

const COLUMNS = ['quirk', 'what the client does', 'seen at', 'test'];
const TESTS = 'packages/client-node/test';

/**
 * Every row of the list of quirks says what it is, what the client does, and which tests show that: `quirks-capa: CAPA is
 * refused` is a case of `quirks-capa.test.ts` whose name begins so.
 *
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} page - path of the list
 * @returns {import('./repository.mjs').Problem[]}
 */
export function checkQuirks(repository, page) {
  if (!repository.hasFile(page)) return [{ file: page, line: 1, message: 'git tracks no such file' }];
  const rows = rowsOf(repository.read(page), COLUMNS);
  if (rows.length === 0)
    return [{ file: page, line: 1, message: `no table with the columns ${COLUMNS.join(', ')}` }];
  return rows.flatMap(({ line, cells }) =>
    rowProblems(repository, cells).map((message) => ({ file: page, line, message })),
  );
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {readonly string[]} cells
 */
function rowProblems(repository, cells) {
  if (cells.length !== COLUMNS.length)
    return [`${cells.length} cells, expected ${COLUMNS.length}: ${COLUMNS.join(', ')}`];
  const [quirk = '', reaction = '', , test = ''] = cells;
  const problems = [];
  if (quirk === '') problems.push('no quirk');
  if (reaction === '') problems.push(`${quirk}: nothing that the client does`);
  const tests = codeSpansOf(test);
  if (tests.length === 0) problems.push(`${quirk}: no test`);
  for (const named of tests) {
    const [name = '', begin = ''] = named.split(/: (.*)/, 2);
    const file = `${TESTS}/${name}.test.ts`;
    if (!repository.hasFile(file)) problems.push(`${quirk}: git tracks no ${file}`);
    else if (begin === '' || !hasCase(repository.read(file), begin))
      problems.push(`${quirk}: ${file} has no case "${begin}"`);
  }
  return problems;
}
