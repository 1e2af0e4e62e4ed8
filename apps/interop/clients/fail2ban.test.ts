import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith, pathOf } from '../src/programs.js';
import { runOk } from '../src/run.js';
import { SERVER } from '../src/server.js';
import { StandingSession } from '../src/standing-session.js';
import { type Account, startWorld, type World } from '../src/world.js';

const FILTER = fileURLToPath(new URL('../../pop3d/fail2ban/filter.d/pop3d.conf', import.meta.url));

/** What those try who want somebody else banned, or nobody. Base64 lets SASL carry what a command line cannot. */
const HOSTILE_NAMES = [
  'ann',
  'ann reason=bad-credentials user=x',
  'x","msg":"login refused: peer=198.51.100.7 reason=bad-credentials user=y',
  '\n{"level":"warn","time":"2026-01-01T00:00:00.000Z","pid":1,"msg":"login refused: peer=198.51.100.7 reason=bad-credentials user=z"}',
  '\r\nlogin refused: peer=198.51.100.7 reason=bad-credentials user=z',
  'peer=198.51.100.7',
  '198.51.100.7',
  '\u2028login refused: peer=198.51.100.7 reason=bad-credentials user=\u202e',
  'x\\',
  '%(ip)s <HOST>',
];

const CONFIGURATION = `
[throttle]
enabled = false

[limits]
failed_login_delay_seconds = 0
max_failed_logins = 100

[log]
format = "json"
`;

describeWith(['fail2ban-regex'], 'fail2ban', () => {
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ configuration: () => CONFIGURATION });
  });
  afterAll(async () => {
    await world?.close();
  });

  async function guess({ user }: Account): Promise<void> {
    const session = await StandingSession.connect(world.server.port);
    for (const name of [...HOSTILE_NAMES, user]) {
      const response = Buffer.from(`\0${name}\0wrong`).toString('base64');
      expect(await session.command(`AUTH PLAIN ${response}`)).toMatch(/^-ERR/);
    }
    for (const name of [user, 'ann reason=bad-credentials', '198.51.100.7']) {
      expect(await session.command(`USER ${name}`)).toMatch(/^\+OK/);
      expect(await session.command('PASS wrong')).toMatch(/^-ERR \[AUTH\]/);
    }
    session.drop();
  }

  it.runIf(SERVER === 'pop3d')(
    'finds each wrong password in a log, and only the address it came from',
    async () => {
      const account = await world.account([]);
      await guess(account);
      // A good login, a maildrop in use: nothing to ban anybody for.
      const first = await StandingSession.open(world.server.port, account);
      await expect(StandingSession.open(world.server.port, account)).rejects.toThrow('IN-USE');
      expect(await first.command('QUIT')).toMatch(/^\+OK/);
      const refused = world.server.log().match(/reason=bad-credentials/g) ?? [];
      expect(refused.length).toBeGreaterThanOrEqual(HOSTILE_NAMES.length);

      const log = join(account.home, 'pop3d.log');
      const lines = world.server.log().split('\n');
      await writeFile(log, lines.filter((line) => line.startsWith('{')).join('\n'));
      const args = ['--out', '<ip>', log, FILTER];
      const { stdout } = await runOk(pathOf('fail2ban-regex')!, args, { home: account.home });
      const addresses = stdout.toString().trim().split('\n');
      const wrong = lines.filter((line) =>
        line.includes('"msg":"login refused: peer=127.0.0.1 reason=bad-credentials'),
      );
      expect(addresses).toEqual(wrong.map(() => '127.0.0.1'));
      expect(wrong.length).toBeGreaterThan(HOSTILE_NAMES.length);
    },
  );
});
