import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { type CorpusMessage, corpus, tinyCorpus } from '../src/corpus.js';
import { emptyMaildir, filesOf, pairUp } from '../src/delivered.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { served } from '../src/server/served.js';
import { SERVER } from '../src/server.js';
import { type Account, SECURITIES, type Security, startWorld, type World } from '../src/world.js';

/** mpop stores each CRLF as LF and changes nothing else, with the Received line turned off. */
function afterMpop({ name, wire }: CorpusMessage): [string, Buffer] {
  return [name, Buffer.from(wire.toString('latin1').replaceAll('\r\n', '\n'), 'latin1')];
}

describeWith(['mpop'], 'mpop', () => {
  const messages = served(corpus());
  const few = messages.slice(0, 6);
  const summary = new Summary('mpop');
  let world: World;

  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  interface Options {
    readonly security?: Security;
    readonly authentication?: 'user' | 'apop' | 'plain' | 'login' | 'external';
    readonly keep?: boolean;
    readonly pipelining?: boolean;
  }

  async function mpop(account: Account, options: Options = {}): Promise<Finished> {
    const { security = 'plain', authentication = 'user', keep = true, pipelining = true } = options;
    const { home, user, password } = account;
    const file = join(home, 'mpoprc');
    const lines = [
      'account test',
      'host localhost',
      `port ${world.port(security)}`,
      `tls ${security === 'plain' ? 'off' : 'on'}`,
      `tls_starttls ${security === 'STLS' ? 'on' : 'off'}`,
      `tls_trust_file ${world.certificate}`,
      `user ${user}`,
      `password ${password}`,
      `auth ${authentication}`,
      `keep ${keep ? 'on' : 'off'}`,
      `pipelining ${pipelining ? 'on' : 'off'}`,
      `uidls_file ${home}/uidls`,
      `delivery maildir ${await emptyMaildir(join(home, 'Mail'))}`,
      'received_header off',
    ];
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    return run(pathOf('mpop')!, ['--file', file, '--debug', 'test'], { home });
  }

  async function compare(what: string, { home, messages: all }: Account): Promise<string[]> {
    return summary.compared(what, pairUp(all.map(afterMpop), await filesOf(join(home, 'Mail'))));
  }

  it.each(SECURITIES)(
    'fetches and keeps every message over %s, and a second run fetches nothing',
    async (security) => {
      const account = await world.account(messages);
      const first = await mpop(account, { security });
      expect(first.code, first.stderr).toBe(0);
      expect(first.stdout.includes('--> STLS')).toBe(security === 'STLS');
      expect(await compare(`${security}, pipelined, keep`, account)).toEqual([]);
      const second = await mpop(account, { security });
      expect(second.code).toBe(0);
      expect(second.stdout.includes('--> RETR')).toBe(false);
      expect(await account.remaining()).toHaveLength(messages.length);
    },
  );

  it('has several commands on their way at once, and the answers come in order', async () => {
    const account = await world.account(messages);
    const { stdout } = await mpop(account);
    expect(stdout.toString('latin1')).toMatch(/--> RETR 4\r?\n--> RETR 5\r?\n--> RETR 6\r?\n/);
  });

  it.each(SECURITIES)('fetches every message over %s and deletes it', async (security) => {
    const account = await world.account(messages);
    const done = await mpop(account, { security, keep: false });
    expect(done.code, done.stderr).toBe(0);
    expect(await compare(`${security}, pipelined, delete`, account)).toEqual([]);
    expect(await account.remaining()).toEqual([]);
  });

  it('fetches every message without pipelining', async () => {
    const account = await world.account(messages);
    expect((await mpop(account, { pipelining: false })).code).toBe(0);
    expect(await compare('plain, lock-step, keep', account)).toEqual([]);
  });

  it.each([true, false])('fetches and deletes 2 000 tiny messages (pipelining: %s)', async (pipelining) => {
    const account = await world.account(tinyCorpus(2000));
    const done = await mpop(account, { keep: false, pipelining });
    expect(done.code, done.stderr).toBe(0);
    expect(await compare(`plain, ${pipelining ? 'pipelined' : 'lock-step'}, tiny`, account)).toEqual([]);
    expect(await account.remaining()).toEqual([]);
  });

  it.each([
    ['user', 'USER'],
    ['plain', 'AUTH PLAIN'],
    ['login', 'AUTH LOGIN'],
  ] as const)('logs in with %s', async (authentication, command) => {
    const account = await world.account(few);
    const done = await mpop(account, { authentication, security: 'TLS' });
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout.toString()).toContain(`--> ${command}`);
    expect(await compare(`TLS, ${command}`, account)).toEqual([]);
  });

  // mpop takes only timestamps of the form <digits.digits@host>, which Dovecot's has not.
  it.runIf(SERVER === 'pop3d').each(SECURITIES)('logs in with APOP over %s', async (security) => {
    const account = await world.account(few);
    const done = await mpop(account, { authentication: 'apop', security });
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout.toString()).toContain('--> APOP');
    expect(await compare(`${security}, APOP`, account)).toEqual([]);
  });

  it('is told that the password is wrong', async () => {
    const account = await world.account(few);
    const done = await mpop({ ...account, password: 'wrong' });
    expect(done.code).toBe(77);
    expect(done.stderr).toContain('authentication failed');
  });
});
