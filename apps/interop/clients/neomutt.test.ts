import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { type CorpusMessage, corpus } from '../src/corpus.js';
import { emptyMaildir, filesOf, pairUp } from '../src/delivered.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { served } from '../src/server/served.js';
import { SERVER } from '../src/server.js';
import { type Account, SECURITIES, type Security, startWorld, type World } from '../src/world.js';

/** neomutt stores CRLF as LF, and holds lines as C strings: a NUL cuts off the rest of its line. */
function afterNeomutt({ name, wire }: CorpusMessage): [string, Buffer] {
  const text = wire
    .toString('latin1')
    .replaceAll('\r\n', '\n')
    .replaceAll(/\0[^\n]*/g, '');
  return [name, Buffer.from(text, 'latin1')];
}

/** What neomutt names its log of the session, with a number behind it. */
const DEBUG_LOG = 'debug';

describeWith(['neomutt', 'script'], 'neomutt', () => {
  const messages = served(corpus());
  const few = messages.slice(0, 6);
  const summary = new Summary('neomutt');
  let world: World;

  beforeAll(async () => {
    // As it is by default: neomutt chooses among what is announced, and would not find back from a -PLUS.
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  /** Starts neomutt on a terminal of its own and presses keys: get the mail of the POP server into the inbox, leave. */
  async function fetchMail(
    account: Account,
    security: Security,
    options: readonly string[] = [],
    server: World = world,
  ): Promise<Finished> {
    const { home, user, password } = account;
    const inbox = await emptyMaildir(join(home, 'Mail'));
    const file = join(home, 'neomuttrc');
    const lines = [
      `set pop_host = "${security === 'TLS' ? 'pops' : 'pop'}://localhost:${server.port(security)}"`,
      `set pop_user = "${user}"`,
      `set pop_pass = "${password}"`,
      `set ssl_starttls = ${security === 'STLS' ? 'yes' : 'no'}`,
      `set ssl_force_tls = ${security === 'STLS' ? 'yes' : 'no'}`,
      `set certificate_file = "${server.certificate}"`,
      'set ssl_usesystemcerts = no',
      'set mbox_type = Maildir',
      `set folder = "${home}"`,
      `set spoolfile = "${inbox}"`,
      'set pop_delete = no',
      'set quit = yes',
      'set sleep_time = 0',
      'set wait_key = no',
      ...options,
    ];
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const keys = "push '<fetch-mail><quit>'";
    const debug = `-d 5 -l ${join(home, DEBUG_LOG)}`;
    const command = `${pathOf('neomutt')} -n -F ${file} -f ${inbox} ${debug} -e "${keys}"`;
    return run(pathOf('script')!, ['-q', '-e', '-c', command, '/dev/null'], { home });
  }

  async function compare(what: string, { home, messages: all }: Account): Promise<string[]> {
    return summary.compared(what, pairUp(all.map(afterNeomutt), await filesOf(join(home, 'Mail'))));
  }

  it.each(SECURITIES)('fetches every message over %s and leaves it there', async (security) => {
    const account = await world.account(messages);
    expect((await fetchMail(account, security)).code).toBe(0);
    expect(await compare(`${security}, keep`, account)).toEqual([]);
    expect(await account.remaining()).toHaveLength(messages.length);
  });

  it.each(SECURITIES)('fetches every message over %s and deletes it', async (security) => {
    const account = await world.account(messages.filter((message) => message.octets < 1_000_000));
    expect((await fetchMail(account, security, ['set pop_delete = yes'])).code).toBe(0);
    expect(await compare(`${security}, delete`, account)).toEqual([]);
    expect(await account.remaining()).toEqual([]);
  });

  it.each(['user', 'apop'])('logs in with %s', async (authenticator) => {
    const account = await world.account(few);
    await fetchMail(account, 'plain', [`set pop_authenticators = "${authenticator}"`]);
    expect(await compare(`plain, ${authenticator}`, account)).toEqual([]);
  });

  /** Commands of neomutt about logging in, in order, and the server's answers to all. */
  async function debugLog({
    home,
  }: Account): Promise<{ readonly commands: string[]; readonly text: string }> {
    const names = (await readdir(home)).filter((name) => name.startsWith(DEBUG_LOG));
    const texts = await Promise.all(names.map((name) => readFile(join(home, name), 'latin1')));
    const text = texts.join('');
    const commands = [...text.matchAll(/mutt_socket_write_d\(\) \d+> ((?:AUTH|USER|APOP)\b[^\r\n]*)/g)];
    return { commands: commands.map(([, command = '']) => command), text };
  }

  // With GNU SASL it leaves the choice to the library, whatever it is told: each mechanism has a server of its own.
  const SASL = ['SCRAM-SHA-1', 'SCRAM-SHA-256', 'CRAM-MD5', 'PLAIN'];

  describe.runIf(SERVER === 'pop3d').each(SASL)('where %s alone is offered', (mechanism) => {
    const offersIt = expect.stringMatching(`^AUTH ${mechanism}( |$)`);
    let server: World;

    beforeAll(async () => {
      server = await startWorld({ configuration: () => `[server]\nmechanisms = ["${mechanism}"]\n` });
    });
    afterAll(async () => {
      await server?.close();
    });

    it.each(SECURITIES)('logs in with it over %s', async (security) => {
      const account = await server.account(few);
      await fetchMail(account, security, [], server);
      expect((await debugLog(account)).commands).toEqual([offersIt]);
      expect(await compare(`${security}, AUTH ${mechanism}`, account)).toEqual([]);
    });

    it('is refused with a wrong password', async () => {
      const account = await server.account(few);
      await fetchMail({ ...account, password: 'wrong' }, 'plain', [], server);
      const { commands, text } = await debugLog(account);
      expect(commands[0]).toEqual(offersIt);
      expect(text).toMatch(/< -ERR \[AUTH\]/);
      expect(await filesOf(join(account.home, 'Mail'))).toEqual([]);
    });
  });
});
