import { describe, expect, it } from 'vitest';
import type { Authenticator, Peer, ScramForm } from '../src/adapter.js';
import {
  type Auth,
  type ByteChannel,
  type ClientChannel,
  serve,
  type TokenRefusal,
} from '../src/driver/index.js';
import { checkAuth } from '../src/driver/login.js';
import { Pop3Error } from '../src/errors.js';
import {
  apopDigest,
  cramMd5,
  EXTERNAL,
  LOGIN,
  PLAIN,
  plainClient,
  type SaslServerMechanism,
  scram,
  scramClient,
} from '../src/sasl/index.js';
import { AnsweringChannel } from './answering-channel.js';
import { type Attempt, attempt, errorOf } from './login-attempt.js';
import { storeOf } from './memory-channel.js';
import { joinedChannels } from './memory-client-channel.js';
import { HASHES, md5 } from './node-hashes.js';
import { passwordUsers } from './password-users.js';

const PASSWORD = 'tig"er of wörds ';
const AUTH = { user: 'ann', password: PASSWORD };
const BINDING = Buffer.alloc(32, 7);

const base64 = (text: string) => Buffer.from(text).toString('base64');
const textOf = (encoded = '') => Buffer.from(encoded, 'base64').toString();

const FORMS: readonly ScramForm[] = ['scram-sha-256', 'scram-sha-512', 'scram-sha-1'];

/** Those of the names, or all. */
function mechanismsOf(names?: readonly string[]): SaslServerMechanism[] {
  const channelBinding = names?.some((name) => name.endsWith('-PLUS')) ?? true;
  const nonce = () => '3rfcNHYJY1ZVvWVs7j';
  const all = [
    ...FORMS.flatMap((form) => scram(form, { crypto: HASHES[form], nonce, channelBinding })),
    EXTERNAL,
    PLAIN,
    LOGIN,
    cramMd5({ challenge: () => '<1896.697170952@example.org>' }),
  ];
  return all.filter(({ name }) => names?.includes(name) ?? true);
}

const NAMES = mechanismsOf().map(({ name }) => name);

interface Served extends Partial<Omit<Attempt, 'channel'>> {
  readonly mechanisms?: readonly string[];
  readonly authenticator?: Authenticator;
}

/** Logs in to a server of the core with all of its mechanisms. */
async function served({ mechanisms = NAMES, authenticator, ...changes }: Served = {}) {
  const encrypted = changes.encrypted ?? true;
  const { server, client: channel, said } = joinedChannels();
  serveAll(server, mechanisms, authenticator ?? passwordUsers({ ann: PASSWORD }), {
    address: null,
    tls: encrypted,
    certificate: { commonName: 'ann', emailAddresses: [], fingerprint256: '' },
    ...(encrypted && { channelBinding: () => BINDING }),
  });
  const login = attempt({ channel, auth: AUTH, channelBinding: () => BINDING, ...changes });
  const outcome = await login.catch((error: unknown) => error);
  return { login, outcome, said: said.client.split('\r\n').slice(0, -1) };
}

function serveAll(
  channel: ByteChannel,
  names: readonly string[],
  authenticator: Authenticator,
  peer: Peer,
): void {
  void serve({
    channel,
    authenticator,
    peer,
    mechanisms: mechanismsOf(names),
    store: storeOf([]),
    session: { plaintextAuth: 'allow' },
  });
}

interface Script extends Partial<Omit<Attempt, 'channel'>> {
  /** Lines of CAPA; null refuses it. */
  readonly announced?: readonly string[] | null;
  readonly greeting?: string;
}

/** Logs in to a server that answers as it is told to: to each line behind CAPA, the first being number 1. */
function scripted(
  { announced = [], greeting = '+OK ready', ...changes }: Script,
  answer: (line: string, number: number) => string | null,
) {
  const channel = new AnsweringChannel(greeting, (line, number) => {
    if (line !== 'CAPA') return answer(line, number - 1);
    return announced === null ? '-ERR what?' : ['+OK', ...announced, '.'].join('\r\n');
  });
  const login = attempt({ channel, auth: AUTH, ...changes });
  return { login, said: () => channel.said.slice(1) };
}

