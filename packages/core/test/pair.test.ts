import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Status } from '../src/client/options.js';
import { ClientSession } from '../src/client/session.js';
import type { ClientCommand } from '../src/command.js';
import { type ClientChannel, converse, type Reply, serve } from '../src/driver/index.js';
import { parseScanLine, parseUniqueIdLine } from '../src/response.js';
import { acceptsEverybody, storeOf } from './memory-channel.js';
import { joinedChannels } from './memory-client-channel.js';
import { chunkLengths, latin1, storedMessage } from './stored-message.js';

/** A message as it has to arrive: line ends are CRLF, and the last line has one. */
function received(stored: string): string {
  const lines = stored.replace(/(?<!\r)\n/g, '\r\n');
  return lines === '' || lines.endsWith('\n') ? lines : `${lines}\r\n`;
}

/** What TOP has to give of it: all of a message that has no blank line. */
function topOf(stored: string, lines: number): string {
  const all = received(stored).split(/(?<=\n)/);
  const blank = all.indexOf('\r\n');
  return blank === -1 ? all.join('') : all.slice(0, blank + 1 + lines).join('');
}

const USER: ClientCommand = { verb: 'USER', name: 'ann' };
const PASS: ClientCommand = { verb: 'PASS', password: ' se cret ' };
const QUIT: ClientCommand = { verb: 'QUIT' };

/** What was answered: the status, the response code, the text where it counts, and the lines. */
type Answer = readonly [status: string, text: string | null, lines: string | null];

function textThatCounts({ verb }: ClientCommand, { status, text }: Status): string | null {
  return status === '+OK' && verb !== null && ['STAT', 'LIST', 'UIDL'].includes(verb) ? text : null;
}

/** What a maildrop answers, by the rules of RFC 1939. */
function expectedOf(stored: readonly string[], commands: readonly ClientCommand[]) {
  const deleted = new Set<number>();
  const octets = (n: number) => received(stored[n - 1] ?? '').length;
  const answers = commands.map((command): Answer => {
    const numbers = stored.map((_, i) => i + 1).filter((n) => !deleted.has(n));
    const n = 'messageNumber' in command ? command.messageNumber : null;
    const message = stored[(n ?? 0) - 1] ?? '';
    if (n !== null && !numbers.includes(n)) return ['-ERR', null, null];
    switch (command.verb) {
      case 'STAT':
        return ['+OK', `${numbers.length} ${numbers.reduce((sum, n) => sum + octets(n), 0)}`, null];
      case 'LIST':
        if (n !== null) return ['+OK', `${n} ${octets(n)}`, null];
        return ['+OK', null, numbers.map((n) => `${n} ${octets(n)}\r\n`).join('')];
      case 'UIDL':
        if (n !== null) return ['+OK', `${n} id-${n}`, null];
        return ['+OK', null, numbers.map((n) => `${n} id-${n}\r\n`).join('')];
      case 'RETR':
        return ['+OK', null, received(message)];
      case 'TOP':
        return ['+OK', null, topOf(message, command.lines)];
      case 'DELE':
        deleted.add(n as number);
        return ['+OK', null, null];
      case 'RSET':
        deleted.clear();
        return ['+OK', null, null];
      default:
        return ['+OK', null, null];
    }
  });
  return { answers, deleted: [...deleted].sort((one, another) => one - another) };
}

const number = fc.integer({ min: 1, max: 5 });
const command: fc.Arbitrary<ClientCommand> = fc.oneof(
  fc.constantFrom<ClientCommand>(
    { verb: 'STAT' },
    { verb: 'NOOP' },
    { verb: 'RSET' },
    { verb: 'LIST', messageNumber: null },
    { verb: 'UIDL', messageNumber: null },
  ),
  number.map((messageNumber): ClientCommand => ({ verb: 'LIST', messageNumber })),
  number.map((messageNumber): ClientCommand => ({ verb: 'UIDL', messageNumber })),
  number.map((messageNumber): ClientCommand => ({ verb: 'RETR', messageNumber })),
  number.map((messageNumber): ClientCommand => ({ verb: 'RETR', messageNumber })),
  number.map((messageNumber): ClientCommand => ({ verb: 'DELE', messageNumber })),
  fc
    .tuple(number, fc.nat({ max: 4 }))
    .map(([messageNumber, lines]): ClientCommand => ({ verb: 'TOP', messageNumber, lines })),
);
const maildrop = fc.array(storedMessage.map(latin1), { maxLength: 4 });
const session = fc.array(command, { maxLength: 20 });

