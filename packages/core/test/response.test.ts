import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPop3Error } from '../src/errors.js';
import {
  encodeGreeting,
  encodeStatusLine,
  parseGreeting,
  parseScanLine,
  parseStatusLine,
  parseUniqueIdLine,
  type StatusLine,
} from '../src/response.js';
import { anyText } from './any-text.js';
import { latin1, octets } from './stored-message.js';

const CODES = ['IN-USE', 'LOGIN-DELAY', 'SYS/TEMP', 'SYS/PERM', 'AUTH', 'UTF8'] as const;
const text = fc.oneof(
  anyText(1000),
  fc
    .array(fc.constantFrom('[', ']', ' ', '\r\n', 'AUTH', '+OK', '\0', '\t', '<', 'x'.repeat(100)))
    .map((list) => list.join('')),
);

describe('encodeStatusLine', () => {
  it('keeps to 512 octets of printable ASCII and to its code, whatever the text is', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('+OK', '-ERR'),
        fc.option(fc.constantFrom(...CODES)),
        text,
        (status, code, text) => {
          const line = encodeStatusLine(status, code, text);
          expect(line).toMatch(/^(?:\+OK|-ERR) [ -~]*$/);
          expect(line.length).toBeLessThanOrEqual(510);
          expect(parseStatusLine(octets(line))).toMatchObject({ status, code });
        },
      ),
    );
  });

  const vectors: readonly (readonly [text: string, line: string])[] = [
    ['ready', '-ERR ready'],
    ['', '-ERR '],
    ['[AUTH] no', '-ERR (AUTH] no'],
    [' [AUTH] no', '-ERR  (AUTH] no'],
    ['see [1]', '-ERR see [1]'],
    ['a\r\n+OK b', '-ERR a??+OK b'],
    ['Grüße\0\x7f', '-ERR Gr??e??'],
  ];
  for (const [text, line] of vectors) {
    it(`says ${JSON.stringify(text)} as ${JSON.stringify(line)}`, () => {
      expect(encodeStatusLine('-ERR', null, text)).toBe(line);
    });
  }

  for (const code of ['', 'A]', '[A', 'A B', 'A\r\n', 'ä', 'x'.repeat(65)]) {
    it(`refuses the code ${JSON.stringify(code)}`, () => {
      expect(() => encodeStatusLine('-ERR', code, 'x')).toThrow(
        expect.objectContaining({ code: 'POP3_USAGE' }),
      );
    });
  }
});

describe('encodeGreeting', () => {
  it('keeps the timestamp whole and the only one, whatever the text is', () => {
    const timestamp = '<1896.697170952@dbc.mtview.ca.us>';
    fc.assert(
      fc.property(text, fc.constantFrom(null, timestamp), (text, apopTimestamp) => {
        const line = encodeGreeting(text, apopTimestamp, null);
        expect(line.length).toBeLessThanOrEqual(510);
        expect(parseGreeting(octets(line))).toMatchObject({ apopTimestamp });
      }),
    );
  });
});

const ok = (text: string, code: string | null = null): StatusLine => ({ status: '+OK', code, text });
const err = (text: string, code: string | null = null): StatusLine => ({ status: '-ERR', code, text });
const challenge = (text: string): StatusLine => ({ status: '+', challenge: octets(text) });

const STATUS_LINES: readonly (readonly [line: string, status: StatusLine | null])[] = [
  ['+OK', ok('')],
  ['+OK ', ok('')],
  ['+OK ready', ok('ready')],
  ['+OK   ready', ok('ready')],
  ['-ERR', err('')],
  ['-ERR no such message', err('no such message')],
  ['-ERR [IN-USE] busy', err('busy', 'IN-USE')],
  ['-ERR [in-use]', err('', 'IN-USE')],
  ['-ERR [SYS/TEMP/DISK] full', err('full', 'SYS/TEMP/DISK')],
  ['+OK [X-WHAT]fine', ok('fine', 'X-WHAT')],
  ['-ERR [not a code] x', err('[not a code] x')],
  ['-ERR see [AUTH]', err('see [AUTH]')],
  ['+OK Microsoft Exchange [UwBDADE=]', ok('Microsoft Exchange [UwBDADE=]')],
  ['+OK Gr\xc3\xbc\xc3\x9fe', ok('Grüße')],
  ['+OK Gr\xfc\xdfe', ok('Grüße')],
  ['+', challenge('')],
  ['+ ', challenge('')],
  ['+ VXNlcm5hbWU6', challenge('Username:')],
  ['+ VXNlcm5hbWU6 ', challenge('Username:')],
  ['+ =AAA', null],
  ['+VXNlcm5hbWU6', null],
  ['+OKAY', null],
  ['+ok ready', null],
  ['-err', null],
  ['OK ready', null],
  [' +OK', null],
  ['', null],
  ['.', null],
  ['From: ann', null],
  ['* OK IMAP4rev1', null],
  ['220 smtp.example.com', null],
];

