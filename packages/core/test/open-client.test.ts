/** A whole client without a network: what another runtime has to bring along. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  type ClientOptions,
  type Connector,
  type DropListing,
  openClient,
  type Pop3Message,
  serve,
} from '../src/driver/index.js';
import { Pop3Error } from '../src/index.js';
import { AnsweringChannel } from './answering-channel.js';
import { errorOf } from './login-attempt.js';
import { storeOf } from './memory-channel.js';
import { joinedChannels } from './memory-client-channel.js';
import { LOGIN_CRYPTO } from './node-hashes.js';
import { passwordUsers } from './password-users.js';
import { latin1 } from './stored-message.js';

const AUTH = { user: 'ann', password: 'secret' };

/** Connects to a server of the core, as often as it is asked to. */
function connector(
  encrypted: boolean,
  events: string[] = [],
  chunks: readonly number[] = [],
): Connector & { said: { client: string }[] } {
  const said: { client: string }[] = [];
  return {
    said,
    crypto: LOGIN_CRYPTO,
    connect() {
      const { server, client, said: heard } = joinedChannels(chunks);
      said.push(heard);
      void serve({
        channel: server,
        store: storeOf(['Subject: one\r\n\r\n.dot\r\n', 'Subject: two\r\n\r\n'], events),
        authenticator: passwordUsers({ ann: 'secret' }),
        peer: { address: null, tls: encrypted, certificate: null },
      });
      let upgraded = encrypted;
      return {
        ...client,
        get encrypted() {
          return upgraded;
        },
        channelBinding: () => null,
        async upgradeTls() {
          await client.upgradeTls?.();
          upgraded = true;
        },
        end: () => events.push('end'),
        destroy: () => server.end(),
      };
    },
  };
}

/** Connects to a server that gives these answers, and else `+OK`. */
function scripted(answers: Readonly<Record<string, string>>, events: string[] = []): Connector {
  const answer = (line: string) => {
    events.push(line);
    return answers[line] ?? (line === 'CAPA' ? '-ERR' : '+OK');
  };
  return {
    crypto: LOGIN_CRYPTO,
    connect: () =>
      Object.assign(new AnsweringChannel('+OK', answer), {
        encrypted: true,
        channelBinding: () => null,
        end: () => events.push('end'),
        destroy: () => events.push('destroy'),
      }),
  };
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  let text = '';
  for await (const chunk of body) text += latin1(chunk);
  return text;
}

