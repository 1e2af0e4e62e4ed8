import type { Pop3Client } from '@pop3/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Received, Summary } from '../compare.js';
import { type CorpusMessage, corpus } from '../corpus.js';
import { describeUnless, missingOf, type Program } from '../programs.js';
import { isUnpacked } from '../server/unpacked.js';
import type { Security } from '../world.js';
import { APOP_USER, type Maildrop, type Peer } from './peer.js';
import { connect, connectWhenFree, octetsOf } from './session.js';
import { type PeerWorld, startPeer } from './world.js';

/** Octets that programs split or unquote passwords at, and those outside of ASCII. */
const PASSWORDS = {
  spaces: ' two words, and  two spaces',
  'blank-at-the-end': 'two words ',
  quotes: `"double" 'single' \\back\\ %41 $HOME`,
  letters: 'Grüße, Пароль, 密码 🐘',
} as const;

const PASSWORD = 'secret-of-everybody';

/** Like `describe`, for tests that need a server. Where it, or root, is missing the tests are skipped; with CI=true they fail. */
export function describePeer(
  peer: Pick<Peer, 'name' | 'unpacked'>,
  programs: readonly Program[],
  tests: () => void,
): void {
  const missing = missingOf(programs);
  if (peer.unpacked !== null && !isUnpacked(peer.unpacked)) missing.push(`${peer.name} (./unpack-servers)`);
  if (process.getuid?.() !== 0) missing.push('root');
  describeUnless(missing, peer.name, tests);
}

