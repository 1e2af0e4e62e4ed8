import { fileURLToPath } from 'node:url';
import { describe, it, vi } from 'vitest';
import { Repository } from '../src/repository.mjs';
import { snippetsOf } from '../src/snippets.mjs';
import { runSnippet } from './run-snippet.js';

vi.mock('node:test', () => import('./node-test.js'));

// That of client-node needs a server for its client, and is run there.
const DOCUMENTS = /^(README\.md|packages\/(?!client-node\/)[^/]+\/README\.md|apps\/docs\/[^/]+\.md)$/;
/** A snippet may be a whole conformance test. */
const TIMEOUT_MS = 120_000;

const repository = Repository.tracked(fileURLToPath(new URL('../../..', import.meta.url)));
const snippets = snippetsOf(repository, repository.matching(DOCUMENTS)).filter(({ fragment }) => !fragment);

describe('snippets', () => {
  for (const snippet of snippets) {
    it(`${snippet.file}:${snippet.line} runs`, () => runSnippet(snippet), TIMEOUT_MS);
  }
});
