import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { generate } from 'selfsigned';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../src/failure.js';
import { Client, pop3d, type Running, serve } from './pop3d.js';
import { temporaryFolder } from './temporary-folder.js';

const FREE = '127.0.0.1:0';

/** Users `ann` (secret) and `bob` (geheim), and a message for `ann`. */
function place() {
  const folder = temporaryFolder();
  const users = join(folder, 'users');
  const maildir = join(folder, 'mail/{user}');
  writeFileSync(users, 'ann:{PLAIN}secret\nbob:{PLAIN}geheim\n');
  for (const part of ['new', 'cur', 'tmp']) mkdirSync(join(folder, 'mail/ann', part), { recursive: true });
  writeFileSync(join(folder, 'mail/ann/new/1795000000.M1P1.host'), 'Subject: hi\n\n.dot\n');
  return { folder, users, maildir, args: ['--listen', FREE, '--users', users, '--maildir', maildir] };
}

async function certificateIn(folder: string) {
  const name = randomBytes(8).toString('hex');
  const { cert, private: key } = await generate([{ name: 'commonName', value: name }], {
    keyType: 'ec',
    algorithm: 'sha256',
  });
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  return { name, args: ['--tls-cert', join(folder, 'cert.pem'), '--tls-key', join(folder, 'key.pem')] };
}

function portOf(running: Running, kind = 'pop3'): number {
  return running.endpoints.find((endpoint) => endpoint.kind === kind)?.port ?? 0;
}

