import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { type AppPassword, formatAppPassword, parseAppPassword } from '../src/app-password.js';
import {
  generateAppPassword,
  hashPassword,
  readUsersFile,
  recordOf,
  type UsersFileChange,
  updateUsersFile,
  usersFile,
} from '../src/index.js';
import { contextOf } from './auth-context.js';
import { countingScheme } from './counting-scheme.js';
import { temporaryFolder } from './temporary-folder.js';
import { usersOf } from './users-of.js';

const ACCEPTED_ANN = { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } };
const REFUSED = { type: 'refused', reason: 'bad-credentials' };

function passwordOf(username: string, password: string) {
  return { type: 'password', username, password, authorizationId: '' } as const;
}

describe('the field of an app password', () => {
  const label = fc.stringMatching(/^[\w.@+-]{1,64}$/);
  const network = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constant('192.0.2.0/24'), fc.constant('2001:db8::/32'));
  const appPassword = fc.record(
    {
      label,
      stored: fc.stringMatching(/^\{[A-Z0-9-]{1,9}\}[!-$&-~]{1,99}$/),
      expiresAt: fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }).map(Number),
      networks: fc.array(network),
    },
    { requiredKeys: ['label', 'stored'] },
  );

  it('is read as it was written, and has no space', () => {
    fc.assert(
      fc.property(appPassword, (written) => {
        const text = formatAppPassword(written as AppPassword);
        expect(text).not.toMatch(/\s/);
        expect(parseAppPassword(text)).toEqual(written);
      }),
    );
  });

  it.each([
    [{ label: 'phone', stored: '{PLAIN}x' }, 'phone;{PLAIN}x'],
    [
      {
        label: 'tv',
        stored: '{PLAIN}a;b{c}',
        expiresAt: Date.UTC(2027, 0, 31),
        networks: ['192.0.2.0/24', '2001:db8::/32'],
      },
      'tv;expires=2027-01-31;allow_nets=192.0.2.0/24,2001:db8::/32;{PLAIN}a;b{c}',
    ],
    [
      { label: 'tv', stored: '{PLAIN}x', expiresAt: Date.UTC(2027, 0, 31, 18, 30) },
      'tv;expires=2027-01-31T18:30:00Z;{PLAIN}x',
    ],
    [{ label: 'nowhere', stored: '{PLAIN}x', networks: [] }, 'nowhere;allow_nets=;{PLAIN}x'],
  ])('of %j is %s', (password, text) => {
    expect(formatAppPassword(password)).toBe(text);
    expect(parseAppPassword(text)).toEqual(password);
  });

  it.each([
    ['', /LABEL;expires/],
    ['phone', /LABEL;expires/],
    ['phone;hunter2', /LABEL;expires/],
    ['{PLAIN}hunter2', /LABEL;expires/],
    [';{PLAIN}hunter2', /a label is/],
    ['a%b;{PLAIN}hunter2', /a label is/],
    ['phone;{PLAIN}', /no data/],
    ['phone;{}hunter2', /no data/],
    ['phone;expires=tomorrow;{PLAIN}hunter2', /a date such as/],
    ['phone;expires=2027-13-01;{PLAIN}hunter2', /is no date/],
    ['phone;expires=;{PLAIN}hunter2', /a date such as/],
    ['phone;expires=2027-01-31T18:00;{PLAIN}hunter2', /a date such as/],
    ['phone;expires=2027-01-01;expires=2028-01-01;{PLAIN}hunter2', /expires twice/],
    ['phone;devices=one;{PLAIN}hunter2', /unknown restriction devices/],
  ])('%j is none, and what is said of it does not show it', (text, message) => {
    const problem = parseAppPassword(text);
    expect(problem).toMatch(message);
    expect(problem).not.toContain('hunter2');
  });
});

