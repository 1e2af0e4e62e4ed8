import { hash } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuthContext, Authenticator, AuthOutcome, MaybePromise } from '@pop3/core';
import { describe, expect, it } from 'vitest';
import {
  cramMd5Context,
  plain,
  scramKeys,
  scrypt,
  staticUsers,
  type UsersFileOptions,
  type UsersFileProblem,
  updateUsersFile,
  usersFile,
} from '../src/index.js';
import { countingScheme } from './counting-scheme.js';
import { temporaryFolder } from './temporary-folder.js';

const context: AuthContext = {
  signal: new AbortController().signal,
  peer: { address: '192.0.2.1', tls: true, certificate: null },
};

function logIn(
  users: Authenticator,
  username: string,
  password: string,
  authorizationId = '',
): MaybePromise<AuthOutcome> {
  return users.authenticate({ type: 'password', username, password, authorizationId }, context);
}

function apop(users: Authenticator, username: string, secret: string): MaybePromise<AuthOutcome> {
  const timestamp = '<1896.697170952@dbc.mtview.ca.us>';
  const digest = hash('md5', timestamp + secret, 'hex');
  return users.authenticate({ type: 'apop', username, timestamp, digest }, context);
}

const ACCEPTED_ANN = { type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } };
/** Of the length of a key of SCRAM-SHA-256. */
const KEY = Buffer.alloc(32).toString('base64');
const EVERY_FORM = ['password', 'apop', 'cram-md5', 'scram-sha-1', 'scram-sha-256', 'scram-sha-512'];
const REFUSED = { type: 'refused', reason: 'bad-credentials' };

/** A users file in a folder of its own, and what was reported about it. */
function open(text: string, options: UsersFileOptions = {}) {
  const file = join(temporaryFolder(), 'users');
  const problems: UsersFileProblem[] = [];
  writeFileSync(file, text);
  const users = usersFile(file, { onProblem: (problem) => problems.push(problem), ...options });
  return {
    file,
    problems,
    users,
    /** As an editor or `updateUsersFile` does it. */
    replace(newText: string) {
      writeFileSync(`${file}.new`, newText);
      renameSync(`${file}.new`, file);
    },
  };
}

describe('a password', () => {
  it('that is right opens the maildrop of the same name, at once for {PLAIN}', () => {
    const { users } = open('ann:{PLAIN}secret\n');
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
  });

  it.each([
    ['wrong', 'ann', 'Secret'],
    ['empty', 'ann', ''],
    ["that of somebody else's", 'ann', 'geheim'],
    ['for nobody', 'eve', 'secret'],
    ['for a name of JavaScript', '__proto__', 'secret'],
    ['for a user without one', 'cy', ''],
  ])('that is %s is refused as bad credentials', (_what, name, password) => {
    const { users } = open('ann:{PLAIN}secret\nbob:{PLAIN}geheim\ncy:\n');
    expect(logIn(users, name, password)).toEqual(REFUSED);
  });

  it('is taken with the own name as authorisation id, and refused with any other', () => {
    const { users } = open('ann:{PLAIN}secret\nbob:{PLAIN}geheim\n');
    expect(logIn(users, 'ann', 'secret', 'ann')).toEqual(ACCEPTED_ANN);
    expect(logIn(users, 'ann', 'secret', 'bob')).toEqual(REFUSED);
  });

  it('is compared as UTF-8', () => {
    const { users } = open('jörg:{PLAIN}pässword\n');
    expect(logIn(users, 'jörg', 'pässword')).toMatchObject({ type: 'accepted' });
  });

  it('without {SCHEME} is read with the default scheme', () => {
    const { users } = open('ann:secret\n', { defaultScheme: 'plain' });
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
  });

  it('that starts with a brace is not shown where bare passwords are read', () => {
    const { users, problems } = open('ann:{sec-ret}rest\n', { defaultScheme: 'PLAIN' });
    expect(logIn(users, 'ann', '{sec-ret}rest')).toEqual(REFUSED);
    expect(problems[0]?.message).toMatch(/^the scheme in braces is not known/);
  });

  it('opens the maildrop that the identity option names', () => {
    const { users } = open('ann:{PLAIN}secret::::/home/shared\n', {
      identity: ({ name, home }) => ({ username: name, maildrop: home.replace('/home/', '') }),
    });
    expect(logIn(users, 'ann', 'secret')).toEqual({
      type: 'accepted',
      identity: { maildrop: 'shared', username: 'ann' },
    });
  });

  it('is refused as a temporary failure when too many checks wait', async () => {
    const counted = countingScheme();
    const { users } = open('ann:{COUNTED}1=secret\n', {
      schemes: [counted],
      hashing: { maxRunning: 1, maxWaiting: 1 },
    });
    const attempts = [1, 2, 3].map(() => logIn(users, 'ann', 'secret'));
    expect(await Promise.all(attempts)).toEqual([
      ACCEPTED_ANN,
      ACCEPTED_ANN,
      { type: 'refused', reason: 'temporary' },
    ]);
    expect(counted.checked).toHaveLength(2);
  });

  it('of a scheme that fails rejects: that is a fault, not a refusal', async () => {
    const broken = {
      ...countingScheme('BROKEN'),
      verify: async () => {
        throw new Error('no such package');
      },
    };
    const { users } = open('ann:{BROKEN}1=x\n', { schemes: [broken] });
    await expect(logIn(users, 'ann', 'x')).rejects.toThrow('no such package');
  });
});

