import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { saslprep } from '../src/sasl/index.js';
import { preparedPassword } from '../src/sasl/saslprep.js';

/** What `saslprep-reference.py` made of the same texts, by the tables of another language. */
const reference = JSON.parse(readFileSync(new URL('saslprep-digests.json', import.meta.url), 'utf8')) as {
  readonly pool: string;
  readonly planes: Record<string, string>;
  readonly mixtures: string;
};

function digest(texts: Iterable<string>): string {
  const sha = createHash('sha256');
  for (const text of texts) {
    const prepared = saslprep(text);
    sha.update(prepared === null ? '-' : `+${prepared}`);
    sha.update(Buffer.of(0xff));
  }
  return sha.digest('hex');
}

function* contexts(plane: number): Generator<string> {
  for (let codePoint = plane * 0x10000; codePoint < (plane + 1) * 0x10000; codePoint++) {
    const c = String.fromCodePoint(codePoint);
    yield c;
    yield `A${c}`;
    yield `\u05d0${c}\u05d0`;
    yield `\u05d0${c}`;
  }
}

function* mixtures(): Generator<string> {
  const pool = [...reference.pool];
  let seed = 1;
  const next = () => {
    seed = (seed * 48271) % 2147483647;
    return seed;
  };
  for (let i = 0; i < 20_000; i++) {
    let text = '';
    for (let left = 1 + (next() % 8); left > 0; left--) text += pool[next() % pool.length];
    yield text;
  }
}

describe('saslprep', () => {
  const examples: readonly (readonly [what: string, text: string, prepared: string | null])[] = [
    ['maps SOFT HYPHEN to nothing (RFC 4013 section 3)', 'I\u00adX', 'IX'],
    ['changes nothing that need not change (RFC 4013 section 3)', 'user', 'user'],
    ['keeps case (RFC 4013 section 3)', 'USER', 'USER'],
    ['uses NFKC (RFC 4013 section 3)', '\u00aa', 'a'],
    ['makes the same of another form (RFC 4013 section 3)', '\u2168', 'IX'],
    ['prohibits control characters (RFC 4013 section 3)', '\u0007', null],
    ['checks directions (RFC 4013 section 3)', '\u0627\u0031', null],
    ['maps spaces of every width to a space', 'a\u00a0b\u3000c', 'a b c'],
    ['keeps spaces where they are', '  a  ', '  a  '],
    ['takes ZERO WIDTH SPACE for a space, not for nothing', 'a\u200bb', 'a b'],
    ['composes', 'e\u0301', 'é'],
    ['may leave nothing', '\u00ad\u200d', ''],
    ['keeps the empty text', '', ''],
    ['takes text from right to left', '\u05d0\u05d1', '\u05d0\u05d1'],
    ['takes digits inside of it', '\u05d01\u05d1', '\u05d01\u05d1'],
    ['prohibits letters of both directions', '\u05d0a\u05d1', null],
    ['prohibits text from right to left that does not begin so', '1\u05d0', null],
    ['prohibits private use', '\ue000', null],
    ['prohibits half a surrogate pair', 'a\ud800', null],
    ['prohibits DELETE', 'a\x7f', null],
    ['prohibits what changes the direction of display', 'a\u202eb', null],
    ['takes code points of later years as they are', '🤷🏽‍♀️🫠', '🤷🏽♀🫠'],
    ['does not normalise them, whatever Unicode has made of them since', '\u{1f201}', '\u{1f201}'],
    ['corrects what Unicode 3.2 had wrong', '\u{2f868}', '\u36fc'],
  ];
  for (const [what, text, prepared] of examples) {
    it(what, () => expect(saslprep(text)).toBe(prepared));
  }

  for (const [plane, expected] of Object.entries(reference.planes)) {
    it(`makes of every code point of plane ${plane} what the tables of Python make of it`, () => {
      expect(digest(contexts(Number(plane)))).toBe(expected);
    });
  }

  it('makes of texts that mix hard characters what Python makes of them', () => {
    expect(digest(mixtures())).toBe(reference.mixtures);
  });

  it('makes nothing else of what it has made', () => {
    for (const text of mixtures()) {
      const prepared = saslprep(text);
      // NFKC of a text next to an unassigned code point is the one of the part, so a second time finds nothing to do.
      if (prepared !== null) expect(saslprep(prepared)).toBe(prepared);
    }
  });
});

describe('the password of SCRAM', () => {
  it('is prepared', () => expect(preparedPassword('I\u00adX')).toBe('IX'));
  it('is taken as it is where SASLprep prohibits it', () =>
    expect(preparedPassword('a\u0007')).toBe('a\u0007'));
  it('is taken as it is where SASLprep leaves nothing', () =>
    expect(preparedPassword('\u00ad')).toBe('\u00ad'));
});
