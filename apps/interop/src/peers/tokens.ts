import type { TokenRefusal } from '@pop3/client-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { corpus } from '../corpus.js';
import { type AuthorizationServer, startAuthorizationServer } from '../oauth/authorization-server.js';
import { tokensByDeviceFlow } from '../oauth/device-flow.js';
import type { Peer, PeerOptions } from './peer.js';
import { connect } from './session.js';
import { type PeerWorld, startPeer } from './world.js';

/** How a server finds out what a token is worth. */
export type Check = 'its signature' | 'introspection';

const CHECKS: readonly Check[] = ['its signature', 'introspection'];

/** Whom the provider makes tokens for, for each way to check them. */
export type Resources = Readonly<Record<Check, string>>;

/** Logs in by tokens of an OpenID provider. `settings` tells the server how to check them. */
export function logInByTokens(
  resources: Resources,
  serverWith: (settings: (options: PeerOptions) => string) => Peer,
  settings: (check: Check, provider: AuthorizationServer, options: PeerOptions) => string,
): void {
  let provider: AuthorizationServer;

  beforeAll(async () => {
    provider = await startAuthorizationServer();
  });
  afterAll(async () => {
    await provider?.close();
  });

  describe.each(CHECKS)('checked by %s', (check) => {
    const user = 'ann';
    let world: PeerWorld;

    beforeAll(async () => {
      const peer = serverWith((options) => settings(check, provider, options));
      world = await startPeer(peer, [{ user, password: 'none of hers', messages: corpus().slice(0, 2) }]);
    });
    afterAll(async () => {
      await world?.close();
    });

    async function token(): Promise<string> {
      const { accessToken } = await tokensByDeviceFlow(provider, { user, resource: resources[check] });
      return accessToken;
    }

    it.each(['OAUTHBEARER', 'XOAUTH2'] as const)('logs in by %s', async (mechanism) => {
      const auth = { user, accessToken: await token(), mechanism };
      for (const security of ['STLS', 'TLS'] as const) {
        await using client = await connect(world, security, { auth });
        expect(client.mechanism).toBe(mechanism);
        expect((await client.stat()).messages).toBe(2);
      }
    });

    it('chooses OAUTHBEARER by itself', async () => {
      await using client = await connect(world, 'TLS', { auth: { user, accessToken: await token() } });
      expect(client.mechanism).toBe('OAUTHBEARER');
    });

    it.each(['OAUTHBEARER', 'XOAUTH2'] as const)(
      'asks for another token when one is refused by %s',
      async (mechanism) => {
        const good = await token();
        const refusals: (TokenRefusal | null)[] = [];
        const accessToken = (refused: TokenRefusal | null): string => {
          refusals.push(refused);
          return refused === null ? 'bm90LWEtdG9rZW4' : good;
        };
        await using client = await connect(world, 'TLS', { auth: { user, accessToken, mechanism } });
        expect((await client.stat()).messages).toBe(2);
        expect(refusals).toEqual([null, { token: 'bm90LWEtdG9rZW4', problem: expect.any(String) }]);
        expect(JSON.parse(refusals[1]!.problem!)).toHaveProperty('status');
      },
    );

    it('is refused with a token of somebody else', async () => {
      const { accessToken } = await tokensByDeviceFlow(provider, {
        user: 'bob',
        resource: resources[check],
      });
      const attempt = connect(world, 'TLS', { auth: { user, accessToken } });
      await expect(attempt).rejects.toMatchObject({
        code: 'POP3_REFUSED',
        message: expect.not.stringContaining(accessToken),
      });
    });
  });
}
