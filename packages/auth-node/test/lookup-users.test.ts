import type { AuthContext, Refusal } from '@pop3/core';
import { describe, expect, it } from 'vitest';
import {
  type LookupUsersOptions,
  lookupUsers,
  plain,
  type UserProblem,
  type UserRecord,
} from '../src/index.js';
import { StandIns } from '../src/stand-ins.js';
import { contextOf } from './auth-context.js';
import { countingScheme } from './counting-scheme.js';

const REFUSED = { type: 'refused', reason: 'bad-credentials' };

function passwordOf(username: string, password: string, authorizationId = '') {
  return { type: 'password', username, password, authorizationId } as const;
}

/** An authenticator over these records, and the names that it asked for. */
function over(records: Record<string, UserRecord | Refusal>, options: LookupUsersOptions = {}) {
  const asked: string[] = [];
  const find = (name: string) => {
    asked.push(name);
    return Object.hasOwn(records, name) ? (records[name] as UserRecord | Refusal) : null;
  };
  return { asked, users: lookupUsers({ find }, options) };
}

describe('lookupUsers', () => {
  const ann: UserRecord = { name: 'ann', passwords: [{ stored: '{PLAIN}secret' }] };

  it('answers at once where the look-up and the scheme do', () => {
    const { users } = over({ ann });
    const identity = { username: 'ann', maildrop: 'ann' };
    expect(users.authenticate(passwordOf('ann', 'secret'), contextOf())).toEqual({
      type: 'accepted',
      identity,
    });
    expect(users.authenticate(passwordOf('ann', 'wrong'), contextOf())).toEqual(REFUSED);
  });

  it('waits for a look-up that takes time', async () => {
    const users = lookupUsers({ find: async (name) => (name === 'ann' ? ann : null) });
    expect(await users.authenticate(passwordOf('ann', 'secret'), contextOf())).toMatchObject({
      type: 'accepted',
    });
    expect(await users.authenticate(passwordOf('eve', 'secret'), contextOf())).toEqual(REFUSED);
  });

  it('calls the user as the record does, and opens the maildrop that it names', () => {
    const { users } = over({ ANN: { ...ann, maildrop: 'box7' } });
    const identity = { username: 'ann', maildrop: 'box7' };
    for (const authorizationId of ['', 'ANN', 'ann']) {
      const credentials = passwordOf('ANN', 'secret', authorizationId);
      expect(users.authenticate(credentials, contextOf())).toEqual({ type: 'accepted', identity });
    }
    expect(users.authenticate(passwordOf('ANN', 'secret', 'box7'), contextOf())).toEqual(REFUSED);
  });

  it('asks for the prepared name, with the context of the login, and never for an empty one', () => {
    const contexts: AuthContext[] = [];
    const names: string[] = [];
    const users = lookupUsers({
      find(name, context) {
        names.push(name);
        contexts.push(context);
        return null;
      },
    });
    const context = contextOf();
    void users.authenticate(passwordOf('jose\u0301', 'x'), context);
    void users.authenticate(passwordOf('', 'x'), context);
    expect(names).toEqual(['jos\u00e9']);
    expect(contexts).toEqual([context]);
  });

  it('obeys what the record says of the user and of each password', () => {
    const { users } = over({
      off: { ...ann, disabled: true },
      on: { ...ann, disabled: false, networks: ['192.0.2.0/24'] },
      away: { ...ann, networks: ['10.0.0.0/8'] },
      nowhere: { ...ann, networks: [] },
      old: { name: 'old', passwords: [{ stored: '{PLAIN}secret', expiresAt: 1 }] },
      none: { name: 'none', passwords: [] },
    });
    const answers = ['off', 'on', 'away', 'nowhere', 'old', 'none'].map((name) =>
      users.authenticate(passwordOf(name, 'secret'), contextOf()),
    );
    const accepted = { type: 'accepted', identity: { username: 'ann', maildrop: 'ann' } };
    expect(answers).toEqual([REFUSED, accepted, REFUSED, REFUSED, REFUSED, REFUSED]);
  });

  it('passes on a refusal of the look-up, and a fault as a fault', async () => {
    const busy: Refusal = { type: 'refused', reason: 'temporary' };
    const { users } = over({ ann: busy });
    expect(users.authenticate(passwordOf('ann', 'secret'), contextOf())).toEqual(busy);
    expect(users.scramKeys?.('ann', 'scram-sha-256', contextOf())).toEqual(busy);
    const broken = lookupUsers({ find: () => Promise.reject(new Error('no database')) });
    await expect(broken.authenticate(passwordOf('ann', 'secret'), contextOf())).rejects.toThrow(
      'no database',
    );
  });

  it('reports what it cannot use of a record, and goes on without', () => {
    const problems: UserProblem[] = [];
    const passwords = [{ stored: 'hunter2' }, { stored: '{NOPE}hunter2', label: 'tv' }, ...ann.passwords];
    const { users } = over(
      { ann: { ...ann, passwords, networks: ['local', '192.0.2.0/24'] } },
      { onProblem: (problem) => problems.push(problem), schemes: [plain] },
    );
    expect(users.authenticate(passwordOf('ann', 'secret'), contextOf())).toMatchObject({ type: 'accepted' });
    expect(problems.map(({ name, message }) => `${name}: ${message}`)).toEqual([
      'ann: the password has no {SCHEME} in front, and no default scheme is set',
      'ann: app password tv: the scheme {NOPE} is not known (known: PLAIN)',
      'ann: "local" is neither an address nor a network; nobody is let in by it',
    ]);
  });

  it('accepts passwords unless told what else there is', () => {
    expect(over({}).users.accepts).toEqual(['password']);
    expect(over({}, { accepts: ['apop', 'scram-sha-256'] }).users.accepts).toEqual(['apop', 'scram-sha-256']);
  });
});

