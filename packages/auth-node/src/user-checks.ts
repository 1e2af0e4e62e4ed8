import { createHmac, hash } from 'node:crypto';
import type {
  AuthContext,
  AuthOutcome,
  Credentials,
  MaybePromise,
  Refusal,
  ScramForm,
  ScramKeys,
} from '@pop3/core';
import { saslprep, verifyApop, verifyCramMd5 } from '@pop3/core/sasl';
import { andThen } from './and-then.js';
import { HashQueue, type HashQueueLimits } from './hash-queue.js';
import type { StoredPassword } from './password-scheme.js';
import { preparedName } from './prepared-name.js';
import { originOf, ScramSource, scramPasswordOf } from './scram-source.js';
import type { StandIns } from './stand-ins.js';
import { isUsable, isWithin, type LoginPassword, type User } from './user.js';

/** Where the checks find users. */
export interface UserSource {
  /** @param name - prepared */
  find(name: string, context: AuthContext): MaybePromise<User | Refusal | null>;
  /** What those users look like. */
  readonly standIns: StandIns;
  /** What is checked while there are no stand-ins; null to refuse at once. */
  firstStandIn?(): MaybePromise<StoredPassword | null>;
}

export interface UserChecksOptions {
  readonly hashing?: HashQueueLimits;
  readonly secret?: Uint8Array;
}

type Of<T extends Credentials['type']> = Extract<Credentials, { type: T }>;

/** Whether the credentials fit this user, by a password that is good now. `'busy'`: nobody could find out. */
type Match = (user: User) => MaybePromise<boolean | 'busy'>;

const BAD_CREDENTIALS: Refusal = { type: 'refused', reason: 'bad-credentials' };
const TOO_BUSY: Refusal = { type: 'refused', reason: 'temporary' };

/**
 * Checks credentials against users, wherever they come from.
 *
 * Where there is nobody to check, a stand-in is checked and refused whatever comes out, so that the time of a refusal does
 * not tell which names exist. All passwords of a user are checked before a refusal, also those that have expired or
 * that are not good from this address.
 *
 * Names are compared as SASLprep (RFC 4013) prepares them, those of the peer and those that are stored. A password is
 * tried as it was sent and, where that is another one, as SASLprep prepares it: hashes were made of either, and the one
 * cannot be told from the other. How many are tried follows from what was sent alone, never from the user.
 */
export class UserChecks {
  readonly #source: UserSource;
  readonly #hashing: HashQueue;
  readonly #scram: ScramSource;

  constructor(source: UserSource, { hashing, secret }: UserChecksOptions) {
    this.#source = source;
    this.#hashing = new HashQueue(hashing);
    this.#scram = new ScramSource(secret, this.#hashing);
  }