describe('a client over channels in memory', () => {
  it('reads messages, and removes one', async () => {
    const events: string[] = [];
    const client = await openClient(connector(true, events), { auth: AUTH });
    expect(client.encrypted).toBe(true);
    const texts: string[] = [];
    for await (const message of client.messages({ pipeline: 4 })) {
      texts.push(await textOf(message.body()));
      if (message.uniqueId === 'id-1') message.delete();
    }
    expect(texts).toEqual(['Subject: one\r\n\r\n.dot\r\n', 'Subject: two\r\n\r\n']);
    expect(await client.quit()).toEqual({ deleted: [1], failed: [] });
    expect(events).toEqual(['open ann', 'commit 1', 'release', 'end']);
  });

  describe.each([1, 4])('with %s messages asked for at once', (pipeline) => {
    it('gives a message whole or not at all to who reads it when the next one was taken', async () => {
      const client = await openClient(connector(true, [], [1]), { auth: AUTH });
      const readers: AsyncIterator<Uint8Array>[] = [];
      for await (const message of client.messages({ pipeline })) {
        const reader = message.body()[Symbol.asyncIterator]();
        if (message.number === 1) readers.push(reader);
        await reader.next();
      }
      await expect(readers[0]?.next()).rejects.toMatchObject({ code: 'POP3_USAGE' });
      expect(await client.stat()).toMatchObject({ messages: 2 });
    });

    it('lets messages be read when the loop is over', async () => {
      const client = await openClient(connector(true), { auth: AUTH });
      const messages: Pop3Message[] = [];
      for await (const message of client.messages({ pipeline })) messages.push(message);
      const texts: string[] = [];
      for (const message of messages) texts.push(await textOf(message.body()));
      expect(texts).toEqual(['Subject: one\r\n\r\n.dot\r\n', 'Subject: two\r\n\r\n']);
    });

    it('can be left before the first message was read', async () => {
      const client = await openClient(connector(true), { auth: AUTH });
      for await (const _ of client.messages({ pipeline })) break;
      expect(await client.quit()).toEqual({ deleted: [], failed: [] });
    });

    it('lets a message that is being read when the loop is left be read to its end', async () => {
      const client = await openClient(connector(true), { auth: AUTH });
      let reading = Promise.resolve('');
      for await (const message of client.messages({ pipeline })) {
        reading = textOf(message.body());
        break;
      }
      expect(await reading).toBe('Subject: one\r\n\r\n.dot\r\n');
      expect(await client.stat()).toMatchObject({ messages: 2 });
    });

    it('is about the session that has listed the messages, and no other', async () => {
      const client = await openClient(connector(true), { auth: AUTH });
      const usage = expect.objectContaining({ code: 'POP3_USAGE' });
      const loop = async () => {
        for await (const message of client.messages({ pipeline })) {
          await client.reconnect();
          for (const use of [message.delete, message.body, () => message.top(0)]) expect(use).toThrow(usage);
        }
      };
      await expect(loop()).rejects.toEqual(usage);
      expect(await client.quit()).toEqual({ deleted: [], failed: [] });
    });
  });

  it('goes on when the reader of a message leaves before the answer is there', async () => {
    const client = await openClient(connector(true, [], [1]), { auth: AUTH });
    const reader = client.retrieve(1)[Symbol.asyncIterator]();
    const first = reader.next();
    await reader.return?.();
    expect(await first).toEqual({ done: true, value: undefined });
    expect(await client.stat()).toMatchObject({ messages: 2 });
  });

  it.each(['DELE', 'rset', 'QUIT', 'USER', 'STLS'])(
    'has no plain command for what changes the session: %s',
    async (verb) => {
      const events: string[] = [];
      const client = await openClient(scripted({}, events), { auth: AUTH });
      const said = events.length;
      const refused = { code: 'POP3_USAGE', message: expect.stringMatching(/changes the session/) };
      await expect(client.command(verb, '1')).rejects.toMatchObject(refused);
      await expect(client.command(verb)).rejects.toMatchObject(refused);
      expect(events).toHaveLength(said);
    },
  );

  it('asks for few messages ahead when they are large', async () => {
    const numbers = Array.from({ length: 40 }, (_, i) => i + 1);
    const retrieved = Object.fromEntries(numbers.map((number) => [`RETR ${number}`, '+OK\r\nhi\r\n.']));
    const events: string[] = [];
    const server = scripted(
      {
        ...retrieved,
        CAPA: '+OK\r\nPIPELINING\r\nUSER\r\n.',
        LIST: `+OK\r\n${numbers.map((number) => `${number} 1500000\r\n`).join('')}.`,
        UIDL: '-ERR',
      },
      events,
    );
    const client = await openClient(server, { auth: AUTH });
    for await (const message of client.messages({ pipeline: 32 })) {
      expect(await textOf(message.body())).toBe('hi\r\n');
      // Three have more than the four million octets that may be under way, the one that is read among them.
      const asked = events.filter((line) => line.startsWith('RETR')).length;
      expect(asked - message.number + 1).toBeLessThanOrEqual(3);
      if (message.number === 20) expect(asked).toBe(22);
    }
    expect(events.filter((line) => line.startsWith('RETR'))).toHaveLength(40);
  });

  it('takes nothing else on while messages are fetched ahead, not in the last turn either', async () => {
    const client = await openClient(connector(true), { auth: AUTH });
    let turns = 0;
    for await (const message of client.messages({ pipeline: 4 })) {
      await expect(textOf(message.top(0))).rejects.toMatchObject({ code: 'POP3_USAGE' });
      await expect(client.noop()).rejects.toMatchObject({ code: 'POP3_USAGE' });
      turns++;
    }
    expect(turns).toBe(2);
    await client.noop();
  });

  it('tells of the marks that were lost when it is connected again, however often it tries', async () => {
    let down = false;
    const to = connector(true);
    const client = await openClient(
      {
        ...to,
        connect: (signal) => {
          if (down) throw new Pop3Error('POP3_CONNECT', 'It is down.');
          return to.connect(signal);
        },
      },
      { auth: AUTH },
    );
    client.delete(2);
    down = true;
    await expect(client.reconnect()).rejects.toMatchObject({ code: 'POP3_CONNECT' });
    down = false;
    expect(await client.reconnect()).toEqual({ lostMarks: [{ number: 2, uniqueId: null }] });
    expect(await client.reconnect()).toEqual({ lostMarks: [] });
  });

  it.each<[string, DropListing | null]>([
    ['+OK 5 7', { messages: 5, octets: 7 }],
    ['+OK 5 5000000000 more', { messages: 5, octets: 5_000_000_000 }],
    ['+OK 5', { messages: 5, octets: null }],
    ['+OK 5 -7', { messages: 5, octets: null }],
    ['+OK 5 7x', { messages: 5, octets: null }],
    ['+OK 5 99999999999999999999', { messages: 5, octets: null }],
    ['+OK 99999999999999999999 7', null],
    ['+OK five', null],
    ['+OK', null],
  ])('reads STAT as it is, or not at all: %s', async (answer, drop) => {
    const client = await openClient(scripted({ STAT: answer }), { auth: AUTH });
    if (drop === null) await expect(client.stat()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    else expect(await client.stat()).toEqual(drop);
  });

  it.each<[string, number | null | 'error']>([
    ['+OK 5 7', 7],
    ['+OK 5 7x', null],
    ['+OK 5 99999999999999999999', null],
    ['+OK is there', null],
    ['+OK 6 7', 'error'],
  ])('reads the size of one message as it is, or not at all: %s', async (answer, octets) => {
    const client = await openClient(scripted({ 'LIST 5': answer }), { auth: AUTH });
    if (octets === 'error') await expect(client.list(5)).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    else expect(await client.list(5)).toBe(octets);
  });

  it('closes the connection of a session that is out of step', async () => {
    const events: string[] = [];
    const client = await openClient(scripted({ NOOP: 'hello' }, events), { auth: AUTH });
    await expect(client.noop()).rejects.toMatchObject({ code: 'POP3_PROTOCOL' });
    expect(events.at(-1)).toBe('destroy');
  });

  it('deletes what was marked when quit() was called', async () => {
    const client = await openClient(connector(true), { auth: AUTH });
    const before = client.noop();
    client.delete(1);
    const quit = client.quit();
    client.delete(2);
    await before;
    expect(await quit).toEqual({ deleted: [1], failed: [] });
  });

  it('shows no secret of the login in an error of the session, where the server repeats one', async () => {
    const answers = { STAT: '-ERR tiger-moth?', NOOP: '-ERR not tok3n-of-ann', 'UIDL 1': '+OK 2 tiger-moth' };
    for (const auth of [
      { user: 'ann', password: 'tiger-moth' },
      { user: 'ann', accessToken: () => 'tok3n-of-ann' },
      { user: 'ann', accessToken: 'tok3n-of-ann' },
    ]) {
      const client = await openClient(
        { ...scripted({ ...answers, 'AUTH XOAUTH2': '+ ' }), crypto: {} },
        { auth, allowPlaintext: true },
      );
      const secret = 'password' in auth ? auth.password : 'tok3n-of-ann';
      for (const call of [client.stat(), client.noop(), client.uniqueIds(1)]) {
        const error = await call.catch((thrown: unknown) => thrown);
        expect(error).toBeInstanceOf(Error);
        expect(inspect(error)).not.toContain(secret);
      }
    }
  });

  it('lets the connection say goodbye behind QUIT, closed or not', async () => {
    const events: string[] = [];
    const client = await openClient(scripted({}, events), { auth: AUTH });
    await client.quit();
    await client.close();
    expect(events.slice(-2)).toEqual(['QUIT', 'end']);
  });

  it('encrypts by STLS where it has to, and once more when it connects again', async () => {
    const to = connector(false);
    const client = await openClient(to, { auth: AUTH, tls: 'starttls' });
    expect(client.encrypted).toBe(true);
    await client.reconnect();
    expect(await client.stat()).toMatchObject({ messages: 2 });
    await client.close();
    expect(to.said.map(({ client: heard }) => heard.split('\r\n')[0])).toEqual(['STLS', 'STLS']);
  });

  it.each<[string, ClientOptions, string]>([
    ['has no login that cannot be', { auth: { user: '', password: 'x' } }, 'POP3_USAGE'],
    ['does not believe a channel that is not encrypted', { auth: AUTH }, 'POP3_USAGE'],
    ['sends no password in the clear', { auth: { ...AUTH, mechanism: 'PLAIN' }, tls: 'off' }, 'POP3_TLS'],
  ])('%s', async (_, options, code) => {
    const to = connector(false);
    expect(await errorOf(openClient(to, options), 'secret')).toMatchObject({ code });
    expect(to.said.map(({ client }) => client).join('')).not.toMatch(/USER|AUTH|PASS|STLS/);
  });
});