describe('pop3d serve', () => {
  it('says where it listens, serves a Maildir, and ends with 0 on SIGTERM', async () => {
    const running = await serve(place().args);
    expect(running.stdout).toMatch(/^listening pop3 127\.0\.0\.1:\d+\n$/);
    const client = await Client.open(portOf(running));
    expect(await client.logIn('ann', 'secret')).toMatch(/^\+OK/);
    expect(await client.say('STAT')).toBe('+OK 1 21');
    expect((await client.sayMultiline('RETR 1')).slice(1)).toEqual(['Subject: hi', '', '..dot']);
    expect(await client.say('DELE 1')).toMatch(/^\+OK/);
    expect(await client.say('QUIT')).toMatch(/^\+OK/);
    await client.closed;
    running.signal('SIGTERM');
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    expect(running.log.find(({ msg }) => msg === 'session')).toMatchObject({
      level: 'info',
      user: 'ann',
      peer: '127.0.0.1',
      tls: false,
      reason: 'quit',
      retrieved: 1,
      deleted: 1,
      octetsSent: expect.any(Number),
    });
  });

  it('writes a refused login as fail2ban reads it', async () => {
    const { folder, args } = place();
    const config = join(folder, 'pop3d.toml');
    writeFileSync(config, '[limits]\nfailed_login_delay_seconds = 0\n');
    const running = await serve(['--config', config, ...args]);
    const client = await Client.open(portOf(running));
    expect(await client.logIn('ann', 'wrong')).toMatch(/^-ERR \[AUTH\]/);
    await running.printed(
      /^\{"level":"warn","time":"[^"]+","msg":"login refused: peer=127\.0\.0\.1 reason=bad-credentials user=ann"\}$/m,
      'stderr',
    );
    expect(running.stderr).not.toContain('wrong');
  });

  it('knows a user as soon as the file has one', async () => {
    const { users, args } = place();
    const running = await serve(args);
    await pop3d(['user', 'add', 'cy', '--users', users, '--scheme', 'SCRYPT'], { input: 'neu\n' });
    const client = await Client.open(portOf(running));
    expect(await client.logIn('cy', 'neu')).toMatch(/^\+OK/);
  });

  it('reads bare passwords with --default-scheme, and reports them without', async () => {
    const { users, args } = place();
    writeFileSync(users, 'ann:secret\n');
    const running = await serve([...args, '--default-scheme', 'PLAIN']);
    expect(await (await Client.open(portOf(running))).logIn('ann', 'secret')).toMatch(/^\+OK/);
    const other = await serve(args);
    await other.printed(/users file: .*users:1: the password has no \{SCHEME\} in front/, 'stderr');
  });

  it('takes its settings from a file, the environment and flags', async () => {
    const { folder } = place();
    const config = join(folder, 'pop3d.toml');
    writeFileSync(
      config,
      '[server]\nlisten = ["127.0.0.1:0", "127.0.0.1:0"]\ngreeting = "from the file"\n[users]\nfile = "users"\n[store]\nmaildir = "mail/{user}"\n',
    );
    const running = await serve(['--config', config], { POP3D_SERVER_GREETING: 'from the environment' });
    expect(running.endpoints).toHaveLength(2);
    expect((await Client.open(portOf(running))).greeting).toContain('from the environment');
    const second = await serve(['--config', config, '--listen', FREE]);
    expect(second.endpoints).toHaveLength(1);
    expect((await Client.open(portOf(second))).greeting).toContain('from the file');
  });

  it('offers STLS and TLS, and serves a replaced certificate after SIGHUP without dropping a session', async () => {
    const { folder, args } = place();
    const first = await certificateIn(folder);
    const running = await serve([...args, '--listen-tls', FREE, ...first.args]);
    expect(running.endpoints.map(({ kind }) => kind)).toEqual(['pop3', 'pop3s']);
    const plain = await Client.open(portOf(running));
    expect(await plain.sayMultiline('CAPA')).toContain('STLS');

    const standing = await Client.open(portOf(running, 'pop3s'), { tls: true });
    expect((standing.socket as TLSSocket).getPeerCertificate().subject.CN).toBe(first.name);
    await standing.logIn('ann', 'secret');

    const second = await certificateIn(folder);
    running.signal('SIGHUP');
    await running.printed(/the certificate was read again/, 'stderr');
    const renewed = await Client.open(portOf(running, 'pop3s'), { tls: true });
    expect((renewed.socket as TLSSocket).getPeerCertificate().subject.CN).toBe(second.name);
    expect(await standing.say('STAT')).toMatch(/^\+OK 1 /);

    writeFileSync(join(folder, 'key.pem'), 'broken');
    running.signal('SIGHUP');
    await running.printed(/the certificate was not replaced/, 'stderr');
    const still = await Client.open(portOf(running, 'pop3s'), { tls: true });
    expect((still.socket as TLSSocket).getPeerCertificate().subject.CN).toBe(second.name);
  });

  it('lets a session end on SIGTERM, and deletes what it has marked', async () => {
    const running = await serve(place().args);
    const client = await Client.open(portOf(running));
    await client.logIn('ann', 'secret');
    await client.say('DELE 1');
    running.signal('SIGTERM');
    await running.printed(/"msg":"stopping"/, 'stderr');
    expect(await client.say('QUIT')).toMatch(/^\+OK/);
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    expect(running.log.find(({ msg }) => msg === 'session')).toMatchObject({ reason: 'quit', deleted: 1 });
  });

  it('waits for nobody after a second signal', async () => {
    const { folder, args } = place();
    const running = await serve(args);
    const client = await Client.open(portOf(running));
    await client.logIn('ann', 'secret');
    running.signal('SIGINT');
    await running.printed(/"msg":"stopping"/, 'stderr');
    running.signal('SIGINT');
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    await client.closed;
    // What it has to finish all the same: the record of the session, and the lock of the Maildir.
    expect(running.log.find(({ msg }) => msg === 'session')).toMatchObject({ reason: 'aborted', deleted: 0 });
    expect(readdirSync(join(folder, 'mail/ann'))).not.toContain('pop3.lock');
  });

  it.each(['text', 'json'])('goes on when nobody reads its log any longer, as %s', async (format) => {
    const { folder, args } = place();
    writeFileSync(join(folder, 'pop3d.toml'), `[log]\nformat = "${format}"\n`);
    const running = await serve(['--config', join(folder, 'pop3d.toml'), ...args]);
    running.process.stdout?.destroy();
    running.process.stderr?.destroy();
    for (let session = 0; session < 3; session++) {
      const client = await Client.open(portOf(running));
      expect(await client.logIn('ann', 'secret')).toMatch(/^\+OK/);
      await client.say('QUIT');
      await client.closed;
    }
    running.signal('SIGTERM');
    expect(await running.ended).toMatchObject({ exitCode: 0 });
  });

  it('has nothing to read again on SIGHUP without a certificate', async () => {
    const running = await serve(place().args);
    running.signal('SIGHUP');
    const client = await Client.open(portOf(running));
    expect(await client.logIn('ann', 'secret')).toMatch(/^\+OK/);
    expect(running.stderr).toBe('');
  });
});