  authenticate(credentials: Credentials, context: AuthContext): MaybePromise<AuthOutcome> {
    const { address } = context.peer;
    const usable = ({ passwords }: User): LoginPassword[] =>
      passwords.filter((password) => isUsable(password, address));
    switch (credentials.type) {
      case 'password':
        return this.#decide(credentials, context, (user) => this.#matchPassword(user, credentials, context));
      case 'apop':
        return this.#decide(credentials, context, (user) => matchApop(usable(user), credentials));
      case 'cram-md5':
        return this.#decide(credentials, context, (user) => matchCramMd5(usable(user), credentials));
      case 'scram-sha-1':
      case 'scram-sha-256':
      case 'scram-sha-512':
        return this.#decide(
          credentials,
          context,
          (user) => credentials.proven && scramPasswordOf(usable(user), credentials.type) !== null,
        );
      default:
        return BAD_CREDENTIALS;
    }
  }

  scramKeys(username: string, form: ScramForm, context: AuthContext): MaybePromise<ScramKeys | Refusal> {
    const name = preparedName(username);
    // For everybody, so that it takes the same time whether they are needed or not.
    const { standIns } = this.#source;
    const alike = standIns.at(this.#scram.positionOf(name))?.passwords ?? [];
    const madeUp = this.#scram.madeUp(name, form, scramPasswordOf(alike, form) ?? standIns.mostCommon(form));
    const keys = andThen(this.#find(name, context), (found) => {
      if (isRefusal(found)) return found;
      const usable = found?.passwords.filter((password) => isUsable(password, context.peer.address)) ?? [];
      const password = scramPasswordOf(usable, form);
      const origin = password === null ? madeUp : originOf(password, form);
      return this.#scram.keysFrom(origin, name, form, context.signal);
    });
    return andThen(keys, (given) => (given === 'busy' ? TOO_BUSY : given));
  }

  #decide(
    { username, authorizationId = '' }: { readonly username: string; readonly authorizationId?: string },
    context: AuthContext,
    match: Match,
  ): MaybePromise<AuthOutcome> {
    const name = preparedName(username);
    // Looked for in any case, so that the search takes no time that tells.
    const standIn = this.#source.standIns.at(this.#scram.positionOf(name));
    return andThen(this.#find(name, context), (found) => {
      if (isRefusal(found)) return found;
      const checked =
        found !== null && found.passwords.length > 0 ? found : (standIn ?? this.#firstStandIn());
      return andThen(checked, (user) => {
        if (user === null) return BAD_CREDENTIALS;
        return andThen(match(user), (matches): AuthOutcome => {
          if (matches === 'busy') return TOO_BUSY;
          // Nothing more is looked at for a wrong password, so that it takes the time of a missing user.
          if (!matches || user !== found || user.disabled) return BAD_CREDENTIALS;
          if (!isWithin(user.networks, context.peer.address)) return BAD_CREDENTIALS;
          if (!mayActAs(authorizationId, name, user)) return BAD_CREDENTIALS;
          return { type: 'accepted', identity: user.identity };
        });
      });
    });
  }

  #find(name: string, context: AuthContext): MaybePromise<User | Refusal | null> {
    return name === '' ? null : this.#source.find(name, context);
  }

  #firstStandIn(): MaybePromise<User | null> {
    return andThen(this.#source.firstStandIn?.() ?? null, (password) => password && nobodyWith(password));
  }

  #matchPassword(
    { passwords }: User,
    credentials: Of<'password'>,
    context: AuthContext,
  ): MaybePromise<boolean | 'busy'> {
    const tried = passwordsToTry(credentials);
    const isGood = (password: LoginPassword) => isUsable(password, context.peer.address);
    const slow = passwords.filter(({ scheme }) => scheme.slow);
    for (const password of passwords) {
      if (password.scheme.slow) continue;
      for (const text of tried) {
        if (password.scheme.verify(text, password.data) === true && isGood(password)) return true;
      }
    }
    if (slow.length === 0) return false;
    return this.#hashing.run(async () => {
      for (const password of slow) {
        for (const text of tried) {
          if ((await password.scheme.verify(text, password.data)) && isGood(password)) return true;
        }
      }
      return false;
    }, context.signal);
  }
}

function passwordsToTry({ password, unpreparedPassword = password }: Of<'password'>): readonly string[] {
  return [...new Set([unpreparedPassword, password, saslprep(password) || password])];
}

/** The secret as it is stored and as RFC 6856 section 2.2 has it for APOP. */
function secretsOf({ scheme, data }: StoredPassword): readonly string[] {
  const secret = scheme.secretOf?.(data);
  return secret === undefined ? [] : [...new Set([secret, saslprep(secret) || secret])];
}

function matchApop(passwords: readonly LoginPassword[], credentials: Of<'apop'>): boolean {
  return passwords.flatMap(secretsOf).some((secret) => verifyApop(md5, credentials, secret));
}

function matchCramMd5(passwords: readonly LoginPassword[], credentials: Of<'cram-md5'>): boolean {
  return passwords.some((password) => {
    const { scheme, data } = password;
    if (scheme.hmacMd5 === undefined) {
      return secretsOf(password).some((secret) => verifyCramMd5(hmacMd5, credentials, secret));
    }
    // The key is in the data.
    return verifyCramMd5((_, octets) => scheme.hmacMd5?.(data, octets) ?? octets, credentials, '');
  });
}

/** Nobody may act for anybody else here (RFC 4616 section 2). */
function mayActAs(authorizationId: string, name: string, user: User): boolean {
  const wanted = preparedName(authorizationId);
  return wanted === '' || wanted === name || wanted === preparedName(user.name);
}

function nobodyWith(password: StoredPassword): User {
  const login = { ...password, expiresAt: 0, networks: null };
  const identity = { username: '', maildrop: '' };
  return { name: '', identity, passwords: [login], disabled: true, networks: null };
}

function md5(octets: Uint8Array): Uint8Array {
  return hash('md5', octets, 'buffer');
}

function hmacMd5(key: Uint8Array, octets: Uint8Array): Uint8Array {
  return createHmac('md5', key).update(octets).digest();
}

function isRefusal(found: User | Refusal | null): found is Refusal {
  return found !== null && 'type' in found;
}
