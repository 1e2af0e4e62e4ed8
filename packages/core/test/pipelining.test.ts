import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Authenticator, Maildrop, MessageStore } from '../src/adapter.js';
import { serve } from '../src/driver/index.js';
import { acceptsEverybody, MemoryChannel, storeOf } from './memory-channel.js';
import { octets } from './stored-message.js';

const MESSAGES = Array.from({ length: 9 }, (_, i) => `Subject: ${i}\n\n.line ${i}\nlast`);
const wireOf = (message: string) => `${message}\n`.replace(/\n/g, '\r\n');
const stuffed = (wire: string) => wire.replace(/^\./gm, '..');

/** A maildrop as a rule book: what each command has to be answered. A status line stands for one with any text. */
class Model {
  readonly #deleted = new Set<number>();

  answer(line: string): string[] {
    const [verb = '', first, second] = line.trim().split(/ +/);
    const listed = MESSAGES.map((_, i) => i + 1).filter((n) => !this.#deleted.has(n));
    const octetsOf = (n: number) => wireOf(MESSAGES[n - 1] as string).length;
    const n = /^\d+$/.test(first ?? '') ? Number(first) : 0;
    const exists = listed.includes(n);
    const entryOf = (n: number) => (verb === 'LIST' ? `${n} ${octetsOf(n)}` : `${n} id-${n}`);
    switch (verb) {
      case 'STAT':
        return [`+OK ${listed.length} ${listed.reduce((sum, n) => sum + octetsOf(n), 0)}`];
      case 'LIST':
      case 'UIDL':
        if (first === undefined) return ['+OK', ...listed.map(entryOf), '.'];
        return [exists ? `+OK ${entryOf(n)}` : '-ERR'];
      case 'RETR':
        return exists ? ['+OK', ...this.#lines(wireOf(MESSAGES[n - 1] as string))] : ['-ERR'];
      case 'TOP': {
        if (!exists || second === undefined) return ['-ERR'];
        const [header, body = ''] = wireOf(MESSAGES[n - 1] as string).split(/(?<=\r\n\r\n)/);
        const lines = body.split(/(?<=\r\n)/).slice(0, Number(second));
        return ['+OK', ...this.#lines(header + lines.join(''))];
      }
      case 'DELE':
        if (!exists) return ['-ERR'];
        this.#deleted.add(n);
        return ['+OK'];
      case 'RSET':
        this.#deleted.clear();
        return ['+OK'];
      case 'NOOP':
        return ['+OK'];
      default:
        return ['-ERR'];
    }
  }

  get deleted(): string {
    return [...this.#deleted].sort().join(' ');
  }

  #lines(wire: string): string[] {
    return [...stuffed(wire).split('\r\n').slice(0, -1), '.'];
  }
}

const number = fc.integer({ min: 0, max: 10 });
const command = fc.oneof(
  fc.constantFrom(
    'STAT',
    'LIST',
    'UIDL',
    'NOOP',
    'RSET',
    'XYZZY',
    'USER ann',
    'AUTH PLAIN',
    'STLS',
    'LIST x',
    'TOP 1',
    'RETR',
  ),
  number.map((n) => `LIST ${n}`),
  number.map((n) => `UIDL  ${n} `),
  number.map((n) => `RETR ${n}`),
  number.map((n) => `RETR ${n}`),
  number.map((n) => `DELE ${n}`),
  fc.tuple(number, number).map(([n, lines]) => `TOP ${n} ${lines}`),
);
const commands = fc.array(command, { minLength: 500, maxLength: 500 });
/** Where a segment is cut, as shares of its length. */
const cuts = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });

function segmentsOf(text: string, shares: readonly number[]): string[] {
  const places = shares.map((share) => Math.floor(share * text.length)).sort((a, b) => a - b);
  return [0, ...places].map((from, i) => text.slice(from, places[i] ?? text.length)).filter(Boolean);
}

async function turns<T>(value: T, count: number): Promise<T> {
  for (let turn = 0; turn < count; turn++) await undefined;
  return value;
}

/** The same adapters, but everything takes a few turns of the event loop, messages come in pieces, and writes are slow. */
function slow(channel: MemoryChannel, store: MessageStore, authenticator: Authenticator) {
  channel.onWrite = (chunk) => turns(undefined, chunk.length % 5);
  return {
    store: {
      async open(...all: Parameters<MessageStore['open']>) {
        const maildrop = (await store.open(...all)) as Maildrop;
        return turns(
          {
            ...maildrop,
            async retrieve(n: number) {
              const message = octets(MESSAGES[n - 1] as string);
              await turns(undefined, n % 3);
              return (async function* () {
                for (let at = 0; at < message.length; at += n) {
                  yield await turns(message.slice(at, at + n), at % 4);
                }
              })();
            },
          } satisfies Maildrop,
          2,
        );
      },
    } satisfies MessageStore,
    authenticator: {
      ...authenticator,
      authenticate: async (...all: Parameters<Authenticator['authenticate']>) =>
        turns(await authenticator.authenticate(...all), 3),
    } satisfies Authenticator,
  };
}

describe('pipelining', () => {
  it('answers 500 commands in order, with errors in their place, wherever the segment is cut', async () => {
    await fc.assert(
      fc.asyncProperty(commands, cuts, fc.boolean(), async (lines, shares, waits) => {
        const model = new Model();
        const expected = lines.flatMap((line) => model.answer(line));
        const text = ['USER ann', 'PASS secret', ...lines, 'QUIT', ''].join('\r\n');
        const events: string[] = [];
        const channel = new MemoryChannel();
        for (const segment of segmentsOf(text, shares)) channel.say(segment);
        const store = storeOf(MESSAGES, events);
        const adapters = { store, authenticator: acceptsEverybody };
        const reason = await serve({
          channel,
          ...(waits ? slow(channel, store, acceptsEverybody) : adapters),
          session: { plaintextAuth: 'allow', limits: { maxBadCommands: 1000 } },
          onFault({ error }) {
            throw error;
          },
        });
        expect(reason).toBe('quit');
        const said = channel.output.split('\r\n').slice(3, -2);
        expect(said).toHaveLength(expected.length);
        for (const [i, line] of expected.entries()) {
          if (line === '+OK' || line === '-ERR') expect(`${said[i]} `.startsWith(`${line} `)).toBe(true);
          else expect(said[i]).toBe(line);
        }
        const commit = model.deleted === '' ? [] : [`commit ${model.deleted}`];
        expect(events).toEqual(['open ann', ...commit, 'release']);
      }),
      { numRuns: 25 },
    );
  });

  it('takes what is behind AUTH for the response, wherever the segment is cut', async () => {
    const text = 'AUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\nSTAT\r\nQUIT\r\n';
    await fc.assert(
      fc.asyncProperty(cuts, fc.boolean(), async (shares, waits) => {
        const channel = new MemoryChannel();
        for (const segment of segmentsOf(text, shares)) channel.say(segment);
        const store = storeOf(MESSAGES);
        const adapters = { store, authenticator: acceptsEverybody };
        await serve({
          channel,
          ...(waits ? slow(channel, store, acceptsEverybody) : adapters),
          session: { plaintextAuth: 'allow' },
        });
        const [, ...lines] = channel.output.split('\r\n');
        expect(lines[0]).toBe('+ ');
        expect(lines.slice(1).map((line) => line.slice(0, 6))).toEqual(['+OK 9 ', '+OK 9 ', '+OK by', '']);
      }),
    );
  });

  it('drops what is behind STLS, wherever the segment is cut', async () => {
    const text = 'NOOP\r\nSTLS\r\nUSER mallory\r\nPASS secret\r\nDELE 1\r\nQUIT\r\nUSER ma';
    await fc.assert(
      fc.asyncProperty(cuts, async (shares) => {
        const asked: unknown[] = [];
        const channel = new MemoryChannel();
        for (const segment of segmentsOf(text, shares)) channel.say(segment);
        channel.upgradeTls = async () => {
          channel.drop();
          channel.say('PASS secret\r\nUSER ann\r\nPASS secret\r\nQUIT\r\n');
          return { address: null, tls: true, certificate: null };
        };
        await serve({
          channel,
          store: storeOf(MESSAGES),
          authenticator: {
            ...acceptsEverybody,
            authenticate(credentials, context) {
              asked.push(credentials);
              return acceptsEverybody.authenticate(credentials, context);
            },
          },
        });
        expect(asked).toEqual([
          { type: 'password', username: 'ann', password: 'secret', authorizationId: '' },
        ]);
        const statuses = channel.output.split('\r\n').map((line) => line.split(' ')[0]);
        // The greeting, NOOP, STLS; PASS without USER, USER, PASS, QUIT.
        expect(statuses).toEqual(['+OK', '-ERR', '+OK', '-ERR', '+OK', '+OK', '+OK', '']);
      }),
    );
  });
});