describe('with a server that has them all', () => {
  it('logs in by the best, encrypted or not', async () => {
    expect((await served()).outcome).toBe('SCRAM-SHA-256-PLUS');
    expect((await served({ channelBinding: () => null })).outcome).toBe('SCRAM-SHA-256');
    expect((await served({ encrypted: false })).outcome).toBe('SCRAM-SHA-256');
  });

  it.each(NAMES.filter((name) => /^(SCRAM|CRAM|PLAIN|LOGIN)/.test(name)))(
    'logs in by %s, and says what is wrong when the password is',
    async (name) => {
      expect((await served({ mechanisms: [name] })).outcome).toBe(name);
      const wrong = 'Wr0ng:one';
      const { login, said } = await served({ mechanisms: [name], auth: { ...AUTH, password: wrong } });
      const error = await errorOf(login, wrong);
      expect(error).toMatchObject({
        code: 'POP3_REFUSED',
        verb: 'AUTH',
        responseCode: 'AUTH',
        serverText: 'authentication failed',
        retryable: false,
      });
      expect(error.message).toContain(`the login by ${name} [AUTH]: "authentication failed"`);
      // USER and PASS are on offer as well, and are only spoken of.
      expect(error.message).toMatch(/auth\.mechanism can name another of USER\.$/);
      expect(said.filter((line) => /^(AUTH|USER|PASS)/.test(line))).toHaveLength(1);
    },
  );

  it.each(['USER', 'PLAIN', 'LOGIN', 'CRAM-MD5', 'SCRAM-SHA-1'])(
    'logs in by %s when it is named',
    async (mechanism) => {
      expect((await served({ auth: { ...AUTH, mechanism } })).outcome).toBe(mechanism);
      const { login } = await served({ auth: { ...AUTH, password: 'Wr0ng:one', mechanism } });
      const error = await errorOf(login, 'Wr0ng:one');
      expect(error).toMatchObject({ code: 'POP3_REFUSED', retryable: false });
      expect(error.message).not.toContain('auth.mechanism');
    },
  );

  it.each([' ', '"', "'", '\\', 'ö', '\u{1f40c} €', 'a b  c ', '=,', '\t', 'x'.repeat(200)])(
    'takes the password %j by each mechanism',
    async (password) => {
      const authenticator = passwordUsers({ 'an n@example.org': password });
      for (const mechanism of [
        'USER',
        'LOGIN',
        'CRAM-MD5',
        ...(password === '\t' ? [] : ['PLAIN', 'SCRAM-SHA-256']),
      ]) {
        const auth = { user: 'an n@example.org', password, mechanism };
        expect((await served({ auth, authenticator })).outcome).toBe(mechanism);
      }
    },
  );

  it('finds out that -PLUS was taken out of the list', async () => {
    const { server, client: channel } = joinedChannels();
    const peer = { address: null, tls: true, certificate: null, channelBinding: () => BINDING };
    serveAll(server, NAMES, passwordUsers({ ann: PASSWORD }), peer);
    const between: ClientChannel = {
      ...channel,
      async read(awaited) {
        const chunk = await channel.read(awaited);
        return (
          chunk &&
          Buffer.from(
            Buffer.from(chunk)
              .toString('latin1')
              .replace(/ SCRAM\S+-PLUS/g, ''),
          )
        );
      },
    };
    const error = await errorOf(
      attempt({ channel: between, auth: AUTH, channelBinding: () => BINDING }),
      PASSWORD,
    );
    expect(error).toMatchObject({ code: 'POP3_REFUSED', retryable: false });
    expect(error.message).toMatch(/SCRAM-SHA-256 .*somebody in between/);
    expect(error.message).not.toMatch(/PLAIN|USER/);
  });

  it('finds out that somebody in between has a connection of his own', async () => {
    const { login } = await served({ channelBinding: () => Buffer.alloc(32, 8) });
    expect((await errorOf(login, PASSWORD)).message).toMatch(/SCRAM-SHA-256-PLUS .*somebody in between/);
  });

  it('logs in for another', async () => {
    const asked: unknown[] = [];
    const authenticator: Authenticator = {
      accepts: ['password'],
      authenticate: (credentials) => {
        asked.push(credentials);
        return { type: 'accepted', identity: { maildrop: 'bob', username: 'ann' } };
      },
    };
    const auth = { ...AUTH, authorizationId: 'bob' };
    expect((await served({ auth, authenticator })).outcome).toBe('PLAIN');
    expect(asked).toMatchObject([{ username: 'ann', authorizationId: 'bob' }]);
  });

  it('logs in by a certificate', async () => {
    const authenticator: Authenticator = {
      accepts: ['external', 'password'],
      authenticate: (credentials) =>
        credentials.type === 'external' && credentials.authorizationId !== 'bob'
          ? { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } }
          : { type: 'refused', reason: 'bad-credentials' },
    };
    const first = await served({ auth: { external: true }, authenticator });
    expect([first.outcome, first.said[1]]).toEqual(['EXTERNAL', 'AUTH EXTERNAL =']);
    const named = await served({ auth: { external: true, user: 'ann' }, authenticator });
    expect([named.outcome, named.said[1]]).toEqual(['EXTERNAL', `AUTH EXTERNAL ${base64('ann')}`]);
    const other = await served({ auth: { external: true, user: 'bob' }, authenticator });
    expect((await errorOf(other.login)).message).toMatch(/by EXTERNAL .*client certificate/);
    const clear = await served({
      auth: { external: true },
      authenticator,
      encrypted: false,
      allowPlaintext: true,
    });
    expect(await errorOf(clear.login)).toMatchObject({ code: 'POP3_TLS' });
    expect(clear.said).toEqual(['CAPA']);
  });

  it("logs in by a mechanism of the caller's", async () => {
    const sasl = plainClient({ username: 'ann', password: PASSWORD });
    expect((await served({ auth: { sasl } })).outcome).toBe('PLAIN');
    const clear = await served({ auth: { sasl }, encrypted: false });
    expect(await errorOf(clear.login, PASSWORD)).toMatchObject({ code: 'POP3_TLS' });
    expect(clear.said).toEqual(['CAPA']);
    expect((await served({ auth: { sasl }, encrypted: false, allowPlaintext: true })).outcome).toBe('PLAIN');
    const scram = scramClient('scram-sha-1', {
      ...sasl,
      username: 'ann',
      password: PASSWORD,
      crypto: HASHES['scram-sha-1'],
      nonce: () => 'fyko+d2lbbFgONRv9qkxdawL',
    });
    expect((await served({ auth: { sasl: scram }, encrypted: false })).outcome).toBe('SCRAM-SHA-1');
  });
});

