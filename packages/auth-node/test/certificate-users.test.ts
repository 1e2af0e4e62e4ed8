import type { Credentials, PeerCertificate } from '@pop3/core';
import { describe, expect, it, vi } from 'vitest';
import { type CertificateUsersOptions, certificateUsers } from '../src/index.js';
import { contextOf } from './auth-context.js';

const FINGERPRINT = 'ab'.repeat(32);

function certificateOf(more: Partial<PeerCertificate> = {}): PeerCertificate {
  return { commonName: 'ann', emailAddresses: [], fingerprint256: FINGERPRINT, ...more };
}

function logIn(
  certificate: PeerCertificate | null,
  authorizationId = '',
  options: CertificateUsersOptions = {},
) {
  return certificateUsers(options).authenticate(
    { type: 'external', authorizationId },
    contextOf({ certificate }),
  );
}

function accepted(username: string, maildrop = username) {
  return { type: 'accepted', identity: { username, maildrop } };
}

const refused = { type: 'refused', reason: 'bad-credentials' };

it('accepts EXTERNAL and nothing else', async () => {
  const users = certificateUsers();
  expect(users.accepts).toEqual(['external']);
  const password: Credentials = { type: 'password', username: 'ann', password: 'x', authorizationId: '' };
  expect(await users.authenticate(password, contextOf({ certificate: certificateOf() }))).toEqual(refused);
});

describe('the user of a certificate', () => {
  it.each([
    ['the common name', certificateOf(), 'ann'],
    [
      'the e-mail address before the common name',
      certificateOf({ emailAddresses: ['ann@example.org'] }),
      'ann@example.org',
    ],
    [
      'the e-mail address alone',
      certificateOf({ commonName: null, emailAddresses: ['ann@example.org'] }),
      'ann@example.org',
    ],
  ])('is %s', async (_, certificate, username) => {
    expect(await logIn(certificate)).toEqual(accepted(username));
    expect(await logIn(certificate, username)).toEqual(accepted(username));
  });

  it.each([
    ['without a certificate', null],
    ['without a name', certificateOf({ commonName: null })],
    ['with an empty name', certificateOf({ commonName: '' })],
    ['with an empty address', certificateOf({ emailAddresses: [''] })],
    ['with several addresses', certificateOf({ emailAddresses: ['ann@example.org', 'bob@example.org'] })],
    ['with a line end in its name', certificateOf({ commonName: 'ann\nbob' })],
    ['with a space around its name', certificateOf({ commonName: ' ann' })],
    ['with a name beyond 255 octets', certificateOf({ commonName: 'é'.repeat(128) })],
  ])('is nobody for one %s', async (_, certificate) => {
    expect(await logIn(certificate)).toEqual(refused);
    expect(await logIn(certificate, 'ann')).toEqual(refused);
    expect(await logIn(certificate, 'ann@example.org')).toEqual(refused);
  });

  it('is what a function says', async () => {
    const userOf = ({ fingerprint256 }: PeerCertificate) => (fingerprint256 === FINGERPRINT ? 'bob' : null);
    expect(await logIn(certificateOf(), '', { userOf })).toEqual(accepted('bob'));
    expect(await logIn(certificateOf({ fingerprint256: 'cd'.repeat(32) }), '', { userOf })).toEqual(refused);
    expect(await logIn(certificateOf(), '', { userOf: () => '' })).toEqual(refused);
  });
});

describe('an authorisation id', () => {
  it.each(['bob', 'Ann', 'ann '])('%j is refused for ann', async (authorizationId) => {
    expect(await logIn(certificateOf(), authorizationId)).toEqual(refused);
  });

  it('may spell the domain in any case, and opens the maildrop of the certificate', async () => {
    const certificate = certificateOf({ emailAddresses: ['ann@example.org'] });
    expect(await logIn(certificate, 'ann@EXAMPLE.org')).toEqual(accepted('ann@example.org'));
    expect(await logIn(certificate, 'Ann@example.org')).toEqual(refused);
  });

  it('is asked about when it is of somebody else', async () => {
    const mayAct = vi.fn(
      (username: string, authorizationId: string) => `${username}+${authorizationId}` === 'ann+bob',
    );
    expect(await logIn(certificateOf(), 'bob', { mayAct })).toEqual(accepted('ann', 'bob'));
    expect(await logIn(certificateOf(), 'cid', { mayAct })).toEqual(refused);
    expect(await logIn(certificateOf(), 'ann', { mayAct })).toEqual(accepted('ann'));
    expect(mayAct).toHaveBeenCalledTimes(2);
  });
});

describe('fingerprints', () => {
  const inColons = FINGERPRINT.toUpperCase().replace(/..(?=.)/g, '$&:');

  it.each([FINGERPRINT, inColons])('let in those that are listed, as %s', async (fingerprint) => {
    const fingerprints = ['00'.repeat(32), fingerprint];
    expect(await logIn(certificateOf(), '', { fingerprints })).toEqual(accepted('ann'));
    const other = certificateOf({ fingerprint256: 'cd'.repeat(32) });
    expect(await logIn(other, '', { fingerprints })).toEqual(refused);
  });

  it('let in nobody when none is listed', async () => {
    expect(await logIn(certificateOf(), '', { fingerprints: [] })).toEqual(refused);
  });

  it.each(['', 'ab'.repeat(20), `${FINGERPRINT}ab`, 'xy'.repeat(32)])(
    'are of SHA-256: %j is none',
    (fingerprint) => {
      expect(() => certificateUsers({ fingerprints: [fingerprint] })).toThrow(/not a SHA-256 fingerprint/);
    },
  );
});
