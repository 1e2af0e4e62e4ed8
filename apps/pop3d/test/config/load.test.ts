import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { describe, expect, it } from 'vitest';
import { conflictsOfServing } from '../../src/config/conflicts.js';
import { ConfigError, loadConfig } from '../../src/config/load.js';
import { configSchema, inMs, settings } from '../../src/config/schema.js';
import { temporaryFolder } from '../temporary-folder.js';

const EXAMPLE = join(import.meta.dirname, '../../pop3d.example.toml');

function configFile(text: string): string {
  const file = join(temporaryFolder(), 'pop3d.toml');
  writeFileSync(file, text);
  return file;
}

function problemsOf(sources: Partial<Parameters<typeof loadConfig>[0]>): readonly string[] {
  try {
    loadConfig({ environment: {}, flags: {}, ...sources });
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).problems;
  }
}

describe('an error names file, line, key and what to do:', () => {
  it.each([
    ['[server]\nlistn = ["127.0.0.1:110"]\n', '2:1: server.listn: unknown key; did you mean listen?'],
    [
      '[server]\nlisten-tls = ["127.0.0.1:995"]\n',
      '2:1: server.listen-tls: unknown key; did you mean listen_tls?',
    ],
    ['[sever]\nlisten = []\n', '1:2: sever: unknown section; did you mean server?'],
    ['\n[metrics]\n', '2:2: metrics: unknown section; known are server, users, store, limits, log'],
    ['maildir = "/srv/{user}"\n', '1:1: maildir: belongs under [store]'],
    ['[server]\nmaildir = "/x"\n', '2:1: server.maildir: unknown key; maildir belongs under [store]'],
    ['[users]\ncolour = "red"\n', '2:1: users.colour: unknown key; known are file, default_scheme'],
    ['server = 5\n', '1:1: server: must be a table of keys, not 5'],
    [
      '[server]\nlisten = "127.0.0.1:110"\n',
      '2:1: server.listen: must be a list, such as ["127.0.0.1:110"], not "127.0.0.1:110"',
    ],
    [
      '[server]\nlisten = [\n  "127.0.0.1:110",\n  "110",\n]\n',
      '4:3: server.listen[1]: must be HOST:PORT, such as "127.0.0.1:110", "[::1]:110" or "*:110", not "110"',
    ],
    ['server.workers = 0\n', '1:1: server.workers: must be a whole number from 1 to 256, not 0'],
    ['[server]\nworkers = 1.5\n', '2:1: server.workers: must be a whole number from 1 to 256, not 1.5'],
    ['[server]\nworkers = "2"\n', '2:1: server.workers: must be a whole number from 1 to 256, not "2"'],
    [
      '[server]\n\nplaintext_auth = true\n',
      '3:1: server.plaintext_auth: must be one of "refuse", "allow", "allow-on-loopback", not true',
    ],
    ['[server]\nexpire = "soon"\n', '2:1: server.expire: must be a number of days, or "never", not "soon"'],
    ['[users]\nfile = ""\n', '2:1: users.file: must be a text that is not empty, not ""'],
    [
      '[limits]\nautologout_seconds = 30\n',
      '2:1: limits.autologout_seconds: must be a whole number from 600 to 2147000, not 30',
    ],
    ['server = [1]\n', '1:1: server: must be a table of keys, not [1]'],
    ['[[server]]\nworkers = 1\n', '1:3: server: must be a table of keys, not [{"workers":1}]'],
    [
      '[server]\ndrain_seconds = nan\n',
      '2:1: server.drain_seconds: must be a number of seconds from 0 to 2147000, not NaN',
    ],
    [
      '[server]\ndrain_seconds = 2_147_484\n',
      '2:1: server.drain_seconds: must be a number of seconds from 0 to 2147000, not 2147484',
    ],
    [
      '[limits]\nmax_sasl_line_octets = 254\n',
      '2:1: limits.max_sasl_line_octets: must be a whole number from 255 to 2147483647, not 254',
    ],
    [
      '[server]\ngreeting = "a < b"\n',
      '2:1: server.greeting: must be at most 200 characters of ASCII, none of them <, not "a < b"',
    ],
    [
      '[server]\nimplementation = "p "\n',
      '2:1: server.implementation: must be at most 255 characters of ASCII, with no space at either end, not "p "',
    ],
    ['[store]\nmaildir = ["a"]\n', '2:1: store.maildir: must be a text in quotes, not ["a"]'],
    [
      '[log]\nlevel = "chatty"\n',
      '2:1: log.level: must be one of "debug", "info", "warn", "error", "silent", not "chatty"',
    ],
  ])('%j', (text, problem) => {
    const file = configFile(text);
    expect(problemsOf({ file })).toEqual([`${file}:${problem}`]);
  });

  it('all problems at once', () => {
    const file = configFile('[server]\nworkers = 0\n[user]\n[log]\nlevel = 1\n');
    expect(problemsOf({ file }).map((problem) => problem.slice(file.length + 1))).toEqual([
      expect.stringMatching(/^2:1: server\.workers: /),
      expect.stringMatching(/^5:1: log\.level: /),
      expect.stringMatching(/^3:2: user: unknown section; did you mean users\?/),
    ]);
  });

  it('text that is not TOML', () => {
    const file = configFile('[server]\nlisten = [\n');
    expect(problemsOf({ file })).toEqual([expect.stringMatching(`^${file}:\\d+:\\d+: not valid TOML: `)]);
  });

  it('a file that cannot be read', () => {
    const file = join(temporaryFolder(), 'nowhere.toml');
    expect(problemsOf({ file })).toEqual([expect.stringContaining(`${file}: cannot be read: ENOENT`)]);
  });

  it('a flag and a variable by their names', () => {
    expect(problemsOf({ flags: { listen: ['here'] }, environment: { POP3D_WORKERS: 'many' } })).toEqual([
      expect.stringMatching(/^--listen: server\.listen\[0\]: must be HOST:PORT/),
      'POP3D_WORKERS: server.workers: must be a whole number from 1 to 256, not "many"',
    ]);
  });
});

