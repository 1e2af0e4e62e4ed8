import type { Identity } from '@pop3/core';
import { type NetworkList, networkList, problemOfNetwork } from './networks.js';
import { type PasswordScheme, parseStoredPassword, type StoredPassword } from './password-scheme.js';
import type { UserRecord } from './user-record.js';

/** A user who has been taken apart, ready to be checked. */
export interface User {
  /** As it is stored. */
  readonly name: string;
  readonly identity: Identity;
  readonly passwords: readonly LoginPassword[];
  readonly disabled: boolean;
  /** Null for any. */
  readonly networks: NetworkList | null;
}

export interface LoginPassword extends StoredPassword {
  /** Milliseconds since 1970; infinite for one that stays. */
  readonly expiresAt: number;
  readonly networks: NetworkList | null;
}

/** Whether it is good at this time, from this address. */
export function isUsable({ expiresAt, networks }: LoginPassword, address: string | null): boolean {
  return Date.now() < expiresAt && isWithin(networks, address);
}

export function isWithin(networks: NetworkList | null, address: string | null): boolean {
  return networks === null || networks.includes(address);
}

/**
 * The user of a record. What cannot be used is left out, in the safe direction, and told to `onProblem` as a clause that
 * holds no password.
 */
export function userOf(
  record: UserRecord,
  identity: Identity,
  schemes: readonly PasswordScheme[],
  defaultScheme: string | null,
  onProblem: (message: string) => void,
): User {
  const networksOf = (texts: readonly string[] | undefined): NetworkList | null => {
    if (texts === undefined) return null;
    const good = texts.filter((text) => {
      const problem = problemOfNetwork(text);
      if (problem !== null) onProblem(`${problem}; nobody is let in by it`);
      return problem === null;
    });
    return networkList(good);
  };
  const passwords: LoginPassword[] = [];
  for (const { stored, label, expiresAt = Number.POSITIVE_INFINITY, networks } of record.passwords) {
    const parsed = parseStoredPassword(stored, schemes, defaultScheme);
    if (typeof parsed === 'string') {
      const what = label === undefined ? '' : `app password ${label}: `;
      onProblem(`${what}${parsed}`);
    } else {
      passwords.push({ ...parsed, expiresAt, networks: networksOf(networks) });
    }
  }
  return {
    name: record.name,
    identity,
    passwords,
    disabled: record.disabled ?? false,
    networks: networksOf(record.networks),
  };
}