describe('a user that does not exist', () => {
  it('costs the same hash as a wrong password', async () => {
    const counted = countingScheme();
    const { users } = open('ann:{COUNTED}10=a\nbob:{COUNTED}10=b\ncy:\n', { schemes: [counted] });
    for (const name of ['ann', 'eve', 'cy']) expect(await logIn(users, name, 'wrong')).toEqual(REFUSED);
    expect(counted.checked.map((data) => data.split('=')[0])).toEqual(['10', '10', '10']);
  });

  it('costs what some user costs, each kind as often as users have it, and one name always the same', async () => {
    const counted = countingScheme();
    const text =
      'ann:{PLAIN}a\nbob:{COUNTED}5=b\ncy:{COUNTED}9=c\ndan:{PLAIN}d\neli:{COUNTED}9=e\nfay:{COUNTED}9=f\n';
    const { users, replace } = open(text, {
      schemes: [counted, plain],
      secret: Buffer.alloc(32, 7),
    });
    const costOf = async (name: string): Promise<string> => {
      counted.checked.length = 0;
      expect(await logIn(users, name, 'wrong')).toEqual(REFUSED);
      return counted.checked.map((data) => data.split('=')[0]).join();
    };
    const names = Array.from({ length: 600 }, (_, i) => `nobody${i}`);
    const costs = new Map<string, string>();
    for (const name of names) costs.set(name, await costOf(name));
    const share = (cost: string) => [...costs.values()].filter((found) => found === cost).length;
    // 2 : 1 : 3, and the secret is fixed, so these are the same each time.
    expect(share('')).toBeGreaterThan(150);
    expect(share('5')).toBeGreaterThan(50);
    expect(share('9')).toBeGreaterThan(250);
    replace(text.split('\n').reverse().join('\n'));
    for (const name of names.slice(0, 50)) expect(await costOf(name)).toBe(costs.get(name));
  });

  it('costs all slow passwords that users have', async () => {
    const counted = countingScheme();
    const { users } = open('ann:{COUNTED}10=a:::::: app_password=tv;{COUNTED}20=b\n', { schemes: [counted] });
    for (const name of ['ann', 'eve']) expect(await logIn(users, name, 'wrong')).toEqual(REFUSED);
    expect(counted.checked).toEqual(['10=a', '20=b', '10=a', '20=b']);
  });

  it('is refused even with the password of the user whose hash stands in', async () => {
    const { users } = open(
      'ann:{SCRYPT}$scrypt$ln=10,r=8,p=16$TmFDbA$/bq+HJ00cgB4VucZDQHp/nxq18vII3gw53N2Y0s3MWIurzDZLiKjiG/xCSedmDDaxyevuUqD7m2DYMvfoswGQA\n',
    );
    expect(await logIn(users, 'ann', 'password')).toEqual(ACCEPTED_ANN);
    expect(await logIn(users, 'eve', 'password')).toEqual(REFUSED);
  });
});

describe('APOP', () => {
  it('is checked against the secret of a {PLAIN} user', () => {
    const { users } = open('mrose:{PLAIN}tanstaaf\n');
    // RFC 1939 section 7.
    const credentials = {
      type: 'apop',
      username: 'mrose',
      timestamp: '<1896.697170952@dbc.mtview.ca.us>',
      digest: 'c4c9334bac560ecc979e58001b3e22fb',
    } as const;
    expect(users.authenticate(credentials, context)).toMatchObject({ type: 'accepted' });
    const upperCase = { ...credentials, digest: credentials.digest.toUpperCase() };
    expect(users.authenticate(upperCase, context)).toEqual(REFUSED);
    expect(users.authenticate({ ...credentials, digest: '' }, context)).toEqual(REFUSED);
  });

  it('is refused for users whose secret is not known, also with the digest of nothing', async () => {
    const stored = await scrypt({ ln: 4, r: 8, p: 1 }).hash('secret');
    const { users } = open(`ann:{SCRYPT}${stored}\nbob:{PLAIN}geheim\ncy:\n`);
    for (const name of ['ann', 'cy', 'eve']) {
      expect(apop(users, name, '')).toEqual(REFUSED);
      expect(apop(users, name, 'secret')).toEqual(REFUSED);
    }
  });
});

