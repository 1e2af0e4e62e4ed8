import { createHook } from 'node:async_hooks';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Authenticator, Body, Maildrop, MaybePromise, MessageStore, Peer } from '../src/adapter.js';
import { type Fault, type ServeOptions, serve } from '../src/driver/index.js';
import { PLAIN, type SaslServerMechanism } from '../src/sasl/index.js';
import { acceptsEverybody, MemoryChannel, Pending, storeOf } from './memory-channel.js';
import { latin1, octets } from './stored-message.js';

const LOGIN = 'USER ann\r\nPASS secret\r\n';
// What the server says to people, where a test has to wait for it or to find its place.
const READY = '+OK POP3 server ready';
const SEND_PASS = '+OK send PASS';
const BEGIN_TLS = '+OK begin TLS';
const MARKED = '+OK marked; QUIT removes it';
const BYE = '+OK bye';

const unhandled: unknown[] = [];
const note = (error: unknown) => unhandled.push(error);
beforeAll(() => process.on('unhandledRejection', note));
afterAll(async () => {
  await nextTurn();
  process.off('unhandledRejection', note);
  expect(unhandled).toEqual([]);
});

interface Ended {
  readonly reason: string;
  readonly output: string;
  readonly faults: string[];
}

/** Serves a client that may speak in the clear, and tells how it ended. */
async function served(
  channel: MemoryChannel,
  store: MessageStore,
  options: Partial<ServeOptions> = {},
): Promise<Ended> {
  const faults: string[] = [];
  const onFault = ({ during, error }: { during: Fault; error: unknown }) =>
    faults.push(`${during}: ${(error as Error).message}`);
  const authenticator = acceptsEverybody;
  const session = { plaintextAuth: 'allow' } as const;
  const reason = await serve({ channel, authenticator, store, session, onFault, ...options });
  return { reason, output: channel.output, faults };
}

/** The lines after the answer to PASS; status lines without their text. */
function afterLogin({ output }: Ended): string[] {
  const lines = output.split('\r\n').slice(3, -1);
  return lines.map((line) => line.replace(/^(\+OK|-ERR(?: \[[^\]]+\])?) .*/, '$1'));
}

const broken = (what: string) => () => {
  throw new Error(what);
};
const rejected = (what: string) => async () => {
  await nextTurn();
  throw new Error(what);
};

/** An iterator over chunks that tells what is asked of it. */
function chunks(log: string[], steps: readonly (string | Error)[], waits: boolean): Body {
  const left = [...steps];
  const next = (): IteratorResult<Uint8Array> => {
    const step = left.shift();
    log.push(step === undefined ? 'done' : 'next');
    if (step instanceof Error) throw step;
    return step === undefined ? { done: true, value: undefined } : { done: false, value: octets(step) };
  };
  const returned = (): IteratorResult<Uint8Array> => {
    log.push('return');
    return { done: true, value: undefined };
  };
  if (!waits) return { [Symbol.iterator]: () => ({ next, return: returned }) };
  return {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        await nextTurn();
        return next();
      },
      return: async () => {
        await nextTurn();
        return returned();
      },
    }),
  };
}

describe('serve', () => {
  it('runs a session from the greeting to QUIT, and releases the maildrop before it says good-bye', async () => {
    const events: string[] = [];
    const channel = new MemoryChannel(`${LOGIN}DELE 1\r\nQUIT\r\n`, events);
    const ended = await served(channel, storeOf(['one\r\n'], events));
    expect(ended).toMatchObject({ reason: 'quit', faults: [] });
    expect(events.map((event) => event.replace(/^(S: \+OK) .*/, '$1'))).toEqual([
      'S: +OK',
      'S: +OK',
      'open ann',
      'S: +OK',
      'S: +OK',
      'commit 1',
      'release',
      'S: +OK',
    ]);
  });

  it('asks nothing of the store when nothing is marked', async () => {
    const events: string[] = [];
    await served(new MemoryChannel(`${LOGIN}DELE 1\r\nRSET\r\nQUIT\r\n`), storeOf(['one'], events));
    expect(events).toEqual(['open ann', 'release']);
  });

  it('serves with adapters that take their time as with those that do not', async () => {
    const said = `${LOGIN}STAT\r\nRETR 1\r\nTOP 1 0\r\nDELE 1\r\nRETR 1\r\nXYZZY\r\nQUIT\r\n`;
    const message = 'Subject: hi\n\n.body\n';
    const later = async <T>(value: MaybePromise<T>): Promise<T> => {
      await nextTurn();
      return value;
    };
    const store = storeOf([message]);
    const sync = await served(new MemoryChannel(said), store);
    const async = await served(
      new MemoryChannel(said),
      {
        async open(identity, context) {
          const maildrop = (await store.open(identity, context)) as Maildrop;
          return later({
            ...maildrop,
            retrieve: async function* () {
              for (const octet of message) yield later(octets(octet));
            } as unknown as Maildrop['retrieve'],
            commitDeletes: (...all) => later(maildrop.commitDeletes(...all)),
            release: () => later(maildrop.release()),
          });
        },
      },
      {
        authenticator: {
          accepts: acceptsEverybody.accepts,
          authenticate: (...all) => later(acceptsEverybody.authenticate(...all)),
        },
      },
    );
    expect(async).toEqual(sync);
    expect(afterLogin(sync)).toContain('..body');
  });

  it('takes the shortcut of a store for TOP, and cuts what it gives', async () => {
    const asked: unknown[] = [];
    const store = storeOf(['never read'], [], {
      retrieve: broken('not this'),
      top(messageNumber, lines) {
        asked.push([messageNumber, lines]);
        return octets('Subject: hi\n\none\ntwo\nthree\n');
      },
    });
    const ended = await served(new MemoryChannel(`${LOGIN}TOP 1 1\r\nQUIT\r\n`), store);
    expect(asked).toEqual([[1, 1]]);
    expect(afterLogin(ended)).toEqual(['+OK', 'Subject: hi', '', 'one', '.', '+OK']);
  });

  it('says that a message is gone', async () => {
    const store = storeOf(['one'], [], { retrieve: () => 'gone', top: async () => 'gone' as const });
    const ended = await served(new MemoryChannel(`${LOGIN}RETR 1\r\nTOP 1 0\r\nQUIT\r\n`), store);
    const gone = '-ERR [SYS/TEMP]';
    expect(afterLogin(ended)).toEqual([gone, gone, '+OK']);
    expect(ended.faults).toEqual([]);
  });

  it('takes a refusal of an adapter for what it is', async () => {
    const store: MessageStore = { open: () => ({ type: 'refused', reason: 'in-use' }) };
    const ended = await served(new MemoryChannel(`${LOGIN}QUIT\r\n`), store);
    expect(ended.output).toContain('-ERR [IN-USE]');
    expect(ended).toMatchObject({ reason: 'quit', faults: [] });
  });
});