describe('a name that is not found', () => {
  const user = (name: string, cost: number): UserRecord => ({
    name,
    passwords: [{ stored: `{COUNTED}${cost}=x` }],
  });

  it('costs the first scheme while nobody was found yet', async () => {
    const counted = countingScheme();
    const { users } = over({}, { schemes: [counted, plain] });
    for (const name of ['eve', 'mallory']) {
      expect(await users.authenticate(passwordOf(name, 'x'), contextOf())).toEqual(REFUSED);
    }
    expect(counted.checked).toHaveLength(2);
  });

  it('costs what those cost who were found', async () => {
    const counted = countingScheme();
    const { users } = over({ ann: user('ann', 9) }, { schemes: [counted] });
    await users.authenticate(passwordOf('ann', 'wrong'), contextOf());
    await users.authenticate(passwordOf('eve', 'x'), contextOf());
    expect(counted.checked).toEqual(['9=x', '9=x']);
  });

  it('costs the same each time', async () => {
    const counted = countingScheme();
    const { users } = over(
      { ann: user('ann', 1), bob: user('bob', 2), cy: user('cy', 3) },
      { schemes: [counted] },
    );
    for (const name of ['ann', 'bob', 'cy']) await users.authenticate(passwordOf(name, ''), contextOf());
    for (const name of ['eve', 'mallory', 'trudy']) {
      counted.checked.length = 0;
      for (let i = 0; i < 5; i++) await users.authenticate(passwordOf(name, ''), contextOf());
      expect(new Set(counted.checked).size).toBe(1);
    }
  });
});

describe('StandIns', () => {
  const userWith = (label: string) => {
    const scheme = { ...countingScheme(label), costOf: () => '' };
    const password = { scheme, data: 'x', expiresAt: 0, networks: null };
    return {
      name: label,
      identity: { username: label, maildrop: label },
      passwords: [password],
      disabled: false,
      networks: null,
    };
  };

  it('forget what was seen long ago', () => {
    const standIns = new StandIns(8);
    standIns.saw(userWith('OLD'));
    for (let i = 0; i < 40; i++) standIns.saw(userWith('NEW'));
    for (let position = 0; position < 1; position += 0.01) expect(standIns.at(position)?.name).toBe('NEW');
  });

  it('share the positions as the users share the kinds', () => {
    const standIns = new StandIns();
    for (const label of ['B', 'A', 'A', 'C', 'A', 'B']) standIns.saw(userWith(label));
    const found = [0, 0.4, 0.49, 0.51, 0.8, 0.84, 0.999].map((position) => standIns.at(position)?.name);
    expect(found).toEqual(['A', 'A', 'A', 'B', 'B', 'C', 'C']);
    expect(new StandIns().at(0)).toBeNull();
  });
});
