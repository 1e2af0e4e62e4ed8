import { fileURLToPath } from 'node:url';
import { describe, it, vi } from 'vitest';
import { Repository } from '../src/repository.mjs';
import { snippetsOf } from '../src/snippets.mjs';
import { runSnippet } from './run-snippet.js';

const DOCUMENTS = /^(README\.md|packages\/[^/]+\/README\.md|apps\/docs\/[^/]+\.md)$/;

// A snippet that defines tests of its own defines them here.
vi.mock('node:test', async () => {
  const { describe, it } = await import('vitest');
  return { describe, it };
});
const DEFINES_TESTS = /from '(node:test|vitest)'/;

const repository = Repository.tracked(fileURLToPath(new URL('../../..', import.meta.url)));
const snippets = snippetsOf(repository, repository.matching(DOCUMENTS)).filter(({ fragment }) => !fragment);

describe('snippets', () => {
  for (const snippet of snippets) {
    const name = `${snippet.file}:${snippet.line} runs`;
    if (DEFINES_TESTS.test(snippet.code)) describe(name, () => runSnippet(snippet));
    else it(name, () => runSnippet(snippet));
  }
});