describe('a server that starts and is of no use warns once:', () => {
  it.each<[string, (place: { users: string; args: string[]; folder: string }) => string[], RegExp]>([
    [
      'no user has a password',
      ({ users, args }) => {
        writeFileSync(users, 'ann:\n');
        return args;
      },
      /nobody can log in: no user of .*users has a password that can be used/,
    ],
    [
      'passwords are refused without TLS, which there is not',
      ({ folder, args }) => {
        writeFileSync(join(folder, 'pop3d.toml'), '[server]\nplaintext_auth = "refuse"\n');
        return [...args, '--config', join(folder, 'pop3d.toml'), '--workers', '2'];
      },
      /nobody can log in with a password: server\.plaintext_auth is \\"refuse\\", and there is no certificate/,
    ],
    [
      'the folder of the Maildirs is not there',
      ({ folder, args }) => [...args, '--maildir', join(folder, 'nowhere/{user}')],
      /store\.maildir: .*nowhere is not a directory/,
    ],
  ])('%s', async (_what, argsOf, warning) => {
    const running = await serve(argsOf(place()));
    await running.printed(warning, 'stderr');
    running.signal('SIGTERM');
    const { stderr } = await running.ended;
    expect(stderr.match(new RegExp(warning, 'g'))).toHaveLength(1);
  });
});

describe('a server that cannot start says why:', () => {
  it('a port in use', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as { port: number };
    const { users, maildir } = place();
    const result = await pop3d([
      'serve',
      '--listen',
      `127.0.0.1:${port}`,
      '--users',
      users,
      '--maildir',
      maildir,
    ]);
    taken.close();
    expect(result).toEqual({
      exitCode: EXIT.system,
      stdout: '',
      stderr: `pop3d: cannot listen on 127.0.0.1:${port}: another program does already\n`,
    });
  });

  it.each<[string, (folder: string) => string[], RegExp]>([
    ['no listener', () => [], /nothing to listen on: give --listen/],
    [
      'TLS without a certificate',
      () => ['--listen-tls', FREE],
      /--listen-tls: server\.listen_tls: needs a certificate: give --tls-cert/,
    ],
    [
      'a certificate without a key',
      () => ['--listen', FREE, '--tls-cert', 'x'],
      /--tls-cert: server\.tls_cert: needs server\.tls_key/,
    ],
    [
      'a key without a certificate',
      () => ['--listen', FREE, '--tls-key', 'x'],
      /--tls-key: server\.tls_key: needs server\.tls_cert/,
    ],
    [
      'a certificate that is not there',
      (folder) => ['--listen', FREE, '--tls-cert', join(folder, 'x'), '--tls-key', join(folder, 'x')],
      /server\.tls_cert: cannot be read: ENOENT/,
    ],
    [
      'a certificate that is none',
      (folder) => ['--listen', FREE, '--tls-cert', join(folder, 'users'), '--tls-key', join(folder, 'users')],
      /--tls-cert: server\.tls_cert: .*users holds no certificate in PEM form/,
    ],
    [
      'an address of another machine',
      () => ['--listen', '192.0.2.1:0'],
      /cannot listen on 192\.0\.2\.1:0: this machine/,
    ],
    [
      'an address without its interface',
      () => ['--listen', '[fe80::1]:0'],
      /^pop3d: cannot listen on \[fe80::1\]:0: [^\n]*\n$/,
    ],
  ])('%s', async (_what, listeners, message) => {
    const { folder, users, maildir } = place();
    const result = await pop3d(['serve', ...listeners(folder), '--users', users, '--maildir', maildir]);
    expect(result.exitCode).toBeGreaterThan(63);
    expect(result.stderr).toMatch(message);
    expect(result.stdout).toBe('');
  });
});

