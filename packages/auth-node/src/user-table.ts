import { hash } from 'node:crypto';
import type { AuthContext, AuthOutcome, Credentials, Identity, MaybePromise, Refusal } from '@pop3/core';
import { verifyApop } from '@pop3/core/sasl';
import type { HashQueue } from './hash-queue.js';
import type { StoredPassword } from './password-scheme.js';

/** A user as the table needs one. */
export interface TableUser {
  readonly identity: Identity;
  /** Null for a user who cannot log in. */
  readonly password: StoredPassword | null;
}

const BAD_CREDENTIALS: Refusal = { type: 'refused', reason: 'bad-credentials' };
const TOO_BUSY: Refusal = { type: 'refused', reason: 'temporary' };

/**
 * Checks credentials against a fixed set of users.
 *
 * Where there is nothing to check (no such user, or one who cannot log in), the password is checked against a stand-in,
 * and refused whatever comes out. The stand-in is the stored password of somebody with the kind of hash that most users
 * have. So names cannot be told from the time that a refusal takes, as long as the users share one kind.
 */
export class UserTable {
  readonly accepts: readonly Credentials['type'][];
  readonly #users: ReadonlyMap<string, TableUser>;
  readonly #hashing: HashQueue;
  readonly #standIn: StoredPassword | null;

  constructor(users: ReadonlyMap<string, TableUser>, hashing: HashQueue) {
    this.#users = users;
    this.#hashing = hashing;
    this.#standIn = mostCommonKind(users);
    const passwords = [...users.values()].map((user) => user.password);
    const accepts: Credentials['type'][] = [];
    if (passwords.some((password) => password !== null)) accepts.push('password');
    if (passwords.some((password) => password?.scheme.secretOf !== undefined)) accepts.push('apop');
    this.accepts = accepts;
  }

  /** How many users can log in. */
  get size(): number {
    let size = 0;
    for (const user of this.#users.values()) if (user.password !== null) size++;
    return size;
  }

  has(name: string): boolean {
    return this.#users.has(name);
  }

  names(): Iterable<string> {
    return this.#users.keys();
  }

  authenticate(credentials: Credentials, context: AuthContext): MaybePromise<AuthOutcome> {
    switch (credentials.type) {
      case 'password':
        return this.#checkPassword(credentials, context);
      case 'apop':
        return this.#checkDigest(credentials);
      default:
        return BAD_CREDENTIALS;
    }
  }

  #checkPassword(
    { username, password, authorizationId }: Extract<Credentials, { type: 'password' }>,
    context: AuthContext,
  ): MaybePromise<AuthOutcome> {
    // Nobody may act for anybody else here (RFC 4616 section 2).
    const mayAct = authorizationId === '' || authorizationId === username;
    const user = this.#users.get(username);
    const stored = user?.password ?? this.#standIn;
    if (stored === null) return BAD_CREDENTIALS;

    const outcome = (right: boolean): AuthOutcome =>
      right && mayAct && user !== undefined && user.password !== null
        ? { type: 'accepted', identity: user.identity }
        : BAD_CREDENTIALS;
    if (!stored.scheme.slow) {
      const right = stored.scheme.verify(password, stored.data);
      return typeof right === 'boolean' ? outcome(right) : right.then(outcome);
    }
    return this.#hashing
      .run(async () => stored.scheme.verify(password, stored.data), context.signal)
      .then((right) => (right === 'busy' ? TOO_BUSY : outcome(right)));
  }

  #checkDigest(credentials: Extract<Credentials, { type: 'apop' }>): AuthOutcome {
    const user = this.#users.get(credentials.username);
    const secret = user?.password ? secretOf(user.password) : null;
    const right = verifyApop(md5, credentials, secret ?? '');
    return right && user && secret !== null ? { type: 'accepted', identity: user.identity } : BAD_CREDENTIALS;
  }
}

function md5(octets: Uint8Array): Uint8Array {
  return hash('md5', octets, 'buffer');
}

function secretOf({ scheme, data }: StoredPassword): string | null {
  return scheme.secretOf === undefined ? null : scheme.secretOf(data);
}

function mostCommonKind(users: ReadonlyMap<string, TableUser>): StoredPassword | null {
  const kinds = new Map<string, { readonly password: StoredPassword; users: number }>();
  let most: { readonly password: StoredPassword; users: number } | undefined;
  for (const { password } of users.values()) {
    if (password === null) continue;
    const label = `${password.scheme.names[0]} ${password.scheme.costOf(password.data)}`;
    const kind = kinds.get(label) ?? { password, users: 0 };
    kinds.set(label, kind);
    kind.users++;
    if (most === undefined || kind.users > most.users) most = kind;
  }
  return most?.password ?? null;
}
