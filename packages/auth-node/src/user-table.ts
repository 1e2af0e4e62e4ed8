import type { Credentials } from '@pop3/core';
import { CREDENTIAL_FORMS, credentialFormsOf } from './password-scheme.js';
import { preparedName } from './prepared-name.js';
import { StandIns } from './stand-ins.js';
import type { User } from './user.js';
import type { UserSource } from './user-checks.js';

/** Users that are all known. */
export class UserTable implements UserSource {
  readonly accepts: readonly Credentials['type'][];
  readonly standIns = new StandIns();
  /** How many users can log in. */
  readonly size: number;
  readonly #users: ReadonlyMap<string, User>;

  /** @param users - by prepared name */
  constructor(users: ReadonlyMap<string, User>) {
    this.#users = users;
    const forms = new Set<Credentials['type']>();
    let size = 0;
    for (const user of users.values()) {
      if (user.passwords.length === 0) continue;
      this.standIns.saw(user);
      if (user.disabled) continue;
      size++;
      for (const { scheme } of user.passwords) for (const form of credentialFormsOf(scheme)) forms.add(form);
    }
    this.size = size;
    this.accepts = CREDENTIAL_FORMS.filter((form) => forms.has(form));
  }

  find(name: string): User | null {
    return this.#users.get(name) ?? null;
  }

  has(name: string): boolean {
    return this.#users.has(preparedName(name));
  }

  *names(): Iterable<string> {
    for (const { name } of this.#users.values()) yield name;
  }
}
