import { codeSpansOf, rowsOf } from './markdown.mjs';

const MAPPED = ['requirement', 'RFC section', 'rule', 'file', 'test'];
const LEFT_OUT = ['requirement', 'rule', 'why'];

/** `RFC1939-5.STAT.1`, `STLS-INJ.3`, `RFC1957-1`, `SASLPREP.2`: a document, then its section or a name, then a running number. */
const REQUIREMENT = /^[A-Z][A-Z0-9]*(?:-[A-Z0-9]+)*[-.][A-Z0-9]+(?:\.[A-Z0-9]+)*$/;
const SECTION = /^RFC (\d{3,4})(?: §([0-9A-Z]+(?:\.\d+)*))?$/;
const TEST_FILE = /\.test\.ts$|\.transcript$|\/cases\//;

/**
 * Every row of the map names one requirement, which no other row names; its section; source files that exist; and
 * tests that exist. A test is a file, or a file and how the name of one of its cases begins.
 *
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} map - path of the map
 * @returns {import('./repository.mjs').Problem[]}
 */
export function checkRfcMap(repository, map) {
  if (!repository.hasFile(map)) return [{ file: map, line: 1, message: 'git tracks no such file' }];
  const text = repository.read(map);
  const mapped = rowsOf(text, MAPPED);
  const leftOut = rowsOf(text, LEFT_OUT);
  /** @type {Map<string, number>} */
  const lines = new Map();
  /** @type {import('./repository.mjs').Problem[]} */
  const problems = [];

  for (const { line, cells } of [...mapped, ...leftOut].sort((one, another) => one.line - another.line)) {
    const report = (/** @type {string} */ message) => problems.push({ file: map, line, message });
    const columns = mapped.some((row) => row.line === line) ? MAPPED : LEFT_OUT;
    if (cells.length !== columns.length) {
      report(`${cells.length} cells, expected ${columns.length}: ${columns.join(', ')}`);
      continue;
    }
    // What is left out shares its reason with others; what is met has a test of its own.
    const ids = columns === LEFT_OUT ? (cells[0] ?? '').split(', ') : [cells[0] ?? ''];
    for (const id of ids) {
      if (!REQUIREMENT.test(id)) report(`"${id}" is no requirement id`);
      const before = lines.get(id);
      if (before !== undefined) report(`${id} was named in line ${before} already`);
      lines.set(id, line);
    }
    const id = ids[0] ?? '';
    for (const [index, cell] of cells.entries()) if (cell === '') report(`${id}: no ${columns[index]}`);
    if (columns === LEFT_OUT) continue;
    const [, section = '', , file = '', test = ''] = cells;
    for (const message of sectionProblems(id, section)) report(message);
    for (const message of fileProblems(repository, id, file)) report(message);
    for (const message of testProblems(repository, id, test)) report(message);
  }
  if (mapped.length === 0) {
    problems.push({ file: map, line: 1, message: `no table with the columns ${MAPPED.join(', ')}` });
  }
  return problems;
}

/**
 * @param {string} id
 * @param {string} cell
 */
function sectionProblems(id, cell) {
  const [, document, section] = /^RFC(\d+)-(?:(\d+)\.)?/.exec(id) ?? [];
  if (document === undefined && cell === '-') return [];
  const [named, namedDocument, namedSection = ''] = SECTION.exec(cell) ?? [];
  if (named === undefined)
    return [`${id}: "${cell}" is no section; write "RFC 1939 §5", or "-" where there is no RFC`];
  if (document === undefined) return [];
  const fits =
    namedDocument === document &&
    (section === undefined || namedSection === section || namedSection.startsWith(`${section}.`));
  return fits ? [] : [`${id} is not of ${cell}`];
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} id
 * @param {string} cell
 */
function fileProblems(repository, id, cell) {
  const files = codeSpansOf(cell);
  if (files.length === 0) return [`${id}: no file`];
  return files.filter((file) => !repository.hasFile(file)).map((file) => `${id}: git tracks no ${file}`);
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} id
 * @param {string} cell
 */
function testProblems(repository, id, cell) {
  const tests = codeSpansOf(cell);
  if (tests.length === 0) return [`${id}: no test`];
  return tests.flatMap((test) => {
    const [file = '', name] = test.split(/: (.*)/, 2);
    if (!repository.hasFile(file)) return [`${id}: git tracks no ${file}`];
    if (!TEST_FILE.test(file)) return [`${id}: ${file} is no test`];
    if (name === undefined) return [];
    return hasCase(repository.read(file), name) ? [] : [`${id}: ${file} has no case "${name}"`];
  });
}

/**
 * Whether a string in this source begins with these words: names are often completed by a template.
 *
 * @param {string} source
 * @param {string} name
 */
export function hasCase(source, name) {
  return ["'", '"', '`'].some((quote) => source.includes(quote + name.replaceAll(quote, `\\${quote}`)));
}
