import { expect, it } from 'vitest';
import { optionTexts } from '../src/option-texts.js';

const FLAGS = ['users', 'listen-tls', 'allow-plaintext-auth'];

it.each<[string[], object]>([
  [['serve', '--users', '007'], { users: ['007'] }],
  [['--users=1e3', '--users', 'a=b'], { users: ['1e3', 'a=b'] }],
  [['--listenTls', '[::1]:995', '--listen-tls=X:1'], { 'listen-tls': ['[::1]:995', 'X:1'] }],
  [['--allow-plaintext-auth', 'serve'], { 'allow-plaintext-auth': [true] }],
  [['--allow-plaintext-auth=no'], { 'allow-plaintext-auth': ['no'] }],
  [['--no-allow-plaintext-auth'], { 'allow-plaintext-auth': [false] }],
  [['--demo', '--config', 'x'], {}],
])('reads %j', (args, texts) => {
  expect(optionTexts(args, FLAGS)).toEqual(texts);
});
