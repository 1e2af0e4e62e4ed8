/**
 * The messages that the kit puts into a store. All of them are made from fixed seeds: every run sees the same octets.
 */
import { octetsOf } from './wire-form.js';

export interface Fixture {
  /** Completes a sentence, such as "retrieves ...". */
  readonly name: string;
  readonly message: Uint8Array;
}

const HEADER = 'From: ann@example.org\r\nSubject: fixture\r\n';

/** Bodies are often read in chunks of a power of two: what has to survive a border is laid over several of them. */
const SPAN_OCTETS = 140_000;

const LINE_ENDS = ['\r\n', '\n', '\r\n.', '\n.', '\r'];

/** Octets that no store may lose, change, add to or miscount. */
export const FIXTURES: readonly Fixture[] = [
  fixture('a message of no octets', ''),
  fixture('an ordinary message', `${HEADER}\r\nHello.\r\n`),
  fixture('a message stored with LF', 'From: ann@example.org\nSubject: fixture\n\nHello.\nBye.\n'),
  fixture('a message with both CRLF and LF', `${HEADER}\r\none\ntwo\r\nthree\n\r\nfour\n`),
  fixture('only a CRLF', '\r\n'),
  fixture('only an LF', '\n'),
  fixture('only a CR', '\r'),
  fixture('one octet', 'x'),
  fixture('only a dot', '.'),
  fixture('only a dot and a line end', '.\r\n'),
  fixture('a first octet that is a dot', `.${HEADER}\r\nHello.\r\n`),
  fixture('lines that start with dots', `${HEADER}\r\n.\r\n..\r\n...\r\n.x\r\nx.\r\n.\r\n`),
  fixture('lines that are a terminator, with LF', 'Subject: fixture\n\n.\nmore\n.\n'),
  fixture('no final line end', `${HEADER}\r\nHello`),
  fixture('no final line end after a dot', `${HEADER}\r\nHello\r\n.`),
  fixture('a final LF without its CR', `${HEADER}\r\nHello\n`),
  fixture('a CR at the very end', `${HEADER}\r\nHello\r`),
  fixture('CRs at the very end', `${HEADER}\r\nHello\r\r`),
  fixture('bare CRs', `${HEADER}\r\none\rtwo\r.three\r\r\nfour\r\n`),
  fixture(
    'a line of CRs in the header',
    `${HEADER}\r\r\nTo: bob@example.org\n\r\r\nCc: eve@example.org\r\n\r\nHello.\r\n`,
  ),
  fixture('LF before CR', `${HEADER}\r\none\n\rtwo\n\r\n`),
  fixture('empty lines only', '\r\n\r\n\n\n\r\n'),
  fixture('NUL octets', `${HEADER}\r\n\0one\0\r\n\0\r\ntwo\0`),
  fixture('only a NUL', '\0'),
  fixture('8-bit text', `Subject: gr\xfc\xdfe\r\n\r\n\xe4\xf6\xfc \x80\xff\xfe\r\n`),
  fixture('UTF-8 text with a byte order mark', '\xef\xbb\xbfSubject: \xc3\xa4\r\n\r\n\xe2\x82\xac\r\n'),
  fixture('octets that are not UTF-8', `${HEADER}\r\n\xc3\x28 \xed\xa0\x80 \xf8\x88\x80\r\n`),
  fixture('every octet there is', `${HEADER}\r\n${everyOctet()}\r\n`),
  fixture('a header only', HEADER),
  fixture('a header with its blank line only', `${HEADER}\r\n`),
  fixture('a header without its last line end', 'Subject: fixture'),
  fixture('a body only', '\r\nHello.\r\n.\r\n'),
  fixture(
    'lines that start with "From "',
    `From ann Thu Jan  1\r\n${HEADER}\r\nFrom here\r\n>From there\r\n`,
  ),
  fixture('a line of 100 000 octets', `${HEADER}\r\n${'x'.repeat(100_000)}\r\n`),
  fixture('a line of 100 000 octets without its end', `${HEADER}\r\n${'.'.repeat(100_000)}`),
  fixture('a header of 100 000 octets', `Subject: fixture\r\n${' folded\r\n'.repeat(11_111)}\r\nHello.\r\n`),
  // Borders lie at multiples of powers of two. Three octets a line, or a shift by one, put every octet of a pattern
  // on one of them.
  fixture('dots at every border', spanned('', '.\r\n')),
  fixture('dots at every border, with LF', spanned('', '\n..')),
  fixture('CRLF across every border', spanned('x', '\r\n')),
  fixture('CRLF up to every border', spanned('', '\r\n')),
  fixture('LF at every border', spanned('', '\n')),
  fixture('CRs at every border', spanned('x', '\r\r\n')),
  fixture('CR and LF in turn at borders', spanned('', '\n\r\r\nx')),
];

/** A message that is like no other of another `serial`: two lines of header, two of body. */
export function messageNumbered(serial: number): Uint8Array {
  return octetsOf(
    `Message-Id: <${serial}@example.org>\r\nSubject: ${serial}\r\n\r\nNumber ${serial}.\r\nBye.\r\n`,
  );
}

/** A message with a body of at least `octets` octets, to be told from those of another `serial`. */
export function paddedMessage(serial: number, octets: number): Uint8Array {
  return octetsOf(`Subject: ${serial}\r\n\r\n${`${serial} `.repeat(octets).slice(0, octets)}\r\n`);
}

/** `count` messages that differ from each other. */
export function messages(count: number): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, index) => messageNumbered(index + 1));
}

/** Octets that matter on the wire, in random order; every second message is nearly all line ends. */
export function randomMessages(seed: number, count: number): readonly Uint8Array[] {
  const random = randomFrom(seed);
  return Array.from({ length: count }, (_, index) => {
    const octets = index % 2 === 0 ? '\r\n.\0xy\xff:' : '\r\r\r\r\n.\0x';
    let text = '';
    for (let left = random(400); left > 0; left--) text += octets.charAt(random(octets.length));
    // Its own last line, so that every message can be told from the others.
    return octetsOf(`${text}${index}`);
  });
}

/** A message of at least `octets` octets, with lines of any length, any line end and now and then a dot in front. */
export function longMessage(seed: number, octets: number): Uint8Array {
  const random = randomFrom(seed);
  const letters = everyOctet().replace(/[\r\n]/g, '');
  const parts = [HEADER, '\r\n'];
  for (let length = 0; length < octets; ) {
    const start = random(letters.length);
    const line = letters.slice(start, start + random(200)) + LINE_ENDS[random(LINE_ENDS.length)];
    parts.push(line);
    length += line.length;
  }
  return octetsOf(parts.join(''));
}

/** George Marsaglia's xorshift with 32 bits of state. Returns whole numbers below `limit`. */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed || 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

function fixture(name: string, text: string): Fixture {
  return { name, message: octetsOf(text) };
}

function spanned(start: string, pattern: string): string {
  return start + pattern.repeat(Math.ceil(SPAN_OCTETS / pattern.length));
}

function everyOctet(): string {
  return String.fromCharCode(...Array.from({ length: 256 }, (_, octet) => octet));
}
