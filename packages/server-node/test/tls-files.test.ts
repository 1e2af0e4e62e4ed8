import { mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type TlsFiles, tlsFromFiles } from '../src/index.js';
import { authority, type KeyPair, serverCertificate } from './certificates.js';
import { Peer } from './peer.js';
import { startServer } from './started-server.js';

let first: KeyPair;
let second: KeyPair;
beforeAll(async () => {
  first = await serverCertificate('first');
  second = await serverCertificate('second', ['second.example.org']);
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pop3-tls-'));
  return () => rm(directory, { recursive: true });
});

const at = (name: string) => join(directory, name);

async function write({ cert, key }: KeyPair, name = 'tls'): Promise<{ cert: string; key: string }> {
  await writeFile(at(`${name}.cert`), cert);
  await writeFile(at(`${name}.key`), key);
  return { cert: at(`${name}.cert`), key: at(`${name}.key`) };
}

/** Certificates from files, a clock that stands still, and what was told. */
async function watched(more: Partial<TlsFiles> = {}) {
  const clock = { now: 0 };
  const told: string[] = [];
  const files = {
    ...(await write(first)),
    ...more,
    now: () => clock.now,
    onProblem: (error: Error) => void told.push(error.message),
    onReload: () => void told.push('reloaded'),
  };
  return { source: tlsFromFiles(files), told, clock, files };
}

function certOf({ source }: { readonly source: ReturnType<typeof tlsFromFiles> }): string {
  return String(source.current().cert);
}

