import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientCertificate } from '../src/certificates.js';
import { Summary } from '../src/compare.js';
import { type CorpusMessage, corpus, tinyCorpus } from '../src/corpus.js';
import { emptyMaildir, filesOf, pairUp } from '../src/delivered.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { everyMechanism } from '../src/server/every-mechanism.js';
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
    world = await startWorld({ configuration: everyMechanism });
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  /** Ways to log in as mpop calls them; more are in oauth.test.ts. It has no name for the forms of SCRAM with -PLUS. */
  type Authentication =
    | 'user'
    | 'apop'
    | 'plain'
    | 'login'
    | 'cram-md5'
    | 'scram-sha-1'
    | 'scram-sha-256'
    | 'external';

  interface Options {
    readonly security?: Security;
    readonly authentication?: Authentication;
    readonly keep?: boolean;
    readonly pipelining?: boolean;
    /** Further lines of the configuration. */
    readonly lines?: readonly string[];
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
      ...(options.lines ?? []),
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

  const COMMANDS = {
    user: 'USER',
    plain: 'AUTH PLAIN',
    login: 'AUTH LOGIN',
    'cram-md5': 'AUTH CRAM-MD5',
    'scram-sha-1': 'AUTH SCRAM-SHA-1',
    'scram-sha-256': 'AUTH SCRAM-SHA-256',
  } as const;
  const authentications = Object.keys(COMMANDS) as (keyof typeof COMMANDS)[];

  it.each(
    authentications.flatMap((authentication) => SECURITIES.map((security) => ({ authentication, security }))),
  )('logs in with $authentication over $security', async ({ authentication, security }) => {
    const account = await world.account(few);
    const done = await mpop(account, { authentication, security });
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout.toString()).toMatch(new RegExp(`^--> ${COMMANDS[authentication]}\\b`, 'm'));
    expect(await compare(`${security}, ${COMMANDS[authentication]}`, account)).toEqual([]);
  });

  it.each(authentications)('is refused with %s and a wrong password', async (authentication) => {
    const account = await world.account(few);
    const done = await mpop({ ...account, password: 'wrong' }, { authentication });
    expect(done.code).toBe(77);
    expect(done.stdout.toString()).toContain(`--> ${COMMANDS[authentication]}`);
    expect(done.stderr).toContain('authentication failed');
    if (SERVER === 'pop3d') expect(done.stdout.toString()).toContain('<-- -ERR [AUTH]');
  });

  it.each(['scram-sha-1-plus', 'scram-sha-256-plus'])(
    'has no %s: clients/gsasl.test.ts has',
    async (plus) => {
      const account = await world.account(few);
      const done = await mpop(account, { security: 'TLS', lines: [`auth ${plus}`] });
      expect(done.stderr).toContain('invalid argument');
    },
  );

  it.runIf(SERVER === 'pop3d').each(['STLS', 'TLS'] as const)(
    'logs in with EXTERNAL and a certificate of its own over %s',
    async (security) => {
      const account = await world.account(few);
      const { certificate, key } = await clientCertificate(account.home, account.user, world.authority);
      const lines = [`tls_cert_file ${certificate}`, `tls_key_file ${key}`];
      const done = await mpop(account, { authentication: 'external', security, lines });
      expect(done.code, done.stderr).toBe(0);
      expect(done.stdout.toString()).toContain('--> AUTH EXTERNAL');
      expect(await compare(`${security}, AUTH EXTERNAL`, account)).toEqual([]);
    },
  );

  // mpop takes only timestamps of the form <digits.digits@host>, which Dovecot's has not.
  it.runIf(SERVER === 'pop3d').each(SECURITIES)('logs in with APOP over %s', async (security) => {
    const account = await world.account(few);
    const done = await mpop(account, { authentication: 'apop', security });
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout.toString()).toContain('--> APOP');
    expect(await compare(`${security}, APOP`, account)).toEqual([]);
  });
});