describe('serve offers what can work', () => {
  async function capabilities(accepts: Authenticator['accepts'], peer: Peer, upgradeTls?: () => Peer) {
    const channel = new MemoryChannel('CAPA\r\nQUIT\r\n');
    if (upgradeTls !== undefined) channel.upgradeTls = upgradeTls;
    const authenticator = { ...acceptsEverybody, accepts };
    const session = { apopTimestamp: '<1.2@host>' };
    const { output } = await served(channel, storeOf([]), { authenticator, peer, session });
    return output
      .split('\r\n')
      .filter((line) => /^(?:USER|SASL|STLS|\+OK POP3)/.test(line))
      .join(', ');
  }
  const clear: Peer = { address: '127.0.0.1', tls: false, certificate: null };
  const tls: Peer = { ...clear, tls: true };
  const certificate = { commonName: 'ann', emailAddresses: [], fingerprint256: '' };

  it('in the clear: no passwords, and STLS when the channel can do it', async () => {
    expect(await capabilities(['password', 'external'], clear)).toBe(READY);
    expect(await capabilities(['password'], clear, () => tls)).toBe(`${READY}, STLS`);
  });

  it('inside TLS: passwords, and no STLS', async () => {
    expect(await capabilities(['password'], tls, () => tls)).toBe(`${READY}, USER, SASL PLAIN LOGIN`);
  });

  it('EXTERNAL to a peer with a certificate', async () => {
    expect(await capabilities(['external'], { ...tls, certificate })).toBe(`${READY}, SASL EXTERNAL`);
    expect(await capabilities(['external'], tls)).toBe(READY);
  });

  it('a timestamp only where some user can use it', async () => {
    expect(await capabilities(['apop'], tls)).toBe(`${READY} <1.2@host>`);
  });

  it('anew after STLS, with the peer as it is known then', async () => {
    const channel = new MemoryChannel('CAPA\r\nSTLS\r\nUSER mallory\r\n');
    const seen: (Peer | undefined)[] = [];
    channel.upgradeTls = async () => {
      await nextTurn();
      channel.drop();
      channel.say('CAPA\r\nAUTH EXTERNAL =\r\nQUIT\r\n');
      return { ...tls, certificate };
    };
    const authenticator: Authenticator = {
      accepts: ['password', 'external'],
      authenticate(credentials, { peer }) {
        seen.push(peer);
        return acceptsEverybody.authenticate(credentials, { peer, signal: new AbortController().signal });
      },
    };
    const { output, reason } = await served(channel, storeOf([]), {
      authenticator,
      peer: clear,
      session: {},
    });
    expect(reason).toBe('quit');
    expect(output).not.toContain(SEND_PASS);
    const [before = '', after = ''] = output.split(BEGIN_TLS);
    expect(before).toContain('\r\nSTLS\r\n');
    expect(before).not.toContain('SASL');
    expect(after).toContain('\r\nSASL PLAIN LOGIN EXTERNAL\r\n');
    expect(after).not.toContain('STLS');
    expect(seen).toEqual([{ ...tls, certificate }]);
  });

  it('nothing after a handshake that fails: the connection is not used in the clear again', async () => {
    const channel = new MemoryChannel('STLS\r\nUSER ann\r\n');
    channel.upgradeTls = rejected('handshake failure');
    expect(await served(channel, storeOf([]), { session: {} })).toEqual({
      reason: 'peer-closed',
      output: `${READY}\r\n${BEGIN_TLS}\r\n`,
      faults: [],
    });
  });
});

