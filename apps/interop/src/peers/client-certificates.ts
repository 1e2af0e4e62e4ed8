import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clientAuthority, clientCertificate } from '../certificates.js';
import { corpus } from '../corpus.js';
import type { Peer } from './peer.js';
import { connect } from './session.js';
import { type PeerWorld, startPeer } from './world.js';

/** Logs in by certificates, on a server that takes the common name for the user. */
export function logInByCertificates(peer: Peer): void {
  let world: PeerWorld;

  beforeAll(async () => {
    world = await startPeer(peer, [
      { user: 'ann', password: 'none of hers', messages: corpus().slice(0, 2) },
    ]);
  });
  afterAll(async () => {
    await world?.close();
  });

  /** What a client shows. `own`: it was signed by somebody the server does not know. */
  async function shown(
    name: string,
    by: 'the authority' | 'somebody',
  ): Promise<{ cert: Buffer; key: Buffer }> {
    const folder = join(world.directory, `${name} by ${by}`);
    await mkdir(folder);
    const authority = by === 'the authority' ? world.authority : await clientAuthority(folder);
    const { certificate, key } = await clientCertificate(folder, name, authority);
    return { cert: await readFile(certificate), key: await readFile(key) };
  }

  it('logs in by EXTERNAL, with the user named and not', async () => {
    const certificate = await shown('ann', 'the authority');
    for (const security of ['STLS', 'TLS'] as const) {
      for (const auth of [{ external: true }, { external: true, user: 'ann' }] as const) {
        await using client = await connect(world, security, { auth, clientCertificate: certificate });
        expect(client.mechanism).toBe('EXTERNAL');
        expect((await client.stat()).messages).toBe(2);
      }
    }
  });

  it('cannot log in as somebody else, nor by a certificate of nobody known', async () => {
    const auth = { external: true, user: 'ann' } as const;
    const bob = await shown('bob', 'the authority');
    await expect(connect(world, 'TLS', { auth, clientCertificate: bob })).rejects.toMatchObject({
      code: 'POP3_REFUSED',
    });
    const forged = await shown('ann', 'somebody');
    await expect(connect(world, 'TLS', { auth, clientCertificate: forged })).rejects.toMatchObject({
      code: expect.stringMatching(/^POP3_(REFUSED|UNSUPPORTED|TLS|CLOSED)$/),
    });
  });
}
