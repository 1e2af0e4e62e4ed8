import { blocksOf } from './markdown.mjs';

/**
 * A `ts` block of a document.
 *
 * @typedef {{ readonly file: string, readonly line: number, readonly code: string, readonly fragment: boolean }} Snippet
 *   `line` is that of the opening fence. A fragment is shown for its looks: neither checked nor run.
 */

/** Other names of the language would slip past the checks. */
const OTHER_NAMES = new Set(['typescript', 'tsx', 'js', 'jsx', 'javascript', 'mjs', 'mts']);

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {readonly string[]} documents
 * @returns {Snippet[]}
 */
export function snippetsOf(repository, documents) {
  return documents.flatMap((file) =>
    blocksOf(repository.read(file))
      .filter(({ language }) => language === 'ts')
      .map(({ line, code, marks }) => ({ file, line, code, fragment: marks.includes('fragment') })),
  );
}

/**
 * Blocks whose first line would keep them from being checked.
 *
 * @param {import('./repository.mjs').Repository} repository
 * @param {readonly string[]} documents
 * @returns {import('./repository.mjs').Problem[]}
 */
export function checkFences(repository, documents) {
  return documents.flatMap((file) =>
    blocksOf(repository.read(file)).flatMap(({ language, marks, line }) => {
      if (OTHER_NAMES.has(language.toLowerCase())) {
        return [
          { file, line, message: `write "ts", not "${language}": only those blocks are checked and run` },
        ];
      }
      const unknown = language === 'ts' ? marks.filter((mark) => mark !== 'fragment') : [];
      return unknown.map((mark) => ({
        file,
        line,
        message: `unknown mark "${mark}"; there is only "fragment"`,
      }));
    }),
  );
}

/**
 * The snippet as a module whose line numbers are those of the document.
 *
 * @param {Snippet} snippet
 */
export function moduleOf({ line, code }) {
  return '\n'.repeat(line) + code;
}
