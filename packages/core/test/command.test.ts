import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClientCommand,
  type Command,
  type CommandProblem,
  describeCommand,
  encodeCommand,
  parseCommand,
  startsAuth,
  type Verb,
} from '../src/command.js';
import { isPop3Error } from '../src/errors.js';
import { anyCharacter, anyText } from './any-text.js';
import { latin1, octets } from './stored-message.js';

const DIGEST = 'c4c9334bac560ecc979e58001b3e22fb';

const GOOD: readonly (readonly [line: string, command: Command])[] = [
  ['USER ann', { verb: 'USER', name: 'ann' }],
  ['user Ann', { verb: 'USER', name: 'Ann' }],
  ['USER ann smith', { verb: 'USER', name: 'ann smith' }],
  ['USER ann ', { verb: 'USER', name: 'ann' }],
  ['USER  ann', { verb: 'USER', name: ' ann' }],
  ['USER j\xc3\xb6rg', { verb: 'USER', name: 'jörg' }],
  ['USER j\xf6rg', { verb: 'USER', name: 'jörg' }],
  ['USER \xef\xbb\xbfann', { verb: 'USER', name: '\ufeffann' }],
  ['PASS secret', { verb: 'PASS', password: 'secret' }],
  ['PASS  a  b ', { verb: 'PASS', password: ' a  b ' }],
  ['PASS ', { verb: 'PASS', password: '' }],
  ['PASS \xe2\x98\x83', { verb: 'PASS', password: '☃' }],
  ['PASS \xff\xfe', { verb: 'PASS', password: 'ÿþ' }],
  [`APOP mrose ${DIGEST}`, { verb: 'APOP', name: 'mrose', digest: DIGEST }],
  [`apop a b  ${DIGEST.toUpperCase()} `, { verb: 'APOP', name: 'a b ', digest: DIGEST }],
  ['AUTH', { verb: 'AUTH', mechanism: null, initialResponse: null }],
  ['AUTH ', { verb: 'AUTH', mechanism: null, initialResponse: null }],
  ['auth plain', { verb: 'AUTH', mechanism: 'PLAIN', initialResponse: null }],
  ['AUTH PLAIN =', { verb: 'AUTH', mechanism: 'PLAIN', initialResponse: octets('') }],
  ['AUTH PLAIN AGEAYg==', { verb: 'AUTH', mechanism: 'PLAIN', initialResponse: octets('\0a\0b') }],
  ['AUTH SCRAM-SHA-256-PLUS', { verb: 'AUTH', mechanism: 'SCRAM-SHA-256-PLUS', initialResponse: null }],
  ['STAT', { verb: 'STAT' }],
  ['sTaT ', { verb: 'STAT' }],
  ['LIST', { verb: 'LIST', messageNumber: null }],
  ['LIST ', { verb: 'LIST', messageNumber: null }],
  ['LIST   ', { verb: 'LIST', messageNumber: null }],
  ['LIST 1', { verb: 'LIST', messageNumber: 1 }],
  ['LIST  001 ', { verb: 'LIST', messageNumber: 1 }],
  ['LIST 0', { verb: 'LIST', messageNumber: 0 }],
  ['LIST 9007199254740991', { verb: 'LIST', messageNumber: 2 ** 53 - 1 }],
  ['LIST 9007199254740993', { verb: 'LIST', messageNumber: 2 ** 53 - 1 }],
  [`LIST ${'9'.repeat(240)}`, { verb: 'LIST', messageNumber: 2 ** 53 - 1 }],
  ['UIDL 12', { verb: 'UIDL', messageNumber: 12 }],
  ['RETR 12', { verb: 'RETR', messageNumber: 12 }],
  ['DELE 12', { verb: 'DELE', messageNumber: 12 }],
  ['TOP 1 0', { verb: 'TOP', messageNumber: 1, lines: 0 }],
  ['top  1   99999999 ', { verb: 'TOP', messageNumber: 1, lines: 99_999_999 }],
  [`TOP 1 ${'9'.repeat(200)}`, { verb: 'TOP', messageNumber: 1, lines: 2 ** 53 - 1 }],
  ['CAPA', { verb: 'CAPA' }],
  ['NOOP', { verb: 'NOOP' }],
  ['RSET', { verb: 'RSET' }],
  ['QUIT', { verb: 'QUIT' }],
  ['STLS', { verb: 'STLS' }],
];

