import type { ResponseCode } from './response.js';

const BRAND = /* @__PURE__ */ Symbol.for('@pop3/error');

/**
 * - `POP3_USAGE`: the caller broke the contract of the function; the text says which part.
 * - `POP3_CONNECT`: no connection came about; `cause` is what the system says.
 * - `POP3_TLS`: no encryption, or not with the server that was meant.
 * - `POP3_REFUSED`: the server said `-ERR`. Unless it closed the connection, the session goes on.
 * - `POP3_UNSUPPORTED`: the server does not offer what is needed.
 * - `POP3_PROTOCOL`: what the server sent makes no sense here. The session has ended, and nothing was deleted.
 * - `POP3_CLOSED`: the connection has ended before the answer did.
 * - `POP3_TIMEOUT`: the server has said nothing for too long. The connection was closed.
 */
export type Pop3ErrorCode =
  | 'POP3_USAGE'
  | 'POP3_CONNECT'
  | 'POP3_TLS'
  | 'POP3_REFUSED'
  | 'POP3_UNSUPPORTED'
  | 'POP3_PROTOCOL'
  | 'POP3_CLOSED'
  | 'POP3_TIMEOUT';

/** What is known about an error beside its text. */
export interface Pop3ErrorDetails {
  /** The command that failed, such as `RETR`. */
  readonly verb?: string | null;
  /** What stood in brackets behind `-ERR` (RFC 2449 section 8). */
  readonly responseCode?: ResponseCode | null;
  /** What the server said behind that, verbatim. */
  readonly serverText?: string | null;
  /** Whether the same may succeed later, with nothing changed. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

const NOTHING_KNOWN = { verb: null, responseCode: null, serverText: null, retryable: false };

/** What every package of this project throws; no secret is in it. Recognise it with {@link isPop3Error}, never by `instanceof`. */
export class Pop3Error extends Error {
  declare readonly code: Pop3ErrorCode;
  /** The command that failed, such as `RETR`; null where it was none. */
  declare readonly verb: string | null;
  /** What stood in brackets behind `-ERR`, in upper case (RFC 2449 section 8, RFC 3206); null where nothing did. */
  declare readonly responseCode: ResponseCode | null;
  /** What the server said, verbatim; null where it said nothing. */
  declare readonly serverText: string | null;
  /** Whether trying again later makes sense, with nothing changed. */
  declare readonly retryable: boolean;

  constructor(code: Pop3ErrorCode, message: string, details: Pop3ErrorDetails = {}) {
    super(message, details);
    Object.assign(this, NOTHING_KNOWN, details, { name: 'Pop3Error', code, [BRAND]: true });
  }
}

/** True for a {@link Pop3Error} of any copy or version of this package. */
export function isPop3Error(value: unknown): value is Pop3Error {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** Stops a caller that misuses an interface; what a peer sends never comes here. */
export function usage(message: string): never {
  throw new Pop3Error('POP3_USAGE', message);
}
