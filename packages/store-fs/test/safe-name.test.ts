import { describe, expect, it } from 'vitest';
import { safeName } from '../src/index.js';

describe('safeName', () => {
  it.each([
    'ann',
    'Ann.B',
    'ann@example.org',
    'ann+lists@mail.example.org',
    'ann=b_c-d',
    '-rf',
    '~',
    'ann lee',
    '%2e%2e%2f',
    'm\u00fcller',
    '\u674e\u5c0f\u9f99',
    '\u0438\u0432\u0430\u043d@\u043f\u043e\u0447\u0442\u0430.\u0440\u0444',
    'a'.repeat(255),
    '__proto__',
  ])('takes %j', (name) => {
    expect(safeName(name)).toBe(true);
  });

  it.each([
    ['nothing', ''],
    ['the directory itself', '.'],
    ['the directory above', '..'],
    ['a hidden name', '.ssh'],
    ['a dot at the end', 'ann.'],
    ['a slash', 'ann/new'],
    ['a path', '../bob'],
    ['an absolute path', '/etc/passwd'],
    ['a backslash', 'ann\\new'],
    ['a stream of a file', 'ann:x'],
    ['NUL', 'ann\0'],
    ['a line end', 'ann\n'],
    ['a control character', 'ann\x7f'],
    ['a C1 control character', 'ann\x85'],
    ['a space before', ' ann'],
    ['a space behind', 'ann '],
    ['a no-break space', 'ann\u00a0lee'],
    ['an ideographic space', 'ann\u3000lee'],
    ['a line separator', 'ann\u2028lee'],
    ['a zero width space', 'an\u200bn'],
    ['a soft hyphen', 'an\u00adn'],
    ['a right-to-left override', 'an\u202en'],
    ['a byte order mark', '\ufeffann'],
    ['a character that is not assigned', 'ann\u0378'],
    ['a private character', 'ann\ue000'],
    ['half a surrogate pair', 'ann\ud800'],
    ['a fullwidth slash', 'ann\uff0fnew'],
    ['a fullwidth backslash', 'ann\uff3cnew'],
    ['a division slash', 'ann\u2215new'],
    ['a fraction slash', 'ann\u2044new'],
    ['a set minus', 'ann\u2216new'],
    ['a big solidus', 'ann\u29f8new'],
    ['one dot leaders', '\u2024\u2024'],
    ['a two dot leader', '\u2025'],
    ['an ellipsis', 'ann\u2026'],
    ['a fullwidth dot', '\uff0e\uff0e'],
    ['a small dot', '\ufe52\ufe52'],
    ['a ligature', '\ufb01nn'],
    ['a decomposed letter', 'u\u0308'],
    ['an Angstrom sign', '\u212b'],
    ['256 octets', 'a'.repeat(256)],
    ['256 octets of fewer characters', '\u00fc'.repeat(128)],
  ])('refuses %s', (_, name) => {
    expect(safeName(name)).toBe(false);
  });

  it('answers at once whatever the length', () => {
    expect(safeName('a.'.repeat(1_000_000))).toBe(false);
  });
});
