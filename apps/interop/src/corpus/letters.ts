import type { Random } from '../random.js';
import { type Draft, draft, header, letter } from './draft.js';

/** Mail as people get it. */
export function ordinary(): Draft[] {
  const multipart = [
    'MIME-Version: 1.0',
    'Content-Type: multipart/mixed; boundary="=_b"',
    '',
    'Preamble for old readers.',
    '--=_b',
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    'Gr=C3=BC=C3=9Fe=20',
    '..=2E',
    '.',
    '--=_b',
    'Content-Type: application/octet-stream; name="a.bin"',
    'Content-Transfer-Encoding: base64',
    '',
    'AAECAwQFBgcICQoLDA0ODw==',
    '--=_b--',
    'Epilogue.',
    '',
  ].join('\n');
  return [
    draft('letter-lf', letter('letter-lf', 'Hello Bob,\n\nsee you on Monday.\n\n-- \nAda\n'), 'ordinary'),
    draft(
      'letter-crlf',
      letter('letter-crlf', 'Hello Bob,\n\nsee you.\n', '\r\n'),
      'ordinary',
      'crlf-storage',
    ),
    draft('multipart', `${header('multipart')}${multipart}`, 'ordinary', 'dot'),
    draft(
      'multipart-crlf',
      `${header('multipart-crlf')}${multipart}`.replaceAll('\n', '\r\n'),
      'ordinary',
      'dot',
    ),
    draft('many-short-lines', letter('many-short-lines', 'a\n'.repeat(20_000)), 'ordinary'),
    draft('many-blank-lines', letter('many-blank-lines', '\n'.repeat(5000)), 'ordinary'),
  ];
}

/** What a stranger's octets look like to a codec: mostly the few that matter, in any order. */
const ALPHABET = [
  '\r',
  '\n',
  '\r\n',
  '\n',
  '.',
  '.',
  '..',
  'a',
  'From ',
  ' ',
  '\t',
  '\0',
  '\xff',
  ':',
  '>',
] as const;

/** Bodies, and whole messages without any form, made of the octets that matter in a random order. */
export function randomDrafts(random: Random, count: number): Draft[] {
  return Array.from({ length: count }, (_, i) => {
    const length = 1 + random.below(random.pick([8, 64, 1024, 40_000]));
    const text = Array.from({ length }, () => random.pick(ALPHABET)).join('');
    return i % 4 === 3
      ? draft(`random-shapeless-${i}`, text, 'random', 'no-header')
      : draft(`random-body-${i}`, letter(`random-body-${i}`, text, random.pick(['\n', '\r\n'])), 'random');
  });
}

/** Octets of the message {@link enormous} makes, at least. */
const ENORMOUS_OCTETS = 25 * 1024 * 1024;

/** One message of 25 MB with an attachment's line lengths and a dot before one line in nine. */
export function enormous(random: Random): Draft {
  const page: string[] = [];
  for (let i = 0; i < 4096; i++) {
    const dot = random.below(9) === 0 ? '.' : '';
    page.push(dot + String.fromCharCode(65 + random.below(58)).repeat(1 + random.below(75)));
  }
  const body = `${page.join('\n')}\n`;
  const start = letter('enormous', '');
  const pages = Math.ceil((ENORMOUS_OCTETS - start.length) / body.length);
  return draft('enormous', `${start}${body.repeat(pages)}`, '25-mb', 'dot');
}

/** `count` tiny letters; every one of them is different. */
export function tiny(random: Random, count: number): Draft[] {
  return Array.from({ length: count }, (_, i) => {
    const lines = random.pick(['hi\n', '.\n', 'no end', '..\n.\n', 'two\nlines\n', '']);
    return draft(`tiny-${i}`, letter(`tiny-${i}`, `${i} ${lines}`, random.pick(['\n', '\r\n'])), 'ordinary');
  });
}