const BAD: readonly (readonly [line: string, verb: Verb | null, problem: CommandProblem])[] = [
  ['', null, 'unknown command'],
  [' ', null, 'unknown command'],
  [' NOOP', null, 'unknown command'],
  ['XYZZY', null, 'unknown command'],
  ['NOOPS', null, 'unknown command'],
  ['NOO', null, 'unknown command'],
  ['PA\u00df x', null, 'unknown command'],
  ['NOOP\t', null, 'unknown command'],
  ['NOOP\0', null, 'unknown command'],
  ['ＮＯＯＰ', null, 'unknown command'],
  ['__proto__', null, 'unknown command'],
  ['constructor x', null, 'unknown command'],
  ['toString', null, 'unknown command'],
  ['\u017ftat', null, 'unknown command'],
  ['x'.repeat(255), null, 'unknown command'],
  ['*ENV 1', null, 'unknown command'],
  ['USER', 'USER', 'argument missing'],
  ['USER ', 'USER', 'argument missing'],
  ['USER  ', 'USER', 'argument missing'],
  ['USER a\0b', 'USER', 'bad octet'],
  ['USER a\rb', 'USER', 'bad octet'],
  ['PASS', 'PASS', 'argument missing'],
  ['PASS a\0b', 'PASS', 'bad octet'],
  ['PASS a\r', 'PASS', 'bad octet'],
  ['APOP', 'APOP', 'argument missing'],
  ['APOP ', 'APOP', 'argument missing'],
  ['APOP mrose', 'APOP', 'argument missing'],
  [`APOP  ${DIGEST}`, 'APOP', 'argument missing'],
  ['APOP mrose 123', 'APOP', 'bad digest'],
  [`APOP mrose ${DIGEST}0`, 'APOP', 'bad digest'],
  [`APOP mrose ${DIGEST} x`, 'APOP', 'bad digest'],
  ['AUTH PL!AIN', 'AUTH', 'bad mechanism name'],
  [`AUTH ${'A'.repeat(21)}`, 'AUTH', 'bad mechanism name'],
  ['AUTH PLAIN =AAA', 'AUTH', 'bad base64'],
  ['AUTH PLAIN AAA', 'AUTH', 'bad base64'],
  ['AUTH PLAIN AAAA BBBB', 'AUTH', 'too many arguments'],
  ['STAT 1', 'STAT', 'too many arguments'],
  ['STAT   ', 'STAT', 'too many arguments'],
  ['LIST 1 2', 'LIST', 'too many arguments'],
  ['LIST -1', 'LIST', 'bad number'],
  ['LIST +1', 'LIST', 'bad number'],
  ['LIST 1.0', 'LIST', 'bad number'],
  ['LIST 1e3', 'LIST', 'bad number'],
  ['LIST 0x1', 'LIST', 'bad number'],
  ['LIST \xb2', 'LIST', 'bad number'],
  ['LIST one', 'LIST', 'bad number'],
  ['LIST 1\t', 'LIST', 'bad number'],
  ['UIDL 1 2', 'UIDL', 'too many arguments'],
  ['RETR', 'RETR', 'argument missing'],
  ['RETR ', 'RETR', 'argument missing'],
  ['RETR -1', 'RETR', 'bad number'],
  ['RETR 1 2', 'RETR', 'too many arguments'],
  ['DELE', 'DELE', 'argument missing'],
  ['DELE x', 'DELE', 'bad number'],
  ['TOP', 'TOP', 'argument missing'],
  ['TOP 1', 'TOP', 'argument missing'],
  ['TOP 1 ', 'TOP', 'argument missing'],
  ['TOP 1 -1', 'TOP', 'bad number'],
  ['TOP 1 x', 'TOP', 'bad number'],
  ['TOP x 1', 'TOP', 'bad number'],
  ['TOP 1 2 3', 'TOP', 'too many arguments'],
  ['QUIT now', 'QUIT', 'too many arguments'],
  ['CAPA x', 'CAPA', 'too many arguments'],
];

