import { randomUUID } from 'node:crypto';
import type { AuthContext, Authenticator, Credentials, MaybePromise, Refusal } from '@pop3/core';
import { andThen } from './and-then.js';
import type { HashQueueLimits } from './hash-queue.js';
import { passwordSchemes } from './password.js';
import type { PasswordScheme, StoredPassword } from './password-scheme.js';
import { StandIns } from './stand-ins.js';
import { type User, userOf } from './user.js';
import { UserChecks, type UserSource } from './user-checks.js';
import type { UserLookup, UserRecord } from './user-record.js';

/** Something in a user's record that cannot be used and was left out. Holds no password. */
export interface UserProblem {
  readonly name: string;
  readonly message: string;
}

export interface LookupUsersOptions {
  /**
   * The forms of credentials that users can log in with: nobody can ask a look-up for all of them. By default `password`.
   * Passwords that are stored as they are (`{PLAIN}`) allow every form, `{SCRAM-...}` keys their own and `{CRAM-MD5}`
   * contexts `cram-md5`.
   */
  readonly accepts?: readonly Credentials['type'][];
  /** By default {@link passwordSchemes}. The first is the one that unknown users cost while nobody was found yet. */
  readonly schemes?: readonly PasswordScheme[];
  /** The scheme of passwords without `{SCHEME}` in front. By default null: such passwords are reported and left out. */
  readonly defaultScheme?: string | null;
  readonly hashing?: HashQueueLimits;
  /**
   * From it follow the salts and keys that SCRAM shows for users who do not exist: 16 octets or more. Give the same to
   * every process, and keep it over restarts, or the change tells who does not exist. By default random.
   */
  readonly secret?: Uint8Array;
  readonly onProblem?: (problem: UserProblem) => void;
}

/** So many finds are remembered by their kind, to tell what a user looks like. */
const REMEMBERED_FINDS = 10_000;

/**
 * An authenticator over a look-up. What the look-up finds is not kept: every login asks again, and SCRAM twice.
 *
 * A user that does not exist costs the hashes of those who were found lately, besides the look-up itself: see that yours
 * takes the same time for both.
 *
 * @throws Pop3Error `POP3_USAGE` for a secret that is too short.
 */
export function lookupUsers(lookup: UserLookup, options: LookupUsersOptions = {}): Authenticator {
  const { accepts = ['password'] } = options;
  const checks = new UserChecks(new FoundUsers(lookup, options), options);
  return {
    accepts,
    authenticate: (credentials, context) => checks.authenticate(credentials, context),
    scramKeys: (username, form, context) => checks.scramKeys(username, form, context),
  };
}

class FoundUsers implements UserSource {
  readonly standIns = new StandIns(REMEMBERED_FINDS);
  readonly #lookup: UserLookup;
  readonly #options: LookupUsersOptions;
  readonly #schemes: readonly PasswordScheme[];
  #first: Promise<StoredPassword> | null = null;

  constructor(lookup: UserLookup, options: LookupUsersOptions) {
    this.#lookup = lookup;
    this.#options = options;
    this.#schemes = options.schemes ?? passwordSchemes;
  }

  find(name: string, context: AuthContext): MaybePromise<User | Refusal | null> {
    return andThen(this.#lookup.find(name, context), (found) => {
      if (found === null || 'type' in found) return found;
      const user = this.#userOf(found);
      if (user.passwords.length > 0) this.standIns.saw(user);
      return user;
    });
  }

  firstStandIn(): MaybePromise<StoredPassword | null> {
    const [scheme] = this.#schemes;
    if (scheme === undefined) return null;
    this.#first ??= Promise.resolve(scheme.hash(randomUUID())).then((data) => ({ scheme, data }));
    return this.#first;
  }

  #userOf(record: UserRecord): User {
    const { name, maildrop = name } = record;
    const { defaultScheme = null, onProblem } = this.#options;
    const identity = { username: name, maildrop };
    return userOf(record, identity, this.#schemes, defaultScheme, (message) =>
      onProblem?.({ name, message }),
    );
  }
}
