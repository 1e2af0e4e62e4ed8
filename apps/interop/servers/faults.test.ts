import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { corpus } from '../src/corpus.js';
import { COURIER } from '../src/peers/courier.js';
import { describePeer } from '../src/peers/describe-peer.js';
import { DOVECOT, dovecotWith } from '../src/peers/dovecot.js';
import type { Maildrop, Peer } from '../src/peers/peer.js';
import { POP3D } from '../src/peers/pop3d.js';
import { connect, connectWhenFree, octetsOf } from '../src/peers/session.js';
import { type PeerWorld, startPeer } from '../src/peers/world.js';
import { cleanEnvironment } from '../src/run.js';

const DOOMED_CLIENT = fileURLToPath(new URL('../src/peers/doomed-client.mjs', import.meta.url));

/** Two small messages and the one of 25 MB, which is too large for what lies between a server and a client. */
const MESSAGES = corpus().filter((_, i, all) => i < 2 || i === all.length - 1);
const INTACT = [1, 2, 3];

describePeer({ ...DOVECOT, name: 'Dovecot, when it dies' }, ['dovecot'], () => {
  const drops = maildrops('in-a-message', 'with-marks', 'at-quit', 'the-whole-server');
  const named = dovecotWith(DOVECOT.name, () => 'verbose_proctitle = yes');
  const { world, intact } = started(named, Object.values(drops));

  it('rejects the message that it was sending', async () => {
    const drop = drops['in-a-message']!;
    await using client = await connect(world(), 'plain', { auth: drop });
    const body = client.retrieve(3)[Symbol.asyncIterator]();
    expect((await body.next()).done).toBe(false);
    killSession(world(), drop);
    const rest = octetsOf({ [Symbol.asyncIterator]: () => body });
    await expect(rest).rejects.toMatchObject({ code: 'POP3_CLOSED', verb: 'RETR', retryable: true });
    await expect(client.stat()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
    await client.reconnect();
    expect((await octetsOf(client.retrieve(3))).equals(MESSAGES[2]!.wire)).toBe(true);
    expect(await intact(drop)).toEqual(INTACT);
  });

  it('tells which marks are lost', async () => {
    const drop = drops['with-marks']!;
    await using client = await connect(world(), 'plain', { auth: drop });
    const ids = await client.uniqueIds();
    for (const number of [1, 3]) client.delete(number);
    killSession(world(), drop);
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
    const { lostMarks } = await client.reconnect();
    expect(lostMarks).toEqual([1, 3].map((number) => ({ number, uniqueId: ids.get(number) })));
    expect(await client.quit()).toEqual({ deleted: [], failed: [] });
    expect(await intact(drop)).toEqual(INTACT);
  });

  it('does not say that messages are gone when QUIT was not answered', async () => {
    const drop = drops['at-quit']!;
    const client = await connect(world(), 'plain', {
      auth: drop,
      trace(event) {
        if (event.type === 'command' && event.command === 'QUIT') killSession(world(), drop);
      },
    });
    for (const number of [1, 2]) client.delete(number);
    const outcome = await client.quit().catch((error: unknown) => error);
    if (outcome instanceof Error) expect(outcome).toMatchObject({ code: 'POP3_CLOSED' });
    else expect(outcome).toMatchObject({ deleted: [], failed: [{}, {}] });
    expect(await intact(drop)).toEqual(INTACT);
  });

  it('rejects what is under way when the whole server dies, and cannot reconnect', async () => {
    const drop = drops['the-whole-server']!;
    await using client = await connect(world(), 'TLS', { auth: drop });
    const body = client.retrieve(3)[Symbol.asyncIterator]();
    expect((await body.next()).done).toBe(false);
    client.delete(1);
    await world().server.kill();
    const rest = octetsOf({ [Symbol.asyncIterator]: () => body });
    await expect(rest).rejects.toMatchObject({ code: 'POP3_CLOSED', verb: 'RETR' });
    await expect(client.quit()).rejects.toMatchObject({ code: 'POP3_CLOSED' });
    // A process of its that has not died yet may take the connection, and then drops it.
    const code = expect.stringMatching(/^POP3_(?:CONNECT|TLS|CLOSED)$/);
    await expect(client.reconnect()).rejects.toMatchObject({ code, retryable: true });
    expect(await intact(drop)).toEqual(INTACT);
  });
});

for (const peer of [DOVECOT, COURIER, POP3D]) {
  const name = `our client, when it dies under ${peer.name}`;
  describePeer({ ...peer, name }, peer === DOVECOT ? ['dovecot'] : ['unshare'], () => {
    const drops = maildrops('reading', 'quitting');
    const { world, intact } = started(peer, Object.values(drops));

    it.each(['reading', 'quitting'])('leaves all messages where they are: %s', async (moment) => {
      const drop = drops[moment]!;
      const args = [DOOMED_CLIENT, `${world().server.port}`, drop.user, drop.password, moment];
      const child = spawn(process.execPath, args, {
        env: cleanEnvironment(world().directory),
        stdio: ['ignore', 'pipe', 'inherit'],
        timeout: 20_000,
      });
      const ended = once(child, 'exit');
      child.stdout.once('data', () => child.kill('SIGKILL'));
      expect(await ended).toEqual([null, 'SIGKILL']);
      await using client = await connectWhenFree(world(), 'plain', { auth: drop });
      expect((await client.stat()).messages).toBe(MESSAGES.length);
      expect(await intact(drop)).toEqual(INTACT);
    });
  });
}

function maildrops(...users: readonly string[]): Record<string, Maildrop> {
  const password = 'secret-of-everybody';
  return Object.fromEntries(users.map((user) => [user, { user, password, messages: MESSAGES }]));
}

/** A server for the tests of the block it is called in. */
function started(peer: Peer, drops: readonly Maildrop[]) {
  let world: PeerWorld;
  beforeAll(async () => {
    world = await startPeer(peer, drops);
  });
  afterAll(async () => {
    await world?.close();
  });
  return {
    world: (): PeerWorld => world,
    /** The numbers of the messages that lie in the maildrop; throws when one has changed. */
    intact: (drop: Maildrop) => peer.remaining(world.directory, drop),
  };
}

/** Kills the process of Dovecot that serves a maildrop; its title has the user. */
function killSession({ server }: PeerWorld, { user }: Maildrop): void {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, 'utf8').trim().split(' ');
  const titled = `dovecot/pop3 [${user} `;
  const sessions = children.filter((child) =>
    readFileSync(`/proc/${child}/cmdline`, 'utf8').startsWith(titled),
  );
  expect(sessions).toHaveLength(1);
  process.kill(Number(sessions[0]), 'SIGKILL');
}
