import type { Identity } from '../adapter.js';
import type { ExtensionCommand } from '../extension.js';
import type { ResponseCode } from '../response.js';
import type { WireKernel } from '../wire-kernel.js';

export type ServerState = 'authorization' | 'transaction' | 'update' | 'closed';

/** Why a session ended. */
export type CloseReason =
  | 'quit'
  | 'peer-closed'
  | 'autologout'
  | 'line-too-long'
  | 'too-many-bad-commands'
  | 'too-many-auth-failures'
  | 'body-failed'
  | 'commit-failed'
  | 'aborted';

/** Bounds on what a peer may send. */
export interface ServerLimits {
  /** Octets of a command line with its CRLF. Default 255 (RFC 2449 section 4). */
  readonly maxCommandOctets: number;
  /** Octets of an AUTH line or a SASL response. Default 65 536: Kerberos tickets and tokens exceed the 12 288 of RFC 4954. */
  readonly maxSaslLineOctets: number;
  /** Refused commands in a row before the connection is closed. Default 20, as Dovecot has it. */
  readonly maxBadCommands: number;
  /** Failed logins before the connection is closed. Default 5: a client may try several mechanisms. */
  readonly maxAuthFailures: number;
}

export const DEFAULT_LIMITS: ServerLimits = {
  maxCommandOctets: 255,
  maxSaslLineOctets: 65_536,
  maxBadCommands: 20,
  maxAuthFailures: 5,
};

/** A SASL mechanism as far as the session needs to know it. */
export interface OfferedMechanism {
  /** Upper case (RFC 4422 section 3.1). */
  readonly name: string;
  /** Sends the password in the clear, so it is offered only where that is allowed. */
  readonly plaintext: boolean;
}

/** What the session is told when more is known of the peer. What is left out stays as it is. */
export interface PeerChanges {
  readonly saslMechanisms?: readonly OfferedMechanism[];
  readonly plaintextAuth?: 'refuse' | 'allow';
  /** The connection is encrypted, up to the peer itself. */
  readonly tls?: 'active';
}

export interface ServerSessionOptions {
  /** Text of the greeting, without the timestamp. Default `POP3 server ready`. */
  readonly greeting?: string;
  /** Stands in brackets before the text of the greeting, such as `XCLIENT`. Default: none. */
  readonly greetingCode?: ResponseCode | null;
  /** Turns APOP on: `<...>` as RFC 1939 section 7 wants it, never used before. The core has no clock to make one. */
  readonly apopTimestamp?: string | null;
  /** Whether USER and PASS exist. Default true. */
  readonly userPass?: boolean;
  readonly saslMechanisms?: readonly OfferedMechanism[];
  /** `offered` announces STLS; `active` means that the connection is encrypted already. Default `off`. */
  readonly tls?: 'off' | 'offered' | 'active';
  /** Passwords on a connection that is not encrypted. Default `refuse` (RFC 5034 section 4, RFC 8314). */
  readonly plaintextAuth?: 'refuse' | 'allow';
  /** Announced as IMPLEMENTATION (RFC 2449 section 6.9). Default: not announced. */
  readonly implementation?: string | null;
  /** Days for which messages are kept, or `never` when nothing is deleted by policy (RFC 2449 section 6.7). Default: not announced. */
  readonly expire?: number | 'never' | null;
  /** Seconds between logins that the authenticator enforces (RFC 2449 section 6.5). Default: not announced. */
  readonly loginDelaySeconds?: number | null;
  /** Commands that the core does not know. Default: none. */
  readonly extensions?: readonly ExtensionCommand[];
  readonly limits?: Partial<ServerLimits>;
  /** Encodes messages about twelve times faster: `wireKernel()`, which `serve()` takes by itself. Default: none. */
  readonly kernel?: WireKernel | null;
  /** Told of everything that happens, as data: nothing that logs has to parse octets. Must not throw. */
  readonly trace?: (event: ServerTrace) => void;
}

/** Secrets are masked in all of them. Copy what you keep: an event may hold on to the command it describes. */
export type ServerTrace =
  | { readonly type: 'command'; readonly command: string }
  | { readonly type: 'status'; readonly line: string }
  | { readonly type: 'state'; readonly state: ServerState }
  | {
      readonly type: 'opened';
      readonly identity: Identity;
      readonly messages: number;
      readonly octets: number;
    }
  | { readonly type: 'retrieved'; readonly messageNumber: number; readonly topLines: number | null }
  | { readonly type: 'committed'; readonly removed: number; readonly failed: number };
