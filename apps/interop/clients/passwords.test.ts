import { appendFile, chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientAuthority, serverCertificate } from '../src/certificates.js';
import { emptyMaildir } from '../src/delivered.js';
import { describeWith, pathOf } from '../src/programs.js';
import { run, runOk } from '../src/run.js';
import { startDovecot } from '../src/server/dovecot.js';
import { everyMechanism } from '../src/server/every-mechanism.js';
import { pop3d, startPop3d } from '../src/server/pop3d.js';
import type { RunningServer, ServerOptions } from '../src/server.js';

/** Ways to log in, as mpop calls them. */
type Authentication = 'plain' | 'cram-md5' | 'scram-sha-1' | 'scram-sha-256';

/** Every scheme that Dovecot 2.3 and pop3d both know, and which mechanisms can work with what it keeps. */
const SCHEMES: Readonly<Record<string, readonly Authentication[]>> = {
  PLAIN: ['plain', 'cram-md5', 'scram-sha-1', 'scram-sha-256'],
  SSHA: ['plain'],
  SSHA256: ['plain'],
  SSHA512: ['plain'],
  'SHA256-CRYPT': ['plain'],
  'SHA512-CRYPT': ['plain'],
  'BLF-CRYPT': ['plain'],
  ARGON2ID: ['plain'],
  PBKDF2: ['plain'],
  'SCRAM-SHA-1': ['plain', 'scram-sha-1'],
  'SCRAM-SHA-256': ['plain', 'scram-sha-256'],
  'CRAM-MD5': ['plain', 'cram-md5'],
};
const SCHEME_NAMES = Object.keys(SCHEMES);

/** As long as most hashes are wide, and with characters outside of ASCII. */
const PASSWORD = 'Grüße aus der Straße, Nr. 7';
const APP_PASSWORD = 'app-password-of-a-telephone';

const MAKERS = ['pop3d', 'doveadm'] as const;
type Maker = (typeof MAKERS)[number];
const SERVERS = ['pop3d', 'Dovecot'] as const;

function userOf(maker: Maker, scheme: string): string {
  return `${maker}-${scheme.toLowerCase()}`;
}

