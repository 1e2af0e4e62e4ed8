import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientCertificate } from '../src/certificates.js';
import { type Received, Summary } from '../src/compare.js';
import { corpus, tinyCorpus } from '../src/corpus.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { everyMechanism } from '../src/server/every-mechanism.js';
import { listedOctets, served } from '../src/server/served.js';
import { SERVER } from '../src/server.js';
import { StandingSession } from '../src/standing-session.js';
import { topOf } from '../src/wire-form.js';
import { type Account, SECURITIES, type Security, startWorld, type World } from '../src/world.js';

/** curl's exit codes, see its manual. */
const WEIRD_SERVER_REPLY = 8;
const LOGIN_DENIED = 67;

/**
 * curl unstuffs dots, takes the terminator away and writes everything else as it came. It counts the CRLF before the
 * final dot to the message always (7.88), so that an empty message becomes a blank line.
 */
function afterCurl(wire: Buffer): Buffer {
  return wire.length === 0 ? Buffer.from('\r\n') : wire;
}

describeWith(['curl'], 'curl', () => {
  const messages = served(corpus());
  const few = messages.slice(0, 6);
  const summary = new Summary('curl');
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ configuration: everyMechanism });
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  /** Runs curl for `path` of the account's maildrop; the path may hold ranges such as [1-9]. */
  function curl(
    account: Account,
    path: string,
    args: readonly string[] = [],
    security: Security = 'plain',
  ): Promise<Finished> {
    const scheme = security === 'TLS' ? 'pop3s' : 'pop3';
    const secure = security === 'plain' ? [] : ['--cacert', world.certificate, '--ssl-reqd'];
    const url = `${scheme}://localhost:${world.port(security)}/${path}`;
    const user = `${account.user}:${account.password}`;
    return run(pathOf('curl')!, ['-sS', '-4', '--user', user, ...secure, ...args, url], account);
  }

  async function retrieveAll(account: Account, security: Security): Promise<string[]> {
    const out = join(account.home, 'out');
    await mkdir(out);
    const done = await curl(account, `[1-${account.messages.length}]`, ['-o', `${out}/#1`], security);
    expect(done).toMatchObject({ code: 0, stderr: '' });
    const received = account.messages.map(async ({ name, wire }, i) => ({
      name,
      expected: afterCurl(wire),
      actual: await readFile(join(out, `${i + 1}`)).catch(() => undefined),
    }));
    return summary.compared(`${security}, RETR`, await Promise.all(received));
  }

  it.each(SECURITIES)('reads every message octet by octet over %s, in one connection', async (security) => {
    const account = await world.account(messages);
    expect(await retrieveAll(account, security)).toEqual([]);
    expect(await account.remaining()).toHaveLength(messages.length);
  });

  it('reads 2 000 tiny messages in one connection', async () => {
    expect(await retrieveAll(await world.account(tinyCorpus(2000)), 'plain')).toEqual([]);
  });

  it.each(SECURITIES)('lists sizes and unique-ids over %s', async (security) => {
    const account = await world.account(messages);
    const list = await curl(account, '', [], security);
    const sizes = messages.map((message, i) => `${i + 1} ${listedOctets(message)}\r\n`);
    expect(list.stdout.toString()).toBe(sizes.join(''));
    const uidl = await curl(account, '', ['-X', 'UIDL'], security);
    const ids = uidl.stdout.toString().trimEnd().split('\r\n');
    expect(ids.map((line) => line.split(' ')[0])).toEqual(messages.map((_, i) => `${i + 1}`));
    expect(new Set(ids.map((line) => line.split(' ')[1])).size).toBe(messages.length);
  });

  it('gets from TOP the header and as many lines as it asks for', async () => {
    const some = messages.filter((message) => message.octets < 100_000).slice(0, 30);
    const account = await world.account(some);
    const received: Received[] = [];
    for (const [i, { name, wire }] of some.entries()) {
      const { stdout } = await curl(account, '', ['-X', `TOP ${i + 1} 2`]);
      received.push({ name, expected: topOf(wire, 2), actual: stdout });
    }
    expect(summary.compared('plain, TOP 2', received)).toEqual([]);
  });

  it('deletes exactly the messages it names', async () => {
    const account = await world.account(few);
    const done = await curl(account, '{2,3,5}', ['-X', 'DELE', '--head']);
    expect(done.code).toBe(0);
    expect(await account.remaining()).toEqual([1, 4, 6]);
  });

  // This curl is built without GNU SASL, and so without SCRAM: told to use it, it says that login was denied.
  const CHALLENGE = { PLAIN: '< + \r\n', LOGIN: '< + VXNlcm5hbWU6', 'CRAM-MD5': '< + ' } as const;
  const PASSWORD_MECHANISMS = ['PLAIN', 'LOGIN', 'CRAM-MD5'] as const;

  it.each(
    PASSWORD_MECHANISMS.flatMap((mechanism) => SECURITIES.map((security) => ({ mechanism, security }))),
  )(
    'logs in with $mechanism over $security, with and without an initial response',
    async ({ mechanism, security }) => {
      const account = await world.account(few);
      const choose = ['--verbose', '--login-options', `AUTH=${mechanism}`];
      const inTwoLines = await curl(account, '1', choose, security);
      expect(inTwoLines.stdout.equals(few[0]!.wire), inTwoLines.stderr).toBe(true);
      expect(inTwoLines.stderr).toMatch(new RegExp(`^> AUTH ${mechanism}\r?$`, 'm'));
      expect(inTwoLines.stderr).toContain(CHALLENGE[mechanism].trimEnd());

      const atOnce = await curl(account, '1', [...choose, '--sasl-ir'], security);
      expect(atOnce.stdout.equals(few[0]!.wire), atOnce.stderr).toBe(true);
      // CRAM-MD5 has nothing to begin with.
      expect(/^> AUTH \S+ \S+/m.test(atOnce.stderr)).toBe(mechanism !== 'CRAM-MD5');
    },
  );

  it.each([[], ['--sasl-ir']])(
    'is refused with a wrong password by each mechanism (%s)',
    async (...flags) => {
      const account = await world.account(few);
      for (const mechanism of PASSWORD_MECHANISMS) {
        const choose = ['--verbose', '--login-options', `AUTH=${mechanism}`, ...flags];
        const done = await curl({ ...account, password: 'wrong' }, '1', choose);
        expect(done.code, mechanism).toBe(LOGIN_DENIED);
        expect(done.stderr).toContain(`> AUTH ${mechanism}`);
        if (SERVER === 'pop3d') expect(done.stderr).toContain('< -ERR [AUTH]');
      }
      expect((await curl(account, '1')).code).toBe(0);
    },
  );

  it('logs in with APOP', async () => {
    const account = await world.account(few);
    const done = await curl(account, '1', ['--verbose', '--login-options', 'AUTH=+APOP']);
    expect(done.stdout.equals(few[0]!.wire), done.stderr).toBe(true);
    expect(done.stderr).toContain('> APOP ');
  });

  describe.runIf(SERVER === 'pop3d')('with a certificate of its own', () => {
    const EXTERNAL = ['--verbose', '--login-options', 'AUTH=EXTERNAL'];

    /** The account, the way curl sends no password, and the flags for a certificate of `user`. */
    async function withCertificate(user?: string): Promise<[Account, string[]]> {
      const account = { ...(await world.account(few)), password: '' };
      const files = await clientCertificate(account.home, user ?? account.user, world.authority);
      return [account, ['--cert', files.certificate, '--key', files.key]];
    }

    it.each(['STLS', 'TLS'] as const)('logs in with EXTERNAL over %s', async (security) => {
      const [account, flags] = await withCertificate();
      const done = await curl(account, '1', [...EXTERNAL, ...flags], security);
      expect(done.stdout.equals(few[0]!.wire), done.stderr).toBe(true);
      expect(done.stderr).toMatch(/^> AUTH EXTERNAL\r?$/m);
      const atOnce = await curl(account, '1', [...EXTERNAL, ...flags, '--sasl-ir'], security);
      expect(atOnce.stdout.equals(few[0]!.wire), atOnce.stderr).toBe(true);
      expect(atOnce.stderr).toMatch(/^> AUTH EXTERNAL \S+\r?$/m);
    });

    it('is refused when the certificate is for somebody else', async () => {
      const [account, flags] = await withCertificate('another');
      const done = await curl(account, '1', [...EXTERNAL, ...flags], 'TLS');
      expect(done.code).toBe(LOGIN_DENIED);
      expect(done.stderr).toContain('> AUTH EXTERNAL');
      expect(done.stderr).toContain('< -ERR [AUTH]');
    });

    it('is not offered EXTERNAL without a certificate', async () => {
      const [account] = await withCertificate();
      const done = await curl(account, '1', EXTERNAL, 'TLS');
      expect(done.code).toBe(LOGIN_DENIED);
      expect(done.stderr).not.toContain('EXTERNAL');
    });
  });

  it('is told that the password is wrong and that a message is not there', async () => {
    const account = await world.account(few);
    expect((await curl({ ...account, password: 'wrong' }, '1')).code).toBe(LOGIN_DENIED);
    expect((await curl(account, '99')).code).toBe(WEIRD_SERVER_REPLY);
  });

  // Dovecot lets a second session in unless it is told not to, and then makes it wait for minutes.
  it.runIf(SERVER === 'pop3d')(
    'is refused with [IN-USE] while another session is open, and let in after',
    async () => {
      const account = await world.account(few);
      const first = await StandingSession.open(world.server.port, account);
      const second = await curl(account, '1', ['--verbose']);
      expect(second.code).toBe(LOGIN_DENIED);
      expect(second.stderr).toContain('< -ERR [IN-USE]');
      expect(await first.command('QUIT')).toMatch(/^\+OK/);
      expect((await curl(account, '1')).code).toBe(0);
    },
  );

  it('finds every message again when the server was killed between DELE and QUIT', async () => {
    const account = await world.account(few);
    const session = await StandingSession.open(world.server.port, account);
    expect(await session.command('DELE 1')).toMatch(/^\+OK/);
    expect(await session.command('DELE 4')).toMatch(/^\+OK/);
    await world.server.kill();
    session.drop();
    expect(await account.remaining()).toEqual([1, 2, 3, 4, 5, 6]);
    await world.restart();
    // At once: no lock of the dead server may keep the user out.
    expect(await retrieveAll(account, 'plain')).toEqual([]);
  });
});
