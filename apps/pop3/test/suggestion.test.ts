import { expect, it } from 'vitest';
import { suggestionFor } from '../src/suggestion.js';

const KNOWN = ['listen', 'listen_tls', 'tls_cert', 'tls_key', 'workers', 'max_connections'];

it.each([
  ['listn', 'listen'],
  ['lisetn', 'listen'],
  ['listen-tls', 'listen_tls'],
  ['Listen_TLS', 'listen_tls'],
  ['tls_certificate', null],
  ['tls_cret', 'tls_cert'],
  ['worker', 'workers'],
  ['maxconnections', 'max_connections'],
  ['colour', null],
  ['', null],
])('takes %j for %j', (word, suggestion) => {
  expect(suggestionFor(word, KNOWN)).toBe(suggestion);
});
