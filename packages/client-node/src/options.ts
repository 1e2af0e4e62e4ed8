import type { Duplex } from 'node:stream';
import type { MaybePromise } from '@pop3/core';
import type { ClientOptions } from '@pop3/core/driver';

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
  /** Without an octet within a multi-line response; capabilities have to be there as a whole in that time. Default 60 000. */
  readonly silenceMs: number;
}

interface ConnectCommon extends ClientOptions {
  readonly trust?: Trust;
  readonly clientCertificate?: ClientCertificate;
  readonly timeouts?: Partial<Timeouts>;
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
