import { writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/failure.js';
import { Client, pop3d, type Running, serve } from '../pop3d.js';
import { place } from './place.js';

const REST = '[users]\nfile = "users"\n[store]\nmaildir = "mail/{user}"\n';

describe('of a broken configuration it names the file, the line, the key and what to do:', () => {
  it.each<[string, string, string | RegExp]>([
    ['text that is not TOML', '[server\n', /^1:\d+: not valid TOML: /],
    [
      'a misspelt key',
      '[server]\nlistn = ["127.0.0.1:0"]\n',
      '2:1: server.listn: unknown key; did you mean listen?',
    ],
    [
      'a misspelt key in one of several tables',
      `[[listener]]\naddress = "127.0.0.1:1"\n[[listener]]\naddress = "127.0.0.1:2"\nmin_verson = "TLSv1.3"\n${REST}`,
      '5:1: listener[1].min_verson: unknown key; did you mean min_version?',
    ],
    [
      'nothing to listen on',
      REST,
      'server.listen: nothing to listen on: give --listen 127.0.0.1:2110, or set it',
    ],
    [
      'an address without a port',
      `server.listen = ["127.0.0.1"]\n${REST}`,
      '1:18: server.listen[0]: must be HOST:PORT, such as "127.0.0.1:110"',
    ],
    [
      'TLS without a certificate',
      `[[listener]]\naddress = "127.0.0.1:0"\ntls = "implicit"\n${REST}`,
      '3:1: listener[0].tls: "implicit" needs a certificate: set server.tls_cert and server.tls_key',
    ],
    [
      'a certificate that is not there',
      `[server]\nlisten = ["127.0.0.1:0"]\ntls_cert = "no.pem"\ntls_key = "key.pem"\n${REST}`,
      /^3:1: server\.tls_cert: cannot be read: ENOENT.*no\.pem'; give the file with the certificate and its chain, PEM/,
    ],
    [
      'the key of another certificate',
      `[server]\nlisten = ["127.0.0.1:0"]\ntls_cert = "cert.pem"\ntls_key = "other-key.pem"\n${REST}`,
      /^4:1: server\.tls_key: .*other-key\.pem is not the key of the certificate in .*cert\.pem; give the one/,
    ],
    [
      'a key in place of a further certificate',
      `server.listen = ["127.0.0.1:0"]\n[[certificate]]\ncert = "key.pem"\nkey = "key.pem"\n${REST}`,
      /^3:1: certificate\[0\]\.cert: .*key\.pem holds no certificate in PEM form: -----BEGIN CERTIFICATE-----/,
    ],
    [
      'keys for tickets of another length',
      `[server]\nlisten = ["127.0.0.1:0"]\ntls_cert = "cert.pem"\ntls_key = "key.pem"\ntls_ticket_key_file = "short.key"\n${REST}`,
      /^5:1: server\.tls_ticket_key_file: .*short\.key has 5 octets, not 48; make it: openssl rand -out /,
    ],
    [
      'a mechanism that nobody knows',
      `[server]\nlisten = ["127.0.0.1:0"]\nmechanisms = ["PLAIN", "GSSAPI"]\n${REST}`,
      /^3:24: server\.mechanisms\[1\]: must be one of "SCRAM-SHA-256-PLUS", .*, not "GSSAPI"/,
    ],
    [
      'a proxy that nobody trusts',
      `[[listener]]\naddress = "127.0.0.1:0"\nproxy_protocol = true\n${REST}`,
      '3:1: listener[0].proxy_protocol: needs server.trusted_proxies: whose word is taken',
    ],
    [
      'a users file that is not there',
      'server.listen = ["127.0.0.1:0"]\nusers.file = "nobody"\nstore.maildir = "mail/{user}"\n',
      /^2:1: users\.file: .*nobody is not there; make it: pop3d user add NAME --users /,
    ],
    [
      'a users file that is a folder',
      'server.listen = ["127.0.0.1:0"]\nusers.file = "mail"\nstore.maildir = "mail/{user}"\n',
      /^2:1: users\.file: cannot be read: EISDIR.*; give a file that the server may read/,
    ],
    [
      'nobody who could log in',
      'server.listen = ["127.0.0.1:0"]\nstore.maildir = "mail/{user}"\n',
      'users.file: is not set: nobody can log in; give --users FILE, or set it',
    ],
    [
      'a folder of Maildirs that is not there',
      'server.listen = ["127.0.0.1:0"]\nusers.file = "users"\nstore.maildir = "unmounted/{user}"\n',
      /^3:1: store\.maildir: .*unmounted is not a directory.*; make it .*, or mount its disk/,
    ],
    [
      'one Maildir for all',
      'server.listen = ["127.0.0.1:0"]\nusers.file = "users"\nstore.maildir = "mail"\n',
      /^3:1: store\.maildir: cannot be used: .*all users would have the same Maildir/,
    ],
    [
      'a program that is none',
      `server.listen = ["127.0.0.1:0"]\n[lookup]\ntype = "command"\ncommand = ["./users"]\n${REST}`,
      /^4:1: lookup\.command: .*users is no program that can be run; give its whole path/,
    ],
    [
      'tokens of anybody, for anybody',
      `server.listen = ["127.0.0.1:0"]\n[oauth]\njwks_url = "https://login.example.org/jwks"\naudience = "pop3"\n${REST}`,
      '3:1: oauth.jwks_url: needs oauth.issuer beside it',
    ],
    [
      'the secret of two lines',
      `server.listen = ["127.0.0.1:0"]\n[oauth]\nintrospection_url = "https://login.example.org/"\nclient_id = "a"\nclient_secret_file = "users"\n${REST}`,
      /^5:1: oauth\.client_secret_file: .*users must hold one line of ASCII/,
    ],
  ])('%s', async (_what, toml, problem) => {
    const file = (await place()).write(toml);
    const { exitCode, stdout, stderr } = await pop3d(['check', '--config', file]);
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.badConfiguration, stdout: '' });
    const [first = '', ...others] = stderr.split('\n');
    expect(others).toEqual(['']);
    // What is in no line is told with the file alone.
    expect(first).toMatch(/^pop3d: .*pop3d\.toml:/);
    const told = first.slice(`pop3d: ${file}:`.length).trim();
    if (typeof problem === 'string') expect(told.startsWith(problem) ? problem : told).toBe(problem);
    else expect(told).toMatch(problem);
    expect(stderr).not.toContain('geheim');
  });

  it('all problems at once, a line for each', async () => {
    const file = (await place()).write('[server]\nworkers = 0\n[users]\nfle = "users"\n');
    const { stderr } = await pop3d(['check', '--config', file]);
    expect(stderr.split('\n').map((line) => line.replace(`pop3d: ${file}:`, ''))).toEqual([
      expect.stringMatching(/^2:1: server\.workers: /),
      expect.stringMatching(/^4:1: users\.fle: /),
      '',
    ]);
  });
});

