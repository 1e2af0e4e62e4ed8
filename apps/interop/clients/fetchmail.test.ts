import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { type CorpusMessage, corpus, envelopedCorpus } from '../src/corpus.js';
import { deliveredTo, writeDeliveryAgent } from '../src/delivered.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { everyMechanism } from '../src/server/every-mechanism.js';
import { served } from '../src/server/served.js';
import { SERVER } from '../src/server.js';
import { type Account, SECURITIES, type Security, startWorld, type World } from '../src/world.js';

/** fetchmail's exit code when there was nothing new. */
const NO_MAIL = 1;

/** fetchmail's exit code when it could not log in. */
const AUTHENTICATION_FAILED = 3;

/** A greeting that fetchmail takes for one of Demon's. */
const SDPS = `
[server]
greeting = "punt.demon.example ready"

[sdps]
enabled = true
`;

/** What fetchmail puts before a message whose first line is blank; the host's name stands in it. */
const MADE_UP_HEADER = /^From: FETCHMAIL-DAEMON\r\n(?:[^\r\n]+\r\n)*/;

/**
 * fetchmail parses the header and rewrites it, even with `invisible` set so that it adds no Received line: NUL is taken
 * out, a line of CR alone ends the header like a blank one, lines that start with `From ` or `>From ` are taken out,
 * in all lines but the first a stuffed dot stays stuffed (a bug of fetchmail: RFC 1939 section 3 makes no exception
 * for headers), and a header that lacks the blank line gets one. The body is passed on octet by octet.
 */
function afterFetchmail(wire: Buffer): Buffer {
  const lines = wire.toString('latin1').split('\r\n').slice(0, -1);
  const blank = lines.findIndex((line) => /^[\r\0]*$/.test(line));
  const header = blank === -1 ? lines : lines.slice(0, blank);
  const kept = header
    .map((line, i) => (i > 0 && line.startsWith('.') ? `.${line}` : line))
    .map((line) => line.replaceAll('\0', ''))
    .filter((line) => !/^>?From /.test(line));
  const body = blank === -1 ? [] : lines.slice(blank + 1);
  return Buffer.from([...kept, '', ...body].map((line) => `${line}\r\n`).join(''), 'latin1');
}

/** fetchmail breaks lines longer than its buffer and puts octets from elsewhere into the gap (6.4.37). */
const LONGEST_LINE = 8000;

function passesThrough(message: CorpusMessage): boolean {
  return message.wire
    .toString('latin1')
    .split('\r\n')
    .every((line) => line.length <= LONGEST_LINE);
}

