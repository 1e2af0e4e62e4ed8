import { textOf } from '../octets.js';
import { encodeUtf8 } from '../text.js';

// A server may repeat what it was told: `-ERR unknown command: PASS tiger`. What it says is shown to people and kept in
// logs, so a secret in it is hidden, also in base64, as SASL sends it, and where the server has cut it off.

const HIDDEN = '***';

/** Shorter secrets are parts of other words, too: they are hidden where they are words of their own. */
const LEAST_PART = 4;
/** A longer secret is known by so many characters at its start, however early the server has cut it off. */
const MARK = 12;

/** Base64 of both alphabets. */
const ENCODED = /[\w+/-]{4,}={0,2}/g;

/** What a server said, without these. Upper and lower case count as the same. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  const marks = secrets.filter((secret) => secret !== '').map(markOf);
  if (marks.length === 0) return text;
  let shown = text.replace(ENCODED, (word) => (marks.some((mark) => encodes(word, mark)) ? HIDDEN : word));
  for (const secret of secrets) {
    if (secret === '') continue;
    // A line that is not UTF-8 is read as ISO 8859-1, and so is what it repeats.
    for (const form of [secret, asLatin1(secret)]) {
      shown = shown.replace(patternOf(form), HIDDEN);
    }
  }
  return shown;
}

function markOf(secret: string): string {
  return [...secret].slice(0, MARK).join('');
}

/** The response of a mechanism may begin anywhere in a word: three more octets are one more group. */
function encodes(word: string, mark: string): boolean {
  const wanted = asLatin1(mark);
  return [0, 1, 2, 3].some((start) => {
    const text = decoded(word.slice(start));
    return wanted.length >= LEAST_PART ? text.includes(wanted) : text.split('\0').includes(wanted);
  });
}

/** Base64 of either alphabet, however it was cut off; one character for each octet. */
function decoded(word: string): string {
  const digits = word.replace(/=+$/, '').replaceAll('-', '+').replaceAll('_', '/');
  return atob(digits.length % 4 === 1 ? digits.slice(0, -1) : digits);
}

function asLatin1(text: string): string {
  return textOf(encodeUtf8(text));
}

function patternOf(secret: string): RegExp {
  const literal = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
  if (secret.length < LEAST_PART) {
    return new RegExp(`(?<![\\p{L}\\p{N}])${literal(secret)}(?![\\p{L}\\p{N}])`, 'giu');
  }
  const mark = markOf(secret);
  const cut = mark === secret ? '' : `|${literal(mark)}\\S*`;
  return new RegExp(`${literal(secret)}${cut}`, 'giu');
}