describe('parseStatusLine', () => {
  for (const [line, status] of STATUS_LINES) {
    it(`takes ${JSON.stringify(line)} for ${status === null ? 'a peer out of step' : status.status}`, () => {
      expect(parseStatusLine(octets(line))).toEqual(status);
    });
  }

  it('never throws, whatever the octets are', () => {
    const start = fc.constantFrom('', '+', '+OK', '-ERR', '-ERR [', '+ ');
    fc.assert(
      fc.property(start, fc.uint8Array(), (start, rest) => {
        const status = parseStatusLine(Uint8Array.of(...octets(start), ...rest));
        expect(status === null || /^(?:\+OK|-ERR|\+)$/.test(status.status)).toBe(true);
      }),
    );
  });
});

const GREETINGS: readonly (readonly [line: string, text: string | null, apopTimestamp: string | null])[] = [
  ['+OK', '', null],
  ['+OK POP3 ready', 'POP3 ready', null],
  [
    '+OK POP3 <1896.697170952@dbc.mtview.ca.us>',
    'POP3 <1896.697170952@dbc.mtview.ca.us>',
    '<1896.697170952@dbc.mtview.ca.us>',
  ],
  ['+OK <a@b> ready', '<a@b> ready', '<a@b>'],
  ['+OK [LOGIN-DELAY] wait <a@b>', 'wait <a@b>', '<a@b>'],
  ['+OK Hello <world>', 'Hello <world>', null],
  ['+OK <a b@c>', '<a b@c>', null],
  ['+OK <a@b@c>', '<a@b@c>', null],
  ['+OK <@>', '<@>', null],
  ['+OK <<a@b>>', '<<a@b>>', '<a@b>'],
  ['+OK Exchange [UwBDADEAUABSAEQA]', 'Exchange [UwBDADEAUABSAEQA]', null],
  ['+OK Gpop ready for requests from 1.2.3.4 x1', 'Gpop ready for requests from 1.2.3.4 x1', null],
  ['-ERR server is full', null, null],
  ['+ ', null, null],
  ['220 smtp.example.com', null, null],
];

describe('parseGreeting', () => {
  for (const [line, text, apopTimestamp] of GREETINGS) {
    it(`finds ${apopTimestamp ?? 'no timestamp'} in ${JSON.stringify(line)}`, () => {
      expect(parseGreeting(octets(line))).toEqual(text === null ? null : { text, apopTimestamp });
    });
  }
});

const SCAN_LINES: readonly (readonly [line: string, numbers: readonly [number, number | null] | null])[] = [
  ['1 120', [1, 120]],
  ['1 0', [1, 0]],
  ['001 0120', [1, 120]],
  ['1   120', [1, 120]],
  ['1 120 and more', [1, 120]],
  ['1 120 ', [1, 120]],
  ['100000 999999999999999', [100_000, 999_999_999_999_999]],
  ['0 120', [0, 120]],
  ['4294967296 4294967296', [4_294_967_296, 4_294_967_296]],
  ['1\t120', [1, 120]],
  ['+OK 1 120', [1, 120]],
  // The message is there, whatever is said of its size.
  ['1', [1, null]],
  ['1 ', [1, null]],
  ['1 -120', [1, null]],
  ['1 12x', [1, null]],
  ['1 1.5', [1, null]],
  ['1 0x10', [1, null]],
  ['1 NaN 120', [1, null]],
  ['1 9999999999999999', [1, null]],
  ['', null],
  ['.', null],
  [' 1 120', null],
  ['+1 120', null],
  ['-1 120', null],
  ['1x 120', null],
  ['1,120', null],
  ['1.5 120', null],
  ['one 120', null],
  ['+OK', null],
  ['+OK  1 120', null],
  ['+ok 1 120', null],
  ['-ERR 1 120', null],
  ['+OK +OK 1 120', null],
  ['9999999999999999 1', null],
];

