import { describe, expect, it } from 'vitest';
import { verifyPassword } from '../src/index.js';
import { doveadmVectors } from './doveadm-vectors.js';

describe('a password that Dovecot has stored', () => {
  it.each(doveadmVectors)('is %j as %s and no other', async (password, stored) => {
    expect(await verifyPassword(password, stored)).toBe(true);
    expect(await verifyPassword(`${password}x`, stored)).toBe(false);
    expect(await verifyPassword('', stored)).toBe(false);
  });
});
