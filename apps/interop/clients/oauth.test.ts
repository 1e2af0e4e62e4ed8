import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { corpus } from '../src/corpus.js';
import { emptyMaildir, filesOf } from '../src/delivered.js';
import {
  type AuthorizationServer,
  RESOURCE_SERVER,
  RESOURCES,
  SCOPE,
  startAuthorizationServer,
} from '../src/oauth/authorization-server.js';
import { tokensByDeviceFlow } from '../src/oauth/device-flow.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { SERVER } from '../src/server.js';
import { StandingSession } from '../src/standing-session.js';
import { type Account, startWorld, type World } from '../src/world.js';

/** curl's exit code, see its manual. */
const LOGIN_DENIED = 67;

const MECHANISMS = ['OAUTHBEARER', 'XOAUTH2'] as const;
type Mechanism = (typeof MECHANISMS)[number];

/** How pop3d finds out about a token, and for what resource the token then is. */
const WAYS = {
  'a token that it verifies itself': { ours: RESOURCES.jwt, other: RESOURCES.otherJwt, isJwt: true },
  'a token that it asks about': { ours: RESOURCES.opaque, other: RESOURCES.otherOpaque, isJwt: false },
} as const;

describeWith(['curl', 'mpop'], 'OAuth by device flow', () => {
  const [message] = corpus();
  let provider: AuthorizationServer;

  beforeAll(async () => {
    provider = await startAuthorizationServer();
  });
  afterAll(async () => {
    await provider?.close();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  // Dovecot is a client of such servers as well, in a setup of its own.
  describe.runIf(SERVER === 'pop3d').each(Object.entries(WAYS))('with %s', (_, { ours, other, isJwt }) => {
    // curl takes OAUTHBEARER where both are on offer, whatever it is told.
    const worlds = {} as Record<Mechanism, World>;

    beforeAll(async () => {
      for (const mechanism of MECHANISMS) worlds[mechanism] = await startOauthWorld(mechanism);
    });
    afterAll(async () => {
      for (const mechanism of MECHANISMS) await worlds[mechanism]?.close();
    });

    async function startOauthWorld(mechanism: Mechanism): Promise<World> {
      return startWorld({
        files: { 'client-secret': RESOURCE_SERVER.secret },
        configuration: ({ directory }) => {
          const check = isJwt
            ? [`jwks_url = "${provider.jwksUrl}"`]
            : [
                `introspection_url = "${provider.introspectionUrl}"`,
                `client_id = "${RESOURCE_SERVER.id}"`,
                `client_secret_file = "${join(directory, 'client-secret')}"`,
              ];
          return [
            '[server]',
            `mechanisms = ["${mechanism}", "PLAIN"]`,
            '[oauth]',
            `issuer = "${provider.issuer}"`,
            `audience = "${ours}"`,
            `scope = "${SCOPE}"`,
            `openid_configuration = "${provider.configurationUrl}"`,
            ...check,
            '',
          ].join('\n');
        },
      });
    }

    function curl(
      mechanism: Mechanism,
      account: Account,
      token: string,
      flags: readonly string[],
    ): Promise<Finished> {
      const world = worlds[mechanism];
      const secure = ['--cacert', world.certificate, '--ssl-reqd'];
      const user = ['--user', `${account.user}:`, '--oauth2-bearer', token];
      const url = `pop3://localhost:${world.port('STLS')}/1`;
      return run(pathOf('curl')!, ['-sS', '-4', '--verbose', ...user, ...secure, ...flags, url], account);
    }

    async function mpop(mechanism: Mechanism, account: Account, token: string): Promise<Finished> {
      const { home, user } = account;
      const world = worlds[mechanism];
      const file = join(home, 'mpoprc');
      const lines = [
        'account test',
        'host localhost',
        `port ${world.port('TLS')}`,
        'tls on',
        'tls_starttls off',
        `tls_trust_file ${world.certificate}`,
        `user ${user}`,
        `password ${token}`,
        `auth ${mechanism.toLowerCase()}`,
        'keep on',
        `uidls_file ${home}/uidls`,
        `delivery maildir ${await emptyMaildir(join(home, 'Mail'))}`,
        'received_header off',
      ];
      await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
      return run(pathOf('mpop')!, ['--file', file, '--debug', 'test'], { home });
    }

    describe.each(MECHANISMS)('by %s', (mechanism) => {
      const account = (): Promise<Account> => worlds[mechanism].account([message!]);

      it.each([[], ['--sasl-ir']])('lets curl in (%s)', async (...flags) => {
        const mine = await account();
        const { accessToken } = await tokensByDeviceFlow(provider, { user: mine.user, resource: ours });
        const done = await curl(mechanism, mine, accessToken, flags);
        expect(done.stdout.equals(message!.wire), done.stderr).toBe(true);
        const [, sent = ''] = /^> AUTH (\S+ ?\S?)/m.exec(done.stderr) ?? [];
        expect(sent.trimEnd().split(' ')).toHaveLength(flags.length + 1);
        expect(sent).toContain(mechanism);
      });

      it('lets mpop in', async () => {
        const mine = await account();
        const { accessToken } = await tokensByDeviceFlow(provider, { user: mine.user, resource: ours });
        const done = await mpop(mechanism, mine, accessToken);
        expect(done.code, done.stderr).toBe(0);
        expect(done.stdout.toString()).toContain(`--> AUTH ${mechanism}`);
        expect(await filesOf(join(mine.home, 'Mail'))).toHaveLength(1);
      });

      it('lets in with a token that was refreshed', async () => {
        const mine = await account();
        const tokens = await tokensByDeviceFlow(provider, { user: mine.user, resource: ours });
        const done = await curl(mechanism, mine, await tokens.refresh(), []);
        expect(done.stdout.equals(message!.wire), done.stderr).toBe(true);
      });

      it('refuses a token that has expired', async () => {
        const mine = await account();
        // An hour and a minute ago; a token lives for an hour.
        vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - 3_660_000 });
        const { accessToken } = await tokensByDeviceFlow(provider, { user: mine.user, resource: ours });
        vi.useRealTimers();
        await expectRefused(mechanism, mine, accessToken);
      });

      it('refuses a token for another service', async () => {
        const mine = await account();
        const { accessToken } = await tokensByDeviceFlow(provider, { user: mine.user, resource: other });
        await expectRefused(mechanism, mine, accessToken);
      });

      // This provider revokes no token that others verify themselves; such a token is good until its end.
      it.runIf(!isJwt)('refuses a token that was revoked', async () => {
        const mine = await account();
        const tokens = await tokensByDeviceFlow(provider, { user: mine.user, resource: ours });
        await tokens.revoke();
        await expectRefused(mechanism, mine, tokens.accessToken);
      });

      it("refuses another user's token", async () => {
        const mine = await account();
        const { accessToken } = await tokensByDeviceFlow(provider, { user: 'somebody-else', resource: ours });
        const done = await curl(mechanism, mine, accessToken, []);
        expect(done.code).toBe(LOGIN_DENIED);
        expect(challengeIn(done.stderr)).toMatchObject({
          status: mechanism === 'XOAUTH2' ? '400' : 'invalid_request',
        });
      });
    });

    /** By curl; and by hand, to see that the connection can go on. */
    async function expectRefused(mechanism: Mechanism, account: Account, token: string): Promise<void> {
      const problem =
        mechanism === 'OAUTHBEARER'
          ? { status: 'invalid_token', scope: SCOPE, 'openid-configuration': provider.configurationUrl }
          : { status: '401', schemes: 'Bearer', scope: SCOPE };
      const done = await curl(mechanism, account, token, []);
      expect(done.code).toBe(LOGIN_DENIED);
      expect(challengeIn(done.stderr)).toEqual(problem);
      expect(done.stderr).toContain('< -ERR [AUTH]');

      const fields = { OAUTHBEARER: ['n,,'], XOAUTH2: [`user=${account.user}`] }[mechanism];
      const response = Buffer.from([...fields, `auth=Bearer ${token}`, '', ''].join('\x01')).toString(
        'base64',
      );
      const agreed = mechanism === 'OAUTHBEARER' ? 'AQ==' : '';
      const session = await StandingSession.connect(worlds[mechanism].server.port);
      const challenge = await session.command(`AUTH ${mechanism} ${response}`);
      expect(JSON.parse(Buffer.from(challenge.slice(2), 'base64').toString())).toEqual(problem);
      expect(await session.command(agreed)).toMatch(/^-ERR \[AUTH\]/);
      const plain = Buffer.from(`\0${account.user}\0${account.password}`).toString('base64');
      expect(await session.command(`AUTH PLAIN ${plain}`)).toMatch(/^\+OK/);
      expect(await session.command('QUIT')).toMatch(/^\+OK/);
    }
  });
});

/** The problem that the server describes, in the last challenge that curl shows. */
function challengeIn(verbose: string): unknown {
  const text = [...verbose.matchAll(/^< \+ (\S+)\r?$/gm)].at(-1)?.[1] ?? '';
  return JSON.parse(Buffer.from(text, 'base64').toString());
}