describe('serve waits for nothing that is there', () => {
  it('drains 1000 pipelined messages with few reads, few writes and hardly a promise', async () => {
    const retrieve = Array.from({ length: 1000 }, (_, i) => `RETR ${i + 1}\r\nDELE ${i + 1}\r\n`).join('');
    const channel = new MemoryChannel(`${LOGIN}${retrieve}QUIT\r\n`);
    const events: string[] = [];
    const store = storeOf(Array(1000).fill('Subject: small\n\na message\n'), events);
    let writes = 0;
    channel.onWrite = () => {
      writes++;
    };
    let promises = 0;
    const hook = createHook({
      init: (_id, type) => {
        if (type === 'PROMISE') promises++;
      },
    });
    hook.enable();
    const ended = await served(channel, store);
    hook.disable();
    expect(ended.reason).toBe('quit');
    expect(
      ended.output.split(`octets\r\nSubject: small\r\n\r\na message\r\n.\r\n${MARKED}\r\n`),
    ).toHaveLength(1001);
    expect(channel.reads).toBe(1);
    expect(channel.yields).toBe(Math.floor(1000 / 64));
    expect(writes).toBeLessThan(10);
    expect(promises).toBeLessThan(200);
  });

  it('lets other sessions run in the middle of a large message', async () => {
    const events: string[] = [];
    const megabytes = 'x'.repeat(8 << 20);
    const session = (name: string, said: string, message: string) => {
      const channel = new MemoryChannel(said);
      channel.yield = () => {
        events.push(name);
        return nextTurn();
      };
      return served(channel, storeOf([message]));
    };
    const large = session('large', `${LOGIN}RETR 1\r\nQUIT\r\n`, megabytes);
    const small = session('small', `${LOGIN}RETR 1\r\nQUIT\r\n`, 'one').then(() =>
      events.push('small is done'),
    );
    expect((await large).output.length).toBeGreaterThan(8 << 20);
    await small;
    expect(events.indexOf('small is done')).toBeLessThan(3);
    // After a megabyte and one write at the most.
    expect(events.filter((event) => event === 'large').length).toBeGreaterThanOrEqual(6);
  });

  it('lists a million messages in pieces, with a pause after each megabyte', async () => {
    const listing = storeOf([]);
    const { MaildropListing } = await import('../src/listing.js');
    const builder = MaildropListing.builder(1_000_000);
    for (let n = 1; n <= 1_000_000; n++) builder.add(n, `id-${n}`);
    const store: MessageStore = {
      open: async (identity, context) => ({
        ...((await listing.open(identity, context)) as Maildrop),
        listing: builder.build(),
      }),
    };
    const channel = new MemoryChannel();
    let said = 0;
    let largest = 0;
    channel.write = (chunk) => {
      said += chunk.length;
      largest = Math.max(largest, chunk.length);
    };
    channel.say(`${LOGIN}LIST\r\nUIDL\r\nQUIT\r\n`);
    await served(channel, store);
    expect(said).toBeGreaterThan(31_000_000);
    expect(largest).toBeLessThanOrEqual(262_144);
    expect(channel.yields).toBeGreaterThanOrEqual(Math.floor(said / ((1 << 20) + 262_144)));
  });

  it('does without a pause when the channel has none', async () => {
    const channel = new MemoryChannel(`${LOGIN}${'RETR 1\r\n'.repeat(200)}QUIT\r\n`);
    Object.defineProperty(channel, 'yield', { value: undefined });
    expect((await served(channel, storeOf(['one']))).reason).toBe('quit');
  });

  it('sends what has been said while a message is slow in coming', async () => {
    const body = new Pending<Uint8Array>();
    const channel = new MemoryChannel(`${LOGIN}STAT\r\nRETR 1\r\nQUIT\r\n`);
    const running = served(channel, storeOf(['one\r\n'], [], { retrieve: () => body.promise }));
    await channel.said('+OK 1 5\r\n');
    expect(channel.output).not.toContain('octets\r\n');
    body.resolve(octets('one\r\n'));
    expect((await running).output).toContain(`+OK 1 5\r\n+OK 5 octets\r\none\r\n.\r\n${BYE}\r\n`);
  });

  it('sends what there is of a message while the rest is slow in coming', async () => {
    const rest = new Pending<void>();
    const channel = new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`);
    const store = storeOf(['one\r\ntwo\r\n'], [], {
      retrieve: async function* () {
        yield octets('one\r\n');
        await rest.promise;
        yield octets('two\r\n');
      } as unknown as Maildrop['retrieve'],
    });
    const running = served(channel, store);
    await channel.said('octets\r\none\r\n');
    rest.resolve();
    expect((await running).output).toContain('octets\r\none\r\ntwo\r\n.\r\n');
  });

  it('reads nothing more while a password is being checked', async () => {
    const outcome = new Pending<Awaited<ReturnType<Authenticator['authenticate']>>>();
    const channel = new MemoryChannel(LOGIN);
    channel.say('STAT\r\n');
    const authenticator = { ...acceptsEverybody, authenticate: () => outcome.promise };
    const running = served(channel, storeOf([]), { authenticator });
    await channel.said(SEND_PASS);
    await nextTurn();
    expect(channel.reads).toBe(1);
    outcome.resolve({ type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } });
    await channel.said('+OK 0 0\r\n');
    channel.end();
    expect((await running).reason).toBe('peer-closed');
  });
});

describe('serve and the octets that it lends', () => {
  it('does not touch them before the write is done, with several slow sessions at once', async () => {
    let checked = 0;
    const slow = (channel: MemoryChannel) => {
      channel.onWrite = async (lent) => {
        const before = lent.slice();
        for (let turn = 0; turn <= checked % 3; turn++) await nextTurn();
        expect(Buffer.compare(lent, before)).toBe(0);
        checked++;
      };
      return channel;
    };
    const sessions = Array.from({ length: 6 }, async (_, i) => {
      const message = String.fromCharCode(0x61 + i).repeat(100_000 + i * 33_333);
      const store = storeOf([message, 'small'], [], {
        ...(i % 2 === 0
          ? {}
          : {
              retrieve: async function* (n: number) {
                const text = n === 1 ? message : 'small';
                for (let at = 0; at < text.length; at += 7_777) yield octets(text.slice(at, at + 7_777));
              } as unknown as Maildrop['retrieve'],
            }),
      });
      const channel = slow(new MemoryChannel(`${LOGIN}RETR 1\r\nLIST\r\nRETR 2\r\nRETR 1\r\nQUIT\r\n`));
      const ended = await served(channel, store);
      const whole = `${message.length + 2} octets\r\n${message}\r\n.\r\n`;
      expect(ended.output.endsWith(`+OK ${whole}${BYE}\r\n`)).toBe(true);
      expect(ended.output.split(whole)).toHaveLength(3);
      expect(ended.output).toContain('+OK 7 octets\r\nsmall\r\n.\r\n');
    });
    await Promise.all(sessions);
    expect(checked).toBeGreaterThan(20);
  });

  it('does not use them again when the session ends in the middle of a write', async () => {
    const write = new Pending<void>();
    const abort = new AbortController();
    const stuck = new MemoryChannel(`${LOGIN}RETR 1\r\n`);
    let lent: Uint8Array | null = null;
    stuck.onWrite = (chunk) => {
      if (!latin1(chunk).includes('octets\r\nxxx')) return;
      lent = chunk;
      return write.promise;
    };
    const running = served(stuck, storeOf(['x'.repeat(1000)]), { signal: abort.signal });
    await stuck.said('octets\r\nxxx');
    const before = latin1(lent as unknown as Uint8Array);
    abort.abort();
    const other = new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`);
    await served(other, storeOf(['y'.repeat(1000)]));
    expect(latin1(lent as unknown as Uint8Array)).toBe(before);
    write.resolve();
    expect((await running).reason).toBe('aborted');
  });
});

