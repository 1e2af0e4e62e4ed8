import type { Duplex } from 'node:stream';
import type { ClientTrace, MaybePromise } from '@pop3/core';
import type { SaslClientMechanism } from '@pop3/core/sasl';

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

/** A login by user name and password. */
export interface PasswordAuth {
  readonly user: string;
  readonly password: string;
  /**
   * Only this one: a SASL mechanism such as `PLAIN`, `USER` for USER and PASS, or `APOP`, which is never chosen otherwise.
   * Default: the strongest that both sides have, from SCRAM-SHA-256-PLUS down to USER and PASS.
   */
  readonly mechanism?: string;
  /** Whose maildrop is wanted, where that is not the user's (RFC 4616 section 2). PLAIN and SCRAM can say it. */
  readonly authorizationId?: string;
}

/** Gives a token. Asked once more, with what the server said, when it refuses the first. */
export type AccessTokenSource = (refused: TokenRefusal | null) => MaybePromise<string>;

export interface TokenRefusal {
  /** The token that was refused. */
  readonly token: string;
  /** What the server says is wrong, as JSON (RFC 7628 section 3.2.2); null where it says nothing. */
  readonly problem: string | null;
}

/** A login by OAuth 2.0. */
export interface TokenAuth {
  readonly user: string;
  readonly accessToken: string | AccessTokenSource;
  /** Default: OAUTHBEARER where it is announced, otherwise XOAUTH2, which some servers have and do not announce. */
  readonly mechanism?: 'OAUTHBEARER' | 'XOAUTH2';
}

/** A login by the client certificate: EXTERNAL (RFC 4422 appendix A). */
export interface CertificateAuth {
  readonly external: true;
  /** Whose maildrop is wanted. Default: what the certificate says. */
  readonly user?: string;
}

/** A login by a mechanism of the caller's, such as GSSAPI. */
export interface MechanismAuth {
  readonly sasl: SaslClientMechanism;
}

export type Auth = PasswordAuth | TokenAuth | CertificateAuth | MechanismAuth;

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
export interface ClientNodeLimits {
  /** Messages in a listing. Default 2 000 000. */
  readonly maxMessages: number;
  /** Octets of a unique-id; longer ones are cut off by nobody, the listing is refused. Default 1 024, RFC 1939 has 70. */
  readonly maxUniqueIdOctets: number;
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
