import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isPop3Error } from '../src/errors.js';
import { MaildropListing } from '../src/listing.js';
import type { ServerSessionOptions, ServerTrace } from '../src/server/options.js';
import type { ServerRequest } from '../src/server/requests.js';
import { type ServerAction, ServerSession } from '../src/server/session.js';
import { chunkLengths, chunksOf, latin1, octets } from './stored-message.js';

const LISTING = MaildropListing.of([
  { octets: 5, uniqueId: 'a' },
  { octets: 5, uniqueId: 'b' },
]);
const IDENTITY = { maildrop: 'ann', username: 'ann' };
const LOGIN = 'USER ann\r\nPASS secret\r\n';

/** A session and what it has said, run by hand. */
class Hand {
  readonly session: ServerSession;
  output = '';

  constructor(options: ServerSessionOptions = {}) {
    this.session = new ServerSession({ plaintextAuth: 'allow', ...options });
  }

  say(text: string): ServerAction {
    this.session.receive(octets(text));
    return this.proceed();
  }

  /** Goes on until the session wants anything but to write. */
  proceed(): ServerAction {
    for (;;) {
      const action = this.session.next();
      if (action.type !== 'write') return action;
      this.output += latin1(action.octets);
    }
  }

  request(action: ServerAction): ServerRequest {
    if (action.type !== 'request') throw new Error(`no request but ${action.type}`);
    return action.request;
  }

  logIn(): void {
    this.session.answer(this.request(this.say(LOGIN)), { type: 'accepted', identity: IDENTITY });
    this.session.answer(this.request(this.proceed()), { type: 'opened', listing: LISTING });
    this.proceed();
    this.output = '';
  }
}

function misuse(work: () => unknown): void {
  expect(work).toThrow(expect.objectContaining({ code: 'POP3_USAGE' }));
  try {
    work();
  } catch (error) {
    expect(isPop3Error(error)).toBe(true);
  }
}

describe('ServerSession refuses to be misused', () => {
  it('by an answer to a request that is not open', () => {
    const hand = new Hand();
    const authenticate = hand.request(hand.say(LOGIN));
    misuse(() => hand.session.answer({ ...authenticate }, { type: 'refused', reason: 'temporary' }));
    hand.session.answer(authenticate, { type: 'refused', reason: 'temporary' });
    misuse(() => hand.session.answer(authenticate, { type: 'refused', reason: 'temporary' }));
    hand.proceed();
    misuse(() => hand.session.answer(authenticate, { type: 'refused', reason: 'temporary' }));
    expect(hand.output.match(/-ERR/g)).toHaveLength(1);
  });

  it('by an answer to the request of another session, or to one before', () => {
    const one = new Hand();
    const other = new Hand();
    const request = one.request(one.say(LOGIN));
    other.say(LOGIN);
    misuse(() => other.session.answer(request, { type: 'accepted', identity: IDENTITY }));
    one.session.answer(request, { type: 'accepted', identity: IDENTITY });
    one.request(one.proceed());
    misuse(() => one.session.answer(request, { type: 'accepted', identity: IDENTITY }));
  });

  it('by something that is no answer', () => {
    const hand = new Hand();
    const request = hand.request(hand.say(LOGIN));
    misuse(() => hand.session.answer(request, { type: 'ok' } as never));
  });

  it('by a challenge that fits into no line', () => {
    const hand = new Hand({ saslMechanisms: [{ name: 'X', plaintext: false }] });
    const request = hand.request(hand.say('AUTH X\r\n'));
    misuse(() => hand.session.answer(request, { type: 'challenge', challenge: new Uint8Array(48_001) }));
    hand.session.answer(request, { type: 'challenge', challenge: new Uint8Array(48_000) });
    hand.proceed();
    expect(hand.output.endsWith(`+ ${'A'.repeat(64_000)}\r\n`)).toBe(true);
  });

  it('by a body that nobody asked for', () => {
    const hand = new Hand();
    const all = [
      () => hand.session.body(octets('x')),
      () => hand.session.bodyEnd(),
      () => hand.session.bodyFailed(),
    ];
    all.forEach(misuse);
    hand.logIn();
    all.forEach(misuse);
    const request = hand.request(hand.say('RETR 1\r\n'));
    all.forEach(misuse);
    hand.session.answer(request, { type: 'message' });
    all.forEach(misuse);
    expect(hand.proceed().type).toBe('read-body');
    hand.session.body(octets('one'));
    all.forEach(misuse);
    expect(hand.proceed().type).toBe('read-body');
    hand.session.bodyEnd();
    all.forEach(misuse);
    expect(hand.proceed().type).toBe('end-body');
    all.forEach(misuse);
    expect(hand.proceed().type).toBe('read');
    expect(hand.output.endsWith('one\r\n.\r\n')).toBe(true);
  });

  it('by a chunk that is text', () => {
    const hand = new Hand();
    hand.logIn();
    hand.session.answer(hand.request(hand.say('RETR 1\r\n')), { type: 'message' });
    hand.proceed();
    misuse(() => hand.session.body('one' as unknown as Uint8Array));
  });

  it('by a handshake that nobody asked for', () => {
    const hand = new Hand({ tls: 'offered' });
    misuse(() => hand.session.tlsUpgraded());
    hand.session.receive(octets('STLS\r\n'));
    misuse(() => hand.session.tlsUpgraded());
    expect(hand.proceed().type).toBe('upgrade-tls');
    expect(hand.proceed().type).toBe('wait');
    hand.session.tlsUpgraded();
    misuse(() => hand.session.tlsUpgraded());
  });
});

