import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Authenticator, Credentials, ScramForm } from '../src/adapter.js';
import { type Authentication, type Conversation, converse, serve } from '../src/driver/index.js';
import {
  ANONYMOUS,
  anonymousClient,
  apopDigest,
  cramMd5,
  cramMd5Client,
  EXTERNAL,
  externalClient,
  LOGIN,
  loginClient,
  OAUTHBEARER,
  oauthBearerClient,
  PLAIN,
  plainClient,
  type SaslClientExchange,
  type SaslClientMechanism,
  type SaslClientStep,
  type SaslServerMechanism,
  scram,
  scramClient,
  scramKeysOf,
  verifyApop,
  verifyCramMd5,
  XOAUTH2,
  xoauth2Client,
} from '../src/sasl/index.js';
import { gssapiDouble, gssapiDoubleClient } from './gssapi-double.js';
import { storeOf } from './memory-channel.js';
import { joinedChannels, MemoryClientChannel } from './memory-client-channel.js';
import { HASHES, hmacMd5 } from './node-hashes.js';
import { octets } from './stored-message.js';

const LOGIN_OF_ANN = { username: 'ann', password: 'secret' };
const CHALLENGE = '<1896.697170952@example.org>';
const md5 = (text: Uint8Array) => createHash('md5').update(text).digest();

/** Knows ann and her secret in every form. */
const authenticator: Authenticator = {
  accepts: [
    'password',
    'external',
    'anonymous',
    'token',
    'cram-md5',
    'apop',
    'scram-sha-1',
    'scram-sha-256',
    'scram-sha-512',
  ],
  authenticate: (credentials) =>
    isAnn(credentials)
      ? { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } }
      : {
          type: 'refused',
          reason: 'bad-credentials',
          ...(credentials.type === 'token' && { token: { status: 'invalid_token' } }),
        },
  scramKeys: (_username, form) => scramKeysOf(HASHES[form], 'secret', octets('salt of ann'), 4096),
};

function isAnn(credentials: Credentials): boolean {
  switch (credentials.type) {
    case 'password':
      return credentials.username === 'ann' && credentials.password === 'secret';
    case 'token':
      return credentials.token === 'secret';
    case 'cram-md5':
      return verifyCramMd5(hmacMd5, credentials, 'secret');
    case 'apop':
      return verifyApop(md5, credentials, 'secret');
    case 'external':
    case 'anonymous':
      return true;
    default:
      return credentials.proven;
  }
}

interface Pair {
  readonly server: SaslServerMechanism;
  /** What the client is made with; other secrets are wrong. */
  readonly client: (secret: string) => SaslClientMechanism;
}

const forms: readonly ScramForm[] = ['scram-sha-1', 'scram-sha-256', 'scram-sha-512'];
const nonce = () => 'rOprNGfwEbeRWgbNEkqO';
const binding = octets('what both ends of the connection know');
const PAIRS: readonly Pair[] = [
  { server: PLAIN, client: (password) => plainClient({ username: 'ann', password }) },
  { server: LOGIN, client: (password) => loginClient({ username: 'ann', password }) },
  {
    server: cramMd5({ challenge: () => CHALLENGE }),
    client: (password) => cramMd5Client({ username: 'ann', password, hmacMd5 }),
  },
  {
    server: OAUTHBEARER,
    client: (token) => oauthBearerClient({ username: 'ann', token, host: 'pop.example.org', port: 995 }),
  },
  { server: XOAUTH2, client: (token) => xoauth2Client({ username: 'ann', token }) },
  ...forms.flatMap((form): Pair[] => {
    const crypto = HASHES[form];
    const [plus, bare] = scram(form, { crypto, nonce });
    const login = (password: string) => ({ username: 'ann', password, crypto, nonce });
    const bound = { type: 'tls-exporter', octets: binding } as const;
    return [
      {
        server: plus,
        client: (password) => scramClient(form, { ...login(password), channelBinding: bound }),
      },
      { server: bare, client: (password) => scramClient(form, login(password)) },
    ];
  }),
  {
    server: gssapiDouble('secret', async () => ({
      type: 'accepted',
      identity: { maildrop: 'ann', username: 'ann' },
    })),
    client: (secret) => gssapiDoubleClient(secret, ''),
  },
];
const WITHOUT_SECRET: readonly Pair[] = [
  { server: EXTERNAL, client: () => externalClient({}) },
  { server: ANONYMOUS, client: () => anonymousClient({ trace: 'ann@example.org' }) },
];

