import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { corpus } from '../src/corpus.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { served } from '../src/server/served.js';
import { type CertificateForm, startTlsWorld, type TlsWorld } from '../src/tls-world.js';
import { dotStuffed } from '../src/wire-form.js';
import { type Account, startWorld, type World } from '../src/world.js';

const VERSIONS = { 'TLSv1.2': '-tls1_2', 'TLSv1.3': '-tls1_3' } as const;

describeWith(['openssl'], 'openssl s_client', () => {
  const messages = served(corpus());
  const summary = new Summary('openssl s_client');
  let world: World;

  beforeAll(async () => {
    world = await startWorld();
  });
  afterAll(async () => {
    await world?.close();
    summary.print();
  });

  /** Sends the commands all at once, and returns what the server says inside TLS, as it comes. */
  function client(
    security: 'STLS' | 'TLS',
    commands: readonly string[],
    flags: readonly string[],
  ): Promise<Finished> {
    const input = commands.map((command) => `${command}\r\n`).join('');
    const starttls = security === 'STLS' ? ['-starttls', 'pop3'] : [];
    const trust = ['-CAfile', world.certificate, '-verify_return_error', '-verify_hostname', 'localhost'];
    const connect = ['s_client', '-connect', `127.0.0.1:${world.port(security)}`, '-servername', 'localhost'];
    const args = [...connect, ...starttls, ...trust, '-quiet', '-brief', ...flags];
    return run(pathOf('openssl')!, args, { home: '/', input });
  }

  const login = ({ user, password }: Account): string[] => [`USER ${user}`, `PASS ${password}`];

  it.each([
    ['STLS', 'TLSv1.2'],
    ['STLS', 'TLSv1.3'],
    ['TLS', 'TLSv1.2'],
    ['TLS', 'TLSv1.3'],
  ] as const)('speaks %s with %s and gets every octet of every response', async (security, version) => {
    const account = await world.account(messages);
    const retr = messages.map((_, i) => `RETR ${i + 1}`);
    const done = await client(security, [...login(account), ...retr, 'QUIT'], [VERSIONS[version]]);
    expect(done.stderr).toContain(`Protocol version: ${version}`);

    // s_client reads the greeting itself before STLS.
    const said = new Responses(done.stdout);
    for (let i = security === 'STLS' ? 1 : 0; i < 3; i++) expect(said.line()).toMatch(/^\+OK/);
    const received = messages.map(({ name, wire }) => {
      expect(said.line(), name).toMatch(/^\+OK/);
      const expected = Buffer.concat([dotStuffed(wire), Buffer.from('.\r\n')]);
      return { name, expected, actual: said.take(expected.length) };
    });
    expect(summary.compared(`${security}, ${version}, with stuffing and terminator`, received)).toEqual([]);
    expect(said.line()).toMatch(/^\+OK/);
    expect(said.take(1)).toHaveLength(0);
  });

  it.each(['STLS', 'TLS'] as const)('is refused over %s with TLS 1.1', async (security) => {
    const done = await client(security, ['QUIT'], ['-tls1_1', '-cipher', 'DEFAULT@SECLEVEL=0']);
    expect(done.code).not.toBe(0);
    expect(done.stderr).not.toContain('Protocol version');
    expect(done.stdout).toHaveLength(0);
  });
});

/** What s_client prints of a connection. */
function factsOf({ stdout }: Finished) {
  const printed = stdout.toString('latin1');
  const [, how, version, cipher] = /^(New|Reused), (\S+), Cipher is (\S+)$/m.exec(printed) ?? [];
  const [, subject] = /^subject=CN = (\S+)$/m.exec(printed) ?? [];
  const [, alpn = null] = /^ALPN protocol: (\S+)$/m.exec(printed) ?? [];
  return { resumed: how === 'Reused', version, cipher, subject, alpn, greeted: printed.includes('+OK POP3') };
}

const FIRST: CertificateForm = { name: 'first', dnsName: 'first.example.org', key: 'ec' };
const SECOND: CertificateForm = { name: 'second', dnsName: 'second.example.org', key: 'rsa' };