describeWith(['fetchmail'], 'fetchmail', () => {
  const messages = served(corpus());
  const few = messages.slice(0, 6);
  const summary = new Summary('fetchmail');
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ configuration: everyMechanism });
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  /** Polls once. `options` are words of fetchmail's own configuration language. */
  async function fetchmail(
    account: Account,
    security: Security,
    options: string,
    protocol = 'POP3',
  ): Promise<Finished> {
    const { home, user, password } = account;
    const agent = join(home, 'deliver.sh');
    const trust = `sslcertck sslcertfile "${world.certificate}"`;
    const secure = { plain: "sslproto ''", STLS: `sslproto "auto" ${trust}`, TLS: `ssl ${trust}` }[security];
    const exact = 'no rewrite no stripcr no forcecr pass8bits no mimedecode no dropstatus no dropdelivered';
    const file = join(home, 'fetchmailrc');
    const lines = [
      'set no bouncemail',
      'set no syslog',
      'set invisible',
      `poll localhost protocol ${protocol} service ${world.port(security)} bad-header accept`,
      `  user "${user}" password "${password}"`,
      `  options ${exact} ${options} ${secure}`,
      `  mda "/bin/sh ${agent}"`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    return run(pathOf('fetchmail')!, ['--fetchmailrc', file, '--nodetach', '--verbose'], { home });
  }

  async function account(of: readonly CorpusMessage[]): Promise<Account> {
    const made = await world.account(of);
    await writeDeliveryAgent(made.home);
    return made;
  }

  async function compare(what: string, { home, messages: all }: Account): Promise<string[]> {
    const files = await deliveredTo(home);
    const received = all.flatMap((message, i) => {
      const file = files[i]?.toString('latin1').replace(MADE_UP_HEADER, '');
      const actual = file === undefined ? undefined : Buffer.from(file, 'latin1');
      return passesThrough(message)
        ? [{ name: message.name, expected: afterFetchmail(message.wire), actual }]
        : [];
    });
    expect(files).toHaveLength(all.length);
    return summary.compared(what, received);
  }

  it.each(SECURITIES)(
    'fetches and keeps every message over %s, and a second run fetches nothing',
    async (security) => {
      const mine = await account(messages);
      const first = await fetchmail(mine, security, 'keep');
      expect(first.code, first.stderr.slice(-2000)).toBe(0);
      expect(first.stdout.includes('POP3> STLS')).toBe(security === 'STLS');
      expect(await compare(`${security}, keep`, mine)).toEqual([]);
      expect(await mine.remaining()).toHaveLength(messages.length);

      const second = await fetchmail(mine, security, 'keep');
      expect(second.code).toBe(NO_MAIL);
      expect(second.stdout.includes('POP3> RETR')).toBe(false);
      expect(await deliveredTo(mine.home)).toHaveLength(messages.length);
    },
  );

  it.each(SECURITIES)('fetches every message over %s and deletes it', async (security) => {
    const small = messages.filter((message) => message.octets < 100_000);
    const mine = await account(security === 'plain' ? messages : small);
    const done = await fetchmail(mine, security, 'no keep');
    expect(done.code, done.stderr.slice(-2000)).toBe(0);
    // What it deletes it reads with TOP, so that the server does not take it for seen before it is delivered.
    expect(done.stdout.includes('POP3> TOP 1 99999999')).toBe(true);
    expect(await compare(`${security}, delete`, mine)).toEqual([]);
    expect(await mine.remaining()).toEqual([]);
  });

  it('deletes only what it has fetched when it is limited', async () => {
    const mine = await account(few);
    expect((await fetchmail(mine, 'plain', 'no keep fetchlimit 4')).code).not.toBe(NO_MAIL);
    expect(await mine.remaining()).toEqual([5, 6]);
  });

  it('logs in with APOP', async () => {
    const mine = await account(few);
    const done = await fetchmail(mine, 'plain', 'keep', 'APOP');
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout.includes('POP3> APOP ')).toBe(true);
    expect(await compare('plain, APOP', mine)).toEqual([]);
  });

  // fetchmail takes it on its own when it is offered; here nothing else will do.
  it.each(SECURITIES)('logs in with CRAM-MD5 over %s', async (security) => {
    const mine = await account(few);
    const done = await fetchmail(mine, security, 'keep', 'POP3 auth cram-md5');
    expect(done.code, done.stderr).toBe(0);
    expect(done.stdout.includes('POP3> AUTH CRAM-MD5')).toBe(true);
    expect(await compare(`${security}, CRAM-MD5`, mine)).toEqual([]);
  });

  it('is refused with CRAM-MD5 and a wrong password', async () => {
    const mine = await account(few);
    const wrong = { ...mine, password: 'wrong' };
    const done = await fetchmail(wrong, 'plain', 'keep', 'POP3 auth cram-md5');
    expect(done.code).toBe(AUTHENTICATION_FAILED);
    expect(done.stdout.includes('POP3> AUTH CRAM-MD5')).toBe(true);
    expect(await deliveredTo(mine.home)).toEqual([]);
  });

  // getmail6 asks for *ENV as well, but 6.18 then stops at the octets of it where it expects a text.
  describe.runIf(SERVER === 'pop3d')("with Demon's SDPS", () => {
    const letters = envelopedCorpus();
    let demon: World;

    beforeAll(async () => {
      demon = await startWorld({ configuration: () => SDPS });
    });
    afterAll(async () => {
      await demon?.close();
    });

    /** Polls for all users of the account; returns what fetchmail says and the envelopes it hands on. */
    async function poll(protocol: string, user?: string): Promise<{ said: string; envelopes: string[] }> {
      const mine = await demon.account(letters);
      const { home, password } = mine;
      const envelopes = join(home, 'envelopes');
      const agent = await writeDeliveryAgent(home, `echo "$1 $2" >> '${envelopes}'`);
      const file = join(home, 'fetchmailrc');
      const lines = [
        'set no bouncemail',
        'set no syslog',
        'set invisible',
        'set postmaster "postmaster"',
        `poll localhost protocol ${protocol} service ${demon.port('plain')} aka vision25.example`,
        `  user "${user?.replace('HOST', mine.user) ?? mine.user}" password "${password}"`,
        ...(user === undefined ? ['  to philh=phil sales=root here'] : []),
        `  options keep fetchall sslproto ''`,
        `  mda "/bin/sh ${agent} %F %T"`,
      ];
      await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
      const program = pathOf('fetchmail')!;
      const done = await run(program, ['--fetchmailrc', file, '--nodetach', '--verbose'], { home });
      expect(done.code, done.stderr).toBe(0);
      const read = await readFile(envelopes, 'utf8');
      const said = done.stdout.toString();
      return { said, envelopes: read.trimEnd().split('\n') };
    }

    // With POP3 alone it takes the greeting's word: this one holds `demon.`, as Demon's did.
    it.each(['SDPS', 'POP3'])('routes mail by *ENV (protocol %s)', async (protocol) => {
      const { said, envelopes } = await poll(protocol);
      expect(said.match(/POP3> \*ENV \d/g)).toHaveLength(letters.length);
      expect(envelopes).toEqual([
        'ada@example.org phil',
        '<> root',
        expect.stringMatching(/^\S*mallory.*@example\.net root$/),
        'ada@example.org phil',
        'ada@example.org postmaster',
      ]);
    });

    it.each(['philh@HOST', 'HOST+philh'])('opens the mail for one user as %s', async (user) => {
      const { said, envelopes } = await poll('POP3', user);
      expect(said).toContain('2 messages for');
      expect(envelopes).toHaveLength(2);
    });
  });
});