interface Session {
  readonly conversation: Conversation;
  /** What the client has written. */
  said(): string;
  /** Logs out; whether ann's maildrop was open. */
  end(): Promise<boolean>;
}

async function begun(
  mechanisms: readonly SaslServerMechanism[],
  lengths: readonly number[],
): Promise<Session> {
  const channels = joinedChannels(lengths);
  const events: string[] = [];
  const ended = serve({
    channel: channels.server,
    store: storeOf(['Subject: hi\n'], events),
    authenticator,
    mechanisms,
    peer: {
      address: null,
      tls: true,
      certificate: { commonName: 'ann', emailAddresses: [], fingerprint256: '' },
      channelBinding: (type) => (type === 'tls-exporter' ? binding : null),
    },
    session: { apopTimestamp: CHALLENGE },
    onFault({ error }) {
      throw error;
    },
  });
  const conversation = converse({ channel: channels.client, session: { tls: true } });
  await conversation.greeting();
  return {
    conversation,
    said: () => channels.said.client,
    async end() {
      if (!conversation.over) await conversation.send({ verb: 'QUIT' });
      else await channels.server.end();
      await ended;
      return events.includes('open ann');
    },
  };
}

describe('authenticate', () => {
  for (const initialResponse of [true, false]) {
    for (const { server, client } of [...PAIRS, ...WITHOUT_SECRET]) {
      it(`logs in by ${server.name} ${initialResponse ? 'in one line where that is possible' : 'in two lines'}`, async () => {
        for (const lengths of [[], [1], [3, 0, 7]]) {
          const session = await begun([server], lengths);
          const { conversation } = session;
          const { status, problem } = await conversation.authenticate(client('secret'), { initialResponse });
          expect([status.status, problem, conversation.state]).toEqual(['+OK', null, 'transaction']);
          const [first] = session.said().split('\r\n');
          const speaksFirst = !['LOGIN', 'CRAM-MD5'].includes(server.name);
          expect(first?.split(' ')).toHaveLength(initialResponse && speaksFirst ? 3 : 2);
          expect(await session.end()).toBe(true);
        }
      });
    }

    for (const { server, client } of PAIRS.filter(({ server }) => server.name !== 'GSSAPI')) {
      it(`is refused by ${server.name} with a wrong secret ${initialResponse ? 'in one line' : 'in two lines'}, and goes on`, async () => {
        const session = await begun([server], [2]);
        const { conversation } = session;
        const { status, problem } = await conversation.authenticate(client('wrong'), { initialResponse });
        expect(status).toMatchObject({ status: '-ERR', code: 'AUTH' });
        const expected: Record<string, unknown> = {
          OAUTHBEARER: '{"status":"invalid_token"}',
          XOAUTH2: '{"status":"401","schemes":"Bearer"}',
        };
        expect(problem).toBe(expected[server.name] ?? null);
        expect(conversation.state).toBe('authorization');
        expect((await conversation.authenticate(client('secret'), { initialResponse })).status.status).toBe(
          '+OK',
        );
        expect(await session.end()).toBe(true);
      });
    }
  }

  it('logs in by APOP, which is no SASL', async () => {
    const session = await begun([], []);
    const { apopTimestamp } = await session.conversation.greeting();
    const digest = apopDigest(md5, apopTimestamp ?? '', 'secret');
    const { status } = await session.conversation.send({ verb: 'APOP', name: 'ann', digest });
    expect(status.status).toBe('+OK');
    expect(await session.end()).toBe(true);
  });

  it('puts the first response on the line of AUTH when the line has at most 255 octets', async () => {
    for (const [length, lines] of [
      [183, 1],
      [184, 2],
    ] as const) {
      const channel = new MemoryClientChannel('+OK\r\n');
      channel.onWrite = (said) => channel.say(said.endsWith('X\r\n') ? '+ \r\n' : '+OK\r\n');
      const conversation = converse({ channel });
      await conversation.greeting();
      await conversation.authenticate(saying('X', new Uint8Array(length)));
      expect(channel.written).toHaveLength(lines);
      expect(Math.max(...channel.written.map((line) => line.length))).toBeLessThanOrEqual(255);
    }
  });
});

/** A mechanism with one response. */
function saying(name: string, response: Uint8Array): SaslClientMechanism {
  return stepping(name, (challenge) =>
    challenge === null
      ? { type: 'response', response }
      : { type: 'failed', text: 'the server asks for more' },
  );
}