describe('parseCommand', () => {
  for (const [line, command] of GOOD) {
    it(`reads ${show(line)}`, () => {
      expect(parseCommand(octets(line))).toEqual({ ok: true, command });
    });
  }

  for (const [line, verb, problem] of BAD) {
    it(`answers ${show(line)}: ${problem}`, () => {
      expect(parseCommand(octets(line))).toEqual({ ok: false, verb, problem });
    });
  }

  it('never throws, whatever the octets are', () => {
    const verb = fc.constantFrom(
      'USER',
      'PASS',
      'apop',
      'AUTH',
      'LIST',
      'uidl',
      'RETR',
      'DELE',
      'TOP',
      'STAT',
      '',
    );
    const rest = fc.array(
      fc.oneof(
        fc.constantFrom(' ', '1', '=', 'A', '\r', '\0', '-'),
        fc.nat({ max: 255 }).map((octet) => String.fromCharCode(octet)),
      ),
    );
    fc.assert(
      fc.property(verb, rest, (verb, rest) => {
        const parsed = parseCommand(octets(verb + rest.join('')));
        if (!parsed.ok) expect(parsed.problem).toMatch(/^[\w ]+$/);
      }),
    );
  });
});

const name = fc
  .string({ unit: anyCharacter, minLength: 1, maxLength: 40 })
  .filter((text) => !/[\r\n\0]/.test(text));
const messageNumber = fc.maxSafeNat().map((number) => Math.max(1, number));
const command: fc.Arbitrary<Command> = fc.oneof(
  // One space behind a name is taken for one too many.
  fc.record({ verb: fc.constant('USER' as const), name: name.filter((text) => !text.endsWith(' ')) }),
  fc.record({ verb: fc.constant('PASS' as const), password: fc.oneof(name, fc.constant('')) }),
  fc.record({
    verb: fc.constant('APOP' as const),
    name,
    digest: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 32, maxLength: 32 }),
  }),
  fc.record({
    verb: fc.constant('AUTH' as const),
    mechanism: fc.string({ unit: fc.constantFrom(...'AZ09-_'), minLength: 1, maxLength: 20 }),
    initialResponse: fc.option(fc.uint8Array()),
  }),
  fc.constant({ verb: 'AUTH', mechanism: null, initialResponse: null } as const),
  fc.record({
    verb: fc.constantFrom('LIST' as const, 'UIDL' as const),
    messageNumber: fc.option(messageNumber),
  }),
  fc.record({ verb: fc.constantFrom('RETR' as const, 'DELE' as const), messageNumber }),
  fc.record({ verb: fc.constant('TOP' as const), messageNumber, lines: fc.maxSafeNat() }),
  fc.record({
    verb: fc.constantFrom('CAPA', 'STAT', 'NOOP', 'RSET', 'QUIT', 'STLS') as fc.Arbitrary<'CAPA'>,
  }),
);

/** What comes out, or the code of the error. */
function encoded(command: ClientCommand): string {
  try {
    return latin1(encodeCommand(command));
  } catch (error) {
    if (isPop3Error(error)) return error.code;
    throw error;
  }
}