describe('ServerSession', () => {
  it('waits, whatever is received, until its request is answered', () => {
    const hand = new Hand();
    const request = hand.request(hand.say(LOGIN));
    const { output } = hand;
    for (let i = 0; i < 3; i++) expect(hand.say('QUIT\r\n').type).toBe('wait');
    expect(hand.output).toBe(output);
    hand.session.answer(request, { type: 'refused', reason: 'bad-credentials' });
    expect(hand.proceed()).toEqual({ type: 'close', reason: 'quit' });
  });

  it('says what it has said so far while it waits', () => {
    const hand = new Hand();
    hand.logIn();
    const request = hand.request(hand.say('STAT\r\nRETR 1\r\nNOOP\r\n'));
    expect(hand.output).toBe('');
    expect(hand.proceed().type).toBe('wait');
    expect(hand.output).toBe('+OK 2 10\r\n');
    hand.session.answer(request, { type: 'message' });
    expect(hand.proceed().type).toBe('read-body');
    expect(hand.proceed().type).toBe('wait');
    hand.session.bodyEnd();
    expect(hand.proceed().type).toBe('end-body');
    expect(hand.proceed().type).toBe('read');
  });

  it('asks for more when it has nothing to do, again and again', () => {
    const hand = new Hand();
    for (let i = 0; i < 3; i++) expect(hand.proceed().type).toBe('read');
  });

  it('stays closed: later answers, chunks, octets and ends change nothing', () => {
    const closing: ((hand: Hand) => void)[] = [
      (hand) => hand.say('QUIT\r\n'),
      (hand) => hand.session.abort('autologout'),
    ];
    for (const close of closing) {
      const hand = new Hand();
      const request = hand.request(hand.say(LOGIN));
      hand.session.answer(request, { type: 'refused', reason: 'temporary' });
      close(hand);
      const closed = hand.proceed();
      expect(closed.type).toBe('close');
      const { output } = hand;
      hand.session.answer(request, { type: 'accepted', identity: IDENTITY });
      hand.session.body(octets('x'));
      hand.session.bodyEnd();
      hand.session.bodyFailed();
      hand.session.tlsUpgraded();
      hand.session.receiveEnd();
      hand.session.abort('aborted');
      expect(hand.say('NOOP\r\n')).toEqual(closed);
      expect(hand.output).toBe(output);
      expect(hand.session.state).toBe('closed');
    }
  });

  it('says what it has to say before it closes, but not after it was ended', () => {
    const quit = new Hand();
    quit.session.receive(octets('QUIT\r\n'));
    quit.proceed();
    expect(quit.output).toMatch(/^\+OK .*\r\n\+OK .*\r\n$/);
    const ended = new Hand();
    ended.session.receive(octets('CAPA\r\n'));
    ended.session.abort('aborted');
    expect(ended.proceed()).toEqual({ type: 'close', reason: 'aborted' });
    expect(ended.output).toBe('');
  });

  it('goes from AUTHORIZATION to TRANSACTION to UPDATE, and tells so', () => {
    const trace: ServerTrace[] = [];
    const hand = new Hand({ trace: (event) => trace.push(event) });
    expect(hand.session.state).toBe('authorization');
    hand.logIn();
    expect(hand.session.state).toBe('transaction');
    const commit = hand.request(hand.say('DELE 2\r\nQUIT\r\n'));
    expect(hand.session.state).toBe('update');
    hand.session.answer(commit, { type: 'committed', removed: 1, failed: 0 });
    expect(hand.proceed().type).toBe('close');
    expect(hand.session.state).toBe('closed');
    expect(trace.filter(({ type }) => type !== 'status')).toEqual([
      { type: 'command', command: 'USER "ann"' },
      { type: 'command', command: 'PASS ***' },
      { type: 'state', state: 'transaction' },
      { type: 'opened', identity: IDENTITY, messages: 2, octets: 10 },
      { type: 'command', command: 'DELE 2' },
      { type: 'command', command: 'QUIT' },
      { type: 'state', state: 'update' },
      { type: 'committed', removed: 1, failed: 0 },
      { type: 'state', state: 'closed' },
    ]);
    const said = trace.flatMap((event) => (event.type === 'status' ? [event.line] : []));
    expect(said.map((line) => line.split(' ')[0])).toEqual(Array(5).fill('+OK'));
  });

  it('traces messages, and what it cannot read without showing it', () => {
    const trace: ServerTrace[] = [];
    const hand = new Hand({
      trace: (event) => trace.push(event),
      saslMechanisms: [{ name: 'X', plaintext: false }],
    });
    hand.say('PASS top secret\0\r\nXYZZY secret\r\nAUTH X c2VjcmV\r\n');
    const sasl = hand.request(hand.say('AUTH X c2VjcmV0\r\n'));
    hand.session.answer(sasl, { type: 'challenge', challenge: octets('secret') });
    hand.session.answer(hand.request(hand.say('c2VjcmV0\r\n')), { type: 'refused', reason: 'temporary' });
    hand.logIn();
    hand.session.answer(hand.request(hand.say('RETR 1\r\n')), { type: 'message' });
    hand.proceed();
    hand.session.bodyEnd();
    expect(hand.proceed().type).toBe('end-body');
    hand.session.answer(hand.request(hand.say('TOP 2 3\r\n')), { type: 'message' });
    const shown = JSON.stringify(trace);
    expect(shown).not.toMatch(/secret|c2Vj/);
    expect(trace).toContainEqual({ type: 'retrieved', messageNumber: 1, topLines: null });
    expect(trace).toContainEqual({ type: 'retrieved', messageNumber: 2, topLines: 3 });
    const commands = trace.flatMap((event) => (event.type === 'command' ? [event.command] : []));
    expect(commands.slice(0, 4)).toEqual([
      expect.stringMatching(/^PASS \(.+\)$/),
      expect.stringMatching(/^\? \(.+\)$/),
      expect.stringMatching(/^AUTH \(.+\)$/),
      'AUTH X ***',
    ]);
  });

  it('traces what was removed also when nobody is left to be told', () => {
    const trace: ServerTrace[] = [];
    const hand = new Hand({ trace: (event) => trace.push(event) });
    hand.logIn();
    const commit = hand.request(hand.say('DELE 1\r\nDELE 2\r\nQUIT\r\n'));
    hand.session.abort('peer-closed');
    hand.session.answer(commit, { type: 'committed', removed: 1, failed: 1 });
    expect(hand.proceed()).toEqual({ type: 'close', reason: 'peer-closed' });
    expect(trace.at(-1)).toEqual({ type: 'committed', removed: 1, failed: 1 });
  });

  it('does not depend on a trace', () => {
    expect(new ServerSession().next().type).toBe('write');
  });
});

