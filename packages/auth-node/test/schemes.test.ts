import { describe, expect, it, vi } from 'vitest';
import {
  argon2,
  blfCrypt,
  cramMd5Context,
  credentialFormsOf,
  crypt,
  digestSchemes,
  hashPassword,
  passwordSchemes,
  pbkdf2,
  plain,
  scramKeys,
  scrypt,
  shaCrypt,
  verifyPassword,
} from '../src/index.js';
import { doveadmVectors } from './doveadm-vectors.js';

/** Every scheme, light enough for tests. */
const light = [
  scrypt({ ln: 4, r: 8, p: 1 }),
  argon2({ memoryKib: 64, passes: 1 }),
  argon2({ variant: 'argon2i', memoryKib: 64, passes: 1 }),
  blfCrypt({ rounds: 4 }),
  shaCrypt('sha512', 1000),
  shaCrypt('sha256', 1000),
  crypt([shaCrypt('sha512', 1000), shaCrypt('sha256', 1000), blfCrypt({ rounds: 4 })]),
  pbkdf2(1000),
  scramKeys('scram-sha-256', 4096),
  scramKeys('scram-sha-512', 4096),
  scramKeys('scram-sha-1', 4096),
  cramMd5Context,
  ...digestSchemes,
  plain,
];
const names = light.map((scheme) => scheme.names[0]);

it('has them all in the table', () => {
  expect(passwordSchemes.map((scheme) => scheme.names[0])).toEqual(names);
});

describe('a password that Dovecot has stored', () => {
  it.each(doveadmVectors)('is %j as %s and no other', async (password, stored) => {
    expect(await verifyPassword(password, stored)).toBe(true);
    expect(await verifyPassword(`${password}x`, stored)).toBe(false);
    expect(await verifyPassword('', stored)).toBe(false);
  });
});

describe.each(names)('{%s}', (name) => {
  it.each(['secret', 'pass wörd', 'x', 'long '.repeat(14)])(
    'is written for %j so that it verifies',
    async (password) => {
      const stored = await hashPassword(password, name, light);
      expect(stored).toMatch(/^\{[A-Z0-9-]+\}[^:\n]+$/);
      expect(await verifyPassword(password, stored, light)).toBe(true);
      expect(await verifyPassword(`${password}x`, stored, light)).toBe(false);
      expect(await verifyPassword(password.slice(1), stored, light)).toBe(false);
    },
  );

  it('is read in the encodings of Dovecot', async () => {
    const stored = await hashPassword('secret', name, light);
    const data = stored.slice(name.length + 2);
    const scheme = light.find(({ names }) => names[0] === name);
    const octets = scheme?.octets === undefined ? Buffer.from(data) : Buffer.from(data, 'base64');
    for (const [suffix, text] of [
      ['HEX', octets.toString('hex')],
      ['hex', octets.toString('hex').toUpperCase()],
      ['b64', octets.toString('base64')],
      ['BASE64', octets.toString('base64')],
    ]) {
      expect(await verifyPassword('secret', `{${name}.${suffix}}${text}`, light)).toBe(true);
      expect(await verifyPassword('Secret', `{${name}.${suffix}}${text}`, light)).toBe(false);
    }
    for (const broken of ['.HEX}0', '.HEX}zz', '.B64}=', '.B64}a', '.B64}!!!!']) {
      expect(() => verifyPassword('secret', `{${name}${broken}`, light)).toThrow(/encoding/);
    }
  });
});

