import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClientTrace } from '../src/client/options.js';
import type { ClientCommand, Verb } from '../src/command.js';
import { ClientTalk } from './client-talk.js';
import { chunkLengths, chunksOf, latin1, octets } from './stored-message.js';

const USAGE: unknown = expect.objectContaining({ name: 'Pop3Error', code: 'POP3_USAGE' });
const USER: ClientCommand = { verb: 'USER', name: 'ann' };
const PASS: ClientCommand = { verb: 'PASS', password: 'secret' };
const APOP: ClientCommand = { verb: 'APOP', name: 'ann', digest: 'c4c9334bac560ecc979e58001b3e22fb' };
const AUTH: ClientCommand = { verb: 'AUTH', mechanism: 'PLAIN', initialResponse: null };
const STLS: ClientCommand = { verb: 'STLS' };
const CAPA: ClientCommand = { verb: 'CAPA' };
const STAT: ClientCommand = { verb: 'STAT' };
const NOOP: ClientCommand = { verb: 'NOOP' };
const QUIT: ClientCommand = { verb: 'QUIT' };
const DELE: ClientCommand = { verb: 'DELE', messageNumber: 1 };
const RETR: ClientCommand = { verb: 'RETR', messageNumber: 1 };
const XTND: ClientCommand = { verb: null, keyword: 'XTND', argument: 'XLST From', multiline: true };

/** One of each. */
const COMMANDS: Record<Verb | 'XTND', ClientCommand> = {
  USER,
  PASS,
  APOP,
  AUTH,
  STLS,
  CAPA,
  STAT,
  LIST: { verb: 'LIST', messageNumber: null },
  UIDL: { verb: 'UIDL', messageNumber: 1 },
  RETR,
  TOP: { verb: 'TOP', messageNumber: 1, lines: 0 },
  DELE,
  RSET: { verb: 'RSET' },
  NOOP,
  QUIT,
  XTND,
};

/** That a command is refused at once, and that nothing of it goes out. */
function expectRefused(talk: ClientTalk, command: ClientCommand): void {
  const { state, pending } = talk.session;
  expect(() => talk.session.send(command)).toThrow(USAGE);
  expect([talk.session.state, talk.session.pending]).toEqual([state, pending]);
  expect(talk.told().filter((told) => told.startsWith('wrote'))).toEqual([]);
}

function accepted(talk: () => ClientTalk): string[] {
  return Object.entries(COMMANDS).flatMap(([name, command]) => {
    const { session } = talk();
    try {
      session.send(command);
      return [name];
    } catch (error) {
      expect(error).toEqual(USAGE);
      return [];
    }
  });
}

