import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { corpus } from '../src/corpus.js';
import { describeWith, pathOf } from '../src/programs.js';
import { runOk } from '../src/run.js';
import { listedOctets, served } from '../src/server/served.js';
import { SERVER } from '../src/server.js';
import { topOf } from '../src/wire-form.js';
import { type Account, SECURITIES, type Security, startWorld, type World } from '../src/world.js';

const SCRIPT = fileURLToPath(new URL('./poplib_session.py', import.meta.url));

type Call = readonly [method: string, ...args: (string | number)[]];
type Result = { readonly value: unknown } | { readonly refused: string };

interface Session {
  readonly welcome: string;
  readonly results: readonly Result[];
  /** The lines of the response to call number `position`, each with CRLF. */
  lines(position: number): Promise<Buffer>;
}

describeWith(['python3'], "Python's poplib", () => {
  const messages = served(corpus());
  const few = messages.slice(0, 6);
  let world: World;
  const summary = new Summary('poplib');
  let sessions = 0;

  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  async function session(
    account: Account,
    calls: readonly Call[],
    security: Security = 'plain',
  ): Promise<Session> {
    const out = join(account.home, `session-${++sessions}`);
    await mkdir(out);
    const tls = security === 'TLS';
    const all: readonly Call[] = security === 'STLS' ? [['stls'], ...calls] : calls;
    const port = world.port(security);
    const input = JSON.stringify({ port, tls, certificate: world.certificate, out, calls: all });
    const { stdout } = await runOk(pathOf('python3')!, [SCRIPT], { home: account.home, input });
    const { welcome, results } = JSON.parse(stdout.toString()) as { welcome: string; results: Result[] };
    const before = all.length - calls.length;
    return { welcome, results: results.slice(before), lines: (n) => readFile(join(out, `${n + before}`)) };
  }

  const login = ({ user, password }: Account): Call[] => [
    ['user', user],
    ['pass_', password],
  ];
  const retrAll = (count: number): Call[] => Array.from({ length: count }, (_, i) => ['retr', i + 1]);

  it.each(SECURITIES)('reads every message octet by octet over %s', async (security) => {
    const account = await world.account(messages);
    const read = await session(account, [...login(account), ...retrAll(messages.length), ['quit']], security);
    const received = messages.map(async ({ name, wire }, i) => {
      const answered = 'value' in read.results[i + 2]!;
      return { name, expected: wire, actual: answered ? await read.lines(i + 2) : undefined };
    });
    expect(summary.compared(`${security}, RETR`, await Promise.all(received))).toEqual([]);
    expect(await account.remaining()).toHaveLength(messages.length);
  });

  it('gets from TOP the header and as many lines as it asks for', async () => {
    const small = messages.filter((message) => message.octets < 200_000);
    const account = await world.account(small);
    const counts = [0, 1, 7, 99_999_999];
    const calls = small.flatMap((_, i) => counts.map((count): Call => ['top', i + 1, count]));
    const read = await session(account, [...login(account), ...calls, ['quit']]);
    const received = small.flatMap(({ name, wire }, i) =>
      counts.map(async (count, k) => ({
        name: `TOP ${count} of ${name}`,
        expected: topOf(wire, count),
        actual: await read.lines(2 + i * counts.length + k),
      })),
    );
    expect(summary.compared('plain, TOP 0, 1, 7 and 99999999', await Promise.all(received))).toEqual([]);
  });

  it('gets from STAT, LIST and UIDL what RETR then sends', async () => {
    const account = await world.account(messages);
    const calls: Call[] = [['stat'], ['list'], ['uidl'], ['list', 3], ['uidl', 3], ['quit']];
    const read = await session(account, [...login(account), ...calls]);
    const [stat, list, uidl, list3, uidl3, quit] = read.results.slice(2);
    const sizes = messages.map(listedOctets);
    expect(stat).toEqual({ value: [messages.length, sizes.reduce((sum, size) => sum + size, 0)] });
    expect((await read.lines(3)).toString()).toBe(sizes.map((size, i) => `${i + 1} ${size}\r\n`).join(''));
    const ids = (await read.lines(4)).toString().trim().split('\r\n');
    expect(ids.map((line) => line.split(' ')[0])).toEqual(messages.map((_, i) => `${i + 1}`));
    expect(new Set(ids.map((line) => line.split(' ')[1])).size).toBe(messages.length);
    expect(ids.filter((line) => !/^\d+ [\x21-\x7e]{1,70}$/.test(line))).toEqual([]);
    expect(list).toMatchObject({
      value: [expect.stringMatching(/^\+OK/), messages.length, expect.any(Number)],
    });
    expect(uidl).toMatchObject({
      value: [expect.stringMatching(/^\+OK/), messages.length, expect.any(Number)],
    });
    expect(list3).toMatchObject({ value: expect.stringMatching(new RegExp(`^\\+OK 3 ${sizes[2]}$`)) });
    expect(uidl3).toMatchObject({ value: `+OK ${ids[2]}` });
    expect(quit).toMatchObject({ value: expect.stringMatching(/^\+OK/) });

    const again = await session(account, [...login(account), ['uidl'], ['quit']]);
    expect((await again.lines(2)).toString().trim().split('\r\n')).toEqual(ids);
  });

  it('logs in with APOP, and with the wrong secret it does not', async () => {
    const account = await world.account(few);
    const read = await session(account, [['apop', account.user, account.password], ['stat'], ['quit']]);
    expect(read.welcome).toMatch(/<[^<>@ ]+@[^<>@ ]+>/);
    expect(read.results[1]).toMatchObject({ value: [few.length, expect.any(Number)] });
    const wrong = await session(account, [['apop', account.user, 'wrong'], ['quit']]);
    expect(wrong.results[0]).toMatchObject({ refused: expect.stringContaining('-ERR') });
  });

  it('is refused with a wrong password and can try again', async () => {
    const account = await world.account(few);
    const calls: Call[] = [['user', account.user], ['pass_', 'wrong'], ...login(account), ['stat'], ['quit']];
    const read = await session(account, calls);
    expect(read.results[1]).toMatchObject({ refused: expect.stringContaining('-ERR') });
    expect(read.results[4]).toMatchObject({ value: [few.length, expect.any(Number)] });
  });

  it('learns the capabilities before and after login', async () => {
    const account = await world.account(few);
    const read = await session(account, [['capa'], ...login(account), ['capa'], ['noop'], ['quit']]);
    for (const position of [0, 3]) {
      const wanted = { TOP: [], UIDL: [], 'RESP-CODES': [], PIPELINING: [] };
      expect(read.results[position]).toMatchObject({ value: wanted });
    }
    expect(read.results[0]).toMatchObject({ value: { STLS: [] } });
    expect(read.results[4]).toMatchObject({ value: expect.stringMatching(/^\+OK/) });
    const secured = await session(account, [['capa'], ['quit']], 'STLS');
    expect(secured.results[0]).not.toMatchObject({ value: { STLS: [] } });
  });

  it('survives the refusal of what the server does not have', async () => {
    const account = await world.account(few);
    const calls: Call[] = [
      ['utf8'],
      ...login(account),
      ['retr', 99],
      ['dele', 0],
      ['list', 7],
      ['uidl', 8],
      ['stat'],
    ];
    const read = await session(account, calls);
    for (const position of [0, 3, 4, 5, 6]) expect(read.results[position]).toHaveProperty('refused');
    expect(read.results[7]).toMatchObject({ value: [few.length, expect.any(Number)] });
  });

  it('deletes exactly what it marked, and RSET takes marks back', async () => {
    const account = await world.account(few);
    const calls: Call[] = [
      ['dele', 1],
      ['dele', 2],
      ['rset'],
      ['dele', 3],
      ['dele', 5],
      ['stat'],
      ['retr', 3],
      ['quit'],
    ];
    const read = await session(account, [...login(account), ...calls]);
    expect(read.results[7]).toMatchObject({ value: [few.length - 2, expect.any(Number)] });
    expect(read.results[8]).toHaveProperty('refused');
    expect(await account.remaining()).toEqual([1, 2, 4, 6]);
  });

  it('deletes nothing when the connection drops after DELE', async () => {
    const account = await world.account(few);
    await session(account, [...login(account), ['dele', 1], ['dele', 2], ['drop']]);
    const stat = (): Promise<Session> => session(account, [...login(account), ['stat'], ['quit']]);
    let read = await stat();
    // The server may not have noticed the drop yet.
    for (let i = 0; i < 50 && JSON.stringify(read.results[1]).includes('[IN-USE]'); i++) read = await stat();
    expect(read.results[2]).toMatchObject({ value: [few.length, expect.any(Number)] });
    expect(await account.remaining()).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it.runIf(SERVER === 'pop3d')('says that UTF8 is not there in a way poplib understands', async () => {
    const account = await world.account(few);
    const read = await session(account, [['capa'], ['utf8'], ['quit']]);
    const announced = JSON.stringify(read.results[0]).includes('"UTF8"');
    expect('value' in read.results[1]!).toBe(announced);
  });
});