describe('stored data that is broken', () => {
  const KEY = (octets: number) => Buffer.alloc(octets).toString('base64');
  const B64 = 'A'.repeat(86);

  it.each([
    ['{SHA}', /20 octets in base64 or hexadecimal/],
    [`{SHA}${KEY(19)}`, /20 octets/],
    [`{SHA}${KEY(20).slice(0, -1)}`, /encoding/],
    [`{SHA256}${KEY(20)}`, /32 octets/],
    [`{SHA512}${'0'.repeat(127)}`, /encoding/],
    [`{SSHA}${KEY(20)}`, /20 octets and a salt/],
    [`{SSHA512}${KEY(64)}`, /64 octets and a salt/],
    [`{SSHA}${'0'.repeat(48)}x`, /encoding/],
    [`{SHA512-CRYPT}$5$salt$${B64}`, /crypt\(3\) \(\$6\$\.\.\)/],
    [`{SHA512-CRYPT}$6$salt$${B64}A`, /crypt\(3\)/],
    [`{SHA512-CRYPT}$6$rounds=999$salt$${B64}`, /at least 1000 rounds/],
    [`{SHA512-CRYPT}$6$rounds=2000001$salt$${B64}`, /at most 2000000 rounds/],
    [`{SHA512-CRYPT}$6$rounds=05000$salt$${B64}`, /crypt\(3\)/],
    [`{SHA256-CRYPT}$5$more than sixteen$${B64.slice(43)}`, /crypt\(3\)/],
    ['{CRYPT}$1$salt$abc', /hash of none of SHA512-CRYPT, SHA256-CRYPT, BLF-CRYPT/],
    ['{CRYPT}', /hash of none/],
    ['{ARGON2ID}$argon2i$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo', /is not \$argon2id\$/],
    ['{ARGON2ID}$argon2id$v=19$m=600000,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo', /the memory is/],
    ['{ARGON2ID}$argon2id$v=19$m=64,t=0,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo', /passes/],
    ['{ARGON2ID}$argon2id$v=19$m=640,t=1,p=17$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo', /lanes/],
    ['{PBKDF2}$1$salt$1000$00', /\$1\$salt\$rounds\$key/],
    [`{PBKDF2}$2$salt$1000$${'0'.repeat(40)}`, /\$1\$salt\$rounds\$key/],
    [`{PBKDF2}$1$salt$5000001$${'0'.repeat(40)}`, /at most 5000000 rounds/],
    [`{PBKDF2}$1$salt$0$${'0'.repeat(40)}`, /\$1\$salt\$rounds\$key/],
    [`{SCRAM-SHA-256}0,AAAA,${KEY(32)},${KEY(32)}`, /iterations,salt/],
    [`{SCRAM-SHA-256}4096,,${KEY(32)},${KEY(32)}`, /iterations,salt/],
    [`{SCRAM-SHA-256}4096,AAAA,${KEY(32)},${KEY(20)}`, /iterations,salt/],
    [`{SCRAM-SHA-256}4096,AAAA,${KEY(32)}`, /iterations,salt/],
    [`{SCRAM-SHA-256}4096,AAA,${KEY(32)},${KEY(32)}`, /iterations,salt/],
    [`{SCRAM-SHA-256}5000001,AAAA,${KEY(32)},${KEY(32)}`, /at most 5000000 iterations/],
    ['{CRAM-MD5}00', /64 hexadecimal digits/],
  ])('is named as it is: %s', (stored, message) => {
    expect(() => verifyPassword('secret', stored)).toThrow(message);
  });
});

describe('a cost out of range', () => {
  it.each([
    () => shaCrypt('sha512', 999),
    () => shaCrypt('sha256', 2_000_001),
    () => pbkdf2(999),
    () => pbkdf2(1000.5),
    () => scramKeys('scram-sha-256', 4095),
    () => argon2({ memoryKib: 7 }),
    () => argon2({ memoryKib: 1_000_000 }),
    () => argon2({ passes: 0 }),
    () => crypt([]),
  ])('is refused: %s', (make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'POP3_USAGE' }));
  });
});

describe('argon2', () => {
  it('uses the implementation that is handed in', async () => {
    const given = { verify: vi.fn(async () => true), hash: vi.fn(async () => '$argon2id$...') };
    const schemes = [argon2({ argon2: given, memoryKib: 128, passes: 3 })];
    await hashPassword('secret', 'ARGON2ID', schemes);
    expect(given.hash).toHaveBeenCalledWith('secret', {
      algorithm: 2,
      memoryCost: 128,
      timeCost: 3,
      parallelism: 1,
    });
  });

  it('says which package is missing', async () => {
    vi.doMock('@node-rs/argon2', () => {
      throw new Error('Cannot find package');
    });
    await expect(hashPassword('secret', 'ARGON2ID', [argon2()])).rejects.toThrow(
      /npm install @node-rs\/argon2/,
    );
    vi.doUnmock('@node-rs/argon2');
  });
});

describe('SHA-crypt', () => {
  it('fits the vectors in the description of the algorithm', async () => {
    for (const [password, data] of [
      [
        'we have a short salt string but not a short password',
        '$6$rounds=77777$short$WuQyW2YR.hBNpjjRhpYD/ifIw05xdfeEyQoMxIXbkvr0gge1a1x3yRULJ5CCaUeOxFmtlcGZelFl5CxtgfiAc0',
      ],
      [
        'a very much longer text to encrypt.  This one even stretches over morethan one line.',
        '$6$rounds=1400$anotherlongsalts$POfYwTEok97VWcjxIiSOjiykti.o/pQs.wPvMxQ6Fm7I6IoYN3CmLs66x9t0oSwbtEW7o7UmJEiDwGqd8p4ur1',
      ],
      ['Hello world!', '$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5'],
    ] as const) {
      expect(await verifyPassword(password, `{CRYPT}${data}`)).toBe(true);
    }
  });
});

it.each(
  names.map(
    (name) => [name, credentialFormsOf(light.find(({ names }) => names[0] === name) ?? plain)] as const,
  ),
)('{%s} allows %j', (name, forms) => {
  const own: Record<string, readonly string[]> = {
    PLAIN: ['password', 'apop', 'cram-md5', 'scram-sha-1', 'scram-sha-256', 'scram-sha-512'],
    'CRAM-MD5': ['password', 'cram-md5'],
    'SCRAM-SHA-1': ['password', 'scram-sha-1'],
    'SCRAM-SHA-256': ['password', 'scram-sha-256'],
    'SCRAM-SHA-512': ['password', 'scram-sha-512'],
  };
  expect(forms).toEqual(own[name] ?? ['password']);
});