describe('a command that cannot be sent', () => {
  it('is refused before the greeting', () => {
    expect(accepted(() => new ClientTalk())).toEqual([]);
    const talk = new ClientTalk();
    talk.hear('+OK');
    for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    expect(talk.hear(' ready\r\n')).toEqual(['greeting +OK']);
  });

  it('is refused in AUTHORIZATION when it is for TRANSACTION', () => {
    const before = ['USER', 'PASS', 'APOP', 'AUTH', 'STLS', 'CAPA', 'QUIT', 'XTND'];
    expect(accepted(() => ClientTalk.greeted())).toEqual(before);
  });

  it('is refused in TRANSACTION when it is for AUTHORIZATION', () => {
    const after = ['CAPA', 'STAT', 'LIST', 'UIDL', 'RETR', 'TOP', 'DELE', 'RSET', 'NOOP', 'QUIT', 'XTND'];
    expect(accepted(() => ClientTalk.loggedIn())).toEqual(after);
  });

  it('is refused when it is STLS on a connection that is encrypted', () => {
    expectRefused(ClientTalk.greeted({ tls: true }), STLS);
    const talk = ClientTalk.greeted();
    talk.say(STLS);
    talk.hear('+OK\r\n');
    talk.session.tlsUpgraded();
    expectRefused(talk, STLS);
    expect(talk.say(CAPA)).toEqual(['wrote CAPA\r\n']);
  });

  for (const barrier of [PASS, APOP, AUTH, STLS, QUIT]) {
    it(`is refused behind ${barrier.verb}, whose answer decides what may follow`, () => {
      const after = () => {
        const talk = ClientTalk.greeted();
        if (barrier === PASS) talk.session.send(USER);
        talk.say(barrier);
        return talk;
      };
      expect(accepted(after)).toEqual([]);
      const talk = after();
      for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
      if (barrier === PASS) talk.hear('+OK\r\n');
      expect(talk.hear('-ERR no\r\n')).toEqual(
        barrier === QUIT ? ['QUIT -ERR', 'close null'] : [`${barrier.verb} -ERR`],
      );
      if (barrier !== QUIT) expect(talk.say(CAPA)).toEqual(['wrote CAPA\r\n']);
    });
  }

  it('is refused behind QUIT in TRANSACTION, with commands before it that have no answer', () => {
    const talk = ClientTalk.loggedIn();
    talk.say(DELE, STAT, QUIT);
    expect(talk.session.state).toBe('update');
    for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    expect(talk.hear('+OK\r\n+OK 0 0\r\n')).toEqual(['DELE +OK', 'STAT +OK']);
    for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    expect(talk.hear('+OK bye\r\n')).toEqual(['QUIT +OK', 'close null']);
  });

  it('is refused while a challenge is open', () => {
    const talk = ClientTalk.greeted();
    talk.say(AUTH);
    expect(talk.hear('+ \r\n')).toEqual(['+ ']);
    for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    talk.session.sendSaslResponse(octets('x'));
    expect(talk.told()).toEqual(['wrote eA==\r\n']);
    for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    expect(talk.hear('+OK\r\n')).toEqual(['AUTH +OK']);
    expect(talk.say(STAT)).toEqual(['wrote STAT\r\n']);
  });

  it('is refused between the answer to STLS and the handshake: it would go out in the clear', () => {
    const talk = ClientTalk.greeted();
    talk.say(STLS);
    talk.session.receive(octets('+OK\r\n'));
    expect(talk.session.next()).toMatchObject({ type: 'response' });
    for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    expect(talk.told()).toEqual(['upgrade-tls']);
    for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    talk.session.tlsUpgraded();
    expect(talk.say(USER)).toEqual(['wrote USER ann\r\n']);
  });

  it('is refused when STLS would be pipelined', () => {
    const talk = ClientTalk.greeted();
    talk.say(CAPA);
    expectRefused(talk, STLS);
    talk.hear('+OK\r\nSTLS\r\n');
    expectRefused(talk, STLS);
    talk.hear('.\r\n');
    expect(talk.say(STLS)).toEqual(['wrote STLS\r\n']);
  });

  it('is refused when the session is over', () => {
    for (const end of ['-ERR full\r\n', '220 smtp\r\n']) {
      const talk = new ClientTalk();
      talk.hear(end);
      for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    }
    const quit = ClientTalk.loggedIn();
    quit.say(QUIT);
    quit.hear('+OK\r\n');
    for (const command of Object.values(COMMANDS)) expectRefused(quit, command);
    const aborted = ClientTalk.loggedIn();
    aborted.session.abort();
    for (const command of Object.values(COMMANDS)) expectRefused(aborted, command);
    expect(aborted.told()).toEqual(['close aborted']);
  });

  const cannotBeWritten: readonly (readonly [what: string, command: ClientCommand])[] = [
    ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, '1', '1\r\nQUIT', null, undefined, {}].map(
      (number) =>
        [
          `DELE ${JSON.stringify(String(number))}`,
          { verb: 'DELE', messageNumber: number as number },
        ] as const,
    ),
    ['a line of another command in a name', { verb: 'USER', name: 'ann\r\nDELE 1' }],
    ['a bare LF in a password', { verb: 'PASS', password: 'a\nDELE 1' }],
    ['a bare CR in a password', { verb: 'PASS', password: 'a\rDELE 1' }],
    ['NUL in a password', { verb: 'PASS', password: 'a\0' }],
    ['a line above 255 octets', { verb: 'USER', name: 'x'.repeat(249) }],
    ['a command of others with a line of another', { ...XTND, argument: 'x\r\nDELE 1' }],
    ['DELE as a command of others', { ...XTND, keyword: 'DELE', argument: '1' }],
    ['quit as a command of others', { ...XTND, keyword: 'qUIT', argument: null }],
    ['two words as a keyword', { ...XTND, keyword: 'DELE 1', argument: null }],
    ['a verb in lower case', { verb: 'dele' as 'DELE', messageNumber: 1 }],
    ['a verb with its argument', { verb: 'DELE 1' as 'NOOP' }],
    ['a verb of nobody', { verb: 'LAST' as 'NOOP' }],
    ['no verb', {} as ClientCommand],
  ];
  for (const [what, command] of cannotBeWritten) {
    it(`is refused when it is ${what}`, () => {
      const talk = ClientTalk.loggedIn();
      expectRefused(talk, command);
      expectRefused(ClientTalk.greeted(), command);
      expect(talk.say(NOOP)).toEqual(['wrote NOOP\r\n']);
    });
  }
});

describe('a response to a challenge', () => {
  it('is refused when none is open', () => {
    const talk = new ClientTalk();
    const refused = () => expect(() => talk.session.sendSaslResponse(octets('x'))).toThrow(USAGE);
    refused();
    talk.hear('+OK\r\n');
    refused();
    talk.say(AUTH);
    refused();
    talk.hear('+ \r\n');
    talk.session.sendSaslResponse(null);
    refused();
    expect(talk.told()).toEqual(['wrote *\r\n']);
    refused();
    talk.hear('-ERR\r\n');
    refused();
    talk.session.abort();
    refused();
  });

  it('is base64 on a line of its own, of any length, and empty when it is empty', () => {
    const talk = ClientTalk.greeted();
    talk.say({ verb: 'AUTH', mechanism: 'GSSAPI', initialResponse: octets('') });
    talk.hear('+ \r\n');
    talk.session.sendSaslResponse(octets(''));
    expect(talk.told()).toEqual(['wrote \r\n']);
    expect(talk.hear('+ eA==\r\n')).toEqual(['+ x']);
    talk.session.sendSaslResponse(new Uint8Array(90_000));
    expect(talk.told()).toEqual([`wrote ${'A'.repeat(120_000)}\r\n`]);
  });

  it('is asked for by + alone and + with a space, and a challenge that is no base64 is an empty one', () => {
    for (const line of ['+', '+ ', '+  ', '+ x', '+ go ahead', '+ =AAA', '+ eA==\0']) {
      const talk = ClientTalk.greeted();
      talk.say(AUTH);
      expect(talk.hear(`${line}\r\n`)).toEqual(['+ ']);
      expect(talk.session.pending).toBe(1);
    }
    const talk = ClientTalk.greeted();
    talk.say(AUTH);
    expect(talk.hear('+ eA== \r\n')).toEqual(['+ x']);
  });

  it('is not asked for any more once the exchange was cancelled', () => {
    const talk = ClientTalk.greeted();
    for (let i = 0; i < 2; i++) {
      talk.say(AUTH);
      talk.hear('+ \r\n');
      talk.session.sendSaslResponse(null);
      expect(talk.told()).toEqual(['wrote *\r\n']);
      if (i === 0) talk.hear('-ERR\r\n');
    }
    expect(talk.hear('+ \r\n')).toEqual(['close bad-status-line']);
  });

  it('is asked for by nothing else', () => {
    for (const line of ['+eA==', '+\teA==', '++ eA==', ' + eA==', '', '334 eA==']) {
      const talk = ClientTalk.greeted();
      talk.say(AUTH);
      expect(talk.hear(`${line}\r\n`)).toEqual(['close bad-status-line']);
    }
  });

  it('is not asked for by a server that was asked something else', () => {
    const list: ClientCommand = { verb: 'AUTH', mechanism: null, initialResponse: null };
    for (const command of [CAPA, USER, STLS, QUIT, XTND, list]) {
      const talk = ClientTalk.greeted();
      talk.say(command);
      expect(talk.hear('+ eA==\r\n')).toEqual(['close bad-status-line']);
    }
  });
});