const GOOD = `
[server]
listen = ["127.0.0.1:0", "127.0.0.2:0"]
listen_tls = ["127.0.0.1:0"]
tls_cert = "cert.pem"
tls_key = "key.pem"
tls_client_ca = "cert.pem"
trusted_proxies = ["127.0.0.1"]

[[listener]]
address = "127.0.0.1:0"
tls = "off"

[[listener]]
address = "127.0.0.1:0"
tls = "starttls"
proxy_protocol = true

${REST}`;

/** What the words of a check say of one listener and one occasion. */
function toldOf(text: string, listener: number, occasion: string): { sasl: string[]; others: string[] } {
  const blocks = text.split('\n\n').slice(1);
  const lines = (blocks[listener] ?? '').split('\n');
  const start = lines.indexOf(`  ${occasion}`);
  expect(start, `${occasion} in\n${text}`).toBeGreaterThan(0);
  const end = lines.findIndex((line, index) => index > start && /^ {2}\S/.test(line));
  // Lines are broken at 80 columns.
  const words = lines
    .slice(start + 1, end)
    .join('\n')
    .replace(/\n {6}/g, ' ')
    .split('\n');
  const listOf = (line: string) => line.trim().split(', ');
  const sasl = words.find((line) => line.startsWith('    AUTH '));
  const others = words.filter((line) => line !== sasl && line !== '    nothing').flatMap(listOf);
  return { sasl: sasl === undefined ? [] : listOf(sasl.replace('AUTH ', '')), others };
}