describe('a connection that is not encrypted', () => {
  it.each([
    ['as it is', ['SASL PLAIN LOGIN', 'USER', 'STLS']],
    ['without STLS', ['SASL PLAIN LOGIN', 'USER']],
    ['without SASL', ['USER', 'STLS']],
    ['without USER', ['SASL LOGIN']],
    ['stripped of all', []],
    ['refused', null],
  ])('never has a password on it, whatever became of the list: %s', async (_, announced) => {
    for (const mechanism of [undefined, 'PLAIN', 'LOGIN', 'USER']) {
      for (const pipelining of [true, false]) {
        const auth = mechanism === undefined ? AUTH : { ...AUTH, mechanism };
        const { login, said } = scripted({ announced, auth, encrypted: false, pipelining }, () => '+OK');
        expect(await errorOf(login, PASSWORD)).toMatchObject({ code: 'POP3_TLS', retryable: false });
        expect(said()).toEqual([]);
      }
    }
  });

  it('never has a token on it, and none is asked for', async () => {
    for (const mechanism of [undefined, 'XOAUTH2', 'OAUTHBEARER'] as const) {
      const accessToken = () => expect.fail('asked');
      const auth: Auth = { user: 'ann', accessToken, ...(mechanism && { mechanism }) };
      const { login, said } = scripted(
        { announced: ['SASL XOAUTH2 OAUTHBEARER'], auth, encrypted: false },
        () => '+OK',
      );
      expect(await errorOf(login)).toMatchObject({ code: 'POP3_TLS' });
      expect(said()).toEqual([]);
    }
  });

  it('has one when the caller says so', async () => {
    const { login, said } = scripted(
      { encrypted: false, allowPlaintext: true, pipelining: true, announced: ['PIPELINING'] },
      (line) => {
        // One by one: a server that refuses the name does not get the password as well.
        return line.startsWith('USER') ? '+OK' : '+OK 0 messages';
      },
    );
    expect(await login).toBe('USER');
    expect(said()).toEqual(['USER ann', `PASS ${PASSWORD}`]);
  });
});