describe('parseScanLine', () => {
  for (const [line, numbers] of SCAN_LINES) {
    it(`reads ${JSON.stringify(line)} as ${numbers === null ? 'no scan listing' : `message ${numbers[0]} of ${numbers[1] ?? 'unknown'} octets`}`, () => {
      const visited: unknown[] = [];
      expect(parseScanLine(octets(line), (...visit) => visited.push(visit))).toBe(numbers !== null);
      expect(visited).toEqual(numbers === null ? [] : [numbers]);
    });
  }
});

const UNIQUE_ID_LINES: readonly (readonly [line: string, found: readonly [number, string] | null])[] = [
  ['1 whqtswO00WBw418f9t5JxYwZ', [1, 'whqtswO00WBw418f9t5JxYwZ']],
  ['1   20110101', [1, '20110101']],
  ['1 id with spaces ', [1, 'id with spaces']],
  [`1 ${'x'.repeat(200)}`, [1, 'x'.repeat(200)]],
  ['1 <a@b>', [1, '<a@b>']],
  ['1 \xe4', [1, 'ä']],
  ['1 A', [1, 'A']],
  ['1 a', [1, 'a']],
  ['1', null],
  ['1 ', null],
  ['1    ', null],
  ['', null],
  ['id', null],
  ['+OK 1 id', [1, 'id']],
  ['1\tid', [1, 'id']],
  ['1 +OK', [1, '+OK']],
  ['+OK id', null],
  ['+OK  1 id', null],
  ['+ok 1 id', null],
  ['-1 id', null],
  ['1x id', null],
  [' 1 id', null],
  ['9999999999999999 id', null],
];

describe('parseUniqueIdLine', () => {
  for (const [line, found] of UNIQUE_ID_LINES) {
    it(`reads ${JSON.stringify(line.slice(0, 40))} as ${found === null ? 'no unique-id' : JSON.stringify(found[1].slice(0, 40))}`, () => {
      const visited: unknown[] = [];
      expect(parseUniqueIdLine(octets(line), (number, id) => visited.push([number, latin1(id)]))).toBe(
        found !== null,
      );
      expect(visited).toEqual(found === null ? [] : [found]);
    });
  }
});

describe('the parsers of responses', () => {
  it('take no longer for a line made to be slow: a million spaces', () => {
    const line = octets(`1${' '.repeat(1_000_000)}`);
    const visit = () => undefined;
    expect(parseUniqueIdLine(line, visit)).toBe(false);
    expect(parseScanLine(line, visit)).toBe(true);
    expect(parseScanLine(octets(`1${' '.repeat(1_000_000)}x${' '.repeat(1_000_000)}`), visit)).toBe(true);
    expect(parseUniqueIdLine(octets(`1 x${' x'.repeat(500_000)}${' '.repeat(500_000)}`), visit)).toBe(true);
    expect(parseGreeting(octets(`+OK ${'<a@'.repeat(100_000)}`))?.apopTimestamp).toBe(null);
  });

  it('never throw, whatever the octets are', () => {
    const line = fc
      .array(fc.constantFrom('1', ' ', 'a', '\r', '\n', '\0', '\xff', '.', '+OK'))
      .map((list) => list.join(''));
    fc.assert(
      fc.property(line, (line) => {
        const visit = () => undefined;
        try {
          parseScanLine(octets(line), visit);
          parseUniqueIdLine(octets(line), visit);
          parseGreeting(octets(line));
        } catch (error) {
          expect(isPop3Error(error)).toBe('must not be thrown');
        }
      }),
    );
  });
});
