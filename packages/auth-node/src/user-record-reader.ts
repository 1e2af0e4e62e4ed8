import type { UserPassword, UserRecord } from './user-record.js';

/**
 * A record from outside, checked: it has the fields of {@link UserRecord}, and any others are passed over.
 *
 * @returns the record, or a clause that names what is wrong and nothing of what is there.
 */
export function readUserRecord(value: unknown): UserRecord | string {
  if (!isObject(value)) return 'is not an object';
  const { name, maildrop, passwords, disabled, networks } = value;
  if (typeof name !== 'string' || name === '') return 'has no name';
  if (maildrop !== undefined && (typeof maildrop !== 'string' || maildrop === ''))
    return 'has a maildrop that is no text';
  if (disabled !== undefined && typeof disabled !== 'boolean')
    return 'has disabled that is neither true nor false';
  if (networks !== undefined && !isTexts(networks)) return 'has networks that are not a list of texts';
  if (!Array.isArray(passwords)) return 'has passwords that are not a list';
  if (!passwords.every(isUserPassword)) return 'has a password that is not one';
  return {
    name,
    passwords,
    ...(maildrop !== undefined && { maildrop }),
    ...(disabled !== undefined && { disabled }),
    ...(networks !== undefined && { networks }),
  };
}

/** Restrictions that cannot be read would not be obeyed, so such a password is none. */
function isUserPassword(value: unknown): value is UserPassword {
  if (!isObject(value)) return false;
  const { stored, label, expiresAt, networks } = value;
  return (
    typeof stored === 'string' &&
    (label === undefined || typeof label === 'string') &&
    (expiresAt === undefined || (typeof expiresAt === 'number' && Number.isFinite(expiresAt))) &&
    (networks === undefined || isTexts(networks))
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