describe('USER and PASS', () => {
  it('are sent at once where that is announced and the connection is encrypted', async () => {
    const channels: [Script, number][] = [
      [{ announced: ['PIPELINING', 'USER'], pipelining: true }, 2],
      [{ announced: ['USER'], pipelining: true }, 1],
      [{ announced: ['PIPELINING', 'USER'], pipelining: false }, 1],
      [{ announced: ['PIPELINING', 'USER'], pipelining: true, encrypted: false, allowPlaintext: true }, 1],
    ];
    for (const [script, lines] of channels) {
      const { login, said } = scripted(script, () => '-ERR no such user');
      await errorOf(login, PASSWORD);
      expect(said()).toHaveLength(lines);
    }
  });

  it('have the refusal of USER as theirs, when both were sent as well', async () => {
    for (const pipelining of [true, false]) {
      const { login } = scripted({ announced: ['PIPELINING'], pipelining }, (line) =>
        line.startsWith('USER') ? '-ERR no ann here' : '-ERR USER first',
      );
      const error = await errorOf(login, PASSWORD);
      expect(error).toMatchObject({ code: 'POP3_REFUSED', verb: 'USER', serverText: 'no ann here' });
    }
  });

  it('say that encryption may be what is missing', async () => {
    const { login } = scripted({ encrypted: false, allowPlaintext: true }, () => '-ERR not now');
    expect((await errorOf(login, PASSWORD)).message).toMatch(/not encrypted: set tls/);
  });

  it.each(['tiger\r\nDELE 1', 'tiger\nDELE 1', 'tiger\r', 'x'.repeat(300)])(
    'send nothing at all when the password cannot be sent: %j',
    async (password) => {
      const { login, said } = scripted({ auth: { user: 'ann', password } }, () => '+OK');
      expect(await errorOf(login, 'DELE 1', password)).toMatchObject({ code: 'POP3_USAGE' });
      expect(said()).toEqual([]);
    },
  );

  it('send nothing at all when the name cannot be sent', async () => {
    const { login, said } = scripted({ auth: { user: 'ann\r\nDELE 1', password: 'tiger' } }, () => '+OK');
    expect(await errorOf(login, 'tiger')).toMatchObject({ code: 'POP3_USAGE' });
    expect(said()).toEqual([]);
  });
});

describe('APOP', () => {
  const greeting = '+OK ready <1896.697170952@dbc.mtview.ca.us>';
  const auth = { user: 'mrose', password: 'tanstaaf', mechanism: 'apop' };

  it('has the digest of RFC 1939 section 7', async () => {
    const { login, said } = scripted({ greeting, auth, encrypted: false }, () => '+OK 1 message');
    expect(await login).toBe('APOP');
    expect(said()).toEqual(['APOP mrose c4c9334bac560ecc979e58001b3e22fb']);
  });

  it('is not to be had without a timestamp, or with one that is none', async () => {
    for (const text of ['+OK ready', '+OK ready <dbc>', '+OK <a b@c>']) {
      const { login, said } = scripted({ greeting: text, auth }, () => '+OK');
      expect(await errorOf(login, 'tanstaaf')).toMatchObject({ code: 'POP3_UNSUPPORTED' });
      expect(said()).toEqual([]);
    }
  });

  it('tells nobody the digest either', async () => {
    const { login } = scripted({ greeting, auth }, (line) => `-ERR unknown command ${line}`);
    const digest = apopDigest(md5, '<1896.697170952@dbc.mtview.ca.us>', 'tanstaaf');
    expect(await errorOf(login, 'tanstaaf', digest)).toMatchObject({
      verb: 'APOP',
      serverText: 'unknown command APOP mrose ***',
    });
  });
});

