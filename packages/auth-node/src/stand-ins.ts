import type { ScramForm } from '@pop3/core';
import { scramPasswordOf } from './scram-source.js';
import type { LoginPassword, User } from './user.js';

/** Users whose passwords take the same time to check, and one of them. */
interface Kind {
  readonly label: string;
  readonly user: User;
  users: number;
}

/**
 * What users look like, so that a name that does not exist can look like one of them.
 *
 * A check takes the time of the user's passwords, so users differ by their schemes and costs. A name without a user gets one
 * of these kinds, as often as users have it, and always the same one as long as the users stay.
 */
export class StandIns {
  readonly #limit: number;
  /** Sorted by label, so that the order in which users come changes nothing. */
  #kinds: Kind[] = [];
  #users = 0;

  /** @param limit - above so many users all counts are halved: what was seen long ago counts less, and kinds are few */
  constructor(limit: number = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
  }

  /** Counts a user who has a password. */
  saw(user: User): void {
    const label = labelOf(user.passwords);
    let at = this.#kinds.findIndex((kind) => kind.label >= label);
    if (at === -1) at = this.#kinds.length;
    const known = this.#kinds[at];
    if (known?.label === label) known.users++;
    else this.#kinds.splice(at, 0, { label, user, users: 1 });
    this.#users++;
    if (this.#users > this.#limit) this.#forget();
  }

  /**
   * The user to check in place of one that does not exist; null where there is none at all.
   *
   * @param position - of the name among all names: 0 to 1, without 1
   */
  at(position: number): User | null {
    let left = position * this.#users;
    for (const kind of this.#kinds) {
      left -= kind.users;
      if (left < 0) return kind.user;
    }
    return this.#kinds.at(-1)?.user ?? null;
  }

  /** The password that most users have for a form of SCRAM; null where nobody has one. */
  mostCommon(form: ScramForm): LoginPassword | null {
    let most: { readonly password: LoginPassword; readonly users: number } | null = null;
    for (const { user, users } of this.#kinds) {
      const password = scramPasswordOf(user.passwords, form);
      if (password !== null && users > (most?.users ?? 0)) most = { password, users };
    }
    return most?.password ?? null;
  }

  #forget(): void {
    for (const kind of this.#kinds) kind.users = Math.floor(kind.users / 2);
    this.#kinds = this.#kinds.filter((kind) => kind.users > 0);
    this.#users = this.#kinds.reduce((sum, kind) => sum + kind.users, 0);
  }
}

/** Equal for users whose checks take equal time. How many fast passwords there are changes nothing that can be measured. */
function labelOf(passwords: readonly LoginPassword[]): string {
  const slow: string[] = [];
  const fast = new Set<string>();
  for (const { scheme, data } of passwords) {
    const label = `${scheme.names[0]} ${scheme.costOf(data)}`;
    if (scheme.slow) slow.push(label);
    else fast.add(label);
  }
  return [...slow.sort(), ...[...fast].sort()].join('; ');
}