interface Outcome {
  readonly answers: readonly Answer[];
  /** What the store was asked to do. */
  readonly events: readonly string[];
}

/** @param talk - logs in, says the commands and QUIT, and tells the answers to the commands */
async function run(
  stored: readonly string[],
  lengths: readonly number[],
  talk: (channel: ClientChannel) => Promise<readonly Answer[]>,
): Promise<Outcome> {
  const channels = joinedChannels(lengths);
  const events: string[] = [];
  const ended = serve({
    channel: channels.server,
    store: storeOf(stored, events),
    authenticator: acceptsEverybody,
    session: { plaintextAuth: 'allow', limits: { maxBadCommands: 1000 } },
    onFault({ error }) {
      throw error;
    },
  });
  const answers = await talk(channels.client);
  expect(await ended).toBe('quit');
  return { answers, events };
}

async function answerOf({ command, status, body }: Reply): Promise<Answer> {
  let lines: string | null = null;
  if (body !== null) {
    lines = '';
    for await (const chunk of body) lines += latin1(chunk);
  }
  return [status.status, lines === null ? textThatCounts(command, status) : null, lines];
}

/** @param window - how many commands are in flight */
async function converseAll(
  channel: ClientChannel,
  commands: readonly ClientCommand[],
  window: number,
): Promise<Answer[]> {
  const conversation = converse({ channel });
  await conversation.greeting();
  await Promise.all([conversation.send(USER), conversation.send(PASS)]);
  const answers: Answer[] = [];
  const inFlight: Promise<Reply>[] = [];
  for (const command of [...commands, QUIT]) {
    inFlight.push(conversation.send(command));
    while (inFlight.length >= window || (command === QUIT && inFlight.length > 0)) {
      answers.push(await answerOf((await inFlight.shift()) as Reply));
    }
  }
  expect([conversation.state, conversation.pending]).toEqual(['closed', 0]);
  return answers.slice(0, -1);
}

/** The same without `converse()`: everything is sent in one go. */
async function byHand(channel: ClientChannel, commands: readonly ClientCommand[]): Promise<Answer[]> {
  const session = new ClientSession();
  const answers: Answer[] = [];
  let awaited = [USER, PASS];
  for (;;) {
    const action = session.next();
    switch (action.type) {
      case 'write':
        channel.write(action.octets);
        break;
      case 'read': {
        const chunk = await channel.read({ type: 'greeting' });
        if (chunk === null) session.receiveEnd();
        else session.receive(chunk);
        break;
      }
      case 'response': {
        const { command, status, multiline } = action;
        expect(command).toBe(awaited.shift());
        const text = multiline ? null : textThatCounts(command, status);
        answers.push([status.status, text, multiline ? '' : null]);
        break;
      }
      case 'body': {
        const [status, text, lines] = answers.pop() as Answer;
        answers.push([status, text, lines + latin1(action.octets)]);
        break;
      }
      case 'wait':
        for (const command of awaited) session.send(command);
        if (awaited.length > 0) break;
        awaited = [...commands, QUIT];
        for (const command of awaited) session.send(command);
        break;
      case 'close':
        expect(action.failure).toBe(null);
        return answers.slice(2, -1);
    }
  }
}

it('agrees with a server about every octet of any session, in any chunking, with any number of commands in flight', async () => {
  await fc.assert(
    fc.asyncProperty(
      maildrop,
      session,
      chunkLengths,
      fc.constantFrom(1, 2, 8, 100),
      async (stored, commands, lengths, window) => {
        const { answers, deleted } = expectedOf(stored, commands);
        const commit = deleted.length === 0 ? [] : [`commit ${deleted.join(' ')}`];
        const events = ['open ann', ...commit, 'release'];
        expect(await run(stored, lengths, (channel) => converseAll(channel, commands, window))).toEqual({
          answers,
          events,
        });
        expect(await run(stored, lengths, (channel) => byHand(channel, commands))).toEqual({
          answers,
          events,
        });
      },
    ),
    { numRuns: 100 },
  );
});

