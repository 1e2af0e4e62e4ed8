import { posix } from 'node:path';
import { anchorsOf, linksOf } from './markdown.mjs';

/**
 * Every relative link of these documents leads to a file or folder of the repository, and to a heading if it names one.
 * Links to other places are not looked at: a check must not need the network.
 *
 * @param {import('./repository.mjs').Repository} repository
 * @param {readonly string[]} documents
 * @returns {import('./repository.mjs').Problem[]}
 */
export function checkLinks(repository, documents) {
  return documents.flatMap((file) =>
    linksOf(repository.read(file)).flatMap(({ target, line }) => {
      const message = problemOf(repository, file, target);
      return message === null ? [] : [{ file, line, message }];
    }),
  );
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} document
 * @param {string} target
 */
function problemOf(repository, document, target) {
  if (/^[a-z][a-z0-9+.-]*:|^\/\//i.test(target)) return null;
  if (target === '') return 'link without a target';
  if (target.startsWith('/')) return `${target}: write links relative to this file`;
  const [path = '', anchor] = decodeURI(target).split('#', 2);
  const place = path === '' ? document : posix.join(posix.dirname(document), path).replace(/\/$/, '');
  if (place === '..' || place.startsWith('../')) return `${target}: leads out of the repository`;
  const folder = place === '.' ? '' : place;
  if (!repository.hasFile(place) && !repository.hasFolder(folder))
    return `${target}: git tracks no such file`;
  if (anchor === undefined) return null;
  if (!place.endsWith('.md')) return `${target}: only headings of Markdown files can be named`;
  return anchorsOf(repository.read(place)).has(anchor) ? null : `${target}: no such heading in ${place}`;
}