describe('encodeCommand', () => {
  it('writes what parseCommand reads back', () => {
    fc.assert(
      fc.property(command, (command) => {
        const line = encoded(command);
        expect(line.endsWith('\r\n')).toBe(true);
        expect(parseCommand(octets(line.slice(0, -2)))).toEqual({ ok: true, command });
      }),
    );
  });

  it('writes one line or throws, whatever the arguments are', () => {
    const text = fc.oneof(
      anyText(300),
      fc
        .array(fc.constantFrom('\r', '\n', '\0', 'a', ' ', '\u2028', '\u0085', 'QUIT'))
        .map((list) => list.join('')),
    );
    const number = fc.oneof(fc.double(), fc.constantFrom(0, -1, 1.5)) as fc.Arbitrary<number>;
    const any = fc.oneof(
      fc.record({ verb: fc.constant('USER'), name: text }),
      fc.record({ verb: fc.constant('PASS'), password: text }),
      fc.record({ verb: fc.constant('APOP'), name: text, digest: text }),
      fc.record({ verb: fc.constant('AUTH'), mechanism: text, initialResponse: fc.option(fc.uint8Array()) }),
      fc.record({ verb: fc.constantFrom('LIST', 'RETR'), messageNumber: fc.oneof(number, text) }),
      fc.record({ verb: fc.constant('TOP'), messageNumber: number, lines: fc.oneof(number, text) }),
      fc.record({ verb: text }),
      fc.record({
        verb: fc.constant(null),
        keyword: fc.oneof(text, fc.constantFrom('XTND', 'quit')),
        argument: fc.option(text),
        multiline: fc.boolean(),
      }),
    ) as fc.Arbitrary<unknown> as fc.Arbitrary<ClientCommand>;
    fc.assert(
      fc.property(any, (command) => {
        const line = encoded(command);
        if (line === 'POP3_USAGE') return;
        expect(line).toMatch(/^[^\r\n\0]*\r\n$/);
        expect(line.length).toBeLessThanOrEqual(command.verb === 'AUTH' ? 65_536 : 255);
      }),
      { numRuns: 1000 },
    );
  });

  const refused: readonly (readonly [what: string, command: ClientCommand])[] = [
    ['CRLF in a name', { verb: 'USER', name: 'ann\r\nDELE 1' }],
    ['a bare LF in a name', { verb: 'USER', name: 'ann\nDELE 1' }],
    ['a bare CR in a password', { verb: 'PASS', password: 'sec\rret' }],
    ['NUL in a password', { verb: 'PASS', password: 'sec\0ret' }],
    ['an empty name', { verb: 'USER', name: '' }],
    ['an empty name of APOP', { verb: 'APOP', name: '', digest: DIGEST }],
    ['a digest that is none', { verb: 'APOP', name: 'ann', digest: 'secret' }],
    ['a mechanism with a space', { verb: 'AUTH', mechanism: 'PLAIN AAAA', initialResponse: null }],
    ['an empty mechanism', { verb: 'AUTH', mechanism: '', initialResponse: null }],
    ['message number 0', { verb: 'RETR', messageNumber: 0 }],
    ['a negative message number', { verb: 'DELE', messageNumber: -1 }],
    ['half a message', { verb: 'RETR', messageNumber: 1.5 }],
    ['a message number that is none', { verb: 'LIST', messageNumber: Number.NaN }],
    ['a negative number of lines', { verb: 'TOP', messageNumber: 1, lines: -1 }],
    ['a name of 256 octets', { verb: 'USER', name: 'x'.repeat(249) }],
    ['a name that is too long in UTF-8', { verb: 'USER', name: 'ö'.repeat(125) }],
    ['message number 2 ** 53', { verb: 'DELE', messageNumber: 2 ** 53 }],
    ['a message number without an end', { verb: 'UIDL', messageNumber: Number.POSITIVE_INFINITY }],
    ['a message number as text', { verb: 'DELE', messageNumber: '1' as never }],
    ['a message number as a bigint', { verb: 'DELE', messageNumber: 1n as never }],
    ['a message number that was forgotten', { verb: 'LIST' } as never],
    ['half a line', { verb: 'TOP', messageNumber: 1, lines: 0.5 }],
    ['a number of lines that was forgotten', { verb: 'TOP', messageNumber: 1 } as never],
    ['CRLF in the argument of a command of others', other('XTND', 'XLST\r\nDELE 1')],
    ['a bare LF in the argument of a command of others', other('XTND', 'XLST\nDELE 1')],
    ['NUL in the argument of a command of others', other('XTND', '\0')],
    ['CRLF in a keyword', other('NOOP\r\nDELE', '1')],
    ['a space in a keyword', other('DELE 1')],
    ['a keyword in letters beyond ASCII', other('\u017ftls')],
    ['an empty keyword', other('', '1')],
    ['a keyword of 33 characters', other('X'.repeat(33))],
    ['a line of others above 255 octets', other('XTND', 'x'.repeat(249))],
    ...['DELE', 'dele', 'Quit', 'STLS', 'pass', 'Auth', 'aPOP', 'CAPA', 'retr'].map(
      (keyword) => [`${keyword} as a command of others`, other(keyword, '1')] as const,
    ),
    [
      'an initial response above 64 KiB',
      { verb: 'AUTH', mechanism: 'X', initialResponse: new Uint8Array(49_152) },
    ],
  ];
  for (const [what, command] of refused) {
    it(`refuses ${what}`, () => expect(encoded(command)).toBe('POP3_USAGE'));
  }

  it('sends up to 255 octets, and an AUTH line of up to 64 KiB', () => {
    expect(encoded({ verb: 'USER', name: 'x'.repeat(248) })).toHaveLength(255);
    const initialResponse = new Uint8Array(49_140);
    expect(encoded({ verb: 'AUTH', mechanism: 'X', initialResponse })).toHaveLength(65_529);
  });

  it('sends a command of others as it is', () => {
    expect(encoded(other('*ENV', '1 '))).toBe('*ENV 1 \r\n');
    expect(encoded(other('xtnd'))).toBe('xtnd\r\n');
    expect(encoded(other('LANG', ''))).toBe('LANG \r\n');
    expect(encoded(other('X'.repeat(32), '\u00f6'))).toBe(`${'X'.repeat(32)} \xc3\xb6\r\n`);
    expect(encoded(other('XTND', 'x'.repeat(248)))).toHaveLength(255);
  });

  it('sends an empty initial response as =', () => {
    expect(encoded({ verb: 'AUTH', mechanism: 'EXTERNAL', initialResponse: octets('') })).toBe(
      'AUTH EXTERNAL =\r\n',
    );
  });
});