describe('ServerSession lends what it writes', () => {
  it('and leaves it alone until the next step, also when it is answered meanwhile', () => {
    const hand = new Hand();
    hand.logIn();
    const request = hand.request(hand.say('STAT\r\nRETR 1\r\n'));
    const action = hand.session.next();
    if (action.type !== 'write') throw new Error('nothing was written');
    hand.session.answer(request, { type: 'message' });
    expect(latin1(action.octets)).toBe('+OK 2 10\r\n');
    expect(hand.proceed().type).toBe('read-body');
    hand.session.bodyEnd();
    expect(hand.proceed().type).toBe('end-body');
    expect(hand.proceed().type).toBe('read');
    expect(hand.output).toBe('+OK 5 octets\r\n.\r\n');
  });

  it('and gives a session that ends in the middle of a write another piece of memory than the next', () => {
    const stuck = new Hand();
    stuck.session.receive(octets('CAPA\r\n'));
    const action = stuck.session.next();
    if (action.type !== 'write') throw new Error('nothing was written');
    const lent = action.octets;
    const before = latin1(lent);
    stuck.session.abort('aborted');
    stuck.proceed();
    for (let i = 0; i < 20; i++) new Hand().say('XYZZY\r\nNOOP\r\n');
    expect(latin1(lent)).toBe(before);
  });

  it('in pieces of at most 256 KiB', () => {
    const hand = new Hand();
    hand.session.receive(octets('CAPA\r\n'.repeat(20_000)));
    let largest = 0;
    for (let action = hand.session.next(); action.type === 'write'; action = hand.session.next()) {
      largest = Math.max(largest, action.octets.length);
    }
    expect(largest).toBeGreaterThan(250_000);
    expect(largest).toBeLessThanOrEqual(262_144);
  });
});