function stepping(
  name: string,
  step: SaslClientExchange['step'],
  complete: () => boolean = () => true,
): SaslClientMechanism {
  return {
    name,
    plaintext: true,
    start: () => ({
      step,
      get complete() {
        return complete();
      },
    }),
  };
}

async function talkingTo(
  ...answers: readonly string[]
): Promise<{ channel: MemoryClientChannel; conversation: Conversation }> {
  const channel = new MemoryClientChannel('+OK\r\n');
  const left = [...answers];
  channel.onWrite = () => {
    const answer = left.shift();
    if (answer === undefined) channel.end();
    else channel.say(answer);
  };
  const conversation = converse({ channel });
  await conversation.greeting();
  return { channel, conversation };
}

const UNTRUSTED: unknown = expect.objectContaining({ code: 'POP3_PROTOCOL', verb: 'AUTH', retryable: false });

async function expectUntrusted(conversation: Conversation, login: Promise<Authentication>): Promise<void> {
  await expect(login).rejects.toEqual(UNTRUSTED);
  const error: unknown = await login.catch((error) => error);
  await expect(conversation.send({ verb: 'QUIT' })).rejects.toBe(error);
  expect([conversation.over, conversation.state]).toEqual([true, 'closed']);
}

describe('a server that cannot be trusted', () => {
  const base64 = (text: string) => btoa(text);
  const client = () =>
    scramClient('scram-sha-256', {
      username: 'user',
      password: 'pencil',
      crypto: HASHES['scram-sha-256'],
      nonce,
    });
  // RFC 7677 section 3.
  const serverFirst = `+ ${base64('r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096')}\r\n`;
  const signature = 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=';

  it('is left where its signature is wrong: the exchange is cancelled, and the conversation over', async () => {
    const { channel, conversation } = await talkingTo(
      serverFirst,
      `+ ${base64(signature.replace('6r', '7r'))}\r\n`,
      '-ERR\r\n',
    );
    await expectUntrusted(conversation, conversation.authenticate(client()));
    expect(channel.written.at(-1)).toBe('*\r\n');
  });

  it('is left where it says +OK although the exchange was cancelled', async () => {
    const { conversation } = await talkingTo(serverFirst, `+ ${base64('v=AAAA')}\r\n`, '+OK welcome\r\n');
    await expectUntrusted(conversation, conversation.authenticate(client()));
  });

  it('is believed with the right signature', async () => {
    const { conversation } = await talkingTo(serverFirst, `+ ${base64(signature)}\r\n`, '+OK\r\n');
    expect((await conversation.authenticate(client())).status.status).toBe('+OK');
    expect(conversation.state).toBe('transaction');
  });

  it('is left where it says +OK before the exchange is complete', async () => {
    for (const answers of [['+OK\r\n'], [serverFirst, '+OK\r\n']]) {
      const { conversation } = await talkingTo(...answers);
      await expectUntrusted(conversation, conversation.authenticate(client()));
    }
  });

  it('is left where it says +OK before the first response was sent', async () => {
    const { channel, conversation } = await talkingTo('+OK\r\n');
    const login = conversation.authenticate(plainClient(LOGIN_OF_ANN), { initialResponse: false });
    await expectUntrusted(conversation, login);
    expect(channel.written).toEqual(['AUTH PLAIN\r\n']);
  });

  it('is left where it does not wait for a response', async () => {
    const { channel, conversation } = await talkingTo('+ \r\n+OK\r\n');
    const login = conversation.authenticate(plainClient(LOGIN_OF_ANN), { initialResponse: false });
    await expectUntrusted(conversation, login);
    expect(channel.written).toEqual(['AUTH PLAIN\r\n']);
  });

  it('is left where its challenge cannot be read, by mechanisms that have to read it', async () => {
    for (const mechanism of [client(), cramMd5Client({ ...LOGIN_OF_ANN, hmacMd5 })]) {
      for (const challenge of ['+ \r\n', '+ PG5vIGJhc2U2NA\r\n', '+ <1896.697170952@example.org>\r\n']) {
        const { channel, conversation } = await talkingTo(challenge, '-ERR\r\n');
        await expectUntrusted(conversation, conversation.authenticate(mechanism));
        expect(channel.written.at(-1)).toBe('*\r\n');
      }
    }
  });

  it('is left where it asks for more than there is, also when it then refuses', async () => {
    const { channel, conversation } = await talkingTo('+ more\r\n', '-ERR\r\n');
    await expectUntrusted(conversation, conversation.authenticate(plainClient(LOGIN_OF_ANN)));
    expect(channel.written.at(-1)).toBe('*\r\n');
  });
});