it('fetches a maildrop octet for octet by its own listing, and removes what was fetched', async () => {
  await fc.assert(
    fc.asyncProperty(maildrop, chunkLengths, async (stored, lengths) => {
      const fetched: string[] = [];
      const { events } = await run(stored, lengths, async (channel) => {
        const conversation = converse({ channel });
        await conversation.greeting();
        await conversation.send(USER);
        await conversation.send(PASS);
        const sizes = new Map<number, number | null>();
        const ids = new Map<number, string>();
        for (const [verb, read] of [
          ['LIST', (line: Uint8Array) => parseScanLine(line, (n, octets) => sizes.set(n, octets))],
          ['UIDL', (line: Uint8Array) => parseUniqueIdLine(line, (n, id) => ids.set(n, latin1(id)))],
        ] as const) {
          const [, , lines] = await answerOf(await conversation.send({ verb, messageNumber: null }));
          for (const line of (lines ?? '').split('\r\n').slice(0, -1))
            expect(read(Buffer.from(line))).toBe(true);
        }
        expect([...ids]).toEqual(stored.map((_, i) => [i + 1, `id-${i + 1}`]));
        for (const [messageNumber, octets] of sizes) {
          const [, , text] = await answerOf(await conversation.send({ verb: 'RETR', messageNumber }));
          expect(text).toHaveLength(octets ?? -1);
          fetched.push(text ?? '');
          const { status } = await conversation.send({ verb: 'DELE', messageNumber });
          expect(status.status).toBe('+OK');
        }
        expect((await conversation.send(QUIT)).status.status).toBe('+OK');
        return [];
      });
      expect(fetched).toEqual(stored.map(received));
      const commit = stored.length === 0 ? [] : [`commit ${stored.map((_, i) => i + 1).join(' ')}`];
      expect(events).toEqual(['open ann', ...commit, 'release']);
    }),
    { numRuns: 100 },
  );
});

it('logs in behind STLS, and what was learnt before it is forgotten', async () => {
  for (const lengths of [[], [1], [5, 0, 2]]) {
    const channels = joinedChannels(lengths);
    const ended = serve({
      channel: channels.server,
      store: storeOf(['Subject: hi\n']),
      authenticator: acceptsEverybody,
    });
    const conversation = converse({ channel: channels.client });
    await conversation.greeting();
    const before = await conversation.capabilities();
    expect([before?.has('STLS'), before?.has('USER')]).toEqual([true, false]);
    expect((await conversation.send(USER)).status.status).toBe('-ERR');
    expect((await conversation.send({ verb: 'STLS' })).status.status).toBe('+OK');
    const behind = await conversation.capabilities();
    expect([behind?.has('STLS'), behind?.has('USER')]).toEqual([false, true]);
    expect((await conversation.send(USER)).status.status).toBe('+OK');
    expect((await conversation.send(PASS)).status.status).toBe('+OK');
    const asked = channels.said.client.split('CAPA').length;
    expect((await conversation.capabilities())?.has('TOP')).toBe(true);
    expect(channels.said.client.split('CAPA')).toHaveLength(asked + 1);
    await conversation.send(QUIT);
    expect(await ended).toBe('quit');
  }
});

it('removes nothing when it leaves without QUIT, in the middle of anything', async () => {
  await fc.assert(
    fc.asyncProperty(session, chunkLengths, fc.nat({ max: 20 }), async (commands, lengths, turns) => {
      const channels = joinedChannels(lengths);
      const events: string[] = [];
      const ended = serve({
        channel: channels.server,
        store: storeOf(['Subject: hi\n\nhello\n', '.'], events),
        authenticator: acceptsEverybody,
        session: { plaintextAuth: 'allow' },
      });
      const conversation = converse({ channel: channels.client });
      await conversation.greeting();
      await conversation.send(USER);
      await conversation.send(PASS);
      const error = new Error('left');
      const replies = commands.map((command) =>
        conversation.send(command).then((reply) => reply.body?.discard()),
      );
      const settled = Promise.allSettled(replies);
      for (let turn = 0; turn < turns; turn++) await undefined;
      conversation.abort(error);
      channels.server.end();
      for (const reply of await settled) if (reply.status === 'rejected') expect(reply.reason).toBe(error);
      expect(await ended).toBe('peer-closed');
      expect(events).toEqual(['open ann', 'release']);
    }),
    { numRuns: 100 },
  );
});
