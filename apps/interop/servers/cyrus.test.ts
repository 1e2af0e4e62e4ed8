import { afterAll, beforeAll, expect, it } from 'vitest';
import { corpus } from '../src/corpus.js';
import { CYRUS, CYRUS_WITH_TLS_1_3 } from '../src/peers/cyrus.js';
import { describePeer, putThroughEverything } from '../src/peers/describe-peer.js';
import { connect } from '../src/peers/session.js';
import { type PeerWorld, startPeer } from '../src/peers/world.js';

describePeer(CYRUS, ['unshare'], () => putThroughEverything(CYRUS));

describePeer(CYRUS_WITH_TLS_1_3, ['unshare'], () => {
  const user = 'ann';
  const password = 'secret-of-ann';
  let world: PeerWorld;

  beforeAll(async () => {
    world = await startPeer(CYRUS_WITH_TLS_1_3, [{ user, password, messages: corpus().slice(0, 1) }]);
  });
  afterAll(async () => {
    await world?.close();
  });

  it('refuses a login that is bound as TLS 1.3 has it, and takes one that is not bound', async () => {
    const bound = connect(world, 'TLS', { auth: { user, password } });
    await expect(bound).rejects.toMatchObject({
      code: 'POP3_REFUSED',
      message: expect.stringContaining('SCRAM-SHA-256-PLUS'),
    });
    await using client = await connect(world, 'TLS', {
      auth: { user, password, mechanism: 'SCRAM-SHA-256' },
    });
    expect((await client.stat()).messages).toBe(1);
  });
});