describe('tlsUpgraded', () => {
  it('is refused when no handshake is open', () => {
    const talk = new ClientTalk();
    const refused = () => expect(() => talk.session.tlsUpgraded()).toThrow(USAGE);
    refused();
    talk.hear('+OK\r\n');
    refused();
    talk.say(STLS);
    refused();
    talk.hear('-ERR\r\n');
    refused();
    talk.say(STLS);
    talk.hear('+OK\r\n');
    talk.session.tlsUpgraded();
    refused();
  });

  it('does nothing when the session has ended meanwhile', () => {
    const talk = ClientTalk.greeted();
    talk.say(STLS);
    talk.hear('+OK\r\n');
    talk.session.abort();
    talk.session.tlsUpgraded();
    expect(talk.told()).toEqual(['close aborted']);
    expect(talk.session.state).toBe('closed');
  });

  const behind = ['+OK\r\n', '-ERR\r\n', '+OK 1 1\r\n+OK', '+', '\n', '\0', '\x16\x03\x01'];
  for (const text of behind) {
    it(`never comes to pass with ${JSON.stringify(text)} behind the answer to STLS`, () => {
      for (const chunks of [[`+OK\r\n${text}`], ['+OK\r\n', text], [...`+OK\r\n${text}`]]) {
        const talk = ClientTalk.greeted();
        talk.say(STLS);
        const told = talk.hear(...chunks).filter((line) => line !== 'upgrade-tls');
        expect(told.slice(0, 2)).toEqual(['STLS +OK', 'close unexpected-data']);
      }
    });

    it(`ends the session with ${JSON.stringify(text)} received since the handshake was asked for`, () => {
      const talk = ClientTalk.greeted();
      talk.say(STLS);
      talk.hear('+OK\r\n');
      talk.session.receive(octets(text));
      talk.session.tlsUpgraded();
      expect(talk.told()).toEqual(['close unexpected-data']);
      for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
    });
  }

  it('reads what was received after it', () => {
    const talk = ClientTalk.greeted();
    talk.say(STLS);
    expect(talk.hear('+OK\r\n')).toEqual(['STLS +OK', 'upgrade-tls']);
    expect(talk.told()).toEqual(['upgrade-tls']);
    talk.session.tlsUpgraded();
    expect(talk.say(CAPA)).toEqual(['wrote CAPA\r\n']);
    expect(talk.hear('+OK\r\nUIDL\r\n.\r\n')).toEqual(['CAPA +OK ...', '| UIDL\r\n', '.']);
  });
});

describe('the greeting', () => {
  const greetings: readonly (readonly [line: string, told: string])[] = [
    ['+OK', 'greeting +OK'],
    ['+OK ', 'greeting +OK'],
    ['+OK POP3 ready <1896.697170952@dbc.mtview.ca.us>', 'greeting +OK <1896.697170952@dbc.mtview.ca.us>'],
    ['+OK [XCLIENT] <a@b> ready', 'greeting +OK <a@b>'],
    ['+OK ready [UwBDADEAUABSADAANwA=]', 'greeting +OK'],
    ['+OK <not a timestamp> <@> <a@> ready', 'greeting +OK'],
    ['+OK Gpop ready for requests from 192.0.2.1 x1', 'greeting +OK'],
    [`+OK ${'x'.repeat(2000)}`, 'greeting +OK'],
  ];
  for (const [line, told] of greetings) {
    it(`is understood: ${line.slice(0, 60)}`, () => {
      for (const end of ['\r\n', '\n']) {
        expect(new ClientTalk().hear(line + end)).toEqual([told]);
        const talk = new ClientTalk();
        expect(talk.hear(...`${line}${end}`)).toEqual([told]);
        expect(talk.session.state).toBe('authorization');
        expect(talk.session.capabilities).toBe(null);
      }
    });
  }

  it('ends the session when it is -ERR, with what the server says, and without a timestamp', () => {
    const talk = new ClientTalk();
    talk.session.receive(octets('-ERR [SYS/TEMP] full, try <later@example.com>\r\n'));
    expect(talk.session.next()).toEqual({
      type: 'greeting',
      status: { status: '-ERR', code: 'SYS/TEMP', text: 'full, try <later@example.com>' },
      apopTimestamp: null,
    });
    expect(talk.told()).toEqual(['close greeting-refused']);
    expect(talk.session.state).toBe('closed');
  });

  for (const line of ['', ' +OK', '+OKAY', '+ok', '-err', '+', '+ eA==', '220 ready', 'HTTP/1.1 400', '\0']) {
    it(`is none when it is ${JSON.stringify(line)}`, () => {
      const talk = new ClientTalk();
      expect(talk.hear(`${line}\r\n`)).toEqual(['close bad-greeting']);
    });
  }

  it('may be the end of the connection', () => {
    expect(new ClientTalk().end()).toEqual(['close peer-closed']);
    const talk = new ClientTalk();
    expect(talk.hear('+OK')).toEqual([]);
    expect(talk.end()).toEqual(['close peer-closed']);
  });

  it('is not followed by anything that was not asked for', () => {
    for (const text of ['+OK\r\n', 'x', '\r\n', '1 120\r\n', '.\r\n']) {
      expect(new ClientTalk().hear(`+OK\r\n${text}`)).toEqual(['greeting +OK', 'close unexpected-data']);
    }
  });
});

