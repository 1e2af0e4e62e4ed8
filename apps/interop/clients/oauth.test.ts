import { readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
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

type Mechanism = 'OAUTHBEARER' | 'XOAUTH2';
type Way = 'a signed token' | 'introspection';

/** curl's exit code for a login that was refused, see its manual. */
const LOGIN_DENIED = 67;
const TWO_HOURS_MS = 7_200_000;

/** Whom the provider makes tokens for: the server in question, and another one of the same owner. */
const WAYS = {
  'a signed token': { resource: RESOURCES.jwt, other: RESOURCES.otherJwt, issues: 'jwt' },
  introspection: { resource: RESOURCES.opaque, other: RESOURCES.otherOpaque, issues: 'opaque' },
} as const;

/** What each mechanism says of a bad token, and how a client agrees that it has failed. */
const PROBLEMS = {
  OAUTHBEARER: { says: (json: Problem) => json.status, status: 'invalid_token', agrees: 'AQ==' },
  XOAUTH2: { says: (json: Problem) => json.status, status: '401', agrees: '' },
} as const;

interface Problem {
  readonly status: string;
  readonly scope?: string;
}

// curl prefers OAUTHBEARER whatever it is told, so each mechanism has a server that offers no other.
const CASES = (['a signed token', 'introspection'] as const).flatMap((way) =>
  (['OAUTHBEARER', 'XOAUTH2'] as const).map((mechanism) => ({ way, mechanism })),
);

describeWith(['curl', 'mpop'], 'a token of an OpenID provider', () => {
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

  // Dovecot is configured otherwise; that this provider and its device flow work with it is known.
  describe.runIf(SERVER === 'pop3d').each(CASES)('checked by $way, by $mechanism', ({ way, mechanism }) => {
    const { resource, other } = WAYS[way];
    let world: World;

    beforeAll(async () => {
      world = await startWorld({
        configuration: ({ directory }) => configurationOf(way, mechanism, provider, directory),
      });
    });
    afterAll(async () => {
      await world?.close();
    });

    const tokenFor = (user: string, forResource: string = resource) =>
      tokensByDeviceFlow(provider, { user, resource: forResource });

    /** Tokens of two hours ago; each lives for one. */
    async function expiredToken(user: string): Promise<string> {
      // The provider runs in this process and shares the clock.
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() - TWO_HOURS_MS });
      const { accessToken } = await tokenFor(user);
      vi.useRealTimers();
      return accessToken;
    }

    async function curl(account: Account, token: string): Promise<Finished> {
      // In a file: arguments are for everybody to see.
      const config = join(account.home, 'curlrc');
      await writeFile(config, `oauth2-bearer = "${token}"\n`, { mode: 0o600 });
      const secure = ['--cacert', world.certificate, '--ssl-reqd'];
      const url = `pop3s://localhost:${world.port('TLS')}/1`;
      const args = ['-sS', '-4', '--verbose', '--config', config, '--user', `${account.user}:`, ...secure];
      return run(pathOf('curl')!, [...args, url], account);
    }

    async function mpop({ home, user }: Account, token: string): Promise<Finished> {
      const file = join(home, 'mpoprc');
      const lines = [
        'account test',
        'host localhost',
        `port ${world.port('TLS')}`,
        'tls on',
        'tls_starttls off',
        `tls_trust_file ${world.certificate}`,
        `user ${user}`,
        // A token is longer than the longest line of this file may be.
        `passwordeval cat ${join(home, 'token')}`,
        `auth ${mechanism.toLowerCase()}`,
        `uidls_file ${home}/uidls`,
        `delivery maildir ${await emptyMaildir(join(home, 'Mail'))}`,
        'received_header off',
      ];
      await writeFile(join(home, 'token'), `${token}\n`, { mode: 0o600 });
      await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
      return run(pathOf('mpop')!, ['--file', file, '--debug', 'test'], { home });
    }

    async function connected(): Promise<StandingSession> {
      return StandingSession.greeted(
        connect({
          host: 'localhost',
          port: world.port('TLS'),
          servername: 'localhost',
          ca: readFileSync(world.certificate),
        }),
      );
    }

    /** Offers a token by hand, expects the challenge that tells what is wrong, and gives back what it tells. */
    async function problemOf(session: StandingSession, user: string, token: string): Promise<Problem> {
      const challenge = await session.command(`AUTH ${mechanism} ${initialResponse(mechanism, user, token)}`);
      expect(challenge).toMatch(/^\+ /);
      expect(await session.command(PROBLEMS[mechanism].agrees)).toMatch(/^-ERR \[AUTH\] /);
      return JSON.parse(Buffer.from(challenge.slice(2), 'base64').toString());
    }

    it('logs curl in, and a newer one does', async () => {
      const account = await world.account([message!]);
      const tokens = await tokenFor(account.user);
      const done = await curl(account, tokens.accessToken);
      expect(done.stdout.equals(message!.wire), done.stderr).toBe(true);
      expect(done.stderr).toContain(`> AUTH ${mechanism}`);
      const again = await curl(account, await tokens.refresh());
      expect(again.code, again.stderr).toBe(0);
    });

    it('logs mpop in, and a token that has expired does not', async () => {
      const account = await world.account([message!]);
      const { accessToken } = await tokenFor(account.user);
      const done = await mpop(account, accessToken);
      expect(done.code, done.stderr).toBe(0);
      expect(done.stdout.toString()).toContain(`--> AUTH ${mechanism}`);
      expect(await filesOf(join(account.home, 'Mail'))).toHaveLength(1);
      const refused = await mpop(account, await expiredToken(account.user));
      expect(refused.code, refused.stderr).toBe(77);
    });

    it.each([
      ['has expired', (user: string) => expiredToken(user)],
      ['is for another server', async (user: string) => (await tokenFor(user, other)).accessToken],
      ['is none', async () => 'bm90LWEtdG9rZW4'],
    ])('is refused when it %s, and tells so', async (_, tokenOf) => {
      const account = await world.account([message!]);
      const token = await tokenOf(account.user);
      const done = await curl(account, token);
      expect(done.code, done.stderr).toBe(LOGIN_DENIED);
      expect(done.stdout).toHaveLength(0);

      const session = await connected();
      const problem = await problemOf(session, account.user, token);
      expect(PROBLEMS[mechanism].says(problem)).toBe(PROBLEMS[mechanism].status);
      expect(problem.scope).toBe(SCOPE);
      // The connection is as good as before.
      const { accessToken } = await tokenFor(account.user);
      const accepted = await session.command(
        `AUTH ${mechanism} ${initialResponse(mechanism, account.user, accessToken)}`,
      );
      expect(accepted).toMatch(/^\+OK /);
      expect(await session.command('QUIT')).toMatch(/^\+OK /);
    });

    it('is refused for the maildrop of somebody else', async () => {
      const ann = await world.account([message!]);
      const bob = await world.account([message!]);
      const { accessToken } = await tokenFor(ann.user);
      const done = await curl(bob, accessToken);
      expect(done.code, done.stderr).toBe(LOGIN_DENIED);
      const session = await connected();
      await problemOf(session, bob.user, accessToken);
      session.drop();
    });

    // A signed token is good until its end, whoever gives it up: only the provider knows.
    if (way === 'introspection') {
      it('is refused once it is given up', async () => {
        const account = await world.account([message!]);
        const tokens = await tokenFor(account.user);
        await tokens.revoke();
        const done = await curl(account, tokens.accessToken);
        expect(done.code, done.stderr).toBe(LOGIN_DENIED);
        const session = await connected();
        const problem = await problemOf(session, account.user, tokens.accessToken);
        expect(PROBLEMS[mechanism].says(problem)).toBe(PROBLEMS[mechanism].status);
        session.drop();
      });
    }

    it('stays out of the log', async () => {
      const account = await world.account([message!]);
      const { accessToken } = await tokenFor(account.user);
      const session = await connected();
      await problemOf(session, 'somebody-else', accessToken);
      session.drop();
      expect((await curl(account, accessToken)).code).toBe(0);
      expect(world.server.log()).not.toContain(accessToken.slice(-40));
      expect(world.server.log()).not.toContain(RESOURCE_SERVER.secret);
    });
  });
});