describe('files', () => {
  it('are read once as long as they stay the same', async () => {
    const { source, clock, told } = await watched();
    const options = source.current();
    expect(options).toEqual({ cert: Buffer.from(first.cert), key: Buffer.from(first.key) });
    for (clock.now = 1; clock.now < 10_000; clock.now += 999) expect(source.current()).toBe(options);
    expect(told).toEqual([]);
  });

  it('are looked at once a second at most, by default', async () => {
    const all = await watched();
    await write(second);
    all.clock.now = 999;
    expect(certOf(all)).toBe(first.cert);
    all.clock.now = 1_000;
    expect(certOf(all)).toBe(second.cert);
    expect(all.told).toEqual(['reloaded']);
  });

  it('can be looked at with each handshake', async () => {
    const all = await watched({ checkEveryMs: 0 });
    await write(second);
    expect(certOf(all)).toBe(second.cert);
  });

  it('may be replaced by others, and by links to others', async () => {
    const all = await watched({ checkEveryMs: 0 });
    const renewed = await write(second, 'renewed');
    await rename(renewed.cert, all.files.cert);
    await rename(renewed.key, all.files.key);
    expect(certOf(all)).toBe(second.cert);

    const linked = await write(first, 'linked');
    for (const part of ['cert', 'key'] as const) {
      await symlink(linked[part], at('link'));
      await rename(at('link'), all.files[part]);
    }
    expect(certOf(all)).toBe(first.cert);
    expect(all.told).toEqual(['reloaded', 'reloaded']);
  });

  it('of the midst of a renewal are not used, which is told once; they are tried again', async () => {
    const all = await watched({ checkEveryMs: 0 });
    await writeFile(all.files.cert, second.cert);
    for (let i = 0; i < 3; i++) expect(certOf(all)).toBe(first.cert);
    expect(all.told).toEqual([expect.stringMatching(/tls\.cert and .*tls\.key cannot be used: .*mismatch/)]);
    await writeFile(all.files.key, second.key);
    expect(certOf(all)).toBe(second.cert);
    expect(all.told).toHaveLength(2);
    expect(all.told[1]).toBe('reloaded');
  });

  it.each([
    ['that are missing', (file: string) => rm(file), /ENOENT.*tls\.cert/],
    ['that are half written', (file: string) => writeFile(file, first.cert.slice(0, 200)), /cannot be used/],
    ['that are empty', (file: string) => writeFile(file, ''), /cannot be used/],
  ])('%s change nothing, and a new problem is told again', async (_, spoil, message) => {
    const all = await watched({ checkEveryMs: 0 });
    await spoil(all.files.cert);
    for (let i = 0; i < 3; i++) expect(certOf(all)).toBe(first.cert);
    expect(all.told).toEqual([expect.stringMatching(message)]);
    await rm(all.files.key);
    certOf(all);
    await write(second);
    expect(certOf(all)).toBe(second.cert);
    expect(all.told.at(-1)).toBe('reloaded');
    expect(all.told.filter((text) => text === 'reloaded')).toHaveLength(1);
  });

  it('that become what they were before end a problem', async () => {
    const all = await watched({ checkEveryMs: 0 });
    await writeFile(all.files.cert, second.cert);
    certOf(all);
    await writeFile(all.files.cert, first.cert);
    expect(certOf(all)).toBe(first.cert);
    await writeFile(all.files.cert, second.cert);
    certOf(all);
    // Told again, since it has happened again.
    expect(all.told).toEqual([
      expect.stringMatching(/mismatch/),
      'reloaded',
      expect.stringMatching(/mismatch/),
    ]);
  });

  it('may be all that TLS knows', async () => {
    const { cert } = await authority();
    await writeFile(at('ca'), cert);
    await writeFile(at('tickets'), Buffer.alloc(48, 1));
    const { source } = await watched({
      certificates: [await write(second, 'second')],
      ca: at('ca'),
      ticketKeys: at('tickets'),
      ciphers: 'ECDHE+AESGCM',
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
    });
    expect(source.current()).toEqual({
      cert: Buffer.from(first.cert),
      key: Buffer.from(first.key),
      certificates: [{ cert: Buffer.from(second.cert), key: Buffer.from(second.key) }],
      ca: [Buffer.from(cert)],
      ticketKeys: Buffer.alloc(48, 1),
      ciphers: 'ECDHE+AESGCM',
      minVersion: 'TLSv1.3',
      maxVersion: 'TLSv1.3',
    });
  });

  it('are all looked at', async () => {
    await writeFile(at('ca'), (await authority()).cert);
    await writeFile(at('tickets'), Buffer.alloc(48, 1));
    const all = await watched({
      checkEveryMs: 0,
      certificates: [await write(second, 'other')],
      ca: [at('ca')],
      ticketKeys: at('tickets'),
    });
    await write(first, 'other');
    expect(String(all.source.current().certificates?.[0]?.cert)).toBe(first.cert);
    await writeFile(at('ca'), second.cert);
    expect(String([all.source.current().ca].flat()[0])).toBe(second.cert);
    await writeFile(at('tickets'), Buffer.alloc(48, 2));
    expect(all.source.current().ticketKeys?.[0]).toBe(2);
    await writeFile(at('tickets'), Buffer.alloc(47, 3));
    expect(all.source.current().ticketKeys?.[0]).toBe(2);
    expect(all.told).toEqual(['reloaded', 'reloaded', 'reloaded', expect.stringMatching(/47 octets/)]);
  });

  it('must be good at first', async () => {
    const mixed = { cert: (await write(first)).cert, key: (await write(second, 'second')).key };
    expect(() => tlsFromFiles(mixed)).toThrow(/tls\.cert and .*second\.key cannot be used/);
    expect(() => tlsFromFiles({ ...mixed, cert: at('nowhere') })).toThrow(/nowhere/);
    expect(() => tlsFromFiles({ ...mixed, key: mixed.cert })).toThrow(/cannot be used/);
    // To OpenSSL alone these were fine: an ECDSA certificate, and a key for RSA.
    const rsa = await write(
      await serverCertificate('rsa', [], { keyType: 'rsa', algorithm: 'sha256' }),
      'rsa',
    );
    expect(() => tlsFromFiles({ ...mixed, key: rsa.key })).toThrow(/does not belong/);
  });

  it('show no key', async () => {
    const { source, told, files } = await watched({ checkEveryMs: 0 });
    await writeFile(files.cert, second.cert);
    source.current();
    const secret = first.key.split('\n')[1] as string;
    expect(inspect(source, { depth: 9, showHidden: true })).not.toContain(secret);
    expect(told.join()).not.toContain(secret);
  });
});

it('serves a certificate from the next handshake on, and ends no session for it', async () => {
  const { source, files, clock } = await watched();
  const { server, port } = await startServer({ tls: source }, { tls: 'implicit' });
  onTestFinished(() => server.close({ drainMs: 0 }));
  const before = await Peer.loggedIn(port, { tls: { ca: first.cert } });
  await write(second);
  clock.now = 1_000;
  const after = await Peer.loggedIn(port, { user: 'bob', tls: { ca: second.cert } });
  expect(await before.command('STAT')).toMatch(/^\+OK 3 /);
  expect(await after.command('STAT')).toMatch(/^\+OK 0 /);
  await rm(files.cert);
  clock.now = 2_000;
  expect(await (await Peer.connect(port, { tls: { ca: second.cert } })).line()).toMatch(/^\+OK/);
});