describe('a stream out of step', () => {
  const answers = [
    '',
    ' ',
    'OK',
    '+ok',
    '-err',
    '+ERR',
    '-OK',
    '+OKAY',
    'ERR',
    '.',
    '1 120',
    '+',
    '+ x',
    '\0',
  ];
  for (const line of answers) {
    it(`ends the session where ${JSON.stringify(line)} stands for an answer`, () => {
      for (const command of [STAT, DELE, NOOP, QUIT, RETR, XTND]) {
        const talk = ClientTalk.loggedIn();
        talk.say(command);
        expect(talk.hear(`${line}\r\n`)).toEqual(['close bad-status-line']);
        expect(talk.session.state).toBe('closed');
        for (const command of Object.values(COMMANDS)) expectRefused(talk, command);
      }
    });
  }

  it('lets nothing out that was sent but not written yet', () => {
    const talk = ClientTalk.loggedIn();
    talk.say(RETR);
    talk.session.receive(octets('Subject: hi\r\n'));
    for (const command of [DELE, QUIT]) talk.session.send(command);
    expect(talk.told()).toEqual(['close bad-status-line']);
    const late = ClientTalk.loggedIn();
    late.say(RETR);
    late.session.send(DELE);
    expect(late.hear('+OK\r\nhi\r\n.\r\n.\r\n')).toEqual([
      'RETR +OK ...',
      '| hi\r\n',
      '.',
      'close bad-status-line',
    ]);
  });

  it('ends the session before a command that follows what nobody has asked for', () => {
    for (const text of ['+OK\r\n', '+O', 'x', '\r\n', '-ERR going down\r\n', '.\r\n', '1 120\r\n']) {
      for (const talk of [ClientTalk.loggedIn(), ClientTalk.greeted()]) {
        talk.session.receive(octets(text));
        expect(() => talk.session.send(CAPA)).toThrow(USAGE);
        expect(talk.told()).toEqual(['close unexpected-data']);
      }
      const told = ClientTalk.loggedIn();
      expect(told.hear(text)).toEqual(['close unexpected-data']);
    }
  });

  it('ends the session where a message had a line that was not dot-stuffed', () => {
    const talk = ClientTalk.loggedIn();
    talk.say(RETR, DELE);
    expect(talk.hear('+OK\r\nsee\r\n.\r\n+OK not what you think\r\n')).toEqual([
      'RETR +OK ...',
      '| see\r\n',
      '.',
      'DELE +OK',
    ]);
    expect(talk.hear('and so on\r\n.\r\n+OK\r\n')).toEqual(['close unexpected-data']);
    expectRefused(talk, QUIT);
  });

  it('ends the session where the server speaks before a challenge is answered', () => {
    for (const text of ['+OK\r\n', '+ \r\n', '-ERR\r\n', 'x']) {
      const talk = ClientTalk.greeted();
      talk.say(AUTH);
      expect(talk.hear(`+ \r\n${text}`)).toEqual(['+ ', 'close unexpected-data']);
      const prompt = ClientTalk.greeted();
      prompt.say(AUTH);
      prompt.session.receive(octets(`+ \r\n${text}`));
      expect(prompt.session.next()).toMatchObject({ type: 'challenge' });
      prompt.session.sendSaslResponse(octets('secret'));
      expect(prompt.told()).toEqual(['close unexpected-data']);
    }
  });

  it('says nothing to whoever has gone, and says so when something is awaited', () => {
    const talk = ClientTalk.loggedIn();
    expect(talk.end()).toEqual([]);
    expect(talk.session.state).toBe('transaction');
    expect(talk.say(DELE, QUIT)).toEqual(['close peer-closed']);
    for (const wire of [
      '',
      '+O',
      '+OK',
      '+OK\r',
      '+OK\r\n',
      '+OK\r\nhi',
      '+OK\r\nhi\r\n',
      '+OK\r\nhi\r\n.\r',
    ]) {
      const talk = ClientTalk.loggedIn();
      talk.say(RETR);
      talk.hear(wire);
      expect(talk.end()).toEqual(['close peer-closed']);
    }
  });

  it('keeps what came before the end of the connection', () => {
    const talk = ClientTalk.loggedIn();
    talk.say(RETR, QUIT);
    talk.session.receive(octets('+OK\r\nhi\r\n.\r\n+OK bye\r\n'));
    expect(talk.end()).toEqual(['RETR +OK ...', '| hi\r\n', '.', 'QUIT +OK', 'close null']);
  });

  it('looks at nothing behind the answer to QUIT', () => {
    const talk = ClientTalk.loggedIn();
    talk.say(QUIT);
    expect(talk.hear('+OK bye\r\n+OK and bye\r\n')).toEqual(['QUIT +OK', 'close null']);
    expect(talk.hear('garbage')).toEqual(['close null']);
    expect(talk.end()).toEqual(['close null']);
    talk.session.abort();
    expect(talk.told()).toEqual(['close null']);
  });
});