describe('an initial response', () => {
  it('is sent where SASL is announced, and fits', async () => {
    const mechanism = 'PLAIN';
    const first = scripted({ announced: ['SASL LOGIN'], auth: { ...AUTH, mechanism } }, () => '+OK');
    expect(await first.login).toBe('PLAIN');
    expect(first.said()).toEqual([`AUTH PLAIN ${base64(`\0ann\0${PASSWORD}`)}`]);
    const answer = (line: string) => (line.startsWith('AUTH') ? '+ ' : '+OK');
    const old = scripted({ announced: ['USER'], auth: { ...AUTH, mechanism } }, answer);
    expect(await old.login).toBe('PLAIN');
    expect(old.said()).toEqual(['AUTH PLAIN', base64(`\0ann\0${PASSWORD}`)]);
    const long = scripted(
      { announced: ['SASL PLAIN'], auth: { ...AUTH, password: 'x'.repeat(200) } },
      answer,
    );
    expect(await long.login).toBe('PLAIN');
    expect(long.said()[0]).toBe('AUTH PLAIN');
  });
});

describe('SCRAM', () => {
  const announced = ['SASL SCRAM-SHA-256 PLAIN LOGIN CRAM-MD5', 'USER'];

  /** A server that knows the right words, and not the password. */
  function impostor(last: string, behind = '+OK 0 messages') {
    return scripted({ announced }, (line, number) => {
      if (number === 1) {
        const [, nonce] = /,r=(.*)$/.exec(textOf(line.split(' ')[2])) ?? [];
        return `+ ${base64(`r=${nonce}abc,s=${base64('0123456789abcdef')},i=4096`)}`;
      }
      return number === 2 ? `+ ${base64(last)}` : behind;
    });
  }

  it('leaves a server that does not know the password, and says nothing more', async () => {
    for (const behind of ['+OK 0 messages', '-ERR cancelled']) {
      const { login, said } = impostor(`v=${base64('0'.repeat(32))}`, behind);
      const error = await errorOf(login, PASSWORD);
      expect(error).toMatchObject({ code: 'POP3_PROTOCOL', verb: 'AUTH', retryable: false });
      expect(error.message).toMatch(/SCRAM-SHA-256 .*may not be the server/);
      expect(said()).toHaveLength(3);
      expect(said()[2]).toBe('*');
    }
  });

  it.each([1, 2])('believes no +OK in place of answer %i', async (early) => {
    const { login, said } = scripted({ announced }, (line, number) => {
      if (number === early) return '+OK 0 messages';
      const [, nonce] = /,r=(.*)$/.exec(textOf(line.split(' ')[2])) ?? [];
      return `+ ${base64(`r=${nonce}abc,s=${base64('0123456789abcdef')},i=4096`)}`;
    });
    expect(await errorOf(login, PASSWORD)).toMatchObject({ code: 'POP3_PROTOCOL' });
    expect(said()).toHaveLength(early);
  });

  it('takes an error of the server for its refusal', async () => {
    const { login, said } = impostor('e=invalid-proof', '-ERR no');
    const error = await errorOf(login, PASSWORD);
    expect(error).toMatchObject({ code: 'POP3_REFUSED', retryable: false });
    expect(error.message).toMatch(/invalid-proof.*Check the user name/);
    expect(said()[2]).toBe('');
    expect(await errorOf(impostor('e=invalid-proof').login, PASSWORD)).toMatchObject({
      code: 'POP3_PROTOCOL',
    });
  });

  it('tries nothing weaker when it is refused', async () => {
    const { login, said } = scripted({ announced }, () => '-ERR mechanism is out of order');
    const error = await errorOf(login, PASSWORD);
    expect(said()).toHaveLength(1);
    expect(error.message).toMatch(
      /SCRAM-SHA-256.*auth\.mechanism can name another of CRAM-MD5, PLAIN, LOGIN, USER\.$/,
    );
  });
});