describe('serve and messages that break', () => {
  const faults: readonly (readonly [what: string, retrieve: Maildrop['retrieve']])[] = [
    ['retrieve throws', broken('no such file')],
    ['retrieve rejects', rejected('no such file')],
    ['the first chunk throws', () => chunks([], [new Error('no such file')], false)],
    ['the first chunk rejects', () => chunks([], [new Error('no such file')], true)],
    ['there is no body', () => null as unknown as Body],
    ['the body is no body', () => ({}) as unknown as Body],
    ['the body is text', () => 'one' as unknown as Body],
  ];
  for (const [what, retrieve] of faults) {
    it(`is a temporary failure of the command when ${what}: nothing was promised yet`, async () => {
      const events: string[] = [];
      let times = 0;
      const store = storeOf(['one'], events, {
        retrieve: (...all) => (times++ === 0 ? retrieve(...all) : octets('one')),
      });
      const ended = await served(new MemoryChannel(`${LOGIN}RETR 1\r\nRETR 1\r\nQUIT\r\n`), store);
      expect(afterLogin(ended)).toEqual(['-ERR [SYS/TEMP]', '+OK', 'one', '.', '+OK']);
      expect(ended.faults).toHaveLength(1);
      expect(ended.faults[0]).toMatch(/^retrieve: /);
      expect(events.filter((event) => event === 'release')).toHaveLength(1);
    });
  }

  for (const waits of [false, true]) {
    it(`closes without a terminator when a later chunk ${waits ? 'rejects' : 'throws'}`, async () => {
      const events: string[] = [];
      const log: string[] = [];
      const store = storeOf(['one\r\ntwo\r\n'], events, {
        retrieve: () => chunks(log, ['one\r\n', new Error('disk error')], waits),
      });
      const ended = await served(new MemoryChannel(`${LOGIN}DELE 1\r\nRSET\r\nRETR 1\r\nQUIT\r\n`), store);
      expect(ended).toMatchObject({ reason: 'body-failed', faults: ['read-body: disk error'] });
      expect(ended.output.endsWith('+OK 10 octets\r\none\r\n')).toBe(true);
      expect(events).toEqual(['open ann', 'release']);
    });
  }
});

