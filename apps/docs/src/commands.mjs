import { posix } from 'node:path';
import { blocksOf, spansOf } from './markdown.mjs';

/** Blocks of these languages are commands, with their output where a line begins with `$ `. */
const SHELLS = new Set(['console', 'sh']);
const COMMAND = /^(npm|pnpm|pop3d?|node) /;
/** Our programs, with the sources that declare their commands and flags. */
const PROGRAMS = {
  pop3: ['apps/pop3/src/commands.ts'],
  pop3d: ['apps/pop3d/src/program.ts', 'apps/pop3d/src/config/schema.ts'],
};

/** What comes with npm and pnpm, and what a tool of the root package.json brings. */
const OF_NPM = new Set(['install', 'run', 'ci']);
const OF_PNPM = new Set(['install', 'run', 'exec']);
const TOOLS = { changeset: '@changesets/cli', 'size-limit': 'size-limit', turbo: 'turbo' };

/**
 * What the commands in these documents name is there: scripts, packages, programs, and commands and flags of ours.
 * Nothing is run.
 *
 * @param {import('./repository.mjs').Repository} repository
 * @param {readonly string[]} documents
 * @returns {import('./repository.mjs').Problem[]}
 */
export function checkCommands(repository, documents) {
  return documents.flatMap((file) =>
    commandsOf(repository.read(file)).flatMap(({ words, line }) => {
      const message = problemOf(repository, posix.dirname(file), words);
      return message === null ? [] : [{ file, line, message: `${words.join(' ')}: ${message}` }];
    }),
  );
}

/** @param {string} text */
function commandsOf(text) {
  const inBlocks = blocksOf(text)
    .filter(({ language }) => SHELLS.has(language))
    .flatMap(({ code, line }) => {
      const lines = code.split('\n').map((content, index) => ({ content, line: line + 1 + index }));
      const prompted = lines.filter(({ content }) => content.startsWith('$ '));
      return prompted.length === 0
        ? lines
        : prompted.map((one) => ({ ...one, content: one.content.slice(2) }));
    });
  return [...inBlocks, ...spansOf(text)]
    .filter(({ content }) => COMMAND.test(content))
    .map(({ content, line }) => ({ words: content.replace(/\s#.*/, '').trim().split(/\s+/), line }));
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} folder - of the document
 * @param {readonly string[]} words
 */
function problemOf(repository, folder, [program = '', ...words]) {
  switch (program) {
    case 'npm':
      return scriptProblem(repository, 'package.json', words, OF_NPM);
    case 'pnpm': {
      if (words[0] !== '--filter') return scriptProblem(repository, 'package.json', words, OF_PNPM);
      const manifest = manifestOf(repository, words[1] ?? '');
      return manifest === null
        ? `there is no package ${words[1]}`
        : scriptProblem(repository, manifest, words.slice(2), OF_PNPM);
    }
    case 'pop3':
    case 'pop3d':
      return ourProblem(repository, program, words);
    default:
      return programProblem(repository, folder, words);
  }
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} manifest
 * @param {readonly string[]} words
 * @param {ReadonlySet<string>} known
 */
function scriptProblem(repository, manifest, words, known) {
  const name = words[0] === 'run' ? words[1] : words[0];
  if (name === undefined || known.has(name)) return null;
  const { scripts = {}, devDependencies = {} } = JSON.parse(repository.read(manifest));
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[/** @type {keyof typeof TOOLS} */ (name)] : null;
  if (name in scripts || (tool !== null && tool in devDependencies)) return null;
  return `${manifest} has no script "${name}"`;
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} name
 */
function manifestOf(repository, name) {
  return (
    repository
      .matching(/^(packages|apps)\/[^/]+\/package\.json$/)
      .find((manifest) => JSON.parse(repository.read(manifest)).name === name) ?? null
  );
}

/**
 * The path of a program is that from the root, or from the folder of the document.
 *
 * @param {import('./repository.mjs').Repository} repository
 * @param {string} folder
 * @param {readonly string[]} words
 */
function programProblem(repository, folder, [file = '', ...words]) {
  for (const path of [posix.normalize(file), posix.join(folder, file)]) {
    const source = path.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
    if (source === 'apps/pop3/src/cli.ts') return ourProblem(repository, 'pop3', words);
    if (source === 'apps/pop3d/src/cli.ts') return ourProblem(repository, 'pop3d', words);
    if (repository.hasFile(path) || repository.hasFile(source)) return null;
  }
  return `git tracks neither ${file} nor a source of it`;
}

/**
 * @param {import('./repository.mjs').Repository} repository
 * @param {keyof typeof PROGRAMS} program
 * @param {readonly string[]} words
 */
function ourProblem(repository, program, words) {
  const source = PROGRAMS[program]
    .filter((file) => repository.hasFile(file))
    .map((file) => repository.read(file))
    .join('\n');
  const known = new Set(['--help', '--version']);
  for (const [, flag] of source.matchAll(/\bflag: '([a-z-]+)'/g)) known.add(`--${flag}`);
  for (const [, flag] of source.matchAll(/\.option\(\s*'(?:-[a-z], )?(--[a-z-]+)/g)) {
    if (flag !== undefined) known.add(flag);
  }
  const commands = new Set(Array.from(source.matchAll(/\.command\('([a-z]+)/g), (match) => match[1]));
  const [command = ''] = words;
  if (/^[a-z]/.test(command) && !commands.has(command)) return `${program} has no command "${command}"`;
  const unknown = words
    .map((word) => word.replace(/[=[\]].*/, ''))
    .find((word) => /^--/.test(word) && !known.has(word));
  return unknown === undefined ? null : `${program} has no flag ${unknown}`;
}