describe('a token', () => {
  const TOKEN = 'ya29.a0AfH6SMBx-first_token';
  const NEXT = 'ya29.a0AfH6SMBx-second_token';
  const announced = ['SASL PLAIN XOAUTH2'];
  const PROBLEM = '{"status":"400","schemes":"Bearer"}';

  /** A server that accepts one token, and says of others what is wrong. */
  function tokens(accepted: string | null, script: Script, last = '-ERR [AUTH] no') {
    return scripted({ announced, ...script }, (line) => {
      if (line.startsWith('AUTH')) return '+ ';
      if (line === '' || line === 'AQ==') return last;
      if (accepted !== null && textOf(line).includes(accepted)) return '+OK 0 messages';
      return `+ ${base64(PROBLEM)}`;
    });
  }

  it('goes by XOAUTH2 in two lines, announced or not', async () => {
    for (const script of [{}, { announced: null }, { announced: ['SASL PLAIN'] }]) {
      const { login, said } = tokens('x.y', { ...script, auth: { user: 'ann', accessToken: 'x.y' } });
      expect(await login).toBe('XOAUTH2');
      expect(said()).toEqual(['AUTH XOAUTH2', base64('user=ann\x01auth=Bearer x.y\x01\x01')]);
    }
  });

  it('goes by OAUTHBEARER in two lines where that is announced, with the name of the server', async () => {
    const script = { announced: ['SASL XOAUTH2 OAUTHBEARER'], auth: { user: 'ann', accessToken: 'x.y' } };
    const sent = async (changes: Script) => {
      const { login, said } = tokens('x.y', { ...script, ...changes });
      expect(await login).toBe('OAUTHBEARER');
      expect(said()[0]).toBe('AUTH OAUTHBEARER');
      return textOf(said()[1]).replaceAll('\x01', '|');
    };
    expect(await sent({})).toBe('n,a=ann,|host=mail.example.org|port=995|auth=Bearer x.y||');
    expect(await sent({ host: null, port: null })).toBe('n,a=ann,|auth=Bearer x.y||');
    expect(await sent({ host: 'bücher.example' })).toBe('n,a=ann,|port=995|auth=Bearer x.y||');
  });

  it('is asked for once when it fits', async () => {
    const asked: unknown[] = [];
    const accessToken = (refused: TokenRefusal | null) => {
      asked.push(refused);
      return Promise.resolve(TOKEN);
    };
    expect(await tokens(TOKEN, { auth: { user: 'ann', accessToken } }).login).toBe('XOAUTH2');
    expect(asked).toEqual([null]);
  });

  it('is asked for again when it is refused, with what the server says, on the same connection', async () => {
    for (const mechanism of ['XOAUTH2', 'OAUTHBEARER'] as const) {
      const asked: unknown[] = [];
      const accessToken = (refused: TokenRefusal | null) => {
        asked.push(refused);
        return refused === null ? TOKEN : NEXT;
      };
      const { login, said } = tokens(NEXT, { auth: { user: 'ann', accessToken, mechanism } });
      expect(await login).toBe(mechanism);
      expect(asked).toEqual([null, { token: TOKEN, problem: PROBLEM }]);
      expect(said().filter((line) => line.startsWith('AUTH'))).toHaveLength(2);
    }
  });

  it('is asked for no third time', async () => {
    let asked = 0;
    const accessToken = () => [TOKEN, NEXT][asked++] ?? expect.fail('asked');
    const { login, said } = tokens(null, { auth: { user: 'ann', accessToken } });
    const error = await errorOf(login, TOKEN, NEXT);
    expect(error).toMatchObject({ code: 'POP3_REFUSED', verb: 'AUTH', retryable: false });
    expect(error.message).toMatch(/"400".*token may have expired/);
    expect(asked).toBe(2);
    expect(said()).toHaveLength(6);
  });

  it('is not tried again when it is the same, or was no question', async () => {
    for (const accessToken of [TOKEN, () => TOKEN, () => Promise.resolve(TOKEN)]) {
      const { login, said } = tokens(null, { auth: { user: 'ann', accessToken } });
      expect(await errorOf(login, TOKEN)).toMatchObject({ code: 'POP3_REFUSED' });
      expect(said()).toHaveLength(3);
    }
  });

  it('is asked for again by a server that says nothing of it', async () => {
    const asked: unknown[] = [];
    const accessToken = (refused: TokenRefusal | null) => {
      asked.push(refused);
      return refused === null ? TOKEN : NEXT;
    };
    const { login } = scripted({ announced, auth: { user: 'ann', accessToken } }, (line) => {
      if (line.startsWith('AUTH')) return '+ ';
      return textOf(line).includes(NEXT)
        ? '+OK'
        : '-ERR Authentication failure: unknown user name or bad password.';
    });
    expect(await login).toBe('XOAUTH2');
    expect(asked).toEqual([null, { token: TOKEN, problem: null }]);
  });

  it.each(['-ERR [IN-USE] x', '-ERR [SYS/TEMP] x', '-ERR [SYS/PERM] x', '-ERR [LOGIN-DELAY] x'])(
    'is not asked for again when something else is wrong: %s',
    async (answer) => {
      const accessToken = (refused: TokenRefusal | null) => (refused === null ? TOKEN : expect.fail('asked'));
      const { login } = scripted({ announced, auth: { user: 'ann', accessToken } }, (line) =>
        line.startsWith('AUTH') ? '+ ' : answer,
      );
      expect(await errorOf(login, TOKEN)).toMatchObject({ code: 'POP3_REFUSED' });
    },
  );

  it('has the errors of its source untouched', async () => {
    const wrong = new Error('no network');
    for (const fails of [1, 2]) {
      let asked = 0;
      for (const way of [
        () => Promise.reject(wrong),
        () => {
          throw wrong;
        },
      ]) {
        asked = 0;
        const accessToken = () => (++asked === fails ? way() : TOKEN);
        await expect(tokens(null, { auth: { user: 'ann', accessToken } }).login).rejects.toBe(wrong);
      }
    }
  });

  it.each([undefined, null, '', 42, 'two words', 'a\r\nDELE 1'])(
    'is refused when it is %j',
    async (token) => {
      const auth = { user: 'ann', accessToken: () => token as string };
      const { login, said } = tokens(null, { auth });
      expect(await errorOf(login)).toMatchObject({ code: 'POP3_USAGE' });
      expect(said()).toEqual([]);
    },
  );

  it('is not what is wrong when the server has closed the connection in between', async () => {
    const accessToken = (refused: TokenRefusal | null) => (refused === null ? TOKEN : NEXT);
    const { login } = scripted({ announced, auth: { user: 'ann', accessToken } }, (line, number) => {
      if (number > 3) return null;
      return line.startsWith('AUTH') ? '+ ' : line === '' ? '-ERR no' : `+ ${base64(PROBLEM)}`;
    });
    expect(await errorOf(login, TOKEN, NEXT)).toMatchObject({ code: 'POP3_CLOSED', verb: 'AUTH' });
  });

  it('appears nowhere when the server repeats it', async () => {
    const auth = { user: 'ann', accessToken: TOKEN };
    const { login } = scripted({ announced, auth }, (line) =>
      line.startsWith('AUTH') ? '+ ' : `-ERR [${TOKEN}] unknown command ${line} ${textOf(line)}`,
    );
    const error = await errorOf(login, TOKEN, TOKEN.toUpperCase(), 'second_token');
    expect(error).toMatchObject({ code: 'POP3_REFUSED', responseCode: '***' });
  });
});

