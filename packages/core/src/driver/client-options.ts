import type { MaybePromise } from '../adapter.js';
import type { ClientLimits, ClientTrace } from '../client/options.js';
import type { IndexOf } from '../next-octet.js';
import type { Auth } from './auth.js';
import type { SecurableChannel, TlsMode } from './begin-session.js';
import type { LoginCrypto } from './mechanisms.js';
import type { ListingLimits } from './read-listing.js';

/** A channel that a client closes by itself. */
export interface OwnedChannel extends SecurableChannel {
  /** Says goodbye behind QUIT: TLS ends with an alert (RFC 8314 section 3.4). What the server still sends is dropped. */
  end(): void;
  /** Closes at once. */
  destroy(): void;
}

/** How a client gets its connections, in the runtime where it is. */
export interface Connector {
  /**
   * Connects, with TLS from the first octet where `tls` is `implicit`.
   *
   * @param signal - ends the attempt, which rejects with its reason. It is not listened to afterwards.
   */
  connect(signal: AbortSignal | undefined): MaybePromise<OwnedChannel>;
  /** Whether there can be another connection. Default true. */
  readonly repeatable?: boolean | undefined;
  readonly crypto: LoginCrypto;
  /** Looks for an octet, where the platform does that faster than JavaScript. */
  readonly indexOf?: IndexOf;
  /** The server as the caller names it, for OAUTHBEARER. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** Bounds on what a server may send. */
export interface ReceiveLimits extends ListingLimits, Pick<ClientLimits, 'maxLineOctets'> {}

export interface Progress {
  /** The message that is being read. */
  readonly number: number;
  /** Octets of it that have come. */
  readonly octets: number;
  /** What the server said it has, which may be wrong; null where it said nothing. */
  readonly total: number | null;
  /** The same for everything that `messages()` gives. */
  readonly session: { readonly octets: number; readonly total: number | null };
}

export interface ClientOptions {
  /** Default: `implicit`. */
  readonly tls?: TlsMode;
  /** Left out: no login; only `capabilities()`, `command()` and `quit()` can follow. */
  readonly auth?: Auth;
  /** Lets a password or a token go out in the clear: anybody on the way can read it. Default false. */
  readonly allowPlaintext?: boolean;
  readonly limits?: Partial<ReceiveLimits>;
  /** `off` never sends a command before the last one was answered. Default: where the server announces PIPELINING. */
  readonly pipelining?: 'where-announced' | 'off';
  /** Takes `+ok` and `-err` for answers, which some home-made servers send. Default false. */
  readonly acceptLowerCaseStatus?: boolean;
  /** Ends the attempt, and later the session, at once: everything outstanding rejects with its reason. */
  readonly signal?: AbortSignal;
  /** Told of octets as they come. Must not throw. */
  readonly onProgress?: (progress: Progress) => void;
  /** Told of every command, its secrets masked, and of every answer. Must not throw. */
  readonly trace?: (event: ClientTrace) => void;
}
