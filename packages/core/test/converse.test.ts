import { describe, expect, it, vi } from 'vitest';
import type { ClientTrace } from '../src/client/options.js';
import type { ClientCommand } from '../src/command.js';
import { type Conversation, converse, type Reply } from '../src/driver/index.js';
import { Pop3Error } from '../src/errors.js';
import { MemoryClientChannel } from './memory-client-channel.js';
import { latin1, octets } from './stored-message.js';

const CAPA: ClientCommand = { verb: 'CAPA' };
const STAT: ClientCommand = { verb: 'STAT' };
const NOOP: ClientCommand = { verb: 'NOOP' };
const STLS: ClientCommand = { verb: 'STLS' };
const QUIT: ClientCommand = { verb: 'QUIT' };
const RETR: ClientCommand = { verb: 'RETR', messageNumber: 1 };
const DELE: ClientCommand = { verb: 'DELE', messageNumber: 1 };
const USER: ClientCommand = { verb: 'USER', name: 'ann' };
const PASS: ClientCommand = { verb: 'PASS', password: 'secret' };

/** What has to happen has happened: everything here is done in a few turns of the queue of promises. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await undefined;
}

async function greeted(channel: MemoryClientChannel): Promise<Conversation> {
  channel.say('+OK\r\n');
  const conversation = converse({ channel });
  await conversation.greeting();
  return conversation;
}

async function loggedIn(channel = new MemoryClientChannel()): Promise<[Conversation, MemoryClientChannel]> {
  const conversation = await greeted(channel);
  channel.answer('+OK\r\n+OK\r\n');
  await Promise.all([conversation.send(USER), conversation.send(PASS)]);
  channel.written.length = 0;
  channel.reads.length = 0;
  return [conversation, channel];
}

async function textOf({ body }: Reply): Promise<string> {
  let text = '';
  for await (const chunk of body ?? []) text += latin1(chunk);
  return text;
}

function failure(code: string, details: object = {}): unknown {
  return expect.objectContaining({ name: 'Pop3Error', code, ...details });
}

describe('greeting', () => {
  it('is what the server says first, to everybody who asks', async () => {
    const channel = new MemoryClientChannel();
    const conversation = converse({ channel });
    const asked = [conversation.greeting(), conversation.greeting()];
    await settle();
    channel.say('+OK ready <1@ex', 'ample.com>\r\n');
    const greeting = {
      status: { status: '+OK', code: null, text: 'ready <1@example.com>' },
      apopTimestamp: '<1@example.com>',
    };
    expect(await Promise.all([...asked, conversation.greeting()])).toEqual([
      expect.objectContaining(greeting),
      expect.objectContaining(greeting),
      expect.objectContaining(greeting),
    ]);
    expect([conversation.state, conversation.pending, conversation.over]).toEqual([
      'authorization',
      0,
      false,
    ]);
  });

  it('may refuse: then it is over', async () => {
    const conversation = converse({ channel: new MemoryClientChannel('-ERR full\r\n') });
    expect((await conversation.greeting()).status).toMatchObject({ status: '-ERR', text: 'full' });
    await settle();
    expect([conversation.state, conversation.over]).toEqual(['closed', true]);
    await expect(conversation.send(CAPA)).rejects.toEqual(failure('POP3_PROTOCOL', { verb: null }));
    expect((await conversation.greeting()).status.status).toBe('-ERR');
  });

  it('rejects where there is none', async () => {
    const closed = new MemoryClientChannel();
    closed.end();
    await expect(converse({ channel: closed }).greeting()).rejects.toEqual(
      failure('POP3_CLOSED', {
        retryable: true,
        message: 'The server closed the connection before its greeting.',
      }),
    );
    const conversation = converse({ channel: new MemoryClientChannel('220 smtp.example.com\r\n') });
    const refused = conversation.greeting();
    await expect(refused).rejects.toEqual(failure('POP3_PROTOCOL', { retryable: false }));
    await expect(conversation.greeting()).rejects.toBe(await refused.catch((error) => error));
  });

  it('is not taken for something that nobody has asked for', async () => {
    const channel = new MemoryClientChannel('+OK\r\n');
    const conversation = converse({ channel });
    expect(() => conversation.send(CAPA)).toThrow(failure('POP3_USAGE') as Error);
    expect((await conversation.greeting()).status.status).toBe('+OK');
  });
});

describe('send', () => {
  it('gives the answers in the order of the commands, however they come', async () => {
    const [conversation, channel] = await loggedIn();
    const commands = [STAT, DELE, RETR, NOOP];
    const replies = commands.map((command) => conversation.send(command));
    expect(conversation.pending).toBe(4);
    for (const octet of '+OK 1 2\r\n-ERR no\r\n+OK\r\n..hi\r\n.\r\n+OK\r\n') channel.say(octet);
    const [stat, dele, retr] = await Promise.all(replies.slice(0, 3));
    expect(stat).toMatchObject({ status: { status: '+OK', text: '1 2' }, body: null });
    expect(dele).toMatchObject({ status: { status: '-ERR', text: 'no' }, body: null });
    expect(await textOf(retr as Reply)).toBe('.hi\r\n');
    expect((await replies[3])?.status.status).toBe('+OK');
    expect([stat?.command, dele?.command, retr?.command]).toEqual([STAT, DELE, RETR]);
    expect(conversation.pending).toBe(0);
  });

  it('writes together what is sent in one go', async () => {
    const [conversation, channel] = await loggedIn();
    channel.onWrite = () => channel.say('+OK\r\n+OK\r\n+OK\r\n');
    await Promise.all([conversation.send(NOOP), conversation.send(DELE), conversation.send(NOOP)]);
    expect(channel.written).toEqual(['NOOP\r\nDELE 1\r\nNOOP\r\n']);
  });

  it('writes while the answer to an earlier command is awaited', async () => {
    const [conversation, channel] = await loggedIn();
    const first = conversation.send(STAT);
    await settle();
    expect(channel.written).toEqual(['STAT\r\n']);
    const second = conversation.send(NOOP);
    const third = conversation.send(DELE);
    await settle();
    expect(channel.written).toEqual(['STAT\r\n', 'NOOP\r\nDELE 1\r\n']);
    expect(channel.reads).toHaveLength(1);
    channel.say('+OK 0 0\r\n');
    await first;
    channel.say('+OK\r\n+OK\r\n');
    await Promise.all([second, third]);
  });

  it('writes while a body waits for its reader', async () => {
    const [conversation, channel] = await loggedIn();
    const retr = conversation.send(RETR);
    channel.say('+OK\r\nhi\r\n');
    const reply = await retr;
    await settle();
    const dele = conversation.send(DELE);
    await settle();
    expect(channel.written).toEqual(['RETR 1\r\n', 'DELE 1\r\n']);
    channel.say('.\r\n+OK\r\n');
    expect(await textOf(reply)).toBe('hi\r\n');
    expect((await dele).status.status).toBe('+OK');
  });

  it('tells a taker in place of a promise, in the same order', async () => {
    const [conversation, channel] = await loggedIn();
    const told: unknown[] = [];
    const taker = {
      resolve: ({ command, status }: Reply) => void told.push([command.verb, status.status]),
      reject: (error: unknown) => void told.push(error),
    };
    conversation.sendFor(taker, STAT);
    conversation.sendFor(taker, DELE);
    const noop = conversation.send(NOOP);
    conversation.sendFor(taker, QUIT);
    await settle();
    expect(channel.written).toEqual(['STAT\r\nDELE 1\r\nNOOP\r\nQUIT\r\n']);
    channel.say('+OK 0 0\r\n-ERR no\r\n+OK\r\n');
    await noop;
    expect(told).toEqual([
      ['STAT', '+OK'],
      ['DELE', '-ERR'],
    ]);
    const error = new Error('aborted');
    conversation.abort(error);
    expect(told.slice(2)).toEqual([error]);
    conversation.sendFor(taker, NOOP);
    expect(told.slice(3)).toEqual([error]);
    expect(() => conversation.sendFor(taker, STLS)).not.toThrow();
  });

  it('throws at once for what may not be sent, and sends nothing', async () => {
    const [conversation, channel] = await loggedIn();
    const wrong: readonly ClientCommand[] = [USER, STLS, { verb: 'DELE', messageNumber: 0 }];
    for (const command of wrong)
      expect(() => conversation.send(command)).toThrow(failure('POP3_USAGE') as Error);
    channel.answer('+OK\r\n');
    await conversation.send(QUIT);
    expect(channel.written).toEqual(['QUIT\r\n']);
  });

  it('throws for STLS where the channel cannot do TLS, and sends nothing', async () => {
    const channel = new MemoryClientChannel();
    const conversation = await greeted(channel);
    expect(() => conversation.send(STLS)).toThrow(failure('POP3_USAGE') as Error);
    channel.answer('+OK\r\n.\r\n');
    await conversation.send(CAPA);
    expect(channel.written).toEqual(['CAPA\r\n']);
  });

  it('tells the channel what it waits for, by an object that is the same as long as the wait is', async () => {
    const channel = new MemoryClientChannel('+O', 'K\r', '\n');
    const conversation = converse({ channel });
    await conversation.greeting();
    channel.answer('+O', 'K\r\n', '+OK\r\n');
    await Promise.all([conversation.send(USER), conversation.send(PASS)]);
    channel.answer('+', 'OK\r\n', 'h', 'i\r\n', '.\r\n');
    await (await conversation.send(RETR)).body?.discard();
    const waits = [...new Set(channel.reads)];
    expect(waits).toEqual([
      { type: 'greeting' },
      { type: 'status', command: USER },
      { type: 'status', command: PASS },
      { type: 'status', command: RETR },
      { type: 'body', command: RETR },
    ]);
    expect(channel.reads.map((awaited) => waits.indexOf(awaited))).toEqual([0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 4]);
  });

  it('waits anew for each answer, also when the same command is sent again', async () => {
    const [conversation, channel] = await loggedIn();
    for (let i = 0; i < 2; i++) {
      channel.answer('+OK\r\n');
      await conversation.send(NOOP);
    }
    channel.answer('+OK\r\n', '+OK\r\n');
    await Promise.all([conversation.send(NOOP), conversation.send(NOOP)]);
    for (let i = 0; i < 2; i++) {
      channel.answer('+OK\r\n', '.\r\n');
      await (await conversation.send(RETR)).body?.discard();
    }
    expect(channel.reads).toHaveLength(8);
    expect(new Set(channel.reads).size).toBe(8);
  });

  it('ends the conversation when octets have come that nobody has asked for', async () => {
    for (const said of ['+OK\r\n', '-ERR going down\r\n', '+', '.\r\n']) {
      const [conversation, channel] = await loggedIn();
      channel.say(said);
      const dele = conversation.send(DELE);
      await expect(dele).rejects.toEqual(failure('POP3_PROTOCOL'));
      await expect(conversation.send(QUIT)).rejects.toBe(await dele.catch((error) => error));
      expect(channel.written).toEqual([]);
      expect(conversation.state).toBe('closed');
    }
  });

  it('writes nothing that is sent when something that is no answer has come already', async () => {
    const [conversation, channel] = await loggedIn();
    const noop = conversation.send(NOOP);
    await settle();
    channel.say('garbage\r\n');
    const sent = [DELE, QUIT].map((command) => conversation.send(command));
    for (const reply of [noop, ...sent]) await expect(reply).rejects.toEqual(failure('POP3_PROTOCOL'));
    expect(channel.written).toEqual(['NOOP\r\n']);
  });

  it('drops what some servers add to the answer to LIST and UIDL with a number', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK 1 120\r\n');
    await conversation.send({ verb: 'LIST', messageNumber: 1 });
    channel.say('1 120\r\n.\r\n');
    channel.answer('+OK\r\n');
    const noop = conversation.send(NOOP);
    expect((await noop).status.status).toBe('+OK');
  });

  it('rejects behind QUIT that was answered', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK bye\r\n');
    expect((await conversation.send(QUIT)).status.text).toBe('bye');
    await settle();
    expect([conversation.state, conversation.over]).toEqual(['closed', true]);
    await expect(conversation.send(NOOP)).rejects.toEqual(failure('POP3_CLOSED'));
  });
});

describe('a body', () => {
  it('is read as it comes, and nothing is read from the channel while a part of it waits', async () => {
    const [conversation, channel] = await loggedIn();
    const parts = ['+OK\r\n', 'one\r\n', '..two\r\n', 'three\r\n', '.\r\n', '+OK\r\n'];
    channel.answer(...parts);
    const retr = conversation.send(RETR).then(({ body }) => body);
    const after = conversation.send(NOOP);
    const body = (await retr)!;
    await settle();
    expect(channel.reads).toHaveLength(2);
    const chunks: string[] = [];
    for await (const chunk of body) {
      chunks.push(latin1(chunk));
      await settle();
      // The chunk that was read, and the next one, which waits; behind the last one, the rest.
      expect(channel.reads).toHaveLength(chunks.length < 3 ? 2 + chunks.length : 6);
    }
    expect(chunks).toEqual(['one\r\n', '.two\r\n', 'three\r\n']);
    expect(body.settled).toBe(true);
    await after;
    expect(await body.next()).toEqual({ done: true, value: undefined });
  });

  it('ends behind its terminator only', async () => {
    for (const wire of ['+OK\r\n', '+OK\r\nhi', '+OK\r\nhi\r\n', '+OK\r\nhi\r\n.', '+OK\r\nhi\r\n.\r']) {
      const [conversation, channel] = await loggedIn();
      const retr = conversation.send(RETR);
      channel.say(wire);
      channel.end();
      const reply = await retr;
      await expect(textOf(reply)).rejects.toEqual(failure('POP3_CLOSED', { verb: 'RETR', retryable: true }));
      await expect(reply.body?.next()).rejects.toEqual(failure('POP3_CLOSED'));
      await expect(reply.body?.discard()).rejects.toEqual(failure('POP3_CLOSED'));
    }
  });

  it('gives what has come before it rejects', async () => {
    const [conversation, channel] = await loggedIn();
    const retr = conversation.send(RETR);
    channel.say('+OK\r\nhi\r\n');
    const { body } = await retr;
    await settle();
    const error = new Error('cut');
    conversation.abort(error);
    expect(await body?.next()).toEqual({ done: false, value: octets('hi\r\n') });
    await expect(body?.next()).rejects.toBe(error);
  });

  it('is read and dropped to its end when its loop is left, or it is discarded', async () => {
    for (const leave of ['break', 'return', 'discard', 'throw'] as const) {
      const [conversation, channel] = await loggedIn();
      channel.answer('+OK\r\none\r\n', 'two\r\n', 'three\r\n.\r\n+OK\r\n');
      const [{ body }, after] = [await conversation.send(RETR), conversation.send(NOOP)];
      if (leave === 'discard') await body?.discard();
      else if (leave === 'return') await body?.return();
      else {
        const read = async () => {
          for await (const _ of body!) {
            if (leave === 'throw') throw new Error('full');
            break;
          }
        };
        await read().catch(() => undefined);
      }
      expect((await after).status.status).toBe('+OK');
      expect(body?.settled).toBe(true);
      if (leave === 'discard') await expect(body?.next()).rejects.toMatchObject({ code: 'POP3_USAGE' });
      else expect(await body?.next()).toEqual({ done: true, value: undefined });
      await body?.discard();
      await body?.return();
    }
  });

  it('may be discarded before any of it has come, by several at once', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK\r\n');
    const { body } = await conversation.send(RETR);
    const discarded = [body?.discard(), body?.discard()];
    channel.say('hi\r\n.\r\n');
    await Promise.all(discarded);
    channel.answer('+OK\r\n');
    const second = (await conversation.send(RETR)).body;
    const rejected = Promise.allSettled([second?.discard(), second?.discard()]);
    channel.end();
    expect((await rejected).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  });

  it('is discarded while somebody waits for it: they are told that it is not whole', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK\r\n');
    const { body } = await conversation.send(RETR);
    const next = body?.next();
    const discarded = body?.discard();
    await expect(next).rejects.toMatchObject({ code: 'POP3_USAGE' });
    channel.say('hi\r\n.\r\n');
    await discarded;
    await expect(body?.next()).rejects.toMatchObject({ code: 'POP3_USAGE' });
  });

  it('stays whole when it is discarded behind its end', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK\r\nhi\r\n.\r\n');
    const { body } = await conversation.send(RETR);
    for await (const chunk of body!) expect(chunk).toEqual(octets('hi\r\n'));
    await body?.discard();
    expect(await body?.next()).toEqual({ done: true, value: undefined });
  });

  it('breaks off for whatever reason there is, even for null', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK\r\nhi\r\n');
    const { body } = await conversation.send(RETR);
    await body?.next();
    conversation.abort(null);
    await expect(body?.next()).rejects.toBeNull();
    expect(body?.settled).toBe(true);
  });

  it('has one reader: who asks for a second part before the first has come is told so', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK\r\n');
    const { body } = await conversation.send(RETR);
    const first = body?.next();
    expect(() => body?.next()).toThrow(failure('POP3_USAGE') as Error);
    channel.say('hi\r\n.\r\n');
    expect(await first).toEqual({ done: false, value: octets('hi\r\n') });
  });

  it('may be empty', async () => {
    const [conversation, channel] = await loggedIn();
    channel.answer('+OK\r\n.\r\n');
    expect(await textOf(await conversation.send({ verb: 'UIDL', messageNumber: null }))).toBe('');
  });
});

describe('a conversation that fails', () => {
  it('rejects everything that is outstanding with the same error, which nobody has to wait for', async () => {
    const [conversation, channel] = await loggedIn();
    const replies = [RETR, DELE, QUIT].map((command) => conversation.send(command));
    channel.say('+OK\r\nhi\r\n');
    const { body } = (await replies[0])!;
    expect(await body?.next()).toMatchObject({ done: false });
    void body?.discard();
    const next = body?.discard();
    channel.say('.\r\ngarbage\r\n');
    await next;
    const [, dele, quit] = await Promise.allSettled(replies);
    expect(dele).toEqual({
      status: 'rejected',
      reason: failure('POP3_PROTOCOL', { verb: 'DELE', retryable: false }),
    });
    expect(quit).toEqual(dele);
    expect((quit as PromiseRejectedResult).reason).toBe((dele as PromiseRejectedResult).reason);
    await expect(conversation.send(NOOP)).rejects.toBe((dele as PromiseRejectedResult).reason);
    expect([conversation.over, conversation.pending > 0]).toEqual([true, true]);
  });

  it('leaves no rejection behind that is not handled', async () => {
    const unhandled: unknown[] = [];
    const listener = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listener);
    try {
      const [conversation, channel] = await loggedIn();
      channel.answer('+OK\r\n');
      const retr = conversation.send(RETR);
      for (const command of [NOOP, DELE, QUIT]) void conversation.send(command);
      const { body } = await retr;
      void body?.discard();
      channel.fail(new Error('ECONNRESET'));
      await settle();
      void conversation.send(NOOP);
      void converse({ channel: new MemoryClientChannel('garbage\r\n') }).greeting();
      // They are reported when the queue of promises is empty.
      await new Promise((resolve) => setImmediate(resolve));
    } finally {
      process.off('unhandledRejection', listener);
    }
    expect(unhandled).toEqual([]);
  });

  it('passes on what the channel rejects with, or throws', async () => {
    const error = new Pop3Error('POP3_TIMEOUT', 'The server is silent.');
    const [conversation, channel] = await loggedIn();
    const waiting = [conversation.send(STAT), conversation.send(NOOP)];
    await settle();
    channel.fail(error);
    for (const reply of waiting) await expect(reply).rejects.toBe(error);

    const [atOnce, failing] = await loggedIn();
    failing.fail(error);
    await expect(atOnce.send(STAT)).rejects.toBe(error);

    const [writing, broken] = await loggedIn();
    broken.onWrite = () => {
      throw error;
    };
    await expect(writing.send(STAT)).rejects.toBe(error);
  });

  it('says what the server did, never a secret, and nothing of messages when QUIT is on its way', async () => {
    const cases: readonly (readonly [ClientCommand, said: string | null, text: RegExp])[] = [
      [DELE, null, /^The server closed the connection before it had answered DELE 1\.$/],
      [DELE, '1 120\r\n', /out of step\. .* no message was deleted\.$/],
      [DELE, `+OK ${'x'.repeat(70_000)}`, /a line without an end\. .* no message was deleted\.$/],
      [
        CAPA,
        `+OK\r\n${'X\r\n'.repeat(30_000)}`,
        /capabilities without an end\. .* no message was deleted\.$/,
      ],
      [QUIT, null, /^The server closed the connection before it had answered QUIT\.$/],
      [QUIT, 'garbage\r\n', /out of step\. .* not known whether messages were deleted\.$/],
    ];
    for (const [command, said, text] of cases) {
      const [conversation, channel] = await loggedIn();
      const reply = conversation.send(command).then((reply) => textOf(reply));
      if (said === null) channel.end();
      else channel.say(said);
      await expect(reply).rejects.toThrow(text);
    }
    const conversation = await greeted(new MemoryClientChannel());
    const channel = new MemoryClientChannel();
    const other = await greeted(channel);
    const pass = other.send(PASS);
    channel.end();
    await expect(pass).rejects.toThrow('The server closed the connection before it had answered PASS ***.');
    conversation.abort(new Error('over'));
  });

  it('is what abort() makes of it, with the error of the caller', async () => {
    const [conversation, channel] = await loggedIn();
    const replies = [conversation.send(RETR), conversation.send(NOOP)];
    const error = new DOMException('This operation was aborted', 'AbortError');
    conversation.abort(error);
    for (const reply of replies) await expect(reply).rejects.toBe(error);
    await expect(conversation.send(NOOP)).rejects.toBe(error);
    conversation.abort(new Error('late'));
    await expect(conversation.send(NOOP)).rejects.toBe(error);
    expect(channel.written).toEqual([]);
    expect([conversation.state, conversation.over]).toEqual(['closed', true]);

    const idle = await greeted(new MemoryClientChannel());
    idle.abort(error);
    await expect(idle.send(CAPA)).rejects.toBe(error);

    const waiting = converse({ channel: new MemoryClientChannel() });
    const greeting = waiting.greeting();
    waiting.abort(error);
    await expect(greeting).rejects.toBe(error);
  });

  it('fails with what its trace throws, whatever it is told', async () => {
    for (const type of ['state', 'command', 'response'] as const) {
      const channel = new MemoryClientChannel();
      const error = new Error('no space for the log');
      const trace = (event: ClientTrace) => {
        if (event.type === type) throw error;
      };
      const conversation = converse({ channel, session: { trace } });
      channel.say('+OK\r\n');
      const answer = conversation.greeting().then(() => {
        channel.answer('+OK\r\n');
        return conversation.send(CAPA);
      });
      await Promise.allSettled([answer]);
      await settle();
      await expect(conversation.send(CAPA), type).rejects.toBe(error);
    }
  });

  it('takes no notice of what the channel does afterwards', async () => {
    const [conversation, channel] = await loggedIn();
    const reply = conversation.send(NOOP);
    await settle();
    const error = new Error('over');
    conversation.abort(error);
    channel.say('+OK\r\n');
    channel.fail(new Error('late'));
    await expect(reply).rejects.toBe(error);
    await settle();
    expect(conversation.state).toBe('closed');
  });
});

describe('capabilities', () => {
  it('are asked for once, and again behind a login', async () => {
    const channel = new MemoryClientChannel();
    const conversation = await greeted(channel);
    channel.onWrite = (said) => {
      if (said === 'CAPA\r\n') channel.say('+OK\r\nUIDL\r\n.\r\n');
      else channel.say('+OK\r\n+OK\r\n');
    };
    const expected = new Map([['UIDL', []]]);
    expect(await conversation.capabilities()).toEqual(expected);
    expect(await conversation.capabilities()).toEqual(expected);
    await Promise.all([conversation.send(USER), conversation.send(PASS)]);
    expect(await conversation.capabilities()).toEqual(expected);
    expect(channel.written).toEqual(['CAPA\r\n', 'USER ann\r\nPASS secret\r\n', 'CAPA\r\n']);
  });

  it('are null where the server does not say them', async () => {
    const channel = new MemoryClientChannel();
    const conversation = await greeted(channel);
    channel.answer('-ERR what?\r\n');
    expect(await conversation.capabilities()).toBe(null);
    expect(conversation.state).toBe('authorization');
  });
});

describe('STLS', () => {
  it('is answered when the handshake is done; what follows goes out inside of it', async () => {
    const channel = new MemoryClientChannel();
    const events: string[] = [];
    channel.onWrite = (said) => {
      events.push(said.trim());
      channel.say('+OK\r\n');
      if (said === 'CAPA\r\n') channel.say('.\r\n');
    };
    channel.upgradeTls = async () => {
      events.push('handshake');
      await settle();
      events.push('encrypted');
    };
    const conversation = await greeted(channel);
    await conversation.capabilities();
    const stls = conversation.send(STLS).then(({ status }) => events.push(status.status));
    expect(() => conversation.send(CAPA)).toThrow(failure('POP3_USAGE') as Error);
    for (let turn = 0; !events.includes('handshake') && turn < 20; turn++) await undefined;
    // What the channel has now is of the handshake.
    const taken = vi.spyOn(channel, 'take');
    expect(() => conversation.send(USER)).toThrow(failure('POP3_USAGE') as Error);
    expect(taken).not.toHaveBeenCalled();
    await stls;
    await conversation.capabilities();
    expect(events).toEqual(['CAPA', 'STLS', 'handshake', 'encrypted', '+OK', 'CAPA']);
  });

  it('may be refused: then there is no handshake', async () => {
    const channel = new MemoryClientChannel();
    channel.upgradeTls = () => expect.unreachable();
    const conversation = await greeted(channel);
    channel.answer('-ERR no\r\n');
    expect((await conversation.send(STLS)).status.text).toBe('no');
    expect(conversation.state).toBe('authorization');
  });

  it('ends the conversation when anything stands behind its answer in the clear', async () => {
    for (const said of [['+OK\r\n+OK\r\n'], ['+OK\r\n\0']]) {
      const channel = new MemoryClientChannel();
      channel.upgradeTls = () => expect.unreachable();
      const conversation = await greeted(channel);
      channel.answer(...said);
      await expect(conversation.send(STLS)).rejects.toEqual(failure('POP3_PROTOCOL', { verb: 'STLS' }));
    }
  });

  it('ends the conversation when the handshake fails, with its error', async () => {
    const error = new Pop3Error('POP3_TLS', 'The certificate is not for this host.');
    for (const upgradeTls of [
      () => Promise.reject(error),
      () => {
        throw error;
      },
    ]) {
      const channel = new MemoryClientChannel();
      channel.upgradeTls = upgradeTls;
      const conversation = await greeted(channel);
      channel.answer('+OK\r\n');
      await expect(conversation.send(STLS)).rejects.toBe(error);
      await expect(conversation.send(USER)).rejects.toBe(error);
      expect(channel.written).toEqual(['STLS\r\n']);
    }
  });

  it('may be aborted in the middle of the handshake', async () => {
    const channel = new MemoryClientChannel();
    let shaken: () => void = () => undefined;
    channel.upgradeTls = () =>
      new Promise((resolve) => {
        shaken = resolve;
      });
    const conversation = await greeted(channel);
    channel.answer('+OK\r\n');
    const stls = conversation.send(STLS);
    await settle();
    const error = new Error('aborted');
    conversation.abort(error);
    shaken();
    await expect(stls).rejects.toBe(error);
    await settle();
    expect(conversation.state).toBe('closed');
  });
});