describe('a server that closes the connection', () => {
  it.each<[string, Auth, string[]]>([
    ['PASS', { ...AUTH, mechanism: 'USER' }, ['+OK']],
    ['PASS', AUTH, ['+OK']],
    ['USER', AUTH, []],
    ['AUTH', { ...AUTH, mechanism: 'PLAIN' }, []],
    ['AUTH', { ...AUTH, mechanism: 'LOGIN' }, ['+ ', '+ ']],
    ['AUTH', { user: 'ann', accessToken: 'x.y.z.abcdef' }, ['+ ']],
  ])('in place of an answer to %s has perhaps refused the login', async (verb, auth, answers) => {
    const { login } = scripted({ auth }, (_, number) => answers[number - 1] ?? null);
    const error = await errorOf(login, PASSWORD, 'x.y.z.abcdef');
    expect(error).toMatchObject({ code: 'POP3_CLOSED', verb });
    expect(error.message).toMatch(/closed the connection .* check the (password|token)/);
    expect(error.cause).toBeInstanceOf(Pop3Error);
  });

  it('behind its refusal has refused', async () => {
    let answers = 0;
    const { login } = scripted({}, () => ['+OK', '-ERR wrong password'][answers++] ?? null);
    expect(await errorOf(login, PASSWORD)).toMatchObject({
      code: 'POP3_REFUSED',
      serverText: 'wrong password',
    });
  });
});

