import { createHmac } from 'node:crypto';
import type { Authenticator } from '@pop3/core';
import { describe, expect, it } from 'vitest';
import { contextOf } from './auth-context.js';
import { usersOf } from './users-of.js';

const REFUSED = { type: 'refused', reason: 'bad-credentials' };

// RFC 2195 section 2.
const challenge = '<1896.697170952@postoffice.reston.mci.net>';
const TIM = {
  type: 'cram-md5',
  username: 'tim',
  challenge,
  digest: 'b913a602c7eda7a495b4e6e7334d3890',
} as const;
/** `doveadm pw -s CRAM-MD5 -p tanstaaftanstaaf` */
const CONTEXT = 'd06d4e1b26fccaa4b0b61801132340a354b21152711fb604ca3e035e7015116b';

function logIn(users: Authenticator, username: string, secret: string) {
  const digest = createHmac('md5', secret).update(challenge).digest('hex');
  return users.authenticate({ type: 'cram-md5', username, challenge, digest }, contextOf());
}

describe('CRAM-MD5', () => {
  it.each([
    ['the secret', '{PLAIN}tanstaaftanstaaf'],
    ['a context of Dovecot', `{CRAM-MD5}${CONTEXT}`],
    ['a context by its other name, in upper case', `{HMAC-MD5}${CONTEXT.toUpperCase()}`],
  ])('is checked against %s', (_what, stored) => {
    const users = usersOf(`tim:${stored}\n`);
    expect(users.accepts).toContain('cram-md5');
    expect(users.authenticate(TIM, contextOf())).toMatchObject({ type: 'accepted' });
    expect(users.authenticate({ ...TIM, challenge: '<1@host>' }, contextOf())).toEqual(REFUSED);
    expect(users.authenticate({ ...TIM, digest: '' }, contextOf())).toEqual(REFUSED);
    expect(logIn(users, 'tim', 'wrong')).toEqual(REFUSED);
  });

  it('takes the app passwords as well, each within its limits', () => {
    const users = usersOf(
      'ann::::::: app_password=tv;{PLAIN}one app_password=old;expires=2001-01-01;{PLAIN}two app_password=home;allow_nets=10.0.0.0/8;{PLAIN}three\n',
    );
    expect(logIn(users, 'ann', 'one')).toMatchObject({ type: 'accepted' });
    expect(logIn(users, 'ann', 'two')).toEqual(REFUSED);
    expect(logIn(users, 'ann', 'three')).toEqual(REFUSED);
  });

  it('is refused for who has no secret, also with the digest of nothing', () => {
    const users = usersOf(`ann:{SSHA512}${'A'.repeat(88)}\nbob:{PLAIN}geheim\ncy:\n`);
    for (const name of ['ann', 'cy', 'eve']) {
      for (const secret of ['', 'geheim']) expect(logIn(users, name, secret)).toEqual(REFUSED);
    }
  });
});