describe('--workers', () => {
  it('shares the listeners, and drains every process on SIGTERM', async () => {
    const running = await serve([...place().args, '--workers', '2']);
    expect(running.endpoints).toHaveLength(1);
    const clients = await Promise.all([1, 2, 3, 4].map(() => Client.open(portOf(running))));
    const [ann, bob] = clients as [Client, Client];
    expect(await ann.logIn('ann', 'secret')).toMatch(/^\+OK/);
    expect(await bob.logIn('bob', 'geheim')).toMatch(/^\+OK/);
    const second = clients[2] as Client;
    expect(await second.logIn('ann', 'secret')).toMatch(/^-ERR \[IN-USE\]/);
    running.signal('SIGTERM');
    await running.printed(/"msg":"stopping"[\s\S]*"msg":"stopping"/, 'stderr');
    expect(await ann.say('QUIT')).toMatch(/^\+OK/);
    expect(await bob.say('QUIT')).toMatch(/^\+OK/);
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    const pids = running.log.filter(({ msg }) => msg === 'session').map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(2);
  });

  it('cuts the sessions of every process off on a second signal, and logs them', async () => {
    const running = await serve([...place().args, '--workers', '2']);
    const clients = await Promise.all([1, 2].map(() => Client.open(portOf(running))));
    const [ann, bob] = clients as [Client, Client];
    await ann.logIn('ann', 'secret');
    await bob.logIn('bob', 'geheim');
    running.signal('SIGTERM');
    await running.printed(/"msg":"stopping"[\s\S]*"msg":"stopping"/, 'stderr');
    running.signal('SIGTERM');
    expect(await running.ended).toMatchObject({ exitCode: 0 });
    const sessions = running.log.filter(({ msg }) => msg === 'session');
    expect(sessions.map(({ user, reason }) => `${user} ${reason}`).sort()).toEqual([
      'ann aborted',
      'bob aborted',
    ]);
  });

  it('starts a worker that died again', async () => {
    const running = await serve([...place().args, '--workers', '2']);
    const clients = await Promise.all([1, 2].map(() => Client.open(portOf(running))));
    await (clients[0] as Client).say('QUIT');
    const [, pid] = await running.printed(/"pid":(\d+).*"msg":"session"/, 'stderr');
    process.kill(Number(pid), 'SIGKILL');
    await running.printed(/a worker has died and is started again/, 'stderr');
    expect(await (await Client.open(portOf(running))).logIn('ann', 'secret')).toMatch(/^\+OK/);
  });

  it('says of each worker that died what it died of', async () => {
    const { users, args } = place();
    const running = await serve([...args, '--workers', '2']);
    const client = await Client.open(portOf(running));
    await client.say('QUIT');
    const [, pid] = await running.printed(/"pid":(\d+).*"msg":"session"/, 'stderr');
    rmSync(users);
    process.kill(Number(pid), 'SIGKILL');
    await running.printed(new RegExp(`"pid":${pid},"code":null,"signal":"SIGKILL"`), 'stderr');
    // The one that was started in its place has no users file.
    await running.printed(/"code":78,"signal":null,"msg":"a worker has died/, 'stderr');
  });

  it('says once what is wrong, and ends with the code of a worker', async () => {
    const { users, maildir } = place();
    const result = await pop3d(['serve', '--workers', '3', '--users', users, '--maildir', maildir]);
    expect(result).toEqual({
      exitCode: EXIT.badConfiguration,
      stdout: '',
      stderr: 'pop3d: server.listen: nothing to listen on: give --listen 127.0.0.1:2110, or set it\n',
    });
  });
});
