import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { type CorpusMessage, corpus } from '../src/corpus.js';
import { deliveredTo, writeDeliveryAgent } from '../src/delivered.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { served } from '../src/server/served.js';
import { type Account, startWorld, type World } from '../src/world.js';

/** What getmail puts first when the mail has no envelope, even with `delivered_to` and `received` turned off. */
const RETURN_PATH = 'Return-Path: <unknown>\n';

/**
 * getmail joins the lines it gets with LF, and prints the message from Python's parse of that: LF, CRLF and CR all
 * become LF. So a bare CR turns into a line end, unless it was the last octet of a line.
 */
function afterGetmail(wire: Buffer): Buffer {
  const joined = wire.toString('latin1').replaceAll('\r\n', '\n');
  return Buffer.from(RETURN_PATH + joined.replaceAll(/\r\n?/g, '\n'), 'latin1');
}

/**
 * getmail misses the end of a delivery program that ends before getmail waits for it, and then hangs for a minute
 * (6.18, its issues 52 and 114). So the program ends only when its parent sleeps.
 */
const UNTIL_PARENT_WAITS = 'until read -r _ _ state _ < /proc/$PPID/stat && [ "$state" = S ]; do :; done';

/** It takes minutes and gigabytes over the message of 25 MB (6.18), whatever server it comes from. */
const LARGEST_OCTETS = 2_000_000;

/** getmail gives up on a line above 1 MiB and loses its place in the dialogue, so such lines stay out (6.18). */
const LONGEST_LINE = 1024 * 1024;

/**
 * Python's printer folds and completes headers anew. Only messages whose header it leaves alone can be compared:
 * fields of printable octets with a value, lines of a usual length, no bare CR, and a blank line behind them.
 */
function comparable({ wire }: CorpusMessage): boolean {
  if (wire.length > LARGEST_OCTETS) return false;
  const lines = wire.toString('latin1').split('\r\n');
  const blank = lines.indexOf('');
  const header = lines.slice(0, blank);
  const plain = (line: string): boolean =>
    /^(?:[!-9;-~]+: |[ \t]+)[!-~][ -~]*$/.test(line) && line.length < 998;
  return (
    /^[!-9;-~]/.test(lines[0]!) &&
    header.length > 0 &&
    blank < lines.length - 1 &&
    header.every(plain) &&
    lines.every(short)
  );
}

function short(line: string): boolean {
  return line.length <= LONGEST_LINE - 2;
}

describeWith(['getmail'], 'getmail6', () => {
  const messages = served(corpus()).filter(comparable);
  const summary = new Summary('getmail6');
  let world: World;

  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  async function getmail(
    account: Account,
    security: 'plain' | 'TLS',
    options: readonly string[],
  ): Promise<Finished> {
    const { home, user, password } = account;
    const lines = [
      '[retriever]',
      `type = SimplePOP3${security === 'TLS' ? 'SSL' : ''}Retriever`,
      'server = localhost',
      `port = ${world.port(security)}`,
      ...(security === 'TLS' ? [`ca_certs = ${world.certificate}`] : []),
      `username = ${user}`,
      `password = ${password}`,
      '[destination]',
      // Its own Maildir delivery refuses to run as root.
      'type = MDA_external',
      'path = /bin/sh',
      `arguments = ('${join(home, 'deliver.sh')}',)`,
      'allow_root_commands = true',
      '[options]',
      'delivered_to = false',
      'received = false',
      ...options,
    ];
    await writeFile(join(home, 'getmailrc'), `${lines.join('\n')}\n`, { mode: 0o600 });
    return run(pathOf('getmail')!, [`--getmaildir=${home}`, '--rcfile=getmailrc'], { home });
  }

  async function account(of: readonly CorpusMessage[]): Promise<Account> {
    const made = await world.account(of);
    await writeDeliveryAgent(made.home, UNTIL_PARENT_WAITS);
    return made;
  }

  async function compare(what: string, { home, messages: all }: Account): Promise<string[]> {
    const files = await deliveredTo(home);
    expect(files).toHaveLength(all.length);
    const received = all.map(({ name, wire }, i) => ({
      name,
      expected: afterGetmail(wire),
      actual: files[i],
    }));
    return summary.compared(what, received);
  }

  it.each(['plain', 'TLS'] as const)(
    'reads every message over %s, and a second run reads nothing',
    async (security) => {
      const mine = await account(messages);
      const first = await getmail(mine, security, ['read_all = false', 'delete = false']);
      expect(first.code, first.stderr.slice(-2000)).toBe(0);
      expect(await compare(`${security}, keep`, mine)).toEqual([]);
      expect(await mine.remaining()).toHaveLength(messages.length);
      const second = await getmail(mine, security, ['read_all = false', 'delete = false']);
      expect(second.stdout.toString()).toContain(
        `0 messages (0 bytes) retrieved, ${messages.length} skipped`,
      );
      expect(await deliveredTo(mine.home)).toHaveLength(messages.length);
    },
  );

  it.each(['plain', 'TLS'] as const)('reads every message over %s and deletes it', async (security) => {
    const mine = await account(messages.filter((message) => message.octets < 1_000_000));
    const done = await getmail(mine, security, ['read_all = true', 'delete = true']);
    expect(done.code, done.stderr.slice(-2000)).toBe(0);
    expect(await compare(`${security}, delete`, mine)).toEqual([]);
    expect(await mine.remaining()).toEqual([]);
  });

  it('deletes only what it has read when it is limited', async () => {
    const mine = await account(messages.slice(0, 6));
    await getmail(mine, 'plain', ['read_all = true', 'delete = true', 'max_messages_per_session = 4']);
    expect(await mine.remaining()).toEqual([5, 6]);
  });
});
