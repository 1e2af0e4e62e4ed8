import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { corpus } from '../src/corpus.js';
import { describeWith, pathOf } from '../src/programs.js';
import { run } from '../src/run.js';
import { everyMechanism } from '../src/server/every-mechanism.js';
import { SERVER } from '../src/server.js';
import { startWorld, type World } from '../src/world.js';

const SCRIPT = readFileSync(new URL('scram_session.py', import.meta.url), 'utf8');

type Binding = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique';
type Version = 'TLS1.2' | 'TLS1.3';

interface Login {
  readonly mechanism: string;
  readonly binding: Binding | 'unseen' | null;
  readonly password?: string;
  /** Somebody in between has made two connections of one. */
  readonly flip?: boolean;
}

interface Session {
  readonly version: Version;
  readonly announced: readonly string[];
  readonly logins: readonly {
    readonly status: string;
    readonly verified: boolean;
    readonly error?: string;
  }[];
  /** Message 1, when a login was good. */
  readonly message?: string;
  readonly quit: string;
}

// Dovecot 2.3 has no channel binding. mpop brings the two libraries, which are GNU SASL and GnuTLS.
describeWith(['python3', 'mpop'], 'libgsasl over GnuTLS', () => {
  const [message] = corpus();
  let world: World;

  beforeAll(async () => {
    world = await startWorld({ configuration: everyMechanism });
  });
  afterAll(async () => {
    await world?.close();
  });

  /** One connection, on which each login is tried in turn until one is good. */
  async function session(
    security: 'STLS' | 'TLS',
    version: Version,
    logins: readonly Login[],
  ): Promise<Session> {
    const { user, password, home } = await world.account([message!]);
    const plan = {
      port: world.port(security),
      stls: security === 'STLS',
      version,
      certificate: world.certificate,
      logins: logins.map((login) => ({ user, password, flip: false, ...login })),
    };
    const done = await run(pathOf('python3')!, ['-c', SCRIPT], { home, input: JSON.stringify(plan) });
    expect(done.code, done.stderr).toBe(0);
    return JSON.parse(done.stdout.toString()) as Session;
  }

  const BINDINGS: readonly (readonly [Binding, Version])[] = [
    ['tls-unique', 'TLS1.2'],
    ['tls-server-end-point', 'TLS1.2'],
    ['tls-server-end-point', 'TLS1.3'],
    ['tls-exporter', 'TLS1.3'],
  ];
  const cases = BINDINGS.flatMap(([binding, version]) =>
    ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'].flatMap((mechanism) =>
      (['STLS', 'TLS'] as const).map((security) => ({ mechanism, binding, version, security })),
    ),
  );

  it.runIf(SERVER === 'pop3d').each(cases)(
    'logs in with $mechanism bound by $binding over $security with $version, and is refused when the binding is another one',
    async ({ mechanism, binding, version, security }) => {
      const read = await session(security, version, [
        { mechanism, binding, flip: true },
        { mechanism, binding, password: 'wrong' },
        { mechanism, binding },
      ]);
      expect(read.version).toBe(version);
      expect(read.logins).toEqual([
        { status: '-ERR [AUTH] channel binding does not match', verified: false },
        { status: '-ERR [AUTH] authentication failed', verified: false },
        { status: expect.stringMatching(/^\+OK/), verified: true },
      ]);
      expect(read.message).toBe(message!.wire.toString());
      expect(read.quit).toMatch(/^\+OK/);
    },
  );

  it.runIf(SERVER === 'pop3d').each(['SCRAM-SHA-1', 'SCRAM-SHA-256'])(
    'is refused with %s when it believes that -PLUS was not offered, and let in when it cannot bind',
    async (mechanism) => {
      const read = await session('TLS', 'TLS1.3', [
        { mechanism, binding: 'unseen' },
        { mechanism, binding: null },
      ]);
      expect(read.announced).toContain(`${mechanism}-PLUS`);
      expect(read.logins).toEqual([
        { status: '-ERR [AUTH] channel binding is on offer, and was not seen', verified: false },
        { status: expect.stringMatching(/^\+OK/), verified: true },
      ]);
    },
  );

  // RFC 9266 section 1: tls-unique is not defined for TLS 1.3.
  it.runIf(SERVER === 'pop3d')('cannot bind by tls-unique with TLS 1.3', async () => {
    const mechanism = 'SCRAM-SHA-256-PLUS';
    const read = await session('TLS', 'TLS1.3', [{ mechanism, binding: 'tls-unique' }]);
    expect(read.logins).toEqual([
      { status: '-ERR [AUTH] this channel binding is not supported', verified: false },
    ]);
  });

  it.each(['SCRAM-SHA-1', 'SCRAM-SHA-256'])('logs in with %s after a wrong password', async (mechanism) => {
    const read = await session('TLS', 'TLS1.3', [
      { mechanism, binding: null, password: 'wrong' },
      { mechanism, binding: null },
    ]);
    expect(read.logins).toEqual([
      { status: expect.stringMatching(/^-ERR \[AUTH\]/), verified: false },
      { status: expect.stringMatching(/^\+OK/), verified: true },
    ]);
    expect(read.message).toBe(message!.wire.toString());
  });
});
