import diagnosticsChannel from 'node:diagnostics_channel';
import type { CloseReason, Credentials, RefusalReason, ServerTrace } from '@pop3/core';
import type { Fault } from '@pop3/core/driver';

/** What all events of one connection have in common. */
export interface ConnectionInfo {
  /** Counts up within the process. */
  readonly connection: number;
  /** Address and port of the peer, behind a proxy that is believed too; an IPv4 address as such, also where IPv6 listens. */
  readonly address: string;
  readonly port: number;
  /** Address of the proxy that has said so. */
  readonly proxy?: string;
  /** What that proxy calls the session in its own log. */
  readonly proxySession?: string;
  /** Port of ours it came to. */
  readonly localPort: number;
}

/** A connection was turned away: before its session began, because the handshake after STLS failed, or after XCLIENT. */
export interface RejectedEvent extends ConnectionInfo {
  readonly reason:
    | 'too-many-connections'
    | 'too-many-connections-from-address'
    | 'untrusted-proxy'
    | 'bad-proxy-header'
    | 'proxy-header-timeout'
    | 'tls-handshake-failed';
  /** What TLS said, for `tls-handshake-failed`; what is wrong, for `bad-proxy-header`. */
  readonly error?: unknown;
}

/** Credentials were refused, or a maildrop could not be had. */
export interface LoginRefusedEvent extends ConnectionInfo {
  /** Null for a connection that is not encrypted. */
  readonly tls: TlsInfo | null;
  /** As the peer gave it; null where it gave none. */
  readonly username: string | null;
  readonly credentials: Credentials['type'];
  readonly reason: RefusalReason;
}

/** A connection could not be accepted: no descriptor left, for example. The listener goes on. */
export interface ListenerFailedEvent {
  readonly localAddress: string;
  readonly localPort: number;
  readonly error: unknown;
}

/** What a connection is encrypted with (RFC 8314 section 4.4). */
export interface TlsInfo {
  /** Such as `TLSv1.3`. */
  readonly version: string;
  /** As OpenSSL names it. */
  readonly cipher: string;
  /** Whether a session of before was resumed. */
  readonly resumed: boolean;
  /** The name that the client asked for (RFC 6066 section 3); null when it asked for none, and over TLS 1.2 when it resumed. */
  readonly serverName: string | null;
}

/** A session ended. */
export interface SessionEvent extends ConnectionInfo {
  readonly reason: CloseReason;
  /** Null for a connection that is not encrypted. */
  readonly tls: TlsInfo | null;
  /** Null when nobody logged in. */
  readonly username: string | null;
  /** What the login was by. */
  readonly credentials: Credentials['type'] | null;
  readonly maildrop: string | null;
  /** Messages asked for with RETR. */
  readonly retrieved: number;
  readonly removed: number;
  /** Marked messages that could not be removed. */
  readonly failed: number;
  readonly octetsReceived: number;
  readonly octetsSent: number;
  readonly durationMs: number;
}

/**
 * An adapter threw, and the peer was told of a temporary failure; in `session`, this package has a defect; in `tls`, the
 * `TlsSource` threw or gave what cannot be used, and the certificates of before stay.
 */
export interface FaultEvent extends ConnectionInfo {
  readonly during: Fault | 'session' | 'tls';
  readonly error: unknown;
}

/** One step of a session as the core reports it, secrets masked. */
export interface TraceEvent extends ConnectionInfo {
  readonly event: ServerTrace;
}

/** Names of the channels of `node:diagnostics_channel` that this package publishes on. */
export const CHANNELS = {
  /** {@link ConnectionInfo} */
  connected: 'pop3.server.connected',
  /** {@link RejectedEvent} */
  rejected: 'pop3.server.rejected',
  /** {@link ListenerFailedEvent} */
  listenerFailed: 'pop3.server.listener-failed',
  /** {@link LoginRefusedEvent} */
  loginRefused: 'pop3.server.login-refused',
  /** {@link SessionEvent} */
  session: 'pop3.server.session',
  /** {@link FaultEvent} */
  fault: 'pop3.server.fault',
  /** {@link TraceEvent} */
  trace: 'pop3.server.trace',
} as const;

export const publish = {
  connected: diagnosticsChannel.channel(CHANNELS.connected),
  rejected: diagnosticsChannel.channel(CHANNELS.rejected),
  listenerFailed: diagnosticsChannel.channel(CHANNELS.listenerFailed),
  loginRefused: diagnosticsChannel.channel(CHANNELS.loginRefused),
  session: diagnosticsChannel.channel(CHANNELS.session),
  fault: diagnosticsChannel.channel(CHANNELS.fault),
  trace: diagnosticsChannel.channel(CHANNELS.trace),
};
