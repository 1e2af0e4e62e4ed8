import { afterAll, beforeAll, expect, it } from 'vitest';
import { Summary } from '../src/compare.js';
import { corpus } from '../src/corpus.js';
import { describeWith, pathOf } from '../src/programs.js';
import { type Finished, run } from '../src/run.js';
import { served } from '../src/server/served.js';
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
