import { describe, expect, it, vi } from 'vitest';
import { blfCrypt, hashPassword, passwordSchemes, plain, scrypt, verifyPassword } from '../src/index.js';

/** Light enough for tests. */
const light = [scrypt({ ln: 4, r: 8, p: 1 }), blfCrypt({ rounds: 4 }), plain];

describe('verifyPassword', () => {
  it.each([
    ['{PLAIN}secret', 'secret'],
    ['{cleartext}secret', 'secret'],
    ['{PLAIN}{odd} $data$ é', '{odd} $data$ é'],
    // RFC 7914 section 12: P="pleaseletmein", S="SodiumChloride", N=16384, r=8, p=1.
    [
      '{SCRYPT}$scrypt$ln=14,r=8,p=1$U29kaXVtQ2hsb3JpZGU$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofLVQylVYT8Pz2LUlwUkKpr55h6F3A1lHkDfzwF7RVdYhw',
      'pleaseletmein',
    ],
    // RFC 7914 section 12: P="password", S="NaCl", N=1024, r=8, p=16.
    [
      '{SCRYPT}$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA',
      'password',
    ],
    // What the password library passlib writes.
    [
      '{SCRYPT}$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E',
      'password',
    ],
    // Vectors of crypt_blowfish; $2y$ is the prefix that PHP and htpasswd write.
    ['{BLF-CRYPT}$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', 'U*U'],
    ['{bcrypt}$2y$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK', 'U*U*'],
    ['{BLF-CRYPT}$2b$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a', 'U*U*U'],
  ])('takes %s with its password and no other', async (stored, password) => {
    expect(await verifyPassword(password, stored)).toBe(true);
    expect(await verifyPassword(`${password}x`, stored)).toBe(false);
    expect(await verifyPassword('', stored)).toBe(false);
  });

  it('answers for {PLAIN} at once, without a promise', () => {
    expect(verifyPassword('secret', '{PLAIN}secret')).toBe(true);
  });

  it.each(['SCRYPT', 'BLF-CRYPT'])('leaves the event loop free while it checks {%s}', async (scheme) => {
    const stored = await hashPassword('secret', scheme);
    let turns = 0;
    let done = false;
    const turn = () => {
      turns++;
      if (!done) setImmediate(turn);
    };
    setImmediate(turn);
    expect(await verifyPassword('secret', stored)).toBe(true);
    done = true;
    expect(turns).toBeGreaterThan(10);
  });

  it.each([
    ['secret', /no \{SCHEME\} in front/],
    ['{NOPE}secret', /scheme \{NOPE\} is not known \(known: SCRYPT, ARGON2ID, /],
    ['{PLAIN}', /password is empty/],
    ['{SCRYPT}$scrypt$ln=15$abc', /is not \$scrypt\$/],
    ['{SCRYPT}$scrypt$ln=21,r=8,p=1$aM15713r3Xs$aM15713r3XsvxbixkjA9SGu8Qw', /ln is 1 to 20/],
    ['{SCRYPT}$scrypt$ln=20,r=8,p=1$aM15713r3Xs$aM15713r3XsvxbixkjA9SGu8Qw', /512 MiB/],
    ['{SCRYPT}$scrypt$ln=10,r=8,p=999$aM15713r3Xs$aM15713r3XsvxbixkjA9SGu8Qw', /p is at most/],
    ['{BLF-CRYPT}$2b$05$tooshort', /not a bcrypt hash/],
  ])('throws for %j, which cannot be read', (stored, message) => {
    expect(() => verifyPassword('secret', stored)).toThrow(message);
  });

  it('names no part of the stored data in its errors', () => {
    expect(() => verifyPassword('x', 'hunter2')).toThrow(/^(?!.*hunter2)/);
    expect(() => verifyPassword('x', '{SCRYPT}hunter2')).toThrow(/^(?!.*hunter2)/);
  });
});

describe('hashPassword', () => {
  it('writes {SCRYPT} unless told otherwise, with a salt of its own each time', async () => {
    const [one, two] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
    expect(one).toMatch(/^\{SCRYPT\}\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(two);
  });

  it.each(['SCRYPT', 'blf-crypt', 'BCRYPT', 'PLAIN'])('writes %s so that it verifies', async (scheme) => {
    const stored = await hashPassword('pass wörd', scheme, light);
    expect(stored).not.toMatch(/[:\n]/);
    expect(await verifyPassword('pass wörd', stored, light)).toBe(true);
    expect(await verifyPassword('pass word', stored, light)).toBe(false);
  });

  it('counts octets of UTF-8, not characters', async () => {
    const stored = await hashPassword('é'.repeat(36), 'BLF-CRYPT', light);
    expect(await verifyPassword('é'.repeat(36), stored, light)).toBe(true);
    await expect(hashPassword('é'.repeat(37), 'BLF-CRYPT', light)).rejects.toThrow(/at most 72 octets/);
  });

  it.each([
    ['a:b', 'PLAIN', /colon/],
    ['a\nb', 'PLAIN', /control character/],
    ['', 'PLAIN', /empty/],
    ['a\0b', 'BLF-CRYPT', /NUL/],
    ['secret', 'MD5', /The scheme MD5 is not known \(known: SCRYPT, ARGON2ID, /],
  ])('refuses %j as %s', async (password, scheme, message) => {
    await expect(hashPassword(password, scheme)).rejects.toThrow(message);
  });

  it('refuses costs out of range', () => {
    expect(() => scrypt({ ln: 0, r: 8, p: 1 })).toThrow(/ln is 1 to 20/);
    expect(() => scrypt({ ln: 20, r: 8, p: 1 })).toThrow(/512 MiB/);
    expect(() => blfCrypt({ rounds: 3 })).toThrow(/4 to 16/);
  });
});

describe('blfCrypt', () => {
  it('uses the implementation that is handed in', async () => {
    const bcrypt = { compare: vi.fn(async () => true), hash: vi.fn(async () => '$2b$...') };
    const schemes = [blfCrypt({ bcrypt, rounds: 9 })];
    await hashPassword('secret', 'BCRYPT', schemes);
    expect(bcrypt.hash).toHaveBeenCalledWith('secret', 9);
    const data = `$2y$05$${'x'.repeat(53)}`;
    await verifyPassword('secret', `{BCRYPT}${data}`, schemes);
    expect(bcrypt.compare).toHaveBeenCalledWith('secret', data.replace('$2y', '$2b'));
  });

  it('says which package is missing', async () => {
    vi.doMock('bcrypt', () => {
      throw new Error('Cannot find package');
    });
    await expect(hashPassword('secret', 'BCRYPT', [blfCrypt()])).rejects.toThrow(/npm install bcrypt/);
    vi.doUnmock('bcrypt');
  });
});

it('has a table in which every scheme has its own names', () => {
  const names = passwordSchemes.flatMap((scheme) => scheme.names);
  expect(new Set(names).size).toBe(names.length);
  expect(names.every((name) => name === name.toUpperCase())).toBe(true);
});
