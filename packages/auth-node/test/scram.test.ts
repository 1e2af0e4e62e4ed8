import { createHmac, hash, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { Authenticator, AuthOutcome, ScramForm, ScramKeys } from '@pop3/core';
import { type SaslServerContext, type ScramPasswordCrypto, scram, scramClient } from '@pop3/core/sasl';
import { describe, expect, it } from 'vitest';
import { hashPassword, lookupUsers, plain, scramKeys, scrypt, type UserRecord } from '../src/index.js';
import { contextOf } from './auth-context.js';
import { countingScheme } from './counting-scheme.js';
import { usersOf } from './users-of.js';

const REFUSED = { type: 'refused', reason: 'bad-credentials' };
const FORMS = [
  ['scram-sha-1', 'sha1', 20],
  ['scram-sha-256', 'sha256', 32],
  ['scram-sha-512', 'sha512', 64],
] as const;

function cryptoOf(form: ScramForm): ScramPasswordCrypto {
  const [, algorithm, octets] = FORMS.find(([name]) => name === form) as (typeof FORMS)[number];
  const derive = promisify(pbkdf2);
  return {
    hash: (data) => hash(algorithm, data, 'buffer'),
    hmac: (key, data) => createHmac(algorithm, key).update(data).digest(),
    pbkdf2: (password, salt, iterations) => derive(password, salt, iterations, octets, algorithm),
  };
}

/** A whole exchange between the client's half of the core and these users. */
async function logInByScram(
  users: Authenticator,
  form: ScramForm,
  username: string,
  password: string,
  { authorizationId = '', context = contextOf() } = {},
): Promise<AuthOutcome> {
  const crypto = cryptoOf(form);
  const nonce = () => randomBytes(18).toString('base64');
  const server: SaslServerContext = {
    ...context,
    authenticate: (credentials) => users.authenticate(credentials, context),
    scramKeys: (name, wanted) => keysOf(users, name, wanted, context),
  };
  const client = scramClient(form, { crypto, nonce, username, password, authorizationId }).start();
  const exchange = scram(form, { crypto, nonce })[1].start(server);
  for (let challenge: Uint8Array | null = null; ; ) {
    const step = await client.step(challenge);
    if (step.type === 'failed') throw new Error(step.text);
    const outcome = await exchange.step(step.response);
    if (outcome.type !== 'challenge') {
      expect(client.complete).toBe(outcome.type === 'accepted');
      return outcome;
    }
    challenge = outcome.challenge;
  }
}

async function keysOf(
  users: Authenticator,
  name: string,
  form: ScramForm,
  context = contextOf(),
): Promise<ScramKeys> {
  const keys = await users.scramKeys?.(name, form, context);
  if (keys === undefined || 'type' in keys) throw new Error('No keys.');
  return keys;
}

const accepted = (name: string) => ({ type: 'accepted', identity: { maildrop: name, username: name } });

describe.each(FORMS)('%s', (form, _algorithm, octets) => {
  const schemes = [
    scramKeys('scram-sha-1', 4096),
    scramKeys('scram-sha-256', 4096),
    scramKeys('scram-sha-512', 4096),
    plain,
  ];

  it('logs in users of keys and of {PLAIN}, and nobody by a wrong password', async () => {
    const users = usersOf(
      `ann:${await hashPassword('secret', form, schemes)}\nbob:{PLAIN}geheim\ncy:{SSHA512}${'A'.repeat(88)}\n`,
    );
    expect(await logInByScram(users, form, 'ann', 'secret')).toEqual(accepted('ann'));
    expect(await logInByScram(users, form, 'bob', 'geheim')).toEqual(accepted('bob'));
    for (const name of ['ann', 'bob', 'cy', 'eve']) {
      expect(await logInByScram(users, form, name, 'wrong')).toEqual(REFUSED);
    }
  });

  it('lets a user of keys log in with the password as well', async () => {
    const users = usersOf(`ann:${await hashPassword('secret', form, schemes)}\n`);
    expect(users.accepts).toEqual(['password', form]);
    const password = { type: 'password', username: 'ann', authorizationId: '' } as const;
    expect(await users.authenticate({ ...password, password: 'secret' }, contextOf())).toEqual(
      accepted('ann'),
    );
    expect(await users.authenticate({ ...password, password: 'wrong' }, contextOf())).toEqual(REFUSED);
  });

  it('shows keys of the right length for everybody', async () => {
    const users = usersOf('bob:{PLAIN}geheim\n');
    for (const name of ['bob', 'eve']) {
      const keys = await keysOf(users, name, form);
      expect([keys.storedKey.length, keys.serverKey.length]).toEqual([octets, octets]);
    }
  });
});

describe('keys for a user', () => {
  const form = 'scram-sha-256';
  const secret = Buffer.alloc(32, 1);

  it('are of one secret and one name the same each time, wherever they are asked for', async () => {
    const text = `bob:{PLAIN}geheim\ncy:{CRAM-MD5}${'0'.repeat(64)}\n`;
    const here = usersOf(text, { secret });
    const there = usersOf(text, { secret });
    const elsewhere = usersOf(text, { secret: Buffer.alloc(32, 2) });
    for (const name of ['bob', 'cy', 'eve', 'nobody']) {
      const keys = await keysOf(here, name, form);
      expect(await keysOf(here, name, form)).toEqual(keys);
      expect(await keysOf(there, name, form)).toEqual(keys);
      expect(await keysOf(elsewhere, name, form)).not.toEqual(keys);
    }
  });

  it('differ from name to name and from form to form', async () => {
    const users = usersOf('bob:{PLAIN}geheim\n', { secret });
    const seen = new Set<string>();
    for (const name of ['bob', 'eve', 'mallory']) {
      for (const [wanted] of FORMS) {
        const { salt } = await keysOf(users, name, wanted);
        seen.add(Buffer.from(salt).toString('hex'));
      }
    }
    expect(seen.size).toBe(9);
  });

  it('look alike where most users have stored keys: salt and iterations are those of users', async () => {
    const KEY = Buffer.alloc(32).toString('base64');
    const users = usersOf(
      `ann:{SCRAM-SHA-256}7000,${Buffer.alloc(9).toString('base64')},${KEY},${KEY}\ncy:{CRAM-MD5}${'0'.repeat(64)}\n`,
    );
    for (const name of ['ann', 'cy', 'eve', 'nobody']) {
      const { iterations, salt } = await keysOf(users, name, form);
      expect([iterations, salt.length]).toEqual([7000, 9]);
    }
  });

  it('that does not exist are marked for anyOf, and for nobody else', async () => {
    const users = usersOf(`bob:{PLAIN}geheim\ncy:{CRAM-MD5}${'0'.repeat(64)}\ndan::\n`);
    expect((await keysOf(users, 'bob', form)).standIn).toBeUndefined();
    for (const name of ['cy', 'dan', 'eve']) expect((await keysOf(users, name, form)).standIn).toBe(true);
  });

  it('are derived once and kept, also for a name without a user', async () => {
    const users = usersOf('bob:{PLAIN}geheim\n');
    for (const name of ['bob', 'eve']) {
      const first = users.scramKeys?.(name, form, contextOf());
      expect(first).toBeInstanceOf(Promise);
      await first;
      expect(users.scramKeys?.(name, form, contextOf())).not.toBeInstanceOf(Promise);
    }
  });

  it('follow a new password', async () => {
    let record: UserRecord = { name: 'bob', passwords: [{ stored: '{PLAIN}old' }] };
    const users = lookupUsers({ find: () => record }, { accepts: [form] });
    expect(await logInByScram(users, form, 'bob', 'old')).toEqual(accepted('bob'));
    record = { name: 'bob', passwords: [{ stored: '{PLAIN}new' }] };
    expect(await logInByScram(users, form, 'bob', 'old')).toEqual(REFUSED);
    expect(await logInByScram(users, form, 'bob', 'new')).toEqual(accepted('bob'));
  });

  it('are refused as a temporary failure when too many wait for theirs', async () => {
    const users = usersOf('bob:{PLAIN}geheim\n', { hashing: { maxRunning: 1, maxWaiting: 1 } });
    const answers = ['a', 'b', 'c'].map((name) => users.scramKeys?.(name, form, contextOf()));
    expect((await Promise.all(answers))[2]).toEqual({ type: 'refused', reason: 'temporary' });
  });

  it('of a secret that is too short are refused at once', () => {
    expect(() => usersOf('', { secret: Buffer.alloc(15) })).toThrow(/16 octets or more/);
  });
});

describe('a proof', () => {
  const form = 'scram-sha-256';

  it('is no use to who may not log in', async () => {
    const users = usersOf(
      'ann:{PLAIN}a:::::: allow_nets=192.0.2.0/24\nbob:{PLAIN}b:::::: nologin\n' +
        'cy::::::: app_password=tv;expires=2001-01-01;{PLAIN}c\n',
    );
    expect(await logInByScram(users, form, 'ann', 'a')).toEqual(accepted('ann'));
    const context = contextOf({ address: '198.51.100.1' });
    expect(await logInByScram(users, form, 'ann', 'a', { context })).toEqual(REFUSED);
    expect(await logInByScram(users, form, 'bob', 'b')).toEqual(REFUSED);
    expect(await logInByScram(users, form, 'cy', 'c')).toEqual(REFUSED);
  });

  it('is for the own maildrop', async () => {
    const users = usersOf('ann:{PLAIN}a\nbob:{PLAIN}b\n');
    expect(await logInByScram(users, form, 'ann', 'a', { authorizationId: 'ann' })).toEqual(accepted('ann'));
    expect(await logInByScram(users, form, 'ann', 'a', { authorizationId: 'bob' })).toEqual(REFUSED);
  });

  it('that is claimed for a user without keys is refused', async () => {
    const stored = await scrypt({ ln: 4, r: 8, p: 1 }).hash('a');
    const users = usersOf(`ann:{SCRYPT}${stored}\nbob:{PLAIN}b\n`);
    for (const username of ['ann', 'eve']) {
      const credentials = { type: form, username, authorizationId: '', proven: true } as const;
      expect(await users.authenticate(credentials, contextOf())).toEqual(REFUSED);
    }
  });

  it('uses no hash of those who have no keys', async () => {
    const counted = countingScheme();
    const users = usersOf('ann:{COUNTED}1=a\n', { schemes: [counted, plain] });
    await users.scramKeys?.('ann', form, contextOf());
    await users.authenticate(
      { type: form, username: 'ann', authorizationId: '', proven: false },
      contextOf(),
    );
    expect(counted.checked).toEqual([]);
  });
});

describe('SASLprep', () => {
  const form = 'scram-sha-256';

  it('makes one of a name and a password that are typed differently', async () => {
    // U+00E9, and e with U+0301.
    const users = usersOf('jos\u00e9:{PLAIN}pa\u00df\u00e9\nren\u0065\u0301:{PLAIN}ge\u0301\n');
    expect(await logInByScram(users, form, 'jose\u0301', 'pa\u00dfe\u0301')).toEqual(accepted('jos\u00e9'));
    expect(await logInByScram(users, form, 'ren\u00e9', 'g\u00e9')).toEqual(accepted('rene\u0301'));
  });

  it.each(['SCRYPT', 'SSHA512', 'PLAIN', 'CRAM-MD5', 'SCRAM-SHA-256'])(
    'finds the password of a {%s} user, prepared or not',
    async (scheme) => {
      const schemes = [scrypt({ ln: 4, r: 8, p: 1 }), scramKeys('scram-sha-256', 4096)];
      const light = schemes.some(({ names }) => names.includes(scheme)) ? schemes : undefined;
      const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];
      const users = usersOf(
        `ann:${await hashPassword(composed, scheme, light)}\nbob:${await hashPassword(decomposed, scheme, light)}\n`,
      );
      const logIn = (username: string, password: string) =>
        users.authenticate({ type: 'password', username, password, authorizationId: '' }, contextOf());
      // Stored as SASLprep has it: both spellings fit. Stored otherwise: the hash knows that one alone.
      expect(await logIn('ann', composed)).toEqual(accepted('ann'));
      expect(await logIn('ann', decomposed)).toEqual(accepted('ann'));
      expect(await logIn('bob', decomposed)).toEqual(accepted('bob'));
      expect(await logIn('ann', 'cafe')).toEqual(REFUSED);
      const unprepared = { password: composed, unpreparedPassword: decomposed };
      const credentials = { type: 'password', username: 'bob', authorizationId: '', ...unprepared } as const;
      expect(await users.authenticate(credentials, contextOf())).toEqual(accepted('bob'));
    },
  );

  it('costs by what was sent, whoever the user is', async () => {
    const counted = countingScheme();
    const users = usersOf('ann:{COUNTED}1=a\n', { schemes: [counted] });
    const tried = async (username: string, password: string) => {
      counted.checked.length = 0;
      await users.authenticate({ type: 'password', username, password, authorizationId: '' }, contextOf());
      return counted.checked.length;
    };
    for (const name of ['ann', 'eve']) {
      expect(await tried(name, 'caf\u00e9')).toBe(1);
      expect(await tried(name, 'cafe\u0301')).toBe(2);
    }
  });

  it('keeps names and passwords that it prohibits', async () => {
    const users = usersOf('a\u00a0\ue000b:{PLAIN}x\ue000\n');
    const credentials = {
      type: 'password',
      username: 'a\u00a0\ue000b',
      password: 'x\ue000',
      authorizationId: '',
    } as const;
    expect(await users.authenticate(credentials, contextOf())).toEqual(accepted('a\u00a0\ue000b'));
  });
});
