/**
 * What a host of the core supplies: an {@link Authenticator} and a {@link MessageStore}. Types only.
 *
 * Three rules hold for every method here.
 * - A refusal is a value; a rejected promise or a throw is a fault. The peer gets a fixed text for a fault, the
 *   operator gets the error.
 * - What is there already need not be wrapped in a promise, and the driver does not wait for it.
 * - `signal` is aborted when nobody wants the answer any more. Stop early if that is easy; the answer is ignored.
 */
import type { DeletionMarks } from './deletion-marks.js';
import type { MaildropListing } from './listing.js';

export type MaybePromise<T> = T | PromiseLike<T>;

/** Who logged in, and which maildrop that opens. They differ for shared maildrops and for authorisation ids. */
export interface Identity {
  readonly maildrop: string;
  readonly username: string;
}

/**
 * Why something is not allowed, as RFC 2449 section 8 and RFC 3206 tell it to the peer:
 * `bad-credentials` [AUTH], `in-use` [IN-USE], `login-delay` [LOGIN-DELAY], `temporary` [SYS/TEMP],
 * `permanent` [SYS/PERM].
 */
export type RefusalReason = 'bad-credentials' | 'in-use' | 'login-delay' | 'temporary' | 'permanent';

/** An expected no. `text` goes to the peer in place of the fixed one: short, printable ASCII, without secrets or paths. */
export interface Refusal {
  readonly type: 'refused';
  readonly reason: RefusalReason;
  readonly text?: string;
  /** What is wrong with a token, for the mechanisms that have a challenge to say it in. */
  readonly token?: TokenProblem;
}

/** Why a token was refused (RFC 7628 section 3.2.2, RFC 6750 section 3.1). */
export interface TokenProblem {
  readonly status: 'invalid_request' | 'invalid_token' | 'insufficient_scope';
  /** The scopes that would do, with spaces between. */
  readonly scope?: string;
  /** Where the client learns how to get a token: an URL of OpenID Connect discovery or of RFC 8414. */
  readonly openidConfiguration?: string;
}

export type Credentials =
  /**
   * `authorizationId` is empty unless the peer asks to act for another user (RFC 4616). The password may be empty
   * after PASS: to some directories that is an anonymous login, so refuse it before you ask one.
   */
  | {
      readonly type: 'password';
      readonly username: string;
      readonly password: string;
      readonly authorizationId: string;
      /**
       * The password as it was sent, where PLAIN has changed it by SASLprep (RFC 4616): to be tried as well by those who
       * store hashes of unprepared passwords. Left out where both are the same.
       */
      readonly unpreparedPassword?: string;
    }
  /** `digest` is 32 lower-case hexadecimal digits: MD5 of `timestamp`, then the secret (RFC 1939 section 7). */
  | { readonly type: 'apop'; readonly username: string; readonly timestamp: string; readonly digest: string }
  /** `digest` is 32 lower-case hexadecimal digits: HMAC-MD5 of `challenge` with the secret as key (RFC 2195). */
  | {
      readonly type: 'cram-md5';
      readonly username: string;
      readonly challenge: string;
      readonly digest: string;
    }
  /**
   * `proven`: the peer has shown that it knows the password behind {@link Authenticator.scramKeys} of this user (RFC 5802).
   * Whatever is answered when it has not, the mechanism refuses; it asks so that failures are counted like all others.
   */
  | {
      readonly type: ScramForm;
      readonly username: string;
      readonly authorizationId: string;
      readonly proven: boolean;
    }
  /**
   * A bearer token (RFC 7628, XOAUTH2). `username` is whose maildrop the peer wants, empty to leave that to the token. The
   * token is empty when the peer only asks where to get one; it is refused whatever is answered.
   */
  | { readonly type: 'token'; readonly username: string; readonly token: string }
  /** Nobody in particular (RFC 4505). `trace` is what the peer says of itself, and proves nothing. */
  | { readonly type: 'anonymous'; readonly trace: string }
  /** The identity comes from outside, such as a client certificate in {@link AuthContext.peer} (RFC 4422 appendix A). */
  | { readonly type: 'external'; readonly authorizationId: string };

/** A hash function that SCRAM is defined for (RFC 5802, RFC 7677). */
export type ScramForm = 'scram-sha-1' | 'scram-sha-256' | 'scram-sha-512';

/** What a server stores for SCRAM in place of a password (RFC 5802 section 3). */
export interface ScramKeys {
  readonly salt: Uint8Array;
  readonly iterations: number;
  readonly storedKey: Uint8Array;
  readonly serverKey: Uint8Array;
  /** True for keys that nothing proves, of a user who has none. Not for the peer: it is how `anyOf` finds who has real ones. */
  readonly standIn?: boolean;
}