/** Says anything to a session and answers all it asks. Returns what came of it. */
function conversation(chunks: readonly Uint8Array[], refuse: boolean): string {
  const hand = new Hand({
    tls: 'offered',
    saslMechanisms: [{ name: 'PLAIN', plaintext: true }],
    apopTimestamp: '<1@b>',
  });
  let log = '';
  const proceed = (): void => {
    for (;;) {
      const action = hand.proceed();
      switch (action.type) {
        case 'request':
          log += `${action.request.type} `;
          answer(action.request);
          break;
        case 'read-body':
          hand.session.bodyEnd();
          break;
        case 'end-body':
          break;
        case 'upgrade-tls':
          return;
        case 'close':
          if (!log.endsWith(action.reason)) log += action.reason;
          return;
        default:
          return;
      }
    }
  };
  const answer = (request: ServerRequest): void => {
    if (refuse && request.type !== 'commit') {
      return hand.session.answer(request, { type: 'refused', reason: 'in-use' });
    }
    switch (request.type) {
      case 'authenticate':
      case 'sasl-step':
        return hand.session.answer(request, { type: 'accepted', identity: IDENTITY });
      case 'sasl-start':
        return hand.session.answer(request, { type: 'challenge', challenge: octets('x') });
      case 'open-maildrop':
        return hand.session.answer(request, { type: 'opened', listing: LISTING });
      case 'retrieve':
        return hand.session.answer(request, { type: 'message' });
      case 'commit':
        return hand.session.answer(request, { type: 'committed', removed: 0, failed: 0 });
    }
  };
  proceed();
  for (const chunk of chunks) {
    hand.session.receive(chunk);
    proceed();
  }
  hand.session.receiveEnd();
  proceed();
  return `${hand.output}|${log}`;
}

describe('ServerSession and hostile octets', () => {
  const lines = fc.constantFrom(
    'USER ann\r\n',
    'PASS x\r\n',
    'AUTH PLAIN\r\n',
    'AUTH PLAIN AAAA\r\n',
    'AAAA\r\n',
    '*\r\n',
    'STAT\r\n',
    'LIST\n',
    'UIDL 1\r\n',
    'RETR 1\r\n',
    'TOP 2 0\r\n',
    'DELE 1\r\n',
    'RSET\r\n',
    'NOOP\r\n',
    'CAPA\r\n',
    'QUIT\r\n',
    'STLS\r\n',
    '\0\xff\r\n',
    `${'x'.repeat(300)}\r\n`,
    '\r\n',
    'APOP ann c4c9334bac560ecc979e58001b3e22fb\r\n',
    'AUTH\r\n',
  );
  const input = fc
    .array(
      fc.oneof(
        { weight: 8, arbitrary: lines },
        { weight: 1, arbitrary: fc.uint8Array({ maxLength: 40 }).map(latin1) },
      ),
      {
        maxLength: 40,
      },
    )
    .map((parts) => parts.join(''));

  it('never throws, and says the same in any chunking', () => {
    fc.assert(
      fc.property(input, chunkLengths, fc.boolean(), (text, lengths, refuse) => {
        const whole = conversation([octets(text)], refuse);
        expect(conversation(chunksOf(octets(text), lengths), refuse)).toBe(whole);
        // Every answer is a status line, a line of a list, a challenge or a terminator.
        const [output = ''] = whole.split('|');
        for (const line of output.split('\r\n').slice(0, -1)) {
          expect(line).toMatch(
            /^(?:(?:\+OK|-ERR(?: \[IN-USE\])?) [^[].*|\+ [A-Za-z0-9+/=]*|\d+ \w+|[A-Z-]+( PLAIN)?|\.)$/,
          );
          expect(line.length).toBeLessThanOrEqual(510);
        }
      }),
      { numRuns: 300 },
    );
  });

  it('holds no more than a line of a client that never ends one', () => {
    const hand = new Hand();
    const chunk = new Uint8Array(8192).fill(0x78);
    for (let i = 0; i < 8; i++) {
      hand.session.receive(chunk);
      expect(hand.proceed().type).toBe('read');
    }
    hand.session.receive(chunk);
    expect(hand.proceed()).toEqual({ type: 'close', reason: 'line-too-long' });
    expect(hand.output).toMatch(/-ERR .*\r\n$/);
  });
});

it('ends a multi-line response whole however long its last line is', () => {
  for (let octets = 480; octets <= 520; octets++) {
    const session = new ServerSession({ implementation: 'x'.repeat(octets) });
    session.receive(new TextEncoder().encode('CAPA\r\n'.repeat(1_000)));
    session.receiveEnd();
    let output = '';
    for (let action = session.next(); action.type !== 'close'; action = session.next()) {
      if (action.type === 'write') output += new TextDecoder().decode(action.octets);
    }
    expect(output.split('\r\n.\r\n').length, `with an implementation of ${octets} octets`).toBe(1_001);
  }
});
