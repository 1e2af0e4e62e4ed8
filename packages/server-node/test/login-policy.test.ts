import { setTimeout as sleep } from 'node:timers/promises';
import type { Authenticator, Refusal, RefusalReason } from '@pop3/core';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { LoginDelay, withPolicy } from '../src/login-policy.js';
import { next, record } from './events.js';
import { PASSWORD, Peer } from './peer.js';
import { anybody, mailFor, startServer, THREE_MESSAGES } from './started-server.js';

// Delays are noted and not waited for.
vi.mock('node:timers/promises', () => ({ setTimeout: vi.fn(() => Promise.resolve()) }));
beforeEach(() => {
  vi.mocked(sleep).mockClear();
});

function delays(): unknown[] {
  return vi.mocked(sleep).mock.calls.map(([delayMs]) => delayMs);
}

const CONTEXT = {
  signal: new AbortController().signal,
  peer: { address: '192.0.2.1', tls: false, certificate: null },
};

function refusing(reason: RefusalReason): Authenticator {
  return { accepts: ['password'], authenticate: () => ({ type: 'refused', reason }) };
}

describe('delay of failed logins', () => {
  async function attempts(count: number, reason: RefusalReason, delayMs: number, maxDelayMs: number) {
    const { authenticator } = withPolicy(
      { authenticator: refusing(reason), store: mailFor() },
      { delayMs, maxDelayMs, loginDelay: null, accepted: () => {}, refused: () => {} },
    );
    for (let i = 0; i < count; i++) {
      await authenticator.authenticate(
        { type: 'password', username: 'ann', password: 'wrong', authorizationId: '' },
        CONTEXT,
      );
    }
    return delays();
  }

  it('doubles with each one up to its limit', async () => {
    expect(await attempts(7, 'bad-credentials', 1000, 16_000)).toEqual([
      1000, 2000, 4000, 8000, 16_000, 16_000, 16_000,
    ]);
  });

  it('never exceeds its limit', async () => {
    expect(await attempts(2, 'bad-credentials', 5000, 3000)).toEqual([3000, 3000]);
  });

  it('can be turned off', async () => {
    expect(await attempts(3, 'bad-credentials', 0, 16_000)).toEqual([]);
  });

  it.each(['in-use', 'login-delay', 'temporary', 'permanent'] as const)(
    'does not come for %s: the password was right',
    async (reason) => {
      expect(await attempts(3, reason, 1000, 16_000)).toEqual([]);
    },
  );

  it('is 1 second at first by default, counts for every mechanism, and for one connection', async () => {
    const { port } = await startServer({ authenticator: anybody('password', 'apop') });
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    expect(await peer.command('PASS wrong')).toBe('-ERR [AUTH] authentication failed');
    await peer.command(`AUTH PLAIN ${Buffer.from('\0ann\0wrong').toString('base64')}`);
    await peer.command(`APOP ann ${'0'.repeat(32)}`);
    expect(delays()).toEqual([1000, 2000, 4000]);
    await peer.logIn();
    expect(delays()).toHaveLength(3);

    const other = await Peer.connect(port);
    await other.line();
    await other.command('USER bob');
    await other.command('PASS wrong');
    expect(delays()).toEqual([1000, 2000, 4000, 1000]);
  });

  it('keeps the answer back for as long as it lasts', async () => {
    let release: () => void = () => {};
    vi.mocked(sleep).mockImplementationOnce(
      () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    );
    const { port } = await startServer();
    const peer = await Peer.connect(port);
    await peer.line();
    const refused = next('loginRefused');
    peer.send('USER ann\r\nPASS wrong\r\nNOOP\r\n');
    expect(await peer.line()).toMatch(/^\+OK/);
    await refused;
    let answered = false;
    const answer = peer.line().then((line) => {
      answered = true;
      return line;
    });
    // Another connection is served meanwhile.
    await Peer.loggedIn(port, { user: 'bob' });
    expect(answered).toBe(false);
    release();
    expect(await answer).toMatch(/^-ERR \[AUTH\]/);
  });

  it('ends when the peer goes away', async () => {
    const slept = new Promise<AbortSignal>((resolve) => {
      vi.mocked(sleep).mockImplementationOnce((_, __, options) => {
        const signal = options?.signal as AbortSignal;
        resolve(signal);
        return new Promise((_resolve, reject) =>
          signal.addEventListener('abort', () => reject(signal.reason)),
        );
      });
    });
    const { server, port } = await startServer();
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    peer.send('PASS wrong\r\n');
    await slept;
    peer.reset();
    await server.close();
    expect((await slept).aborted).toBe(true);
  });
});

describe('failed logins', () => {
  it('close the connection after 5 by default', async () => {
    const { port } = await startServer();
    const sessions = record('session');
    const peer = await Peer.connect(port);
    await peer.line();
    for (let i = 0; i < 4; i++) {
      await peer.command('USER ann');
      expect(await peer.command('PASS wrong')).toMatch(/^-ERR \[AUTH\]/);
    }
    await peer.command('USER ann');
    peer.send('PASS wrong\r\n');
    expect(await peer.rest()).toMatch(/^-ERR \[AUTH\] .*\r\n$/);
    expect(sessions).toMatchObject([{ reason: 'too-many-auth-failures', username: null }]);
  });

  it('close it after as many as are set', async () => {
    const { port } = await startServer({ limits: { maxAuthFailures: 1 } });
    const peer = await Peer.connect(port);
    await peer.line();
    peer.send('USER ann\r\nPASS wrong\r\nUSER ann\r\n');
    expect(await peer.rest()).toMatch(/^\+OK .*\r\n-ERR \[AUTH\] .*\r\n$/);
  });

  it('do not close it when the password was right', async () => {
    const { port } = await startServer({ limits: { maxAuthFailures: 1 } });
    await Peer.loggedIn(port);
    const second = await Peer.connect(port);
    await second.line();
    for (let i = 0; i < 3; i++) {
      await second.command('USER ann');
      expect(await second.command(`PASS ${PASSWORD}`)).toMatch(/^-ERR \[IN-USE\]/);
    }
  });
});