describe('accepts', () => {
  it.each([
    ['', []],
    ['ann:\n', []],
    ['ann:{COUNTED}1=x\n', ['password']],
    ['ann:{PLAIN}x\n', EVERY_FORM],
    ['ann:{COUNTED}1=x\nbob:{PLAIN}x\n', EVERY_FORM],
    ['ann:{PLAIN}x:::::: nologin\n', []],
    [`ann:{CRAM-MD5}${'0'.repeat(64)}\n`, ['password', 'cram-md5']],
    [`ann:{SCRAM-SHA-256}4096,AAAA,${KEY},${KEY}\n`, ['password', 'scram-sha-256']],
    [
      `ann:{SCRAM-SHA-256}4096,AAAA,${KEY},${KEY}\nbob:{CRAM-MD5}${'0'.repeat(64)}\n`,
      ['password', 'cram-md5', 'scram-sha-256'],
    ],
    ['ann::::::: app_password=phone;{PLAIN}x\n', EVERY_FORM],
  ])('follows from the entries of %j', (text, accepts) => {
    const schemes = [countingScheme(), plain, cramMd5Context, scramKeys('scram-sha-256')];
    expect(open(text, { schemes }).users.accepts).toEqual(accepts);
  });

  it('follows a change of the file', () => {
    const { users, replace } = open('ann:{COUNTED}1=x\n', { schemes: [countingScheme(), plain] });
    replace('ann:{PLAIN}x\n');
    expect(users.accepts).toEqual(EVERY_FORM);
  });

  it('leaves external credentials to others', () => {
    const { users } = open('ann:{PLAIN}x\n');
    expect(users.authenticate({ type: 'external', authorizationId: 'ann' }, context)).toEqual(REFUSED);
  });
});

describe('a changed file', () => {
  it('counts from the next login on when it was put in place by rename', () => {
    const { users, replace } = open('ann:{PLAIN}old\n', { restMs: 3_600_000 });
    replace('ann:{PLAIN}new\nbob:{PLAIN}geheim\n');
    expect(logIn(users, 'ann', 'new')).toEqual(ACCEPTED_ANN);
    expect(logIn(users, 'ann', 'old')).toEqual(REFUSED);
    expect([...users.names()]).toEqual(['ann', 'bob']);
    expect(users.has('bob')).toBe(true);
    replace('bob:{PLAIN}geheim\n');
    expect(logIn(users, 'ann', 'new')).toEqual(REFUSED);
  });

  it('that is being written in place is not read before it rests', () => {
    const { users, file } = open('ann:{PLAIN}secret\nbob:{PLAIN}geheim\n', { restMs: 3_600_000 });
    writeFileSync(file, 'bob:{PLAIN}gehe');
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    writeFileSync(file, 'bob:{PLAIN}geheim\ncy:{PLAIN}neu\n');
    const twoHoursAgo = new Date(Date.now() - 7_200_000);
    utimesSync(file, twoHoursAgo, twoHoursAgo);
    expect(logIn(users, 'ann', 'secret')).toEqual(REFUSED);
    expect(logIn(users, 'cy', 'neu')).toMatchObject({ type: 'accepted' });
  });

  it('with bad lines is read without them, and each is reported with its number', () => {
    const schemes = [scrypt(), plain];
    const { users, file, replace, problems } = open('ann:{PLAIN}secret\n', { schemes });
    expect(problems).toEqual([]);
    replace(
      'no colon\nann:{PLAIN}secret\nbob:bare\ncy:{NOPE}x\ndan:{PLAIN}d:::::: nopassword\n' +
        'eli:{PLAIN}e:::::: allow_nets=local,192.0.2.0/24 app_password=phone;{PLAIN}\n',
    );
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    expect(problems).toEqual([
      { file, line: 1, message: 'there is no colon after the name' },
      {
        file,
        line: 3,
        message: 'the password has no {SCHEME} in front, and no default scheme is set; bob cannot log in',
      },
      {
        file,
        line: 4,
        message: 'the scheme {NOPE} is not known (known: SCRYPT, PLAIN); cy cannot log in',
      },
      { file, line: 5, message: 'the field nopassword is not supported; dan cannot log in' },
      { file, line: 6, message: 'the app password has no data' },
      { file, line: 6, message: '"local" is neither an address nor a network; nobody is let in by it' },
    ]);
    expect(logIn(users, 'dan', 'd')).toEqual(REFUSED);
    expect(logIn(users, 'eli', 'e')).toMatchObject({ type: 'accepted' });
    expect(users.has('dan')).toBe(true);
  });

  it('without one good line leaves the users as they were', () => {
    const { users, file, replace, problems } = open('ann:{PLAIN}secret\n');
    replace('<<<<<<< conflict\nann {PLAIN}secret\n');
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    expect(problems.at(-1)).toEqual({
      file,
      line: null,
      message: 'no line of the file can be used; the users stay as they were',
    });
  });

  it('that is empty just now is not believed before it rests', () => {
    const { users, replace } = open('ann:{PLAIN}secret\n', { restMs: 3_600_000 });
    replace('');
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
  });

  it('that is empty leaves the users as they were, and is reported', () => {
    const { users, file, replace, problems } = open('ann:{PLAIN}secret\n', { restMs: 0 });
    replace('');
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    expect(problems).toEqual([
      { file, line: null, message: 'the file is empty; the users stay as they were' },
    ]);
  });

  it('that has comments alone leaves nobody', () => {
    const { users, replace, problems } = open('ann:{PLAIN}secret\n', { restMs: 0 });
    replace('# nobody\n');
    expect(logIn(users, 'ann', 'secret')).toEqual(REFUSED);
    expect(users.accepts).toEqual([]);
    expect(problems).toEqual([]);
  });

  it('whose last user updateUsersFile has removed leaves nobody', async () => {
    const { users, file } = open('ann:{PLAIN}secret\n', { restMs: 0 });
    await updateUsersFile(file, { type: 'remove', name: 'ann' });
    expect(logIn(users, 'ann', 'secret')).toEqual(REFUSED);
  });

  it('that is gone, or cannot be read, leaves the users as they were and is reported once', () => {
    const { users, file, replace, problems } = open('ann:{PLAIN}secret\n', { restMs: 0 });
    rmSync(file);
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    expect(logIn(users, 'ann', 'wrong')).toEqual(REFUSED);
    expect(problems).toEqual([
      { file, line: null, message: 'the file cannot be read (ENOENT); the users stay as they were' },
    ]);
    mkdirSync(file);
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    expect(problems.at(-1)?.message).toContain('EISDIR');
    rmSync(file, { recursive: true });
    replace('ann:{PLAIN}new\n');
    expect(logIn(users, 'ann', 'new')).toEqual(ACCEPTED_ANN);
  });

  it('is read once for each change, not on each use', () => {
    const { users, file, replace, problems } = open('ann:{PLAIN}secret\n', { restMs: 0 });
    replace('ann:{PLAIN}secret\nbroken\n');
    for (let attempt = 0; attempt < 5; attempt++) void logIn(users, 'ann', 'secret');
    expect(problems).toHaveLength(1);
    chmodSync(file, 0o600);
    void logIn(users, 'ann', 'secret');
    expect(problems).toHaveLength(2);
  });
});

