import type { Duplex } from 'node:stream';
import type { ClientTrace, MaybePromise } from '@pop3/core';
import type { Auth, ListingLimits } from '@pop3/core/driver';

export type {
  AccessTokenSource,
  Auth,
  CertificateAuth,
  MechanismAuth,
  PasswordAuth,
  TokenAuth,
  TokenRefusal,
} from '@pop3/core/driver';

/**
 * - `implicit`: TLS from the first octet, port 995 (RFC 8314)
 * - `starttls`: STLS on port 110 (RFC 2595); no login without it
 * - `opportunistic`: STLS where the server has it. A password still goes out in the clear only with `allowPlaintext`.
 * - `off`: port 110, not encrypted
 */
export type TlsMode = 'implicit' | 'starttls' | 'opportunistic' | 'off';

/** Whom to believe. Left out: the certificate authorities of Node, and the host name as RFC 9525 wants it. */
export interface Trust {
  /** Certificates in PEM of the authorities to believe instead of those of Node. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[];
  /**
   * SHA-256 fingerprints of certificates, in hexadecimal, with or without colons. The server has to show one of these, and
   * then needs neither an authority nor a fitting name.
   */
  readonly fingerprint256?: string | readonly string[];
  /** The name that the certificate has to have, and that is asked for by SNI. Default: `host`. */
  readonly serverName?: string;
  /** `TLSv1.2` by default (RFC 8314 section 4.1). Older ones are for servers that have nothing else. */
  readonly minVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
}

/** What this client shows where a server asks for a certificate; needed for EXTERNAL. PEM. */
export interface ClientCertificate {
  readonly cert: string | Uint8Array;
  readonly key: string | Uint8Array;
  readonly passphrase?: string;
}

/** How long to wait for what, in milliseconds. Each ends in `POP3_TIMEOUT`, with the connection closed. */
export interface Timeouts {
  /** Until TCP is connected, or the caller's socket is there. Default 30 000. */
  readonly connectMs: number;
  /** Until the TLS handshake is done. Default 30 000. */
  readonly tlsMs: number;
  /** Until the greeting is there. Default 60 000. */
  readonly greetingMs: number;
  /** Until a step of the login is answered: some servers build the listing first. Default 300 000. */
  readonly loginMs: number;
  /** Until the first line of an answer is there. Default 60 000. */
  readonly commandMs: number;
  /** Until QUIT is answered: the server removes the messages before. Default 300 000. */
  readonly quitMs: number;
  /** Without an octet within a multi-line response. Default 60 000. */
  readonly silenceMs: number;
}

/** Bounds on what a server may send. */
export interface ClientNodeLimits extends ListingLimits {
  /** Octets of a status line or a challenge. Default 65 536. */
  readonly maxLineOctets: number;
}

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

interface ConnectCommon {
  /** Default: `implicit`. */
  readonly tls?: TlsMode;
  /** Left out: no login; only `capabilities()`, `command()` and `quit()` can follow. */
  readonly auth?: Auth;
  /** Lets a password or a token go out in the clear: anybody on the way can read it. Default false. */
  readonly allowPlaintext?: boolean;
  readonly trust?: Trust;
  readonly clientCertificate?: ClientCertificate;
  readonly timeouts?: Partial<Timeouts>;
  readonly limits?: Partial<ClientNodeLimits>;
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

/** A server by its name. */
export interface ConnectToHost extends ConnectCommon {
  /** A host name, or an address without brackets. */
  readonly host: string;
  /** Default: 995 for `implicit`, otherwise 110. */
  readonly port?: number;
  readonly socket?: undefined;
}

/** A server through a socket of the caller's: SOCKS5, HTTP CONNECT, a UNIX domain, a tunnel. */
export interface ConnectOverSocket extends ConnectCommon {
  /** A connected socket, which is the client's from now on; a function can make another one for `reconnect()`. */
  readonly socket: Duplex | (() => MaybePromise<Duplex>);
  /** The name that the certificate has to have. Needed for TLS, unless `trust` says who the server is. */
  readonly host?: string;
  readonly port?: undefined;
}

export type ConnectOptions = ConnectToHost | ConnectOverSocket;