it.each([
  ['[server]\n', '1:2: server.listen: nothing to listen on: give --listen'],
  ['[server]\nlisten = ["a:1"]\ntls_cert = "x"\n', '3:1: server.tls_cert: needs server.tls_key beside it'],
  ['[server]\nlisten = ["a:1"]\ntls_key = "x"\n', '3:1: server.tls_key: needs server.tls_cert beside it'],
  ['[server]\nlisten_tls = ["a:1"]\n', '2:1: server.listen_tls: needs a certificate: give --tls-cert'],
  ['server.listen = ["a:1"]\n[users]\nfile = "nobody"\n', '3:1: users.file: /'],
  ['server.listen = ["a:1"]\n[store]\nmaildir = "/x"\n', '3:1: store.maildir: cannot be used: "/x" has no'],
])('what keeps a server from starting is at its place: %j', (text, problem) => {
  const file = configFile(text);
  expect(problemsOf({ file, conflicts: conflictsOfServing })).toEqual([
    expect.stringContaining(
      `${file}:${problem}`.replace('file: /', `file: ${join(file, '../nobody')} is not there`),
    ),
  ]);
  expect(problemsOf({ file })).toEqual([]);
});

it('a time is rounded to whole milliseconds', () => {
  expect(inMs(2.01)).toBe(2010);
});

describe('precedence', () => {
  const file = () => configFile('[server]\nworkers = 2\ndrain_seconds = 7\n[users]\nfile = "users"\n');

  it('is flags, then environment, then file, then default', () => {
    const environment = { POP3D_WORKERS: '3', POP3D_SERVER_DRAIN_SECONDS: '8', POP3D_LISTEN: '' };
    const config = loadConfig({ file: file(), environment, flags: { workers: 4 } });
    expect(config.server).toMatchObject({
      workers: 4,
      drain_seconds: 8,
      listen: [],
      implementation: 'pop3d',
    });
    expect(loadConfig({ file: file(), environment, flags: {} }).server.workers).toBe(3);
    expect(loadConfig({ file: file(), environment: {}, flags: {} }).server.workers).toBe(2);
    expect(loadConfig({ environment: {}, flags: {} }).server.workers).toBe(1);
  });

  it('takes lists from repeated flags and from commas in the environment', () => {
    const config = loadConfig({
      environment: { POP3D_LISTEN_TLS: 'a:1,b:2' },
      flags: { listen: ['c:3', 'd:4'] },
    });
    expect(config.server).toMatchObject({ listen: ['c:3', 'd:4'], listen_tls: ['a:1', 'b:2'] });
  });

  it.each([
    [{ 'allow-plaintext-auth': true }, {}, 'allow'],
    [{}, { POP3D_ALLOW_PLAINTEXT_AUTH: '1' }, 'allow'],
    [{}, { POP3D_ALLOW_PLAINTEXT_AUTH: 'false' }, 'refuse'],
    [{}, { POP3D_ALLOW_PLAINTEXT_AUTH: 'allow-on-loopback' }, 'allow-on-loopback'],
    [{}, {}, 'allow-on-loopback'],
  ])('makes of %j and %j the plaintext_auth %j', (flags, environment, expected) => {
    expect(loadConfig({ environment, flags }).server.plaintext_auth).toBe(expected);
  });

  it('ignores variables that are not ours, such as those of a cluster', () => {
    const environment = { POP3D_PORT: 'tcp://192.0.2.1:110', POP3D_SERVICE_HOST: '192.0.2.1' };
    expect(problemsOf({ environment })).toEqual([]);
  });

  it('resolves files of the file against its folder, those of flags not', () => {
    const path = file();
    const config = loadConfig({ file: path, environment: {}, flags: { maildir: 'mail/{user}' } });
    expect(config.users.file).toBe(join(path, '../users'));
    expect(config.store.maildir).toBe('mail/{user}');
  });
});

describe('pop3d.example.toml', () => {
  const text = readFileSync(EXAMPLE, 'utf8');

  it('is a good configuration', () => {
    expect(loadConfig({ file: EXAMPLE, environment: {}, flags: {} }).store.maildir).toBe('/srv/mail/{user}');
  });

  it('stays good with everything in it', () => {
    const file = configFile(text.replace(/^# (\w+ = )/gm, '$1'));
    expect(problemsOf({ file })).toEqual([]);
    const values = parse(readFileSync(file, 'utf8'));
    for (const { section, key } of settings) expect(values[section], `${section}.${key}`).toHaveProperty(key);
    expect(Object.keys(values)).toEqual(Object.keys(configSchema.entries));
  });

  it('shows the defaults', () => {
    const values = parse(text) as Record<string, Record<string, unknown>>;
    for (const setting of settings) {
      const shown = values[setting.section]?.[setting.key];
      if (shown === undefined || setting.default === undefined || setting.key === 'listen') continue;
      expect(shown, setting.key).toEqual(setting.default);
    }
  });
});