describe('an exchange', () => {
  it('takes a challenge that is no base64 for an empty one', async () => {
    const heard: string[] = [];
    const mechanism = stepping('X', (challenge) => {
      if (challenge !== null) heard.push(`"${String.fromCharCode(...challenge)}"`);
      return { type: 'response', response: challenge && octets('x') };
    });
    const { channel, conversation } = await talkingTo('+ go ahead!\r\n', '+\r\n', '+ eA==\r\n', '+OK\r\n');
    expect((await conversation.authenticate(mechanism)).status.status).toBe('+OK');
    expect(heard).toEqual(['""', '""', '"x"']);
    expect(channel.written).toEqual(['AUTH X\r\n', 'eA==\r\n', 'eA==\r\n', 'eA==\r\n']);
  });

  it('may take its time: steps may be promises', async () => {
    const mechanism = stepping('X', async (challenge): Promise<SaslClientStep> => {
      await undefined;
      return { type: 'response', response: challenge };
    });
    const { channel, conversation } = await talkingTo('+ eA==\r\n', '+OK\r\n');
    expect((await conversation.authenticate(mechanism)).status.status).toBe('+OK');
    expect(channel.written).toEqual(['AUTH X\r\n', 'eA==\r\n']);
    expect(channel.reads.map(({ type }) => type)).toEqual(['greeting', 'status', 'status']);
    expect(channel.reads[1]).not.toBe(channel.reads[2]);
  });

  it('sends nothing when its mechanism cannot begin', async () => {
    const error = new Error('no ticket');
    const mechanisms: readonly (readonly [SaslClientMechanism, unknown])[] = [
      [
        stepping('X', () => ({ type: 'failed', text: 'no ticket' })),
        expect.objectContaining({ code: 'POP3_USAGE' }),
      ],
      [stepping('X', () => Promise.reject(error)), error],
    ];
    for (const [mechanism, expected] of mechanisms) {
      const { channel, conversation } = await talkingTo('-ERR\r\n');
      await expect(conversation.authenticate(mechanism)).rejects.toEqual(expected);
      expect(channel.written).toEqual([]);
      expect(await conversation.capabilities()).toBe(null);
    }
  });

  it('ends the conversation when its mechanism breaks in the middle', async () => {
    const error = new Error('no ticket');
    for (const fails of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ]) {
      const mechanism = stepping('X', (challenge) =>
        challenge === null ? { type: 'response', response: null } : fails(),
      );
      const { conversation } = await talkingTo('+ \r\n');
      await expect(conversation.authenticate(mechanism)).rejects.toBe(error);
      await expect(conversation.send({ verb: 'QUIT' })).rejects.toBe(error);
    }
  });

  it('may be aborted while its mechanism works', async () => {
    let proceed: (step: SaslClientStep) => void = () => undefined;
    const mechanism = stepping('X', (challenge) =>
      challenge === null
        ? { type: 'response', response: null }
        : new Promise<SaslClientStep>((resolve) => {
            proceed = resolve;
          }),
    );
    const { channel, conversation } = await talkingTo('+ \r\n');
    const login = conversation.authenticate(mechanism);
    for (let turn = 0; turn < 20; turn++) await undefined;
    const error = new Error('aborted');
    conversation.abort(error);
    proceed({ type: 'response', response: octets('secret') });
    await expect(login).rejects.toBe(error);
    expect(channel.written).toEqual(['AUTH X\r\n']);
  });

  it('is not answered for by the one before: a challenge to a bare AUTH is cancelled', async () => {
    const { channel, conversation } = await talkingTo('-ERR\r\n', '+ \r\n', '-ERR\r\n');
    await conversation.authenticate(stepping('X', () => ({ type: 'response', response: octets('secret') })));
    channel.written.length = 0;
    const { status } = await conversation.send({ verb: 'AUTH', mechanism: 'X', initialResponse: null });
    expect(status.status).toBe('-ERR');
    expect(channel.written).toEqual(['AUTH X\r\n', '*\r\n']);
  });

  it('rejects when the connection ends in it', async () => {
    const { conversation } = await talkingTo('+ \r\n');
    const login = conversation.authenticate(plainClient(LOGIN_OF_ANN), { initialResponse: false });
    await expect(login).rejects.toEqual(
      expect.objectContaining({
        code: 'POP3_CLOSED',
        verb: 'AUTH',
        message: 'The server closed the connection before it had answered AUTH PLAIN.',
      }),
    );
  });
});
