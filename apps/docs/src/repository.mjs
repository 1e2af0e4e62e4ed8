import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Files as a clone has them. Paths are relative to the root, with `/`.
 *
 * @typedef {{ readonly file: string, readonly line: number, readonly message: string }} Problem
 */
export class Repository {
  /** @type {string} */
  #root;
  /** @type {Set<string>} */
  #files;
  /** @type {Set<string>} */
  #folders = new Set(['']);

  /**
   * @param {string} root
   * @param {Iterable<string>} files
   */
  constructor(root, files) {
    this.#root = root;
    this.#files = new Set(files);
    for (const file of this.#files) {
      for (let end = file.lastIndexOf('/'); end > 0; end = file.lastIndexOf('/', end - 1)) {
        this.#folders.add(file.slice(0, end));
      }
    }
  }

  /**
   * The files that git tracks: what is only on this disk does not count.
   *
   * @param {string} root
   */
  static tracked(root) {
    const listed = execFileSync('git', ['ls-files', '-z'], {
      cwd: root,
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    return new Repository(root, listed.split('\0').filter(Boolean));
  }

  /** @param {RegExp} pattern */
  matching(pattern) {
    return [...this.#files].filter((file) => pattern.test(file)).sort();
  }

  /** @param {string} path */
  hasFile(path) {
    return this.#files.has(path);
  }

  /** @param {string} path */
  hasFolder(path) {
    return this.#folders.has(path);
  }

  /** @param {string} file */
  read(file) {
    return readFileSync(join(this.#root, file), 'utf8');
  }
}