describe('a password that the server repeats', () => {
  it.each<[string, string | undefined]>([
    ['USER', undefined],
    ['PLAIN', 'SASL PLAIN'],
    ['LOGIN', 'SASL LOGIN'],
  ])('appears nowhere: %s', async (mechanism, announced = 'TOP') => {
    const auth = { user: 'ann', password: 'Tiger-of-words', mechanism };
    const { login } = scripted({ announced: [announced], auth }, (line) => {
      if (/^USER|^AUTH LOGIN/.test(line)) return '+OK'.replace('OK', line.startsWith('USER') ? 'OK' : ' ');
      if (line === base64('ann')) return '+ ';
      return `-ERR unknown command ${line}, ${textOf(line.split(' ').at(-1))}, TIGER-OF-WORDS`;
    });
    const error = await errorOf(login, 'Tiger-of-words', 'TIGER-OF-WORDS');
    expect(error.serverText).toMatch(/\*\*\*/);
  });
});

describe('a host without hash functions', () => {
  const announced = ['SASL SCRAM-SHA-256-PLUS SCRAM-SHA-256 CRAM-MD5 PLAIN'];
  const crypto = {};

  it('has the password sent where that may be', async () => {
    const { login, said } = scripted({ announced, crypto }, () => '+OK');
    expect(await login).toBe('PLAIN');
    expect(said()).toEqual([`AUTH PLAIN ${base64(`\0ann\0${PASSWORD}`)}`]);
    const clear = scripted({ announced, crypto, encrypted: false }, () => '+OK');
    expect(await errorOf(clear.login, PASSWORD)).toMatchObject({ code: 'POP3_TLS' });
  });

  it.each(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'CRAM-MD5', 'APOP'])('has no %s', async (mechanism) => {
    const auth = { ...AUTH, mechanism };
    const greeting = '+OK <1.2@host>';
    const { login, said } = scripted({ announced, crypto, auth, greeting }, () => '+OK');
    const error = await errorOf(login, PASSWORD);
    expect(error).toMatchObject({ code: 'POP3_UNSUPPORTED' });
    expect(error.message).toContain(mechanism);
    expect(said()).toEqual([]);
  });
});

describe('checkAuth', () => {
  it.each<[string, unknown]>([
    ['nothing', {}],
    ['two kinds', { ...AUTH, accessToken: 'x' }],
    ['an empty name', { user: '', password: 'x' }],
    ['an empty password', { user: 'ann', password: '' }],
    ['no password', { user: 'ann', password: undefined }],
    ['an empty name for a token', { user: '', accessToken: 'x' }],
    ['an empty token', { user: 'ann', accessToken: '' }],
    ['a token that is none', { user: 'ann', accessToken: 42 }],
    ['an unknown mechanism', { ...AUTH, mechanism: 'DIGEST-MD5' }],
    ['NUL in the name of a certificate', { external: true, user: 'a\0' }],
  ])('refuses %s', async (_, auth) => {
    expect(await errorOf(new Promise(() => checkAuth(auth as Auth)), PASSWORD)).toMatchObject({
      code: 'POP3_USAGE',
    });
  });

  it.each<Auth>([
    AUTH,
    { ...AUTH, accessToken: undefined } as never,
    { ...AUTH, mechanism: 'apop' },
    { user: 'ann', accessToken: 'x' },
    { user: 'ann', accessToken: () => 'x' },
    { external: true },
    { sasl: plainClient({ username: 'ann', password: 'x' }) },
  ])('lets pass what can be: %#', (auth) => {
    expect(() => checkAuth(auth)).not.toThrow();
  });
});
