import type { CorpusMessage } from '../corpus.js';
import type { ServerProcess } from '../server/process.js';
import type { Security } from '../world.js';

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
export interface RunningPeer extends Pick<ServerProcess, 'pid' | 'log' | 'kill'> {
  /** Plain text, with STLS where the server has it. */
  readonly port: number;
  /** TLS from the first octet; null where the server has none. */
  readonly tlsPort: number | null;
}

/** What a server does with messages. Where it differs from RFC 1939, the reason stands at its place. */
export interface Peer {
  readonly name: string;
  /** The folder of ./unpack-servers that it is started from; null for one that is installed. */
  readonly unpacked: string | null;
  readonly securities: readonly Security[];
  /** What it announces, the names of our client for USER and PASS and for APOP among it. */
  mechanisms(security: Security): readonly string[];
  /** What our client chooses when it is told nothing. */
  chosen(security: Security): string;
  /** Whether it compares a password as it is. */
  keepsPassword(password: string): boolean;
  /** Whether it can keep a message, and send it so that any client finds its end. */
  takes(message: CorpusMessage): boolean;
  /** What RETR sends. */
  sends(message: CorpusMessage, uniqueId: string | null): Buffer;
  /** What LIST says of it. */
  lists(message: CorpusMessage): number;
  /** What TOP sends; null where the server has no TOP. */
  tops(message: CorpusMessage, lines: number, uniqueId: string | null): Buffer | null;
  /** Messages for which this differs have different unique-ids. */
  identifiedBy(message: CorpusMessage): string;
  /** Numbers of the messages that are still there, found without the server; null where only the server can tell. */
  remaining(directory: string, maildrop: Maildrop): Promise<readonly number[]> | null;
  start(options: PeerOptions): Promise<RunningPeer>;
}

/** The name of the one user who can log in by APOP, where a server keeps the passwords for it apart. */
export const APOP_USER = 'apop';