/** What ties an exchange to the TLS connection it runs in (RFC 5929, RFC 9266). */
export type ChannelBindingType = 'tls-exporter' | 'tls-server-end-point' | 'tls-unique';

/** What is known of the peer beside its words. */
export interface Peer {
  /** The address, or null where the transport has none. */
  readonly address: string | null;
  /** Whether the connection is encrypted now. */
  readonly tls: boolean;
  /** Subject of a verified client certificate, or null. */
  readonly certificate: PeerCertificate | null;
  /**
   * The octets of a channel binding; null for a type that this connection does not have. Left out where nothing can be
   * bound: without TLS, or behind a proxy that ends it.
   */
  channelBinding?(type: ChannelBindingType): Uint8Array | null;
}

/** A client certificate that the transport has verified against its authorities. */
export interface PeerCertificate {
  /** The common name, or null. */
  readonly commonName: string | null;
  /** rfc822Name entries of the subject alternative name. */
  readonly emailAddresses: readonly string[];
  /** SHA-256 of the DER form, lower-case hexadecimal without colons. */
  readonly fingerprint256: string;
}

export interface AuthContext {
  readonly signal: AbortSignal;
  readonly peer: Peer;
}

export type AuthOutcome = { readonly type: 'accepted'; readonly identity: Identity } | Refusal;

export interface Authenticator {
  /**
   * The forms of credentials that at least one user can log in with. Only what follows from them is announced:
   * `password` USER, PLAIN and LOGIN; `apop` the timestamp in the greeting; `cram-md5`, `scram-...`, `external` and
   * `anonymous` the mechanisms of these names; `token` OAUTHBEARER and XOAUTH2.
   */
  readonly accepts: readonly Credentials['type'][];
  /** Must cost the same time for a user that does not exist as for a wrong password. */
  authenticate(credentials: Credentials, context: AuthContext): MaybePromise<AuthOutcome>;
  /**
   * The keys of a user, for those who accept a {@link ScramForm}. For a user who has none, or does not exist, keys that
   * nothing proves: the same each time for one name, so that nobody learns which names exist (RFC 5802 section 9). What
   * is proven of them comes to `authenticate` with the same context.
   */
  scramKeys?(username: string, form: ScramForm, context: AuthContext): MaybePromise<ScramKeys | Refusal>;
}

export interface StoreContext {
  readonly signal: AbortSignal;
  /**
   * Memory to read a message into, of so many octets or more, for a store that would only make some for this. It stays
   * the host's, who uses it again: put one chunk there, return that part of it, and touch it no more. A store need not
   * use it, and a host need not have it.
   */
  memory?(octets: number): Uint8Array;
}

export interface MessageStore {
  /**
   * Locks a maildrop for this session alone and lists it (RFC 1939 section 4). A user without mail has an empty
   * maildrop. Refuses with `in-use` when another session holds the lock, without waiting for it.
   */
  open(identity: Identity, context: StoreContext): MaybePromise<Maildrop | Refusal>;
}

/**
 * The octets of a message as they are stored, with any line ends: LF, CRLF or both. The core makes the wire form.
 * One chunk when the message is small and already read, otherwise chunks of any size, pulled one at a time.
 * A chunk belongs to the core from then on: never write to it again.
 */
export type Body = Uint8Array | AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** A locked maildrop. The core calls one method at a time and `release` last. */
export interface Maildrop {
  /** Fixed for as long as the lock is held, whatever is delivered meanwhile. */
  readonly listing: MaildropListing;
  /** `'gone'` when another program has removed the message since. Fails before the first chunk if it can. */
  retrieve(messageNumber: number, context: StoreContext): MaybePromise<Body | 'gone'>;
  /**
   * Optional shortcut for TOP: the header and at least `lines` lines of the body, from which the core cuts what
   * was asked for. Leave it out unless reading less is cheaper than stopping early.
   */
  top?(messageNumber: number, lines: number, context: StoreContext): MaybePromise<Body | 'gone'>;
  /** Optional: how a message was addressed when it came, for stores that know it from elsewhere than its header. */
  envelope?(messageNumber: number, context: StoreContext): MaybePromise<Envelope | 'gone'>;
  /**
   * Removes the marked messages, and no other (RFC 1939 section 6). Called at most once, after QUIT. A message that
   * is gone already counts as removed. `failed` counts those that are still there.
   */
  commitDeletes(deletions: DeletionMarks, context: StoreContext): MaybePromise<CommitOutcome>;
  /** Gives up the lock and deletes nothing. May be called more than once. */
  release(): MaybePromise<void>;
}

/** The envelope of a message (RFC 5321 section 2.3.1): addresses without angle brackets. */
export interface Envelope {
  /** Empty for the null sender of a bounce. */
  readonly sender: string;
  readonly recipient: string;
}

export interface CommitOutcome {
  readonly removed: number;
  readonly failed: number;
}
