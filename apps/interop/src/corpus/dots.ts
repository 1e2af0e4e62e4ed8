import { type Draft, draft, header, type LineEnd, letter } from './draft.js';

const STORAGES: readonly (readonly [string, LineEnd])[] = [
  ['lf', '\n'],
  ['crlf', '\r\n'],
];

/** Dots at every place where a forgotten or doubled one shows. */
export function dots(): Draft[] {
  const everyCount = Array.from({ length: 70 }, (_, i) => '.'.repeat(i)).join('\n');
  const bodies: readonly (readonly [string, string])[] = [
    ['dot-alone', 'before\n.\nafter\n'],
    ['dot-pair', 'before\n..\nafter\n'],
    ['dot-triple', 'before\n...\nafter\n'],
    ['dots-in-every-count', `${everyCount}\n`],
    ['dot-lines-only', '.\n.\n.\n'],
    ['dot-lines-in-thousands', '.\n..\n'.repeat(4000)],
    ['dot-and-text', '.signature\n..hidden\n. spaced\n.\ttabbed\n'],
    ['dot-not-first', ' .\n\t.\na.\n-.\n'],
    ['dot-last-line', 'before\n.\n'],
    ['dot-after-blank-lines', '\n\n\n.\n\n\n.\n'],
  ];
  const stored = STORAGES.flatMap(([kind, lineEnd]) =>
    bodies.map(([name, body]) => draft(`${name}-${kind}`, letter(name, body, lineEnd), 'dot')),
  );
  return [
    ...stored,
    draft('dot-first-octet', '.Subject: a dot is the very first octet\n\nbody\n', 'dot', 'dot-first-octet'),
    draft('dot-is-everything', '.', 'dot', 'dot-first-octet', 'no-final-line-end', 'no-header'),
    draft('dot-line-is-everything', '.\n', 'dot', 'dot-first-octet', 'no-header'),
    draft('dot-line-is-everything-crlf', '.\r\n', 'dot', 'dot-first-octet', 'no-header'),
    draft('dot-pair-is-everything', '..', 'dot', 'dot-first-octet', 'no-final-line-end', 'no-header'),
    draft('dot-lines-are-everything', '.\n.\n..\n.\n', 'dot', 'dot-first-octet', 'no-header'),
    draft('dot-last-octet', letter('dot-last-octet', 'body\n.'), 'dot', 'no-final-line-end'),
    draft(
      'dot-last-octet-crlf',
      letter('dot-last-octet-crlf', 'body\n.', '\r\n'),
      'dot',
      'no-final-line-end',
    ),
    draft('dot-pair-last', letter('dot-pair-last', 'body\n..'), 'dot', 'no-final-line-end'),
    draft('dot-in-header', `${header('dot-in-header')}.hidden: yes\n\nbody\n`, 'dot'),
    draft('dot-after-bare-cr', letter('dot-after-bare-cr', 'a\r.b\na\r.\nb\n'), 'dot', 'bare-cr'),
    draft(
      'dot-and-cr-last',
      letter('dot-and-cr-last', 'body\n.\r'),
      'dot',
      'carriage-return-at-end',
      'no-final-line-end',
    ),
    draft('dot-and-nul', letter('dot-and-nul', '.\0\n\0.\n.\0.\n'), 'dot', 'nul'),
    ...terminators(),
  ];
}

/** The five octets that end a multi-line response, in the middle of a message, with what could follow them. */
function terminators(): Draft[] {
  const follow = 'QUIT\r\n+OK\r\n-ERR\r\n';
  const insides: readonly (readonly [string, string])[] = [
    ['crlf-dot-crlf', '\r\n.\r\n'],
    ['lf-dot-lf', '\n.\n'],
    ['crlf-dot-lf', '\r\n.\n'],
    ['lf-dot-crlf', '\n.\r\n'],
    ['cr-dot-cr', '\r.\r'],
    ['crlf-dot-cr', '\r\n.\r'],
    ['twice', '\r\n.\r\n.\r\n'],
  ];
  return insides.map(([name, inside]) =>
    draft(
      `terminator-inside-${name}`,
      `${letter(name, 'before', '\r\n')}${inside}${follow}`,
      'terminator-inside',
      'dot',
    ),
  );
}

/** Sizes of the buffers that programs read and write with, in octets. */
const BORDERS = [4096, 16_384, 65_536] as const;

/** Dot lines, line ends and the end of the message at and around buffer borders, counted in the stored file. */
export function borders(): Draft[] {
  const drafts: Draft[] = [];
  for (const border of BORDERS) {
    for (const [kind, lineEnd] of STORAGES) {
      for (const offset of [-2, -1, 0, 1]) {
        const name = `dot-at-${border}${offset < 0 ? offset : `+${offset}`}-${kind}`;
        const stored = `${upTo(border + offset, name, lineEnd)}.${lineEnd}..${lineEnd}end${lineEnd}`;
        drafts.push(draft(name, stored, 'border', 'dot'));
      }
      const ends = `ends-at-${border}-${kind}`;
      drafts.push(draft(ends, upTo(border, ends, lineEnd), 'border'));
    }
    const open = `ends-open-at-${border}`;
    drafts.push(
      draft(open, upTo(border, open, '\n').slice(0, -1).concat('x'), 'border', 'no-final-line-end'),
    );
    const cr = `bare-cr-at-${border}`;
    drafts.push(draft(cr, `${upTo(border - 2, cr, '\n')}x\r.y\n`, 'border', 'bare-cr', 'dot'));
  }
  return drafts;
}

/** A letter of exactly `octets` octets that ends in a line end. */
function upTo(octets: number, name: string, lineEnd: LineEnd): string {
  const start = letter(name, '', lineEnd);
  const line = `${'0123456789'.repeat(7)}${lineEnd}`;
  const room = octets - start.length;
  // The last line takes what is left over, so that it is longer than the others and never negative.
  const full = Math.floor(room / line.length) - 1;
  const last = room - full * line.length - lineEnd.length;
  return `${start}${line.repeat(full)}${'z'.repeat(last)}${lineEnd}`;
}
