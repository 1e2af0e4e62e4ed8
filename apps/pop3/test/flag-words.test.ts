import { expect, it } from 'vitest';
import { inFlagWords } from '../src/flag-words.js';

it.each([
  ["one such as 110 takes tls: 'starttls'", 'one such as 110 takes --tls starttls'],
  [
    "Set tls to 'implicit' or 'starttls', or allow it by allowPlaintext.",
    'Set --tls to implicit or starttls, or allow it by --allow-plaintext.',
  ],
  ['give the authority in trust.ca, or trust.fingerprint256', 'give the authority in --ca, or --fingerprint'],
  ['timeouts.silenceMs can be raised.', '--timeout can be raised.'],
  ['auth.mechanism can name another', '--mechanism can name another'],
])('says "%s" in flags', (text, expected) => {
  expect(inFlagWords(text)).toBe(expected);
});