describe('describeCommand', () => {
  it('masks every secret and leaves nothing else out', () => {
    const secret = 'AGFubgBzZWNyZXQ=';
    expect(describeCommand({ verb: 'PASS', password: secret })).toBe('PASS ***');
    expect(describeCommand({ verb: 'APOP', name: 'ann\r\n', digest: DIGEST })).toBe('APOP "ann\\r\\n" ***');
    expect(describeCommand({ verb: 'AUTH', mechanism: 'PLAIN', initialResponse: octets(secret) })).toBe(
      'AUTH PLAIN ***',
    );
    expect(describeCommand({ verb: 'AUTH', mechanism: 'PLAIN', initialResponse: null })).toBe('AUTH PLAIN');
    expect(describeCommand({ verb: 'AUTH', mechanism: null, initialResponse: null })).toBe('AUTH');
    expect(describeCommand({ verb: 'USER', name: 'ann "x"' })).toBe('USER "ann \\"x\\""');
    expect(describeCommand({ verb: 'TOP', messageNumber: 1, lines: 0 })).toBe('TOP 1 0');
    expect(describeCommand({ verb: 'LIST', messageNumber: null })).toBe('LIST');
    expect(describeCommand({ verb: 'STAT' })).toBe('STAT');
    expect(describeCommand(other('XCLIENT', 'TOKEN=secret'))).toBe('XCLIENT ***');
    expect(describeCommand(other('LANG'))).toBe('LANG');
  });
});

describe('startsAuth', () => {
  it('knows an AUTH line by its first five octets, in any case', () => {
    for (const line of ['AUTH ', 'auth PLAIN', 'AuTh x']) expect(startsAuth(octets(line))).toBe(true);
    for (const line of ['', 'AUTH', 'AUT ', 'AUTHX', 'USER AUTH ', ' AUTH ']) {
      expect(startsAuth(octets(line))).toBe(false);
    }
  });
});

function show(line: string): string {
  return JSON.stringify(line.length > 40 ? `${line.slice(0, 20)}...` : line);
}

function other(keyword: string, argument: string | null = null): ClientCommand {
  return { verb: null, keyword, argument, multiline: false };
}