// One users file, half of it written by pop3d and half by Dovecot's own tool, and both servers on top of it. As root.
describeWith(['doveadm', 'dovecot', 'mpop'], 'a users file of Dovecot and pop3d', () => {
  let directory: string;
  let users: string;
  const running = {} as Record<(typeof SERVERS)[number], RunningServer>;

  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'pop3-passwords-')));
    await chmod(directory, 0o755);
    users = join(directory, 'users');
    for (const scheme of SCHEME_NAMES) {
      const name = userOf('pop3d', scheme);
      await pop3d(['user', 'add', name, '--scheme', scheme, '--users', users], {
        home: directory,
        input: `${PASSWORD}\n`,
      });
      await appendFile(users, `${userOf('doveadm', scheme)}:${await doveadmPw(scheme)}\n`);
    }
    await addNarrowedUsers();
    await chmod(users, 0o644);

    const { certificate: authority } = await clientAuthority(directory);
    const options: ServerOptions = {
      directory,
      ...(await serverCertificate(directory)),
      users,
      maildirs: join(directory, 'maildirs'),
      configuration: `${everyMechanism({ directory, authority })}\n${IMPATIENT}`,
    };
    const names = (await readFile(users, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => line.split(':')[0]!);
    await mkdir(options.maildirs);
    for (const name of names) await emptyMaildir(join(options.maildirs, name));
    running.Dovecot = await startDovecot(options);
    await running.Dovecot.adopt?.(options.maildirs);
    running.pop3d = await startPop3d(options);
  });
  afterAll(async () => {
    try {
      await running.pop3d?.stop();
    } finally {
      await running.Dovecot?.stop();
      await rm(directory, { recursive: true, force: true });
    }
  });

  async function doveadmPw(scheme: string): Promise<string> {
    const config = join(directory, 'doveadm.conf');
    await writeFile(config, 'ssl = no\n');
    const args = ['-c', config, 'pw', '-s', scheme, '-p', PASSWORD];
    const { stdout } = await runOk(pathOf('doveadm')!, args, { home: directory });
    return stdout.toString().trim();
  }

  /** Users with fields behind the password: where they may come from, and a password for one device. */
  async function addNarrowedUsers(): Promise<void> {
    const stored = await doveadmPw('SSHA512');
    const narrowed = {
      'from-here': 'allow_nets=192.0.2.0/24,127.0.0.0/8,::1',
      'from-elsewhere': 'allow_nets=192.0.2.0/24,2001:db8::/32',
      'with-a-telephone': `allow_nets=127.0.0.0/8 app_password=telephone;expires=2999-01-01;${await appPassword()}`,
      'with-a-late-telephone': `app_password=telephone;expires=2020-01-01;${await appPassword()}`,
      'with-a-telephone-elsewhere': `app_password=telephone;allow_nets=192.0.2.0/24;${await appPassword()}`,
    };
    for (const [name, extra] of Object.entries(narrowed)) {
      await appendFile(users, `${name}:${stored}::::::${extra}\n`);
    }
  }

  async function appPassword(): Promise<string> {
    const file = join(directory, 'app-password');
    const input = `${APP_PASSWORD}\n`;
    await pop3d(['user', 'add', 'somebody', '--scheme', 'SSHA512', '--users', file], {
      home: directory,
      input,
    });
    const [, stored = ''] = (await readFile(file, 'utf8')).split(':');
    await rm(file);
    return stored;
  }

  /** Whether mpop can log in. Any other trouble than a refusal throws. */
  async function logsIn(
    server: (typeof SERVERS)[number],
    user: string,
    authentication: Authentication,
    password = PASSWORD,
  ): Promise<boolean> {
    const file = join(directory, 'mpoprc');
    const lines = [
      'account test',
      'host localhost',
      `port ${running[server].port}`,
      'tls off',
      `user ${user}`,
      `password "${password}"`,
      `auth ${authentication}`,
      `uidls_file ${join(directory, 'uidls')}`,
      `delivery maildir ${await emptyMaildir(join(directory, 'Mail'))}`,
    ];
    await writeFile(file, `${lines.join('\n')}\n`, { mode: 0o600 });
    const { code, stderr } = await run(pathOf('mpop')!, ['--file', file, 'test'], { home: directory });
    if (code === 0) return true;
    expect(stderr).toContain('authentication failed');
    return false;
  }

  describe.each(SERVERS)('on %s', (server) => {
    describe.each(MAKERS)('with a line of %s', (maker) => {
      const cases = SCHEME_NAMES.flatMap((scheme) => SCHEMES[scheme]!.map((how) => ({ scheme, how })));
      it.each(cases)('logs in with $how and {$scheme}', async ({ scheme, how }) => {
        expect(await logsIn(server, userOf(maker, scheme), how)).toBe(true);
      });
    });

    it('obeys allow_nets', async () => {
      expect(await logsIn(server, 'from-here', 'plain')).toBe(true);
      expect(await logsIn(server, 'from-elsewhere', 'plain')).toBe(false);
    });

    it('logs in with the main password of a user who has an app password', async () => {
      expect(await logsIn(server, 'with-a-telephone', 'plain')).toBe(true);
    });
  });

  it.each(MAKERS)('pop3d refuses a wrong password with every scheme (lines of %s)', async (maker) => {
    for (const scheme of SCHEME_NAMES) {
      for (const how of SCHEMES[scheme]!) {
        const wrong = `${PASSWORD}!`;
        expect(await logsIn('pop3d', userOf(maker, scheme), how, wrong), `${scheme}, ${how}`).toBe(false);
      }
    }
  });

  it.each([
    ['SSHA512', 'cram-md5'],
    ['SSHA512', 'scram-sha-256'],
    ['SCRAM-SHA-1', 'scram-sha-256'],
    ['SCRAM-SHA-256', 'cram-md5'],
    ['CRAM-MD5', 'scram-sha-1'],
  ] as const)('pop3d refuses what {%s} cannot prove: %s', async (scheme, how) => {
    expect(await logsIn('pop3d', userOf('doveadm', scheme), how)).toBe(false);
  });

  // Dovecot has one password a user in a file, so it knows the main one only.
  it('pop3d takes an app password, until it expires and from where it may come', async () => {
    const tries = ['with-a-telephone', 'with-a-late-telephone', 'with-a-telephone-elsewhere'].map((user) =>
      logsIn.bind(null, 'pop3d', user, 'plain', APP_PASSWORD),
    );
    const outcomes: boolean[] = [];
    for (const attempt of tries) outcomes.push(await attempt());
    expect(outcomes).toEqual([true, false, false]);
  });
});

/** So many wrong passwords from one address, and not a minute to wait. */
const IMPATIENT = `
[throttle]
enabled = false

[limits]
failed_login_delay_seconds = 0
`;