function configurationOf(
  way: Way,
  mechanism: Mechanism,
  { issuer, jwksUrl, introspectionUrl, configurationUrl }: AuthorizationServer,
  directory: string,
): string {
  const secret = join(directory, 'oauth.secret');
  writeFileSync(secret, RESOURCE_SERVER.secret, { mode: 0o600 });
  const check =
    way === 'a signed token'
      ? [`jwks_url = "${jwksUrl}"`, 'username_claim = "username"']
      : [
          `introspection_url = "${introspectionUrl}"`,
          `client_id = "${RESOURCE_SERVER.id}"`,
          `client_secret_file = "${secret}"`,
        ];
  return [
    '[server]',
    `mechanisms = ["${mechanism}"]`,
    '[oauth]',
    `issuer = "${issuer}"`,
    `audience = "${WAYS[way].resource}"`,
    `scope = "${SCOPE}"`,
    `openid_configuration = "${configurationUrl}"`,
    ...check,
    '[throttle]',
    'enabled = false',
    '[limits]',
    'failed_login_delay_seconds = 0',
    '',
  ].join('\n');
}

function initialResponse(mechanism: Mechanism, user: string, token: string): string {
  const text =
    mechanism === 'OAUTHBEARER'
      ? `n,a=${user},\x01auth=Bearer ${token}\x01\x01`
      : `user=${user}\x01auth=Bearer ${token}\x01\x01`;
  return Buffer.from(text).toString('base64');
}