describe('lines that some servers add', () => {
  const single: readonly (readonly [command: ClientCommand, verb: string, entry: string])[] = [
    [{ verb: 'LIST', messageNumber: 1 }, 'LIST', '1 120'],
    [{ verb: 'UIDL', messageNumber: 1 }, 'UIDL', '1 id'],
  ];
  for (const [command, verb, entry] of single) {
    it(`are dropped behind the answer to ${verb} with a number`, () => {
      for (const added of ['.\r\n', `${entry}\r\n.\r\n`, `${entry}\r\n${entry}\r\n`, `${entry}\n.\n`]) {
        for (const wire of [[`+OK ${entry}\r\n${added}`], [...`+OK ${entry}\r\n${added}`]]) {
          const talk = ClientTalk.loggedIn();
          talk.say(command);
          expect(talk.hear(...wire)).toEqual([`${verb} +OK`]);
          expect(talk.say(NOOP)).toEqual(['wrote NOOP\r\n']);
          expect(talk.hear('+OK\r\n')).toEqual(['NOOP +OK']);
          expect(talk.hear('.\r\n')).toEqual(['close unexpected-data']);
        }
      }
    });

    it(`are dropped between the answers to ${verb} with a number and the next command`, () => {
      for (const added of ['.\r\n', `${entry}\r\n.\r\n`]) {
        for (const cut of [(text: string) => [text], (text: string) => [...text]]) {
          const talk = ClientTalk.loggedIn();
          talk.say(command, RETR, command, DELE);
          const listed = `+OK ${entry}\r\n${added}`;
          const told = talk.hear(...cut(`${listed}+OK\r\n.\r\n${listed}+OK\r\n`));
          expect(told).toEqual([`${verb} +OK`, 'RETR +OK ...', '.', `${verb} +OK`, 'DELE +OK']);
        }
      }
    });

    it(`are dropped when the next command is sent in the middle of them, behind ${verb}`, () => {
      const talk = ClientTalk.loggedIn();
      talk.say(command);
      expect(talk.hear(`+OK ${entry}\r\n${entry.slice(0, 3)}`)).toEqual([`${verb} +OK`]);
      expect(talk.say(NOOP)).toEqual(['wrote NOOP\r\n']);
      expect(talk.hear(`${entry.slice(3)}\r\n.\r\n+OK\r\n`)).toEqual(['NOOP +OK']);
    });

    it(`are nothing else than a listing, behind ${verb}`, () => {
      for (const text of ['x', '+OK\r\n', '\r\n', ' 1', '.x\r\n', '..\r\n', '.\r\n.\r\n', '.\r\n1 120\r\n']) {
        const talk = ClientTalk.loggedIn();
        talk.say(command);
        expect(talk.hear(`+OK ${entry}\r\n${text}`)).toEqual([`${verb} +OK`, 'close unexpected-data']);
      }
    });

    it(`are not expected behind a refusal of ${verb}`, () => {
      const talk = ClientTalk.loggedIn();
      talk.say(command);
      expect(talk.hear('-ERR no such message\r\n.\r\n')).toEqual([`${verb} -ERR`, 'close unexpected-data']);
    });
  }

  it('are not expected behind other commands', () => {
    for (const command of [STAT, DELE, NOOP]) {
      for (const text of ['.\r\n', '1 120\r\n']) {
        const talk = ClientTalk.loggedIn();
        talk.say({ verb: 'LIST', messageNumber: 1 }, command);
        talk.hear('+OK 1 120\r\n', '+OK\r\n');
        expect(talk.hear(text)).toEqual(['close unexpected-data']);
        const pipelined = ClientTalk.loggedIn();
        pipelined.say(command, NOOP);
        pipelined.hear('+OK\r\n');
        expect(pipelined.hear(text)).toEqual(['close bad-status-line']);
      }
    }
  });
});

