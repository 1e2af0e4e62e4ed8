import { Pop3Error, type ServerLimits } from '@pop3/core';

/** Bounds on connections and time, beside those on the octets of a session. */
export interface Pop3ServerLimits extends ServerLimits {
  /** Connections at the same time, in all. Default 10 000. */
  readonly maxConnections: number;
  /** Connections at the same time from one address. Default 100: an office behind one address is not an attack. IPv6 addresses count one by one. */
  readonly maxConnectionsPerAddress: number;
  /** Milliseconds in which a proxy must send its PROXY header. Default 5 seconds, least 3: one segment may be lost and sent again. */
  readonly proxyHeaderTimeoutMs: number;
  /** Milliseconds from the connection to a successful login, TLS included; behind a PROXY header from there. Default 2 minutes. */
  readonly loginTimeoutMs: number;
  /** Milliseconds without a command after login. Default and least 10 minutes (RFC 1939 section 3). */
  readonly autologoutMs: number;
  /** Milliseconds in which the peer must take a write of up to 256 KiB. Default 2 minutes. */
  readonly sendTimeoutMs: number;
  /** Milliseconds before a failed login is answered; doubled with each one of a connection. Default 1 second. */
  readonly failedLoginDelayMs: number;
  /** Where that doubling ends. Default 16 seconds. */
  readonly maxFailedLoginDelayMs: number;
}

const DEFAULTS = {
  maxConnections: 10_000,
  maxConnectionsPerAddress: 100,
  proxyHeaderTimeoutMs: 5_000,
  loginTimeoutMs: 120_000,
  autologoutMs: 600_000,
  sendTimeoutMs: 120_000,
  failedLoginDelayMs: 1_000,
  maxFailedLoginDelayMs: 16_000,
};

const LEAST: Partial<Record<keyof Pop3ServerLimits, number>> = {
  proxyHeaderTimeoutMs: 3_000,
  autologoutMs: 600_000,
  maxCommandOctets: 255,
  maxSaslLineOctets: 255,
  failedLoginDelayMs: 0,
  maxFailedLoginDelayMs: 0,
};
/** What a timer of Node can hold; above it, it would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The limits given, completed by the defaults.
 *
 * @throws Pop3Error `POP3_USAGE` for a limit that is no whole number, is below what the protocol demands, or is zero:
 *   zero never means unlimited.
 */
export function completeLimits(given: Partial<Pop3ServerLimits>): Partial<ServerLimits> & typeof DEFAULTS {
  for (const [name, value] of Object.entries(given)) {
    const least = LEAST[name as keyof Pop3ServerLimits] ?? 1;
    if (Number.isInteger(value) && value >= least && value <= MAX_TIMER_MS) continue;
    throw new Pop3Error(
      'POP3_USAGE',
      `limits.${name} is ${value}; it must be a whole number from ${least} to ${MAX_TIMER_MS}.`,
    );
  }
  return { ...DEFAULTS, ...given };
}