describeWith(['openssl'], 'TLS of pop3d, as openssl s_client finds it', () => {
  const version = { 'TLS 1.2': '-tls1_2', 'TLS 1.3': '-tls1_3' } as const;
  const versions = Object.entries(version);
  const roads = (['TLS', 'STLS'] as const).flatMap((road) =>
    versions.map(([name, flag]) => [road, name, flag]),
  );
  let world: TlsWorld;
  beforeAll(async () => {
    world = await startTlsWorld({
      certificates: [FIRST, SECOND],
      listeners: ['tls = "implicit"', 'tls = "starttls"', 'tls = "implicit"\nmin_version = "TLSv1"'],
      workers: 2,
    });
  });
  afterAll(() => world?.close());

  const portOf = (road: string) => world.ports[road === 'STLS' ? 1 : 0] as number;
  const flagsOf = (road: string) => (road === 'STLS' ? ['-starttls', 'pop3'] : []);
  const connect = async (road: string, ...flags: string[]) =>
    factsOf(await world.client(portOf(road), [...flagsOf(road), ...flags]));

  it.each(['-tls1', '-tls1_1'])('is not older than 1.2, but on a listener that says so: %s', async (old) => {
    const flags = [old, '-cipher', 'DEFAULT@SECLEVEL=0'];
    expect(await connect('TLS', ...flags)).toMatchObject({ cipher: '(NONE)', greeted: false });
    expect(await connect('STLS', ...flags)).toMatchObject({ cipher: '(NONE)' });
    const there = factsOf(await world.client(world.ports[2] as number, flags));
    expect(there).toMatchObject({ resumed: false, subject: 'first.example.org', greeted: true });
    const now = factsOf(await world.client(world.ports[2] as number, []));
    expect(now).toMatchObject({ version: 'TLSv1.3', greeted: true });
  });

  it('has forward-secret ciphers with authentication and no others', async () => {
    const found: string[] = [];
    for (;;) {
      const others = ['ALL', 'COMPLEMENTOFALL', ...found.map((name) => `!${name}`), '@SECLEVEL=0'].join(':');
      const { cipher } = await connect('TLS', '-tls1_2', '-cipher', others);
      if (cipher === undefined || cipher === '(NONE)') break;
      found.push(cipher);
    }
    expect(found.sort()).toEqual([
      'ECDHE-ECDSA-AES128-GCM-SHA256',
      'ECDHE-ECDSA-AES256-GCM-SHA384',
      'ECDHE-ECDSA-CHACHA20-POLY1305',
    ]);
  });

  it.each(roads)('does not begin anew, and does not compress: %s, %s', async (road, name, flag) => {
    const flags = [...flagsOf(road as string), flag as string, '-comp'];
    const done = await world.interactiveClient(
      portOf(road as string),
      flags,
      name === 'TLS 1.2' ? 'R\n' : 'Q\n',
    );
    const printed = done.stdout.toString('latin1');
    expect(printed).toContain('Compression: NONE');
    // TLS 1.3 has no renegotiation.
    if (name === 'TLS 1.2')
      expect(`${printed}${done.stderr}`).toMatch(/RENEGOTIATING[\s\S]*no renegotiation/);
  });

  it.each(roads)('resumes sessions, in both workers: %s, %s', async (road, _, flag) => {
    const first = await connect(road as string, flag as string, '-sess_out', 'session');
    expect(first).toMatchObject({ resumed: false });
    // Workers take turns.
    for (let i = 0; i < 4; i++) {
      const again = await connect(road as string, flag as string, '-sess_in', 'session');
      expect(again).toMatchObject({ resumed: true, version: first.version });
    }
  });

  it('resumes as often as s_client likes to reconnect', async () => {
    const done = await world.client(portOf('TLS'), ['-tls1_2', '-reconnect']);
    const printed = done.stdout.toString('latin1');
    expect(printed.match(/^New, TLSv1.2/gm)).toHaveLength(1);
    expect(printed.match(/^Reused, TLSv1.2/gm)).toHaveLength(5);
  });

  it.each(roads)('speaks pop3 by ALPN and nothing else: %s, %s', async (road, _, flag) => {
    const offering = (protocols: string) => connect(road as string, flag as string, '-alpn', protocols);
    expect(await offering('imap,pop3')).toMatchObject({ alpn: 'pop3', subject: 'first.example.org' });
    expect(await offering('imap')).toMatchObject({ cipher: '(NONE)' });
  });

  it.each(roads)('has the certificate of the name that is asked for: %s, %s', async (road, _, flag) => {
    const asking = (...flags: string[]) => connect(road as string, flag as string, ...flags);
    expect(await asking('-servername', 'second.example.org')).toMatchObject({
      subject: 'second.example.org',
    });
    expect(await asking('-servername', 'first.example.org')).toMatchObject({
      subject: 'first.example.org',
    });
    expect(await asking('-servername', 'other.example.org')).toMatchObject({
      subject: 'first.example.org',
    });
    expect(await asking('-noservername')).toMatchObject({ subject: 'first.example.org' });
  });

  it('gives a renewed certificate to the next connection, and no session ends for it', async () => {
    const standing = world.standingClient(portOf('TLS'));
    expect(await standing.line()).toMatch(/^\+OK/);
    standing.send('USER ann\r\nPASS secret-of-ann\r\n');
    for (let i = 0; i < 2; i++) expect(await standing.line()).toMatch(/^\+OK/);
    await connect('TLS', '-sess_out', 'session');

    await world.certificate({ ...FIRST, dnsName: 'renewed.example.org' });
    let subject: string | undefined;
    // Each worker finds it when it looks the next time.
    for (let served = 0; served < 4; served = subject === 'renewed.example.org' ? served + 1 : 0) {
      ({ subject } = await connect('TLS'));
    }
    expect(await connect('TLS', '-sess_in', 'session')).toMatchObject({ resumed: true });
    standing.send('STAT\r\nQUIT\r\n');
    expect(await standing.line()).toBe('+OK 0 0');
    expect(await standing.line()).toMatch(/^\+OK/);
    await world.certificate(FIRST);
  });
});

