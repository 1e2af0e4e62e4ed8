import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MECHANISM_NAMES } from '@pop3/server-node';
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
  it.each<[string, string | string[]]>([
    ['[server]\nlistn = ["127.0.0.1:110"]\n', '2:1: server.listn: unknown key; did you mean listen?'],
    [
      '[server]\nlisten-tls = ["127.0.0.1:995"]\n',
      '2:1: server.listen-tls: unknown key; did you mean listen_tls?',
    ],
    ['[sever]\nlisten = []\n', '1:2: sever: unknown section; did you mean server?'],
    [
      '\n[metrics]\n',
      `2:2: metrics: unknown section; known are ${Object.keys(configSchema.entries).join(', ')}`,
    ],
    ['maildir = "/srv/{user}"\n', '1:1: maildir: belongs under [store]'],
    ['[server]\nmaildir = "/x"\n', '2:1: server.maildir: unknown key; maildir belongs under [store]'],
    [
      '[users]\ncolour = "red"\n',
      '2:1: users.colour: unknown key; known are file, default_scheme, secret_file',
    ],
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
      '[[listener]]\naddress = "*:1"\n[[listener]]\naddress = "*:2"\nproxy_protcol = true\n',
      '5:1: listener[1].proxy_protcol: unknown key; did you mean proxy_protocol?',
    ],
    [
      '[[listener]]\nkey = "x"\n',
      [
        '1:3: listener[0].address: is missing: every [[listener]] needs it',
        '2:1: listener[0].key: unknown key; key belongs under [[certificate]]',
      ],
    ],
    [
      '[listener]\naddress = "*:1"\n',
      '1:2: listener: must be one table or more, each under [[listener]], not {"address":"*:1"}',
    ],
    ['listener = [1]\n', '1:13: listener[0]: must be a table of keys, not 1'],
    ['[[listeners]]\n', '1:3: listeners: unknown section; did you mean listener?'],
    [
      '[server]\nproxy_protocol = true\n',
      '2:1: server.proxy_protocol: unknown key; proxy_protocol belongs under [[listener]]',
    ],
    ['[[certificate]]\ncert = "a"\n', '1:3: certificate[0].key: is missing: every [[certificate]] needs it'],
    [
      '[[listener]]\naddress = "*:1"\nmin_version = "SSLv3"\n',
      '3:1: listener[0].min_version: must be one of "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", not "SSLv3"',
    ],
    [
      '[[listener]]\naddress = "*:1"\nxclient = "yes"\n',
      '3:1: listener[0].xclient: must be true or false, not "yes"',
    ],
    [
      '[server]\nmechanisms = [\n  "PLAIN",\n  "CRAMMD5",\n]\n',
      `4:3: server.mechanisms[1]: must be one of ${MECHANISM_NAMES.map((name) => `"${name}"`).join(', ')}, not "CRAMMD5"`,
    ],
    [
      '[server]\nmechanisms = []\n',
      '2:1: server.mechanisms: must be a list of one mechanism or more, not []',
    ],
    [
      '[server]\ntrusted_proxies = ["192.0.2.0/33"]\n',
      '2:20: server.trusted_proxies[0]: must be an address or a network, such as "192.0.2.7", "192.0.2.0/24" or "2001:db8::/32", not "192.0.2.0/33"',
    ],
    [
      '[oauth]\njwks_url = "login.example.org"\n',
      '2:1: oauth.jwks_url: must be an URL that starts with https://, or with http:// for this machine alone, not "login.example.org"',
    ],
    [
      '[lookup]\nheaders = { "a b" = "c" }\n',
      '2:13: lookup.headers.a b: must be the name of a header, not "a b"',
    ],
    [
      '[log]\nlevel = "chatty"\n',
      '2:1: log.level: must be one of "debug", "info", "warn", "error", "silent", not "chatty"',
    ],
  ])('%j', (text, problem) => {
    const file = configFile(text);
    expect(problemsOf({ file })).toEqual([problem].flat().map((one) => `${file}:${one}`));
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
  [
    'server.listen = ["a:1", "b:2"]\n[[listener]]\naddress = "b:2"\n',
    '3:1: listener[0].address: b:2 is an address of server.listen already',
  ],
  [
    '[[listener]]\naddress = "a:1"\nproxy_protocol = true\n',
    '3:1: listener[0].proxy_protocol: needs server.trusted_proxies',
  ],
  [
    '[[listener]]\naddress = "a:1"\ntrust_proxy_tls = true\n',
    '3:1: listener[0].trust_proxy_tls: needs proxy_',
  ],
  [
    'server.trusted_proxies = ["::1"]\n[[certificate]]\ncert = "a"\nkey = "b"\n[[listener]]\naddress = "a:1"\ntls = "implicit"\nxclient = true\n',
    '8:1: listener[0].xclient: is sent in the clear; use tls = "off" or "starttls" with it',
  ],
  [
    '[[listener]]\naddress = "a:1"\ntls = "starttls"\n',
    '3:1: listener[0].tls: "starttls" needs a certificate: set server.tls_cert',
  ],
  [
    'server.listen = ["a:1"]\nserver.tls_client_ca = "x"\n',
    '2:1: server.tls_client_ca: needs server.tls_cert and server.tls_key',
  ],
  [
    'server.listen = ["a:1"]\nserver.mechanisms = ["ANONYMOUS"]\n',
    '2:1: server.mechanisms: ANONYMOUS needs anonymous.maildrop',
  ],
  [
    'server.listen = ["a:1"]\nanonymous.maildrop = "x"\n',
    '2:1: anonymous.maildrop: needs "ANONYMOUS" in server.mechanisms',
  ],
  ['server.listen = ["a:1"]\n[lookup]\nurl = "https://a/"\n', '3:1: lookup.url: needs lookup.type beside it'],
  ['server.listen = ["a:1"]\n[lookup]\ntype = "http"\n', '3:1: lookup.type: "http" needs lookup.url'],
  [
    'server.listen = ["a:1"]\n[lookup]\ntype = "command"\n',
    '3:1: lookup.type: "command" needs lookup.command',
  ],
  [
    'server.listen = ["a:1"]\n[lookup]\ntype = "command"\ncommand = ["a"]\nurl = "https://a/"\n',
    '5:1: lookup.url: is for type = "http"',
  ],
  [
    'server.listen = ["a:1"]\n[lookup]\ntype = "http"\ncommand = ["a"]\nurl = "https://a/"\n',
    '4:1: lookup.command: is for type = "command"',
  ],
  [
    'server.listen = ["a:1"]\n[oauth]\naudience = "a"\njwks_url = "https://a/"\n',
    '4:1: oauth.jwks_url: needs oauth.issuer beside it',
  ],
  [
    'server.listen = ["a:1"]\n[oauth]\nintrospection_url = "https://a/"\n',
    '3:1: oauth.introspection_url: needs oauth.client_id beside it',
  ],
  [
    'server.listen = ["a:1"]\n[oauth]\nclient_id = "a"\nintrospection_url = "https://a/"\n',
    '4:1: oauth.introspection_url: needs oauth.client_secret_file beside it, or POP3D_OAUTH_CLIENT_SECRET in the',
  ],
  [
    'server.listen = ["a:1"]\n[throttle]\nfirst_wait_seconds = 60\n',
    '2:2: throttle.max_wait_seconds: 30 is less than throttle.first_wait_seconds, which is 60',
  ],
  [
    'server.listen = ["a:1"]\n[oauth]\nscope = "mail"\n',
    '3:1: oauth.scope: needs oauth.jwks_url or oauth.introspection_url',
  ],
  [
    'server.listen = ["a:1"]\n[oauth]\nissuer = "a"\naudience = "a"\nclient_id = "a"\njwks_url = "https://a/"\nintrospection_url = "https://a/"\n',
    '7:1: oauth.introspection_url: is in place of oauth.jwks_url',
  ],
])('what keeps a server from starting is at its place: %j', (text, problem) => {
  const file = configFile(text);
  // Files that are named and are not there come after it.
  expect(problemsOf({ file, conflicts: conflictsOfServing })[0]).toContain(
    `${file}:${problem}`.replace('file: /', `file: ${join(file, '../nobody')} is not there`),
  );
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

  it('takes switches from the environment by the words that tools use for them', () => {
    const enabled = (value: string) =>
      loadConfig({ environment: { POP3D_SDPS_ENABLED: value }, flags: {} }).sdps.enabled;
    expect(['1', 'yes', 'TRUE', 'off', '0'].map(enabled)).toEqual([true, true, true, false, false]);
    expect(problemsOf({ environment: { POP3D_SDPS_ENABLED: 'maybe' } })).toEqual([
      'POP3D_SDPS_ENABLED: sdps.enabled: must be true or false, not "maybe"',
    ]);
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
    const tables = configFile('[[certificate]]\ncert = "a/cert.pem"\nkey = "/etc/key.pem"\n');
    expect(loadConfig({ file: tables, environment: {}, flags: {} }).certificate).toEqual([
      { cert: join(tables, '../a/cert.pem'), key: '/etc/key.pem' },
    ]);
  });
});

describe('pop3d.example.toml', () => {
  const text = readFileSync(EXAMPLE, 'utf8');

  it('is a good configuration', () => {
    expect(loadConfig({ file: EXAMPLE, environment: {}, flags: {} }).store.maildir).toBe('/srv/mail/{user}');
  });

  it('stays good with everything in it', () => {
    const file = configFile(text.replace(/^# (\w+ = |\[\[\w+\]\]$)/gm, '$1'));
    expect(problemsOf({ file })).toEqual([]);
    const values = parse(readFileSync(file, 'utf8'));
    for (const { section, key } of settings) {
      expect([values[section]].flat()[0], `${section}.${key}`).toHaveProperty(key);
    }
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
