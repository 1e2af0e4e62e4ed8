import { randomBytes } from 'node:crypto';
import { problemOfNetwork } from './networks.js';
import type { UserPassword } from './user-record.js';

/** A password of a device or a program, beside the main one, in one extra field of a line of the users file. */
export interface AppPassword extends UserPassword {
  readonly label: string;
}

/** The key of the extra field, which Dovecot does not know and passes over. */
export const APP_PASSWORD_FIELD = 'app_password';

/** Without what separates fields, and without `%`, where Dovecot looks for the name of a variable. */
const LABEL = /^[\p{L}\p{N}._@+-]{1,64}$/u;
const STORED = /^\{[A-Za-z0-9._-]+\}[^\s%\p{Cc}]+$/u;
const VALUE = /^([^;]*)((?:;[a-z_]+=[^;]*)*);(\{.*)$/s;
/** ISO 8601 in UTC, with or without the time of day. */
const DATE = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?$/;

/** What forbids a label, as a clause, or null for a good one. */
export function problemOfLabel(label: string): string | null {
  return LABEL.test(label) ? null : 'a label is 1 to 64 letters, digits and ._@+-';
}

/** What forbids an app password in a users file, as a clause without the password, or null for a good one. */
export function problemOfAppPassword({
  label,
  stored,
  expiresAt,
  networks = [],
}: AppPassword): string | null {
  const problem = problemOfLabel(label);
  if (problem !== null) return problem;
  if (!STORED.test(stored)) return 'an app password is stored as {SCHEME}data, without spaces and %';
  if (expiresAt !== undefined && Number.isNaN(new Date(expiresAt).getTime()))
    return 'the expiry is not a time';
  return networks.map(problemOfNetwork).find((found) => found !== null) ?? null;
}

/**
 * The value of the extra field: `LABEL;expires=DATE;allow_nets=NETWORK,NETWORK;{SCHEME}data`. The two in the middle may be
 * left out. A date without a time of day is its first moment, in UTC.
 */
export function formatAppPassword({ label, stored, expiresAt, networks }: AppPassword): string {
  const parts = [label];
  if (expiresAt !== undefined) {
    parts.push(`expires=${new Date(expiresAt).toISOString().replace(/T00:00:00\.000Z$|\.000(?=Z$)/, '')}`);
  }
  if (networks !== undefined) parts.push(`allow_nets=${networks.join(',')}`);
  return [...parts, stored].join(';');
}

/** Reads the value of the extra field; a clause that says what is wrong, without any part of a password. */
export function parseAppPassword(value: string): AppPassword | string {
  const [, label = '', restrictions = '', stored] = VALUE.exec(value) ?? [];
  if (stored === undefined) return 'an app password is LABEL;expires=DATE;allow_nets=NETWORKS;{SCHEME}data';
  const password: { -readonly [K in keyof AppPassword]: AppPassword[K] } = { label, stored };
  const seen = new Set<string>();
  for (const restriction of restrictions.split(';').slice(1)) {
    const [, key = '', text = ''] = /^([a-z_]+)=(.*)$/s.exec(restriction) ?? [];
    if (seen.has(key)) return `the app password has ${key} twice`;
    seen.add(key);
    if (key === 'allow_nets') {
      password.networks = networksIn(text);
    } else if (key === 'expires') {
      if (!DATE.test(text))
        return 'the expiry of an app password is a date such as 2027-01-31, or 2027-01-31T18:00Z';
      password.expiresAt = Date.parse(text);
    } else {
      // Whatever it asks for, it would not be done.
      return `the app password has the unknown restriction ${key}`;
    }
  }
  return (
    problemOfLabel(label) ?? (STORED.test(stored) ? null : 'the app password has no data') ?? dated(password)
  );
}

/** A day that no month has is no date. */
function dated(password: AppPassword): AppPassword | string {
  return Number.isNaN(password.expiresAt) ? 'the expiry of an app password is no date' : password;
}

/** The networks of `allow_nets`, with commas between; none in an empty text. */
export function networksIn(text: string): readonly string[] {
  return text === '' ? [] : text.split(',');
}

/** Without those that look like others: 32 characters, 5 bits each. */
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';

/**
 * A new app password: 100 random bits in five groups of four, such as `k3vd-9hqn-w2ra-x7cf-tm5e`. Nobody can guess that,
 * however fast a guess is, so its stored form may be a fast hash: `hashPassword(password, 'SSHA512')`.
 */
export function generateAppPassword(): string {
  const characters = Array.from(randomBytes(20), (octet) => ALPHABET[octet & 31]);
  return characters.join('').replace(/(.{4})(?=.)/g, '$1-');
}