/** What our client and every server are put through. */
export function putThroughEverything(peer: Peer): void {
  const all = corpus().filter((message) => peer.takes(message));
  const few = all.filter(({ name }) =>
    /^(letter-lf|dot-triple-lf|unfinished-lf|latin-1|line-of-998|multipart)$/.test(name),
  );
  const users = {
    reader: maildrop('reader', all),
    lister: maildrop(
      'lister',
      all.filter(({ octets }) => octets < 500_000),
    ),
    deleter: maildrop('deleter', few),
    leaver: maildrop('leaver', few),
    resetter: maildrop('resetter', few),
    [APOP_USER]: maildrop(APOP_USER, few),
    ...mapValues(PASSWORDS, (password, user) => ({ user, password, messages: few.slice(0, 1) })),
  };
  const summary = new Summary('our client', peer.name);
  let world: PeerWorld;

  beforeAll(async () => {
    world = await startPeer(peer, Object.values(users));
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  function open(
    { user, password }: Maildrop,
    security: Security = 'plain',
    mechanism?: string,
  ): Promise<Pop3Client> {
    return connectWhenFree(world, security, {
      auth: { user, password, ...(mechanism !== undefined && { mechanism }) },
    });
  }

  /** Reads everything, and closes without QUIT. */
  async function contents(drop: Maildrop): Promise<Map<string, string>> {
    await using client = await open(drop);
    const read = new Map<string, string>();
    for await (const message of client.messages()) {
      read.set(message.uniqueId!, (await octetsOf(message.body())).toString('latin1'));
    }
    return read;
  }

  describe.each(peer.securities)('over %s', (security) => {
    it('reads every message octet by octet', async () => {
      await using client = await open(users.reader, security);
      const received: Received[] = [];
      for await (const message of client.messages({ pipeline: 16 })) {
        const stored = all[message.number - 1]!;
        const expected = peer.sends(stored, message.uniqueId);
        received.push({ name: stored.name, expected, actual: await octetsOf(message.body()) });
      }
      expect(summary.compared(security, received)).toEqual([]);
      expect(received).toHaveLength(all.length);
      expect(await client.quit()).toEqual({ deleted: [], failed: [] });
    });

    it.each(mechanismsOf(peer, security))(
      'logs in with %s, whatever is in the password',
      async (mechanism) => {
        const named: readonly Maildrop[] =
          mechanism === 'APOP'
            ? [users[APOP_USER]]
            : Object.keys(PASSWORDS).map((user) => users[user as keyof typeof PASSWORDS]);
        const kept = named.filter(({ password }) => peer.keepsPassword(password));
        for (const drop of kept) {
          await using client = await open(drop, security, mechanism);
          expect(client.mechanism).toBe(mechanism);
          expect(client.encrypted).toBe(security !== 'plain');
          expect((await client.stat()).messages).toBe(drop.messages.length);
          await client.quit();
        }
      },
    );

    it(`chooses ${peer.chosen(security)} by itself`, async () => {
      await using client = await open(users.letters, security);
      expect(client.mechanism).toBe(peer.chosen(security));
    });
  });

  it('reads messages octet by octet when it sends one command at a time', async () => {
    await using client = await connect(world, 'plain', { auth: users.reader, pipelining: 'off' });
    const received: Received[] = [];
    // Every third one: some servers hold back what is no full segment until the client says that it got the last one.
    for await (const message of client.messages({ pipeline: 16, where: ({ number }) => number % 3 === 1 })) {
      const stored = all[message.number - 1]!;
      const expected = peer.sends(stored, message.uniqueId);
      received.push({ name: stored.name, expected, actual: await octetsOf(message.body()) });
    }
    expect(summary.compared('plain, one at a time', received)).toEqual([]);
  });

  // All at once, since some servers take their time before they say no.
  it('is refused with the wrong password, whatever the mechanism', async () => {
    const refused = peer.securities.flatMap((security) =>
      mechanismsOf(peer, security).map(async (mechanism) => {
        const drop = mechanism === 'APOP' ? users[APOP_USER] : users.spaces;
        const attempt = open({ ...drop, password: 'none of its' }, security, mechanism);
        await expect(attempt, `${mechanism} over ${security}`).rejects.toMatchObject({
          code: 'POP3_REFUSED',
          message: expect.not.stringContaining('none of its'),
        });
      }),
    );
    await Promise.all(refused);
  });

  it('gets from STAT and LIST what the server is known to say, and unique-ids that stay', async () => {
    const { messages } = users.lister;
    await using client = await open(users.lister);
    const sizes = messages.map(peer.lists);
    const list = await client.list();
    expect([...list.keys()]).toEqual(messages.map((_, i) => i + 1));
    const wrong = messages.filter((_, i) => list.get(i + 1) !== sizes[i]);
    expect(
      wrong.map(({ name }) => `${name}: ${list.get(messages.findIndex((m) => m.name === name) + 1)}`),
    ).toEqual([]);
    const octets = sizes.reduce((sum, size) => sum + size, 0);
    expect(await client.stat()).toEqual({ messages: messages.length, octets });
    expect(await client.list(3)).toBe(sizes[2]);
    const ids = await client.uniqueIds();
    expect([...ids.keys()]).toEqual([...list.keys()]);
    expect(await client.uniqueIds(3)).toBe(ids.get(3));
    const distinct = new Set(messages.map(peer.identifiedBy)).size;
    expect(new Set(ids.values()).size).toBeGreaterThanOrEqual(distinct);
    await client.quit();
    await using again = await open(users.lister);
    expect([...(await again.uniqueIds())]).toEqual([...ids]);
  });

  it('gets from TOP the header and as many lines as it asks for', async () => {
    await using client = await open(users.reader);
    const ids = await client.uniqueIds();
    const received: Received[] = [];
    for (const [i, message] of all.entries()) {
      // A few of those that have a header at all.
      if (i % 5 !== 0 || message.octets > 200_000 || !/^\S+: /.test(text(message.stored))) continue;
      for (const lines of [0, 3]) {
        const expected = peer.tops(message, lines, ids.get(i + 1)!);
        if (expected === null) throw new Error('the server has no TOP');
        const actual = await octetsOf(client.top(i + 1, lines));
        received.push({ name: `TOP ${lines} of ${message.name}`, expected, actual });
      }
    }
    expect(summary.compared('TOP 0 and 3', received)).toEqual([]);
    await client.quit();
  });

  it('deletes exactly what it marked', async () => {
    const before = await contents(users.deleter);
    await using client = await open(users.deleter);
    const ids = await client.uniqueIds();
    client.delete(2);
    client.delete(5);
    const { deleted, failed } = await client.quit();
    expect(failed).toEqual([]);
    expect(new Set(deleted)).toEqual(new Set([2, 5]));
    const gone = new Set([ids.get(2), ids.get(5)]);
    expect(await contents(users.deleter)).toEqual(new Map([...before].filter(([id]) => !gone.has(id))));
    const left = await peer.remaining(world.directory, users.deleter);
    expect(left ?? [1, 3, 4, 6]).toEqual([1, 3, 4, 6]);
  });

  it('deletes nothing without QUIT', async () => {
    const before = await contents(users.leaver);
    expect(before.size).toBe(few.length);
    await using client = await open(users.leaver);
    for await (const message of client.messages()) message.delete();
    await client.close();
    expect(await contents(users.leaver)).toEqual(before);
  });

  it('deletes nothing that it took the mark from', async () => {
    const before = await contents(users.resetter);
    await using client = await open(users.resetter);
    client.delete(1);
    await client.reset();
    await client.noop();
    expect(await client.quit()).toEqual({ deleted: [], failed: [] });
    expect(await contents(users.resetter)).toEqual(before);
  });

  it('goes on after a refusal', async () => {
    await using client = await open(users.leaver);
    await expect(octetsOf(client.retrieve(99))).rejects.toMatchObject({ code: 'POP3_REFUSED', verb: 'RETR' });
    await expect(client.list(99)).rejects.toMatchObject({ code: 'POP3_REFUSED', verb: 'LIST' });
    expect((await client.stat()).messages).toBe(few.length);
    client.delete(99);
    const { deleted, failed } = await client.quit();
    expect(deleted).toEqual([]);
    expect(failed).toMatchObject([{ number: 99, error: { code: 'POP3_REFUSED', verb: 'DELE' } }]);
  });
}

/** Our client takes no timestamp for APOP from a greeting that was said before STLS. */
function mechanismsOf(peer: Peer, security: Security): readonly string[] {
  return peer.mechanisms(security).filter((mechanism) => security !== 'STLS' || mechanism !== 'APOP');
}

function maildrop(user: string, messages: readonly CorpusMessage[]): Maildrop {
  return { user, password: PASSWORD, messages };
}

function mapValues<K extends string, T>(
  record: Readonly<Record<K, string>>,
  make: (value: string, key: K) => T,
): Record<K, T> {
  const entries = Object.entries(record) as [K, string][];
  return Object.fromEntries(entries.map(([key, value]) => [key, make(value, key)])) as Record<K, T>;
}

function text(octets: Uint8Array): string {
  return Buffer.from(octets.subarray(0, 1000)).toString('latin1');
}