describe('serve and the iterator of a body', () => {
  for (const waits of [false, true]) {
    const form = waits ? 'an asynchronous' : 'a synchronous';

    it(`returns ${form} one that TOP needs no further, once`, async () => {
      const log: string[] = [];
      const store = storeOf(['x'], [], {
        retrieve: () => chunks(log, ['S: x\n\none\n', 'two\n', 'three\n'], waits),
      });
      const ended = await served(new MemoryChannel(`${LOGIN}TOP 1 1\r\nNOOP\r\nQUIT\r\n`), store);
      expect(log).toEqual(['next', 'return']);
      expect(afterLogin(ended)).toEqual(['+OK', 'S: x', '', 'one', '.', '+OK', '+OK']);
    });

    it(`leaves ${form} one alone that has ended by itself`, async () => {
      const log: string[] = [];
      const store = storeOf(['x'], [], { retrieve: () => chunks(log, ['one\n', 'two\n'], waits) });
      const ended = await served(new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`), store);
      expect(log).toEqual(['next', 'next', 'done']);
      expect(afterLogin(ended)).toContain('two');
    });

    it(`leaves ${form} one alone that had nothing to give`, async () => {
      const log: string[] = [];
      const store = storeOf([''], [], { retrieve: () => chunks(log, [], waits) });
      const ended = await served(new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`), store);
      expect(log).toEqual(['done']);
      expect(afterLogin(ended)).toEqual(['+OK', '.', '+OK']);
    });

    it(`leaves ${form} one alone that has failed by itself`, async () => {
      for (const steps of [[new Error('x')], ['one', new Error('x')]]) {
        const log: string[] = [];
        const store = storeOf(['x'], [], { retrieve: () => chunks(log, steps, waits) });
        await served(new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`), store);
        expect(log).toEqual(steps.map(() => 'next'));
      }
    });

    it(`returns ${form} one when the peer has gone, before it releases the maildrop`, async () => {
      const log: string[] = [];
      const store = storeOf(['x'], log, {
        retrieve: () => chunks(log, ['x'.repeat(300_000), 'y', 'z'], waits),
      });
      const channel = new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`);
      channel.onWrite = (chunk) => {
        if (latin1(chunk).includes('xxx')) throw new Error('EPIPE');
      };
      expect(await served(channel, store)).toMatchObject({ reason: 'peer-closed', faults: [] });
      expect(log).toEqual(['open ann', 'next', 'return', 'release']);
    });

    it(`returns ${form} one when the session is ended in the middle`, async () => {
      const log: string[] = [];
      const abort = new AbortController();
      const store = storeOf(['x'], log, {
        retrieve: () => chunks(log, ['x'.repeat(300_000), 'y', 'z'], waits),
      });
      const channel = new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`);
      channel.onWrite = async (chunk) => {
        if (latin1(chunk).includes('xxx')) abort.abort();
        await nextTurn();
      };
      const ended = await served(channel, store, { signal: abort.signal });
      expect(ended).toMatchObject({ reason: 'aborted', faults: [] });
      expect(log).toEqual(['open ann', 'next', 'return', 'release']);
    });
  }

  it('reports one that fails at its return, and goes on', async () => {
    const body: Body = {
      [Symbol.iterator]: () => ({
        next: () => ({ done: false, value: octets('S: x\n\none\n') }),
        return: broken('cannot close'),
      }),
    };
    const ended = await served(
      new MemoryChannel(`${LOGIN}TOP 1 0\r\nNOOP\r\nQUIT\r\n`),
      storeOf(['x'], [], { retrieve: () => body }),
    );
    expect(ended).toMatchObject({ reason: 'quit', faults: ['read-body: cannot close'] });
    expect(afterLogin(ended)).toContain('+OK');
  });
});

describe('serve releases the maildrop exactly once', () => {
  interface Ending {
    readonly said?: string;
    readonly changes?: Partial<Maildrop>;
    readonly during?: (channel: MemoryChannel, abort: AbortController) => void;
    readonly reason: string;
    readonly commits?: number;
    readonly faults?: readonly string[];
  }
  const after =
    (text: string, act: (channel: MemoryChannel, abort: AbortController) => void) =>
    (channel: MemoryChannel, abort: AbortController) =>
      void channel.said(text).then(() => act(channel, abort));
  const breakWrites = (how: 'throw' | 'reject') => (channel: MemoryChannel) => {
    channel.onWrite = (chunk) => {
      if (!latin1(chunk).includes(MARKED)) return;
      if (how === 'throw') throw new Error('EPIPE');
      return Promise.reject(new Error('EPIPE'));
    };
  };

  const endings: Record<string, Ending> = {
    'after QUIT': { said: 'QUIT\r\n', reason: 'quit', commits: 1 },
    'after a QUIT that removes some': {
      said: 'QUIT\r\n',
      changes: { commitDeletes: () => ({ removed: 0, failed: 1 }) },
      reason: 'commit-failed',
      commits: 1,
    },
    'when commitDeletes throws': {
      said: 'QUIT\r\n',
      changes: { commitDeletes: broken('disk error') },
      reason: 'commit-failed',
      commits: 1,
      faults: ['commit: disk error'],
    },
    'when commitDeletes rejects': {
      said: 'QUIT\r\n',
      changes: { commitDeletes: rejected('disk error') },
      reason: 'commit-failed',
      commits: 1,
      faults: ['commit: disk error'],
    },
    'when release throws': {
      said: 'QUIT\r\n',
      changes: { release: broken('lock error') },
      reason: 'quit',
      commits: 1,
      faults: ['release: lock error'],
    },
    'when release rejects': {
      said: 'QUIT\r\n',
      changes: { release: rejected('lock error') },
      reason: 'quit',
      commits: 1,
      faults: ['release: lock error'],
    },
    'when the peer ends': { during: after(MARKED, (channel) => channel.end()), reason: 'peer-closed' },
    'when the peer ends and release rejects': {
      changes: { release: rejected('lock error') },
      during: after(MARKED, (channel) => channel.end()),
      reason: 'peer-closed',
      faults: ['release: lock error'],
    },
    'when a read throws': {
      during: (channel) => {
        const read = channel.read.bind(channel);
        channel.read = () => (channel.reads === 0 ? read() : broken('ECONNRESET')());
      },
      reason: 'peer-closed',
    },
    'when a read rejects': {
      during: (channel) => {
        const read = channel.read.bind(channel);
        channel.read = () => (channel.reads === 0 ? read() : Promise.reject(new Error('ECONNRESET')));
      },
      reason: 'peer-closed',
    },
    'when a write throws': { said: 'QUIT\r\n', during: breakWrites('throw'), reason: 'peer-closed' },
    'when a write rejects': { said: 'QUIT\r\n', during: breakWrites('reject'), reason: 'peer-closed' },
    'when the host ends the session': {
      during: after(MARKED, (channel, abort) => {
        abort.abort();
        channel.end();
      }),
      reason: 'aborted',
    },
    'after the autologout': {
      during: after(MARKED, (channel, abort) => {
        abort.abort('autologout');
        channel.end();
      }),
      reason: 'autologout',
    },
    'after too many bad commands': { said: 'X\r\n'.repeat(20), reason: 'too-many-bad-commands' },
    'after a line that is too long': { said: 'x'.repeat(70_000), reason: 'line-too-long' },
    'when a message breaks': {
      said: 'RETR 2\r\nQUIT\r\n',
      changes: { retrieve: () => chunks([], ['one', new Error('disk error')], true) },
      reason: 'body-failed',
      faults: ['read-body: disk error'],
    },
    'when retrieve throws': {
      said: 'RETR 2\r\nQUIT\r\n',
      changes: { retrieve: broken('disk error') },
      reason: 'quit',
      commits: 1,
      faults: ['retrieve: disk error'],
    },
  };
  for (const [when, ending] of Object.entries(endings)) {
    it(`${when}, and ${ending.commits ? 'commits' : 'removes nothing'}`, async () => {
      const events: string[] = [];
      const abort = new AbortController();
      const channel = new MemoryChannel(`${LOGIN}DELE 1\r\n${ending.said ?? ''}`, events);
      ending.during?.(channel, abort);
      const store = storeOf(['one', 'two'], events, ending.changes);
      const ended = await served(channel, store, { signal: abort.signal });
      expect(ended.reason).toBe(ending.reason);
      expect(ended.faults).toEqual(ending.faults ?? []);
      const ofStore = events.filter((event) => !event.startsWith('S: '));
      expect(ofStore).toEqual(['open ann', ...(ending.commits ? ['commit 1'] : []), 'release']);
      const bye = events.findIndex(
        (event) => event === `S: ${BYE}` || event.startsWith('S: -ERR [SYS/TEMP] 1'),
      );
      if (bye !== -1) expect(events.indexOf('release')).toBeLessThan(bye);
    });
  }

  it('when it is opened after the session has been ended', async () => {
    const events: string[] = [];
    const opened = new Pending<void>();
    const abort = new AbortController();
    const store = storeOf(['one'], events);
    const channel = new MemoryChannel(`${LOGIN}DELE 1\r\nQUIT\r\n`);
    const running = served(
      channel,
      {
        async open(identity, context) {
          events.push('opening');
          await opened.promise;
          return store.open(identity, context);
        },
      },
      { signal: abort.signal },
    );
    await channel.said(SEND_PASS);
    await nextTurn();
    abort.abort();
    opened.resolve();
    expect((await running).reason).toBe('aborted');
    expect(events).toEqual(['opening', 'open ann', 'release']);
  });

  it('or not at all when none was opened', async () => {
    for (const said of ['', 'USER ann\r\n', 'QUIT\r\n', 'X\r\n'.repeat(20)]) {
      const events: string[] = [];
      const channel = new MemoryChannel(said);
      channel.end();
      await served(channel, storeOf([], events));
      expect(events).toEqual([]);
    }
  });
});

describe('serve and an UPDATE that has begun', () => {
  it('finishes it, with a signal that is not aborted, whatever becomes of the connection', async () => {
    const events: string[] = [];
    const committing = new Pending<AbortSignal>();
    const finish = new Pending<void>();
    const abort = new AbortController();
    const channel = new MemoryChannel(`${LOGIN}DELE 1\r\nQUIT\r\n`, events);
    const store = storeOf(['one'], events, {
      async commitDeletes(deletions, { signal }) {
        committing.resolve(signal);
        await finish.promise;
        events.push(`removed ${[...deletions]}, ${signal.aborted ? 'aborted' : 'not aborted'}`);
        return { removed: 1, failed: 0 };
      },
    });
    const running = served(channel, store, { signal: abort.signal });
    expect((await committing.promise).aborted).toBe(false);
    abort.abort();
    channel.end();
    await nextTurn();
    finish.resolve();
    expect((await running).reason).toBe('aborted');
    expect(events.slice(-3)).toEqual(['commit 1', 'removed 1, not aborted', 'release']);
  });
});

describe('serve and the end of the session', () => {
  type Hangs = {
    readonly said: string;
    readonly hangs: (wait: (signal: AbortSignal) => Promise<never>) => Partial<ServeOptions>;
  };
  const hanging: Record<string, Hangs> = {
    'a password check': {
      said: LOGIN,
      hangs: (wait) => ({
        authenticator: { ...acceptsEverybody, authenticate: (_, { signal }) => wait(signal) },
      }),
    },
    'a SASL exchange': {
      said: 'AUTH SLOW\r\n',
      hangs: (wait) => ({
        mechanisms: [
          {
            name: 'SLOW',
            plaintext: false,
            credentials: 'external',
            start: ({ signal }) => ({ step: () => wait(signal) }),
          },
        ],
      }),
    },
    'the opening of a maildrop': {
      said: LOGIN,
      hangs: (wait) => ({ store: { open: (_, { signal }) => wait(signal) } }),
    },
    'a message': {
      said: `${LOGIN}RETR 1\r\n`,
      hangs: (wait) => ({ store: storeOf(['one'], [], { retrieve: (_, { signal }) => wait(signal) }) }),
    },
    'the first chunk of a message': {
      said: `${LOGIN}RETR 1\r\n`,
      hangs: (wait) => ({
        store: storeOf(['one'], [], {
          retrieve: (_, { signal }) => ({ [Symbol.asyncIterator]: () => ({ next: () => wait(signal) }) }),
        }),
      }),
    },
    'a later chunk of a message': {
      said: `${LOGIN}RETR 1\r\n`,
      hangs: (wait) => ({
        store: storeOf(['one'], [], {
          retrieve: async function* (_: number, { signal }: { signal: AbortSignal }) {
            yield octets('one');
            await wait(signal);
          } as unknown as Maildrop['retrieve'],
        }),
      }),
    },
  };
  for (const [what, { said, hangs }] of Object.entries(hanging)) {
    it(`tells ${what} that nobody waits for it, and takes its giving up for no fault`, async () => {
      const abort = new AbortController();
      const waiting = new Pending<void>();
      const wait = (signal: AbortSignal) =>
        new Promise<never>((_, reject) => {
          expect(signal.aborted).toBe(false);
          signal.addEventListener('abort', () => reject(signal.reason));
          waiting.resolve();
        });
      const channel = new MemoryChannel(said);
      const running = served(channel, storeOf(['one']), { signal: abort.signal, ...hangs(wait) });
      await waiting.promise;
      abort.abort();
      expect(await running).toMatchObject({ reason: 'aborted', faults: [] });
    });
  }

  it('tells an adapter that looks only afterwards, too', async () => {
    const abort = new AbortController();
    const opening = new Pending<void>();
    const goOn = new Pending<void>();
    const seen: unknown[] = [];
    const store: MessageStore = {
      async open(_, context) {
        opening.resolve();
        await goOn.promise;
        seen.push(context.signal.aborted, (context.signal.reason as Error).name);
        return { type: 'refused', reason: 'temporary' };
      },
    };
    const running = served(new MemoryChannel(LOGIN), store, { signal: abort.signal });
    await opening.promise;
    abort.abort();
    goOn.resolve();
    await running;
    expect(seen).toEqual([true, 'AbortError']);
  });

  it('reports what else breaks after it', async () => {
    const abort = new AbortController();
    const opening = new Pending<void>();
    const store: MessageStore = {
      open: (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(new Error('lock error')));
          opening.resolve();
        }),
    };
    const running = served(new MemoryChannel(LOGIN), store, { signal: abort.signal });
    await opening.promise;
    abort.abort();
    expect(await running).toMatchObject({ reason: 'aborted', faults: ['open-maildrop: lock error'] });
  });

  it('says nothing at all when it has come before the beginning', async () => {
    const channel = new MemoryChannel(LOGIN);
    expect(await served(channel, storeOf([]), { signal: AbortSignal.abort() })).toEqual({
      reason: 'aborted',
      output: '',
      faults: [],
    });
    const late = new MemoryChannel(LOGIN);
    expect((await served(late, storeOf([]), { signal: AbortSignal.abort('autologout') })).reason).toBe(
      'autologout',
    );
  });

  it('says nothing any more once it has come', async () => {
    const abort = new AbortController();
    const channel = new MemoryChannel('NOOP\r\n');
    const running = served(channel, storeOf([]), { signal: abort.signal });
    await channel.said('-ERR');
    const { output } = channel;
    abort.abort();
    channel.say('NOOP\r\n');
    expect(await running).toEqual({ reason: 'aborted', output, faults: [] });
  });

  it('takes away its listener from a signal that lives on', async () => {
    const abort = new AbortController();
    let listeners = 0;
    const { signal } = abort;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = ((...all: Parameters<typeof add>) => {
      listeners++;
      add(...all);
    }) as typeof add;
    signal.removeEventListener = ((...all: Parameters<typeof remove>) => {
      listeners--;
      remove(...all);
    }) as typeof remove;
    await served(new MemoryChannel('QUIT\r\n'), storeOf([]), { signal });
    expect(listeners).toBe(0);
  });
});

describe('serve reports every fault and says no more than that it is temporary', () => {
  const failing: SaslServerMechanism = {
    name: 'X',
    plaintext: false,
    credentials: 'external',
    start: () => ({ step: rejected('token service is down') }),
  };
  const unready: SaslServerMechanism = { ...failing, name: 'Y', start: broken('no key') };
  const garbage = <T>(value: unknown) => (() => value) as unknown as T;
  type Case = readonly [said: string, options: Partial<ServeOptions>, fault: string | RegExp];
  const cases: Record<string, Case> = {
    'authenticate throws': [
      LOGIN,
      { authenticator: { ...acceptsEverybody, authenticate: broken('LDAP is down') } },
      'authenticate: LDAP is down',
    ],
    'authenticate rejects': [
      LOGIN,
      { authenticator: { ...acceptsEverybody, authenticate: rejected('LDAP is down') } },
      'authenticate: LDAP is down',
    ],
    'a mechanism rejects': ['AUTH X\r\n', { mechanisms: [failing] }, 'sasl-start: token service is down'],
    'a mechanism throws at its start': ['AUTH Y\r\n', { mechanisms: [unready] }, 'sasl-start: no key'],
    'a mechanism asks an authenticator that throws': [
      'AUTH PLAIN AGFubgBzZWNyZXQ=\r\n',
      { authenticator: { ...acceptsEverybody, authenticate: broken('LDAP is down') } },
      'sasl-start: LDAP is down',
    ],
    'the second step of a mechanism throws': [
      'AUTH PLAIN\r\nAGFubgBzZWNyZXQ=\r\n',
      { authenticator: { ...acceptsEverybody, authenticate: broken('LDAP is down') } },
      'sasl-step: LDAP is down',
    ],
    'open throws': [LOGIN, { store: { open: broken('no space') } }, 'open-maildrop: no space'],
    'open rejects': [LOGIN, { store: { open: rejected('no space') } }, 'open-maildrop: no space'],
    'open gives nothing': [LOGIN, { store: { open: garbage(null) } }, /^open-maildrop: /],
  };
  for (const [what, [said, options, fault]] of Object.entries(cases)) {
    it(`when ${what}`, async () => {
      const channel = new MemoryChannel(`${said}CAPA\r\nQUIT\r\n`);
      const ended = await served(channel, storeOf([]), options);
      expect(ended.reason).toBe('quit');
      expect(ended.faults).toEqual([expect.stringMatching(fault)]);
      expect(ended.output).toMatch(/\r\n-ERR \[SYS\/TEMP\] .*\r\n\+OK .*\r\nTOP\r\n/);
    });
  }

  it('when onFault is not given', async () => {
    const channel = new MemoryChannel(`${LOGIN}QUIT\r\n`);
    const reason = await serve({
      channel,
      authenticator: acceptsEverybody,
      store: { open: broken('no space') },
      session: { plaintextAuth: 'allow' },
    });
    expect(reason).toBe('quit');
  });

  const wrongAnswers: Record<string, Partial<ServeOptions>> = {
    'authenticate answers nothing': {
      authenticator: { ...acceptsEverybody, authenticate: garbage(undefined) },
    },
    'authenticate answers in its own words': {
      authenticator: { ...acceptsEverybody, authenticate: garbage({ type: 'ok' }) },
    },
    'authenticate answers for the store': {
      authenticator: { ...acceptsEverybody, authenticate: garbage({ type: 'opened' }) },
    },
    'open gives something else': { store: { open: garbage({ release() {} }) } },
  };
  for (const [what, options] of Object.entries(wrongAnswers)) {
    it(`and tells of a temporary failure when ${what}`, async () => {
      const ended = await served(new MemoryChannel(`${LOGIN}QUIT\r\n`), storeOf([]), options);
      expect(ended.reason).toBe('quit');
      expect(ended.faults).toEqual([expect.stringMatching(/^(authenticate|open-maildrop): /)]);
      expect(ended.output).toContain('-ERR [SYS/TEMP]');
    });
  }

  it('and releases a maildrop whose listing cannot be had', async () => {
    const events: string[] = [];
    const store = storeOf([], events);
    const ended = await served(new MemoryChannel(`${LOGIN}QUIT\r\n`), {
      open: async (identity, context) => ({
        ...((await store.open(identity, context)) as Maildrop),
        get listing(): Maildrop['listing'] {
          throw new Error('a unique-id is too long');
        },
      }),
    });
    expect(events).toEqual(['open ann', 'release']);
    expect(ended).toMatchObject({ reason: 'quit', faults: ['open-maildrop: a unique-id is too long'] });
  });

  const wrongCounts: Record<string, unknown> = {
    'counts too few': { removed: 0, failed: 0 },
    'counts nothing': {},
    'counts in words': { removed: 0, failed: '1\r\n+OK bye' },
  };
  for (const [what, outcome] of Object.entries(wrongCounts)) {
    it(`and does not believe a commit that ${what}`, async () => {
      const store = storeOf(['x'], [], { commitDeletes: garbage(outcome) });
      const ended = await served(new MemoryChannel(`${LOGIN}DELE 1\r\nQUIT\r\n`), store);
      expect(ended.reason).toBe('commit-failed');
      expect(ended.faults).toEqual([expect.stringMatching(/^commit: /)]);
      expect(ended.output).toMatch(/\r\n-ERR \[SYS\/TEMP\] temporary failure, try again later\r\n$/);
    });
  }

  const nonsense: Record<string, Partial<ServeOptions>> = {
    'the listing is not there': { store: { open: garbage({ listing: undefined, release() {} }) } },
    'the listing is none': {
      store: { open: garbage({ listing: { count: 3, totalOctets: 15 }, release() {} }) },
    },
    'a chunk of a message is text and not octets': {
      store: storeOf(['x'], [], { retrieve: garbage([octets('one'), 'two\r\n']) }),
    },
  };
  for (const [what, options] of Object.entries(nonsense)) {
    it(`and never rejects, but ends the session when ${what}`, async () => {
      const channel = new MemoryChannel(`${LOGIN}LIST\r\nRETR 1\r\nQUIT\r\n`);
      const ended = await served(channel, storeOf([]), options);
      expect(ended.reason).toBe('aborted');
      expect(ended.faults).toEqual([expect.stringMatching(/^session: /)]);
      expect(ended.output).not.toContain('one\r\n');
    });
  }

  it('and releases the maildrop of a session that it ends', async () => {
    const events: string[] = [];
    const store = storeOf([], events);
    await served(new MemoryChannel(`${LOGIN}LIST\r\n`), {
      open: async (identity, context) => ({
        ...((await store.open(identity, context)) as Maildrop),
        listing: { count: 3, totalOctets: 15 } as unknown as Maildrop['listing'],
      }),
    });
    expect(events).toEqual(['open ann', 'release']);
  });
});

it('reports a mechanism that fails before anything was said, and ends', async () => {
  const available = () => {
    throw new Error('no certificate to look at');
  };
  const channel = new MemoryChannel('CAPA\r\n');
  const ended = await served(channel, storeOf([]), { mechanisms: [{ ...PLAIN, available }] });
  expect(ended).toMatchObject({
    reason: 'aborted',
    faults: ['session: no certificate to look at'],
    output: '',
  });
});

describe('memory that a store may still write to is lent to nobody else', () => {
  const asked: Uint8Array[] = [];
  const lend: Maildrop['retrieve'] = (_, { memory }) => {
    asked.push(memory?.(1) as Uint8Array);
    return octets('S: x\n\none\n');
  };
  const lentNext = async () => {
    await served(new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`), storeOf(['x'], [], { retrieve: lend }));
    return asked.pop();
  };

  it('when TOP needs no more of a body that goes on', async () => {
    let held: Uint8Array | undefined;
    const retrieve: Maildrop['retrieve'] = (_, { memory }) => {
      held = memory?.(1);
      return [octets('S: x\n\none\n'), octets('two\n')];
    };
    const store = storeOf(['x'], [], { retrieve });
    await served(new MemoryChannel(`${LOGIN}TOP 1 0\r\nQUIT\r\n`), store);
    expect(held).toBeInstanceOf(Uint8Array);
    expect(await lentNext()).not.toBe(held);
  });

  it('when a body comes after the session has ended', async () => {
    let held: Uint8Array | undefined;
    let answer = (_: Body) => {};
    const abort = new AbortController();
    const retrieve: Maildrop['retrieve'] = (_, { memory }) => {
      held = memory?.(1);
      setImmediate(() => abort.abort());
      return new Promise<Body>((resolve) => {
        answer = resolve;
      });
    };
    const store = storeOf(['x'], [], { retrieve });
    await served(new MemoryChannel(`${LOGIN}RETR 1\r\n`), store, { signal: abort.signal });
    answer([octets('late')]);
    await nextTurn();
    expect(await lentNext()).not.toBe(held);
  });

  it('but a message that is out gives its memory back', async () => {
    const first = await lentNext();
    expect(await lentNext()).toBe(first);
  });
});