describe('a user with app passwords', () => {
  const text =
    'ann:{PLAIN}main:::::: app_password=phone;{PLAIN}one userdb_quota=1 app_password=tv;allow_nets=10.0.0.0/8,2001:db8::/32;{PLAIN}two\n';

  it('logs in with any of them', async () => {
    const users = usersOf(text);
    const home = contextOf({ address: '2001:db8::7' });
    for (const password of ['main', 'one', 'two']) {
      expect(await users.authenticate(passwordOf('ann', password), home)).toEqual(ACCEPTED_ANN);
    }
    expect(await users.authenticate(passwordOf('ann', 'three'), home)).toEqual(REFUSED);
  });

  it('does so from the networks of each alone', async () => {
    const users = usersOf(text);
    expect(await users.authenticate(passwordOf('ann', 'one'), contextOf())).toEqual(ACCEPTED_ANN);
    expect(await users.authenticate(passwordOf('ann', 'two'), contextOf())).toEqual(REFUSED);
    expect(await users.authenticate(passwordOf('ann', 'two'), contextOf({ address: null }))).toEqual(REFUSED);
  });

  it('does so until each expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const users = usersOf('ann::::::: app_password=tv;expires=2027-01-31;{PLAIN}two\n');
    vi.setSystemTime(Date.UTC(2027, 0, 31) - 1);
    expect(await users.authenticate(passwordOf('ann', 'two'), contextOf())).toEqual(ACCEPTED_ANN);
    vi.setSystemTime(Date.UTC(2027, 0, 31));
    expect(await users.authenticate(passwordOf('ann', 'two'), contextOf())).toEqual(REFUSED);
  });

  it('is bound by what is said of the user', async () => {
    const users = usersOf(
      'ann:{PLAIN}main:::::: allow_nets=192.0.2.0/24,2001:db8::/32 app_password=phone;{PLAIN}one\n' +
        'bob:{PLAIN}main:::::: nologin=y app_password=phone;{PLAIN}one\n' +
        'cy:{PLAIN}main:::::: nopassword app_password=phone;{PLAIN}one\n' +
        'dan:{PLAIN}main:::::: allow_nets=\n',
    );
    for (const password of ['main', 'one']) {
      expect(await users.authenticate(passwordOf('ann', password), contextOf())).toEqual(ACCEPTED_ANN);
      const elsewhere = contextOf({ address: '198.51.100.1' });
      expect(await users.authenticate(passwordOf('ann', password), elsewhere)).toEqual(REFUSED);
      for (const name of ['bob', 'cy', 'dan']) {
        expect(await users.authenticate(passwordOf(name, password), contextOf())).toEqual(REFUSED);
      }
    }
  });

  it('costs the slow hash once, whatever the number of fast ones, right network or not', async () => {
    const counted = countingScheme();
    const fast = { ...countingScheme('FAST'), slow: false, verify: () => false };
    const many = Array.from(
      { length: 20 },
      (_, i) => `app_password=a${i};allow_nets=10.0.0.1;{FAST}1=x`,
    ).join(' ');
    const users = usersOf(`ann:{COUNTED}9=main:::::: ${many}\n`, { schemes: [counted, fast] });
    for (const name of ['ann', 'eve']) await users.authenticate(passwordOf(name, 'wrong'), contextOf());
    expect(counted.checked).toEqual(['9=main', '9=main']);
  });

  it('that cannot be read is without it, and the line is reported', async () => {
    const problems: unknown[] = [];
    const users = usersOf(
      'ann:{PLAIN}main:::::: app_password=tv;expires=soon;{PLAIN}hunter2 app_password=a;{PLAIN}one app_password=a;{PLAIN}hunter2 app_password=b;{NOPE}hunter2\n',
      { onProblem: ({ line, message }) => problems.push([line, message.replace(/ \(known.*/, '')]) },
    );
    expect(problems).toEqual([
      [1, 'the expiry of an app password is a date such as 2027-01-31, or 2027-01-31T18:00Z'],
      [1, 'two app passwords are called a; the first wins'],
      [1, 'app password b: the scheme {NOPE} is not known'],
    ]);
    expect(await users.authenticate(passwordOf('ann', 'hunter2'), contextOf())).toEqual(REFUSED);
    for (const password of ['main', 'one']) {
      expect(await users.authenticate(passwordOf('ann', password), contextOf())).toEqual(ACCEPTED_ANN);
    }
  });
});