it('throws at the start when the file is not there', () => {
  expect(() => usersFile(join(temporaryFolder(), 'nowhere'))).toThrow(/ENOENT/);
});

describe('staticUsers', () => {
  const users = staticUsers({ ann: 'secret', cy: '' });

  it('takes the given names and passwords', () => {
    expect(logIn(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    expect(apop(users, 'ann', 'secret')).toEqual(ACCEPTED_ANN);
    expect(users.accepts).toEqual(EVERY_FORM);
  });

  it('refuses everything else', () => {
    expect(logIn(users, 'ann', 'wrong')).toEqual(REFUSED);
    expect(logIn(users, 'cy', '')).toEqual(REFUSED);
    expect(logIn(users, 'toString', 'secret')).toEqual(REFUSED);
  });
});

describe('a restriction that cannot be obeyed', () => {
  it.each([
    ['allow_real_nets=10.0.0.0/8', /allow_real_nets is not supported/],
    ['allow_nets=10.0.0.0/8 allow_nets=0.0.0.0/0', /allow_nets is there twice/],
  ])('bars the user, and is told: %s', (extra, message) => {
    const file = join(temporaryFolder(), 'users');
    writeFileSync(file, `bob:{PLAIN}b\nann:{PLAIN}secret:::::: ${extra}\n`);
    const messages: string[] = [];
    const users = usersFile(file, { onProblem: (problem) => messages.push(problem.message) });
    expect(messages).toEqual([expect.stringMatching(message)]);
    expect(
      users.authenticate(
        { type: 'password', username: 'ann', password: 'secret', authorizationId: '' },
        context,
      ),
    ).toEqual(REFUSED);
  });
});

describe('a bcrypt hash that would stop the server', () => {
  it.each(['00', '03', '17', '31', '99'])('is reported with %s rounds, and never checked', (rounds) => {
    const file = join(temporaryFolder(), 'users');
    writeFileSync(file, `bob:{PLAIN}b\nann:{BLF-CRYPT}$2b$${rounds}$${'a'.repeat(53)}\n`);
    const messages: string[] = [];
    usersFile(file, { onProblem: (problem) => messages.push(problem.message) });
    expect(messages).toEqual([expect.stringMatching(/bcrypt takes 4 to 16 rounds/)]);
  });
});
