import type { AuthContext, MaybePromise, Refusal } from '@pop3/core';

/** What a look-up tells about a user. */
export interface UserRecord {
  /** As the user is called from then on, also where the look-up takes other spellings for it. */
  readonly name: string;
  /** The maildrop that the user opens. By default the one that has the user's name. */
  readonly maildrop?: string;
  /** Any of them will do. Empty for a user who cannot log in. */
  readonly passwords: readonly UserPassword[];
  /** Nobody logs in as this user, whatever the password. */
  readonly disabled?: boolean;
  /** Addresses and networks (CIDR) that the user may come from. By default any; an empty list is none. */
  readonly networks?: readonly string[];
}

/** One of a user's passwords. */
export interface UserPassword {
  /** `{SCHEME}data`, as `hashPassword` gives it. */
  readonly stored: string;
  /** What an app password is for, such as `phone`. The main password has none. */
  readonly label?: string;
  /** From then on it is good no more: milliseconds since 1970. */
  readonly expiresAt?: number;
  /** Addresses and networks (CIDR) that it is good from, within those of the user. By default any. */
  readonly networks?: readonly string[];
}

/** Where users come from: a database, a directory, another program. */
export interface UserLookup {
  /**
   * The user, or null where there is none.
   *
   * @param name - prepared by SASLprep (RFC 4013), never empty. It comes from a peer: never put it into a query or a
   *   command as text.
   * @returns a refusal such as `temporary` to say that nobody can be looked up just now; a rejected promise is a fault
   */
  find(name: string, context: AuthContext): MaybePromise<UserRecord | Refusal | null>;
}