describe('capabilities', () => {
  const asked = (talk: ClientTalk, ...lines: readonly string[]) => {
    talk.say(CAPA);
    talk.hear(`+OK\r\n${lines.map((line) => `${line}\r\n`).join('')}.\r\n`);
    return talk.session.capabilities && [...talk.session.capabilities];
  };

  it('are known when all of them have come', () => {
    const talk = ClientTalk.greeted();
    talk.say(CAPA);
    talk.hear('+OK\r\nUIDL\r\nSASL PLAIN\r\n');
    expect(talk.session.capabilities).toBe(null);
    talk.hear('.\r\n');
    expect(talk.session.capabilities).toEqual(
      new Map([
        ['UIDL', []],
        ['SASL', ['PLAIN']],
      ]),
    );
  });

  it('are read in any case, from lines with any end, also when they start with a dot', () => {
    expect(asked(ClientTalk.greeted(), 'uidl', '..x', '', 'sasl  PLAIN')).toEqual([
      ['UIDL', []],
      ['.X', []],
      ['SASL', ['PLAIN']],
    ]);
    const talk = ClientTalk.greeted();
    talk.say(CAPA);
    talk.hear('+OK\nTOP\nUIDL\n.\n');
    expect([...(talk.session.capabilities ?? [])]).toEqual([
      ['TOP', []],
      ['UIDL', []],
    ]);
  });

  it('may be none, and are those of the last answer', () => {
    const talk = ClientTalk.greeted();
    expect(asked(talk, 'TOP')).toEqual([['TOP', []]]);
    expect(asked(talk)).toEqual([]);
  });

  it('are not known where the server refuses to say them', () => {
    const talk = ClientTalk.greeted();
    talk.say(CAPA);
    expect(talk.hear('-ERR what?\r\n')).toEqual(['CAPA -ERR']);
    expect(talk.session.capabilities).toBe(null);
  });

  it('are forgotten behind the handshake, and kept when STLS is refused', () => {
    const talk = ClientTalk.greeted();
    asked(talk, 'STLS');
    talk.say(STLS);
    talk.hear('-ERR\r\n');
    expect(talk.session.capabilities).not.toBe(null);
    talk.say(STLS);
    talk.hear('+OK\r\n');
    talk.session.tlsUpgraded();
    expect(talk.session.capabilities).toBe(null);
  });

  for (const login of [PASS, APOP, AUTH]) {
    it(`are forgotten behind a login by ${login.verb}, and kept when it is refused`, () => {
      const talk = ClientTalk.greeted();
      asked(talk, 'SASL PLAIN');
      talk.say(login);
      talk.hear('-ERR\r\n');
      expect(talk.session.capabilities).not.toBe(null);
      talk.say(login);
      talk.hear('+OK\r\n');
      expect([talk.session.state, talk.session.capabilities]).toEqual(['transaction', null]);
    });
  }

  it('are not the lines of another answer', () => {
    const talk = ClientTalk.loggedIn();
    talk.say({ verb: 'LIST', messageNumber: null }, XTND);
    talk.hear('+OK\r\n1 120\r\n.\r\n+OK\r\nTOP\r\n.\r\n');
    expect(talk.session.capabilities).toBe(null);
  });

  it('end the session when there are more than the limit has', () => {
    const limits = { maxCapabilityOctets: 20 };
    for (const cut of [(text: string) => [text], (text: string) => [...text]]) {
      const talk = ClientTalk.greeted({ limits });
      expect(asked(talk, 'TOP', 'SASL PLAIN  A')).not.toBe(null);
      talk.say(CAPA);
      expect(talk.hear(...cut('+OK\r\nTOP\r\nSASL PLAIN  AB\r\n.\r\n')).at(-1)).toBe(
        'close too-many-capabilities',
      );
    }
    const endless = ClientTalk.greeted();
    endless.say(CAPA);
    endless.hear('+OK\r\n');
    const line = `X-${'x'.repeat(1020)}\r\n`;
    for (let i = 0; i < 64; i++) expect(endless.hear(line)).toEqual([`| ${line}`]);
    expect(endless.hear(line)).toEqual(['close too-many-capabilities']);
  });
});

describe('limits', () => {
  it('hold a status line to 64 KiB, whether its end has come or not', () => {
    for (const [octets, end, told] of [
      [65_536, '\r\n', 'NOOP +OK'],
      [65_537, '\r\n', 'close line-too-long'],
      [65_537, '', 'close line-too-long'],
      [10_000_000, '', 'close line-too-long'],
    ] as const) {
      const talk = ClientTalk.loggedIn();
      talk.say(NOOP);
      expect(talk.hear(`+OK ${'x'.repeat(octets - 4 - end.length)}${end}`)).toEqual([told]);
    }
  });

  it('hold every line outside of a body, however it comes', () => {
    const limits = { maxLineOctets: 20 };
    const endless = Array.from({ length: 30 }, () => 'x');
    expect(new ClientTalk({ limits }).hear('+OK ', ...endless).at(0)).toBe('close line-too-long');
    const auth = ClientTalk.greeted({ limits });
    auth.say(AUTH);
    expect(auth.hear('+ ', ...endless).at(0)).toBe('close line-too-long');
    const list = ClientTalk.loggedIn({ limits });
    list.say({ verb: 'LIST', messageNumber: 1 });
    expect(list.hear('+OK 1 120\r\n', '1 ', ...endless).slice(0, 2)).toEqual([
      'LIST +OK',
      'close unexpected-data',
    ]);
    const body = ClientTalk.loggedIn({ limits });
    body.say(RETR);
    expect(body.hear('+OK\r\n', ...endless)).toHaveLength(31);
  });

  it('do not hold a body', () => {
    const talk = ClientTalk.loggedIn();
    talk.say(RETR);
    talk.hear('+OK 0 octets\r\n');
    const chunk = 'x'.repeat(1_000_000);
    for (let i = 0; i < 20; i++) expect(talk.hear(chunk)[0]).toHaveLength(chunk.length + 2);
    expect(talk.hear('\r\n.\r\n')).toEqual(['| \r\n', '.']);
  });
});

describe('acceptLowerCaseStatus', () => {
  it('takes +ok and -err in any case, and nothing else besides', () => {
    const talk = new ClientTalk({ acceptLowerCaseStatus: true });
    expect(talk.hear('+ok <a@b> ready\r\n')).toEqual(['greeting +OK <a@b>']);
    talk.say(CAPA);
    expect(talk.hear('+Ok\r\ntop\r\n.\r\n')).toEqual(['CAPA +OK ...', '| top\r\n', '.']);
    talk.say(USER);
    talk.session.receive(octets('-err [auth] Who?\r\n'));
    expect(talk.session.next()).toMatchObject({ status: { status: '-ERR', code: 'AUTH', text: 'Who?' } });
    talk.say(AUTH);
    expect(talk.hear('+ \r\n')).toEqual(['+ ']);
    for (const line of ['+okay', '+OKAY', 'ok', '-error', '+', ' +ok']) {
      const other = ClientTalk.greeted({ acceptLowerCaseStatus: true });
      other.say(CAPA);
      expect(other.hear(`${line}\r\n`)).toEqual(['close bad-status-line']);
    }
  });
});