describe('serve does not wait', () => {
  const never = () => new Promise<never>(() => {});

  it.each<[string, Partial<ServeOptions> | null, Partial<Maildrop>]>([
    ['a password check', { authenticator: { accepts: ['password'], authenticate: never } }, {}],
    ['an open', { store: { open: never } }, {}],
    ['a retrieve', null, { retrieve: never }],
    [
      'a chunk',
      null,
      { retrieve: () => ({ [Symbol.asyncIterator]: () => ({ next: never, return: never }) }) },
    ],
  ])('for %s that never ends, once the session is ended', async (_, options, maildrop) => {
    const abort = new AbortController();
    const channel = new MemoryChannel(`${LOGIN}RETR 1\r\nQUIT\r\n`);
    setImmediate(() => abort.abort());
    const ended = await served(channel, storeOf(['x'], [], maildrop), { ...options, signal: abort.signal });
    expect(ended.reason).toBe('aborted');
  });

  it('for an open, and releases what it still opens', async () => {
    const events: string[] = [];
    const store = storeOf([], events);
    const abort = new AbortController();
    let open = () => {};
    const ended = await served(
      new MemoryChannel(LOGIN),
      {
        async open(identity, context) {
          await new Promise<void>((resolve) => {
            open = resolve;
            setImmediate(() => abort.abort());
          });
          return store.open(identity, context);
        },
      },
      { signal: abort.signal },
    );
    expect(ended.reason).toBe('aborted');
    expect(events).toEqual([]);
    open();
    await nextTurn();
    expect(events).toEqual(['open ann', 'release']);
  });
});