describeWith(['openssl'], 'two of pop3d', () => {
  it('resume the sessions of each other with one file of ticket keys, and not without', async () => {
    const keys = join(await mkdtemp(join(tmpdir(), 'pop3-tickets-')), 'keys');
    await writeFile(keys, randomBytes(48));
    const start = (server: string) =>
      startTlsWorld({ certificates: [FIRST], listeners: ['tls = "implicit"'], server });
    const shared = `tls_ticket_key_file = "${keys}"`;
    const worlds = await Promise.all([start(shared), start(shared), start('')]);
    try {
      const [one, two, other] = worlds;
      const session = join(one.directory, 'session');
      for (const flag of ['-tls1_2', '-tls1_3']) {
        await one.client(one.ports[0] as number, [flag, '-sess_out', session]);
        const resumedBy = async ({ client, ports }: TlsWorld) =>
          factsOf(await client(ports[0] as number, [flag, '-sess_in', session])).resumed;
        expect(await resumedBy(two)).toBe(true);
        expect(await resumedBy(other)).toBe(false);
      }
    } finally {
      await Promise.all(worlds.map((world) => world.close()));
      await rm(dirname(keys), { recursive: true });
    }
  });
});

/** Walks through what a server said. */
class Responses {
  readonly #octets: Buffer;
  #at = 0;

  constructor(octets: Buffer) {
    this.#octets = octets;
  }

  /** The next line, without CRLF. */
  line(): string {
    const end = this.#octets.indexOf('\r\n', this.#at);
    const line = this.#octets.subarray(this.#at, end).toString('latin1');
    this.#at = end + 2;
    return line;
  }

  /** The next octets, fewer when there are not so many. */
  take(octets: number): Buffer {
    this.#at += octets;
    return this.#octets.subarray(this.#at - octets, this.#at);
  }
}