/** The same, as a server says it. */
async function askedOf(client: Client, greeting: string): Promise<{ sasl: string[]; others: string[] }> {
  const capabilities = await client.sayMultiline('CAPA');
  const sasl = capabilities.find((line) => line.startsWith('SASL ')) ?? 'SASL';
  const others = [
    ...(capabilities.includes('USER') ? ['USER and PASS'] : []),
    ...(greeting.includes('<') ? ['APOP'] : []),
    ...(capabilities.includes('STLS') ? ['STLS'] : []),
  ];
  return { sasl: sasl.split(' ').slice(1), others };
}

function portOf(running: Running, listener: number): number {
  return running.endpoints[listener]?.port ?? 0;
}

async function proxied(port: number, from: string): Promise<{ client: Client; greeting: string }> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(`PROXY TCP4 ${from} 192.0.2.200 4711 110\r\n`);
  const client = new Client(socket);
  return { client, greeting: await client.line() };
}

function secured(socket: Socket): Client {
  socket.removeAllListeners('data');
  return new Client(connectTls({ socket, rejectUnauthorized: false }));
}

describe('what it says of each listener is what the server says there:', () => {
  it.each<[string, string]>([
    ['all that can work', ''],
    ['passwords nowhere in the clear', 'plaintext_auth = "refuse"'],
    ['passwords everywhere', 'plaintext_auth = "allow"'],
    ['a few mechanisms, in an order of their own', 'mechanisms = ["LOGIN", "CRAM-MD5", "PLAIN", "EXTERNAL"]'],
  ])('%s', async (_what, more) => {
    const { write } = await place();
    const file = write(GOOD.replace('[server]', `[server]\n${more}`));
    const { exitCode, stdout } = await pop3d(['check', '--config', file]);
    expect(exitCode).toBe(0);
    for (const line of stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    const running = await serve(['--config', file]);

    const plain = await Client.open(portOf(running, 0));
    expect(toldOf(stdout, 0, 'before TLS, from this machine')).toEqual(await askedOf(plain, plain.greeting));
    await plain.say('STLS');
    expect(toldOf(stdout, 0, 'after STLS')).toEqual(await askedOf(secured(plain.socket), plain.greeting));

    const tls = await Client.open(portOf(running, 2), { tls: true });
    expect(toldOf(stdout, 2, 'in TLS')).toEqual(await askedOf(tls, tls.greeting));

    const never = await Client.open(portOf(running, 3));
    expect(toldOf(stdout, 3, 'without TLS, from this machine')).toEqual(await askedOf(never, never.greeting));

    const elsewhere = await proxied(portOf(running, 4), '192.0.2.1');
    const away = stdout.includes('before TLS, from elsewhere') ? 'before TLS, from elsewhere' : 'before TLS';
    expect(toldOf(stdout, 4, away)).toEqual(await askedOf(elsewhere.client, elsewhere.greeting));
  });
});

describe('a good configuration', () => {
  it('is told with its certificate, its users and its mail, and why each mechanism is missing', async () => {
    const { folder, write } = await place();
    const file = write(GOOD);
    const { exitCode, stdout, stderr } = await pop3d(['check', '--config', file]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const flowing = stdout.replace(/\n {2,6}(?=\S)/g, ' ');
    expect(flowing).toContain(`certificate ${folder}/cert.pem: for pop.example.org, until `);
    expect(flowing).toMatch(/ (?:89|90) days left/);
    expect(flowing).toContain(`users ${folder}/users: 2 users`);
    expect(flowing).toContain(`mail ${folder}/mail/{user}`);
    expect(flowing).toContain('CRAM-MD5, ANONYMOUS: not in server.mechanisms, which has to name it');
    expect(flowing).toContain('OAUTHBEARER, XOAUTH2: needs [oauth] with jwks_url or introspection_url');
    expect(flowing).toContain('EXTERNAL: needs TLS with a certificate of the client');
    expect(flowing).toContain('STLS: the listener has tls = "off"');
  });

  it('is warned of what its owner has to mend soon', async () => {
    const { folder, write } = await place();
    writeFileSync(join(folder, 'users'), 'ann:{PLAIN}secret\nbroken\n');
    const file = write(GOOD);
    const { exitCode, stderr } = await pop3d(['check', '--config', file]);
    expect({ exitCode, stderr }).toEqual({
      exitCode: 0,
      stderr: `pop3d: warning: ${folder}/users:2: there is no colon after the name\n`,
    });
  });
});