describe('updateUsersFile', () => {
  const PHONE = { label: 'phone', stored: '{PLAIN}one' };
  const add: UsersFileChange = { type: 'add-app-password', name: 'ann', appPassword: PHONE };
  const remove: UsersFileChange = { type: 'remove-app-password', name: 'ann', label: 'phone' };

  async function after(before: string, change: UsersFileChange) {
    const file = join(temporaryFolder(), 'users');
    writeFileSync(file, before, 'latin1');
    const outcome = await updateUsersFile(file, change);
    return [outcome, readFileSync(file, 'latin1')];
  }

  it.each([
    ['ann:{PLAIN}x::::::\n', 'ann:{PLAIN}x::::::app_password=phone;{PLAIN}one\n'],
    ['ann:{PLAIN}x\r\nbob:\r\n', 'ann:{PLAIN}x::::::app_password=phone;{PLAIN}one\r\nbob:\r\n'],
    ['ann', 'ann:::::::app_password=phone;{PLAIN}one'],
    ['ann:x::::::a=b:c  d\n', 'ann:x::::::a=b:c d app_password=phone;{PLAIN}one\n'],
    [
      'j\xfcrg:x\nann:x::::::app_password=phones;{PLAIN}y\n',
      'j\xfcrg:x\nann:x::::::app_password=phones;{PLAIN}y app_password=phone;{PLAIN}one\n',
    ],
  ])('adds one to %j', async (before, text) => {
    expect(await after(before, add)).toEqual(['done', text]);
  });

  it.each([
    ['ann:x::::::app_password=phone;{PLAIN}one\n', 'ann:x::::::\n'],
    [
      'ann:x::::::a=b app_password=phone;expires=soon;{X}y app_password=tv;{PLAIN}z\n',
      'ann:x::::::a=b app_password=tv;{PLAIN}z\n',
    ],
  ])('removes one from %j, also one that cannot be read', async (before, text) => {
    expect(await after(before, remove)).toEqual(['done', text]);
  });

  it.each([
    ['exists', add, 'ann:x::::::app_password=phone;{PLAIN}y\n'],
    ['no-such-user', add, 'bob:x\n'],
    ['no-such-user', remove, 'bob:x\n'],
    ['no-such-app-password', remove, 'ann:x::::::app_password=phones;{PLAIN}y\n'],
  ])('says %s and changes nothing', async (outcome, change, before) => {
    expect(await after(before, change)).toEqual([outcome, before]);
  });

  it.each([
    [{ ...PHONE, label: 'my phone' }, /a label is/],
    [{ ...PHONE, stored: '{PLAIN}hunter 2' }, /without spaces and %/],
    [{ ...PHONE, stored: '{PLAIN}hunter%2' }, /without spaces and %/],
    [{ ...PHONE, stored: 'hunter2' }, /\{SCHEME\}data/],
    [{ ...PHONE, expiresAt: Number.NaN }, /expiry/],
    [{ ...PHONE, networks: ['local'] }, /neither an address nor a network/],
  ])('refuses what a line cannot hold, and does not show it', async (appPassword, message) => {
    const change = { type: 'add-app-password', name: 'ann', appPassword } as const;
    const attempt = updateUsersFile('/nowhere/users', change);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(/^(?!.*hunter)/);
  });

  it('keeps the name as it is written, and finds it by any spelling', async () => {
    const file = join(temporaryFolder(), 'users');
    writeFileSync(file, 'jose\u0301:{PLAIN}x\n');
    const name = 'jos\u00e9';
    expect(await updateUsersFile(file, { type: 'add', name, password: '{PLAIN}y' })).toBe('exists');
    expect(await updateUsersFile(file, { type: 'set-password', name, password: '{PLAIN}z' })).toBe('done');
    expect(readFileSync(file, 'utf8')).toBe('jose\u0301:{PLAIN}z\n');
  });

  it('writes what usersFile and a list of app passwords read', async () => {
    const file = join(temporaryFolder(), 'users');
    const password = generateAppPassword();
    const appPassword = {
      label: 'phone',
      stored: await hashPassword(password, 'SSHA512'),
      expiresAt: Date.UTC(9999, 0, 1),
      networks: ['192.0.2.0/24', '2001:db8::/32'],
    };
    await updateUsersFile(file, { type: 'add', name: 'ann', password: '{PLAIN}main' });
    await updateUsersFile(file, { type: 'add-app-password', name: 'ann', appPassword });
    const [entry] = (await readUsersFile(file)).entries;
    expect(entry && recordOf(entry).appPasswords).toEqual([appPassword]);
    const users = usersFile(file);
    for (const right of [password, 'main']) {
      expect(await users.authenticate(passwordOf('ann', right), contextOf())).toEqual(ACCEPTED_ANN);
    }
    await updateUsersFile(file, { type: 'remove-app-password', name: 'ann', label: 'phone' });
    expect(await users.authenticate(passwordOf('ann', password), contextOf())).toEqual(REFUSED);
  });
});

it('generates app passwords of 100 random bits that are easy to type', () => {
  const made = Array.from({ length: 500 }, generateAppPassword);
  for (const password of made) expect(password).toMatch(/^([a-km-np-z2-9]{4}-){4}[a-km-np-z2-9]{4}$/);
  expect(new Set(made).size).toBe(500);
  // Each of the 32 characters comes 312 times on average; that one does not come at all has a probability below 1e-130.
  expect(new Set(made.join('')).size).toBe(33);
});