describe('trace', () => {
  it('is told of the greeting, of commands with their secrets masked, of answers, and of states', () => {
    const events: ClientTrace[] = [];
    const talk = new ClientTalk({ trace: (event) => events.push(event) });
    talk.hear('+OK\r\n');
    talk.say({ verb: 'AUTH', mechanism: 'PLAIN', initialResponse: octets('\0ann\0secret') });
    talk.hear('+ \r\n');
    talk.session.sendSaslResponse(octets('\0ann\0secret'));
    talk.hear('-ERR [AUTH] no\r\n');
    talk.say(APOP);
    talk.hear('-ERR\r\n');
    talk.say({ ...XTND, argument: 'secret' });
    talk.hear('-ERR\r\n');
    talk.say(USER, PASS);
    talk.hear('+OK\r\n+OK\r\n');
    talk.say({ verb: 'TOP', messageNumber: 1, lines: 2 }, QUIT);
    talk.hear('+OK\r\nsecret\r\n.\r\n+OK bye\r\n');
    const texts = events.map((event) => {
      if (event.type === 'command') return event.command;
      return event.type === 'state'
        ? `(${event.state})`
        : `${event.status.status} ${event.status.text}`.trimEnd();
    });
    expect(texts).toEqual([
      '+OK',
      '(authorization)',
      'AUTH PLAIN ***',
      '-ERR no',
      'APOP "ann" ***',
      '-ERR',
      'XTND ***',
      '-ERR',
      'USER "ann"',
      'PASS ***',
      '+OK',
      '+OK',
      '(transaction)',
      'TOP 1 2',
      'QUIT',
      '(update)',
      '+OK',
      '+OK bye',
      '(closed)',
    ]);
    expect(JSON.stringify(events)).not.toMatch(/secret|c4c9334bac560ecc|AGFubg/);
  });

  it('is not told of a command that was refused', () => {
    const events: ClientTrace[] = [];
    const talk = ClientTalk.loggedIn({ trace: (event) => events.push(event) });
    events.length = 0;
    for (const command of [USER, STLS, { verb: 'DELE', messageNumber: 0 } as const])
      expectRefused(talk, command);
    expect(events).toEqual([]);
  });
});

describe('pipelining', () => {
  it('counts what has no answer, or not all of it', () => {
    const talk = ClientTalk.loggedIn();
    expect(talk.session.pending).toBe(0);
    talk.session.send(RETR);
    talk.session.send(DELE);
    expect(talk.session.pending).toBe(2);
    talk.told();
    talk.hear('+OK\r\n');
    expect(talk.session.pending).toBe(2);
    talk.hear('hi\r\n');
    expect(talk.session.pending).toBe(2);
    talk.hear('.\r\n');
    expect(talk.session.pending).toBe(1);
    talk.hear('-ERR\r\n');
    expect(talk.session.pending).toBe(0);
    talk.say(QUIT);
    talk.hear('+OK\r\n');
    expect(talk.session.pending).toBe(0);
  });

  it('writes what was sent in one go together, and what is sent later when it is sent', () => {
    const talk = ClientTalk.loggedIn();
    expect(talk.say(STAT, DELE, NOOP)).toEqual(['wrote STAT\r\nDELE 1\r\nNOOP\r\n']);
    expect(talk.hear('+OK 1 120\r\n')).toEqual(['STAT +OK']);
    expect(talk.say(QUIT)).toEqual(['wrote QUIT\r\n']);
    expect(talk.hear('+OK\r\n+OK\r\n+OK\r\n')).toEqual(['DELE +OK', 'NOOP +OK', 'QUIT +OK', 'close null']);
  });

  it('gives each answer to the very object that was sent, also when one is sent twice', () => {
    const talk = ClientTalk.loggedIn();
    const first: ClientCommand = { verb: 'RETR', messageNumber: 1 };
    const second: ClientCommand = { verb: 'RETR', messageNumber: 1 };
    talk.say(first, second, first);
    const answered: ClientCommand[] = [];
    for (let i = 0; i < 3; i++) {
      talk.session.receive(octets('+OK\r\nhi\r\n.\r\n'));
      for (let action = talk.session.next(); 'command' in action; action = talk.session.next()) {
        answered.push(action.command);
      }
    }
    const expected = [first, second, first].flatMap((command) => [command, command, command]);
    expect(answered).toHaveLength(9);
    expect(answered.every((command, i) => command === expected[i])).toBe(true);
  });

  it('takes time for each command once, however many are in flight', () => {
    // Moved one by one for each answer, these would take minutes.
    const count = 200_000;
    const talk = ClientTalk.loggedIn();
    const commands = Array.from(
      { length: count },
      (_, i) => ({ verb: 'DELE', messageNumber: i + 1 }) as const,
    );
    for (const command of commands) talk.session.send(command);
    expect(talk.told()[0]?.length).toBeGreaterThan(count * 8);
    talk.session.receive(octets('+OK\r\n'.repeat(count)));
    let wrong = 0;
    for (const command of commands) {
      const action = talk.session.next();
      if (action.type !== 'response' || action.command !== command) wrong++;
    }
    expect(wrong).toBe(0);
    expect([talk.session.pending, talk.session.next().type]).toEqual([0, 'wait']);
  });

  it('takes time for each octet once, however many answers come in one chunk', () => {
    const count = 50_000;
    const talk = ClientTalk.loggedIn();
    for (let i = 0; i < count; i++) talk.session.send(RETR);
    talk.told();
    expect(talk.hear('+OK\r\nhi\r\n.\r\n'.repeat(count))).toHaveLength(3 * count);
  });
});

