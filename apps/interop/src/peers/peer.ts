import type { CorpusMessage } from '../corpus.js';
import type { ServerProcess } from '../server/process.js';

/** A maildrop that a server is started with. */
export interface Maildrop {
  readonly user: string;
  readonly password: string;
  /** Message number n is `messages[n - 1]`. */
  readonly messages: readonly CorpusMessage[];
}

/** What a server is started with; all paths are absolute and belong to one test file. */
export interface PeerOptions {
  /** For the server's own files. */
  readonly directory: string;
  /** PEM files of a certificate for localhost and 127.0.0.1. */
  readonly certificate: string;
  readonly key: string;
  /** Who signs certificates of clients. */
  readonly authority: string;
  readonly maildrops: readonly Maildrop[];
}

/** A server that takes connections on 127.0.0.1. */
export interface RunningPeer extends ServerProcess {
  /** Plain text, with STLS where the server has it. */
  readonly port: number;
  /** TLS from the first octet; null where the server has none. */
  readonly tlsPort: number | null;
}

/** A server of somebody else's as Debian packages it, and what is to be expected of it. */
export interface Peer {
  readonly name: string;
  /** The folder of ./unpack-servers that it is started from; null for one that is installed. */
  readonly unpacked: string | null;
  start(options: PeerOptions): Promise<RunningPeer>;
}