describe('LoginDelay', () => {
  it('is over after so many seconds since the last login', () => {
    let now = 1_000_000;
    const delay = new LoginDelay(30, () => now);
    expect(delay.allows('ann')).toBe(true);
    delay.loggedIn('ann');
    expect(delay.allows('ann')).toBe(false);
    expect(delay.allows('bob')).toBe(true);
    now += 29_999;
    expect(delay.allows('ann')).toBe(false);
    now += 1;
    expect(delay.allows('ann')).toBe(true);
  });

  it('is not made longer by a login that was refused', () => {
    let now = 0;
    const delay = new LoginDelay(10, () => now);
    delay.loggedIn('ann');
    for (now = 1000; now < 10_000; now += 1000) expect(delay.allows('ann')).toBe(false);
    expect(delay.allows('ann')).toBe(true);
  });

  it('remembers no login that does not matter any more', () => {
    let now = 0;
    const delay = new LoginDelay(10, () => now);
    for (let i = 0; i < 1000; i++) {
      delay.loggedIn(`user ${i}`);
      now += 1000;
    }
    expect(delay.remembered).toBeLessThanOrEqual(11);
  });
});

describe('loginDelaySeconds', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
    return () => vi.useRealTimers();
  });

  async function attempt(port: number, user = 'ann'): Promise<string> {
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command(`USER ${user}`);
    const answer = await peer.command(`PASS ${PASSWORD}`);
    peer.send('QUIT\r\n');
    await peer.closed();
    return answer;
  }

  it('is announced and enforced, by maildrop, with [LOGIN-DELAY]', async () => {
    const { port } = await startServer({ loginDelaySeconds: 60 });
    const peer = await Peer.connect(port);
    await peer.line();
    expect(await peer.list('CAPA')).toContain('LOGIN-DELAY 60');
    peer.socket.destroy();

    expect(await attempt(port)).toMatch(/^\+OK /);
    expect(await attempt(port)).toBe('-ERR [LOGIN-DELAY] wait 60 seconds between logins');
    expect(await attempt(port, 'bob')).toMatch(/^\+OK /);
    vi.advanceTimersByTime(59_000);
    expect(await attempt(port)).toMatch(/^-ERR \[LOGIN-DELAY\]/);
    vi.advanceTimersByTime(1_000);
    expect(await attempt(port)).toMatch(/^\+OK /);
  });

  it('counts from a login that was answered with +OK, not from one that found the maildrop in use', async () => {
    const store = mailFor(...THREE_MESSAGES);
    const { port } = await startServer({ store, loginDelaySeconds: 60 });
    const elsewhere = await Peer.loggedIn((await startServer({ store })).port);
    expect(await attempt(port)).toMatch(/^-ERR \[IN-USE\]/);
    await elsewhere.command('QUIT');
    expect(await attempt(port)).toMatch(/^\+OK /);
    expect(await attempt(port)).toMatch(/^-ERR \[LOGIN-DELAY\]/);
  });

  it('tells nobody with a wrong password', async () => {
    const { port } = await startServer({ loginDelaySeconds: 60, limits: { failedLoginDelayMs: 0 } });
    expect(await attempt(port)).toMatch(/^\+OK /);
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    expect(await peer.command('PASS wrong')).toMatch(/^-ERR \[AUTH\]/);
  });
});

describe('what is reported of refused logins', () => {
  it('names the user, the kind of credentials and the reason', async () => {
    const { port } = await startServer({ authenticator: anybody('password', 'apop') });
    const refusals = record('loginRefused');
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    await peer.command('PASS wrong');
    await peer.command(`AUTH PLAIN ${Buffer.from('\0bob\0wrong').toString('base64')}`);
    await peer.command(`APOP eve ${'0'.repeat(32)}`);
    expect(refusals).toMatchObject([
      {
        address: '127.0.0.1',
        localPort: port,
        username: 'ann',
        credentials: 'password',
        reason: 'bad-credentials',
      },
      { username: 'bob', credentials: 'password', reason: 'bad-credentials' },
      { username: 'eve', credentials: 'apop', reason: 'bad-credentials' },
    ]);
  });

  it('includes maildrops that could not be had', async () => {
    const refusal: Refusal = { type: 'refused', reason: 'temporary', text: 'maintenance' };
    const inner = mailFor(...THREE_MESSAGES);
    const { port } = await startServer({
      store: {
        open: (identity, context) => (identity.maildrop === 'bob' ? refusal : inner.open(identity, context)),
      },
    });
    const refusals = record('loginRefused');
    await Peer.loggedIn(port);
    const peer = await Peer.connect(port);
    await peer.line();
    await peer.command('USER ann');
    expect(await peer.command(`PASS ${PASSWORD}`)).toMatch(/^-ERR \[IN-USE\]/);
    await peer.command('USER bob');
    expect(await peer.command(`PASS ${PASSWORD}`)).toBe('-ERR [SYS/TEMP] maintenance');
    expect(refusals).toMatchObject([
      { username: 'ann', credentials: 'password', reason: 'in-use' },
      { username: 'bob', credentials: 'password', reason: 'temporary' },
    ]);
  });
});
