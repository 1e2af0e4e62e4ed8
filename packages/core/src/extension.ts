import type { Identity, Maildrop, MaybePromise, Peer } from './adapter.js';
import type { ResponseCode } from './response.js';

/** The states in which a command of an embedder may stand (RFC 1939 section 3). */
export type ExtensionState = 'authorization' | 'transaction';

/** A command that the core does not know, as far as the session needs to know it. */
export interface ExtensionCommand {
  /** 1 to 32 visible characters of ASCII, in upper case, such as `*ENV`; peers may use any case. A verb of the core wins. */
  readonly verb: string;
  /** Anywhere else the command is answered as one in the wrong state. */
  readonly states: readonly ExtensionState[];
  /** Lines of CAPA, such as `X-SDPS`. Announced while the command would be accepted. Default: none. */
  readonly capabilities?: readonly string[];
}

/**
 * What a command is answered. With `lines` the answer is multi-line: each is text of its own, without line end and at most
 * 510 octets (RFC 2449 section 3); dots are doubled by the session.
 */
export interface ExtensionReply {
  readonly status: '+OK' | '-ERR';
  readonly code?: ResponseCode;
  /** Printable ASCII. */
  readonly text: string;
  /** For `+OK` alone. */
  readonly lines?: readonly string[];
}

/** A command that an embedder adds to a server, without a change to the core. */
export interface Pop3Extension extends ExtensionCommand {
  /**
   * Carries out one command. A throw or a rejected promise is a fault: the peer is told of a temporary failure.
   *
   * @param argument - the octets behind the first space; null when nothing follows the verb, not even a space
   */
  run(argument: Uint8Array | null, context: ExtensionContext): MaybePromise<ExtensionReply>;
}

/** What a command of an embedder may look at. */
export interface ExtensionContext {
  readonly signal: AbortSignal;
  /** Who is at the other end. A command of a trusted proxy may say who really is, for all that follows. */
  peer: Peer;
  /** Null before login. */
  readonly identity: Identity | null;
  /** The maildrop that is open; null before login. Do not release it, and delete nothing: marks and QUIT do that. */
  readonly maildrop: Maildrop | null;
  /** Whether DELE has marked this message. A marked message is to be treated as one that is not there. */
  isMarked(messageNumber: number): boolean;
}