/** What a server says to `PIPELINED`. */
const ANSWERS = [
  '+OK 2 320\r\n',
  '+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n',
  '+OK 1 120\r\n',
  '+OK\r\n1 a\r\n2 b\r\n.\r\n',
  '+OK 120 octets\r\nSubject: hi\r\n\r\n..dot\r\n..\r\n\r.\n.\r\r\n.\r\n',
  '+OK\r\nSubject: hi\r\n\r\n.\r\n',
  '-ERR no such message\r\n',
  '+OK\r\nUIDL\r\nPIPELINING\r\n.\r\n',
  '+OK 2 b\r\n2 b\r\n.\r\n',
  '-ERR [SYS/TEMP] later\r\n',
  '+OK\r\nline\r\n.\r\n',
  '+OK bye\r\n',
];
const PIPELINED: readonly ClientCommand[] = [
  STAT,
  { verb: 'LIST', messageNumber: null },
  { verb: 'LIST', messageNumber: 1 },
  { verb: 'UIDL', messageNumber: null },
  RETR,
  { verb: 'TOP', messageNumber: 1, lines: 0 },
  { verb: 'DELE', messageNumber: 3 },
  CAPA,
  { verb: 'UIDL', messageNumber: 2 },
  NOOP,
  XTND,
  QUIT,
];

/** What a peer may send: what a server says, with some of it changed, left out, or said twice, or anything else. */
const anythingSaid: fc.Arbitrary<string> = fc.oneof(
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(), fc.constantFrom('cut', 'insert', 'twice'), fc.nat({ max: 9 })), {
        maxLength: 4,
      }),
      fc.array(fc.constantFrom('\r', '\n', '\r\n', '.', '+', '+OK', '-ERR', ' ', '1 ', 'x', '\0', '\xff'), {
        maxLength: 5,
      }),
    )
    .map(([changes, inserted]) => {
      let text = ANSWERS.join('');
      for (const [place, what, length] of changes) {
        const at = place % (text.length + 1);
        const between = what === 'insert' ? inserted.join('') : '';
        const from =
          what === 'twice'
            ? Math.max(0, at - length)
            : Math.min(text.length, at + (what === 'cut' ? length : 0));
        text = text.slice(0, at) + between + text.slice(from);
      }
      return text;
    }),
  fc
    .array(fc.constantFrom('+OK', '-ERR', '+', ' ', '\r\n', '\n', '.', '\r\n.\r\n', '1 120', '\0', '\xff'), {
      maxLength: 60,
    })
    .map((parts) => parts.join('')),
  fc.uint8Array({ maxLength: 300 }).map(latin1),
);

/** Parts of a body are cut where chunks are, which is an accident. */
function joinedBodies(told: readonly string[]): string[] {
  const joined: string[] = [];
  for (const line of told) {
    const last = joined.at(-1);
    if (line.startsWith('| ') && last?.startsWith('| ')) joined[joined.length - 1] = last + line.slice(2);
    else joined.push(line);
  }
  return joined;
}

describe('whatever a server sends', () => {
  it('is told the same in any chunking, when everything was asked before', () => {
    const lengths = fc.constantFrom(PIPELINED.length, 3, 5);
    fc.assert(
      fc.property(anythingSaid, chunkLengths, lengths, fc.boolean(), (text, chunks, count, ends) => {
        const told = (cut: readonly Uint8Array[]) => {
          const talk = ClientTalk.loggedIn({ limits: { maxLineOctets: 40 } });
          talk.say(...PIPELINED.slice(0, count));
          const heard = cut.flatMap((chunk) => talk.hear(latin1(chunk)));
          if (ends) heard.push(...talk.end());
          // A session that is over says so again and again.
          const close = heard.findIndex((line) => line.startsWith('close'));
          const { state, pending, capabilities } = talk.session;
          const rest = capabilities && [...capabilities];
          return [joinedBodies(close === -1 ? heard : heard.slice(0, close + 1)), state, pending, rest];
        };
        const whole = told([octets(text)]);
        expect(told(chunksOf(octets(text), chunks))).toEqual(whole);
        expect(told([...text].map(octets))).toEqual(whole);
      }),
      { numRuns: 500 },
    );
  });

  it('never makes it throw, nor act without an end, nor write when it is over', () => {
    fc.assert(
      fc.property(anythingSaid, chunkLengths, fc.boolean(), fc.boolean(), (text, chunks, tls, lower) => {
        const { session } = new ClientTalk({ tls, acceptLowerCaseStatus: lower });
        const commands = [CAPA, AUTH, STLS, USER, PASS, ...PIPELINED].values();
        const sent = () => {
          for (const command of commands) {
            try {
              session.send(command);
              return true;
            } catch (error) {
              expect(error).toEqual(USAGE);
            }
          }
          return false;
        };
        const run = () => {
          // No octet causes more than a few actions.
          for (let left = 3 * text.length + 50; left > 0; left--) {
            const action = session.next();
            if (action.type === 'challenge') session.sendSaslResponse(null);
            else if (action.type === 'upgrade-tls') session.tlsUpgraded();
            else if (action.type === 'close') return expect(session.next()).toEqual(action);
            else if (action.type === 'read' || (action.type === 'wait' && !sent())) return;
          }
          expect('an end').toBe('reached');
        };
        for (const chunk of chunksOf(octets(`+OK\r\n${text}`), chunks)) {
          session.receive(chunk);
          run();
        }
        session.receiveEnd();
        run();
      }),
      { numRuns: 500 },
    );
  });
});
