/**
 * The server under test as a process of its own. It is `pop3d`; POP3_INTEROP_SERVER=dovecot runs the same tests
 * against Debian's dovecot-pop3d, which answers the question whether a red test is wrong itself.
 */
import { startDovecot } from './server/dovecot.js';
import { startPop3d } from './server/pop3d.js';

/** What a server is started with; all paths are absolute and belong to one test file. */
export interface ServerOptions {
  /** A directory for the server's own files. */
  readonly directory: string;
  /** PEM files of a certificate for localhost and 127.0.0.1. */
  readonly certificate: string;
  readonly key: string;
  /** Dovecot's passwd-file format. */
  readonly users: string;
  /** The directory with one Maildir for each user, named like the user. */
  readonly maildirs: string;
  /** Further settings of pop3d, TOML; for pop3d alone. */
  readonly configuration?: string;
}

/** A server that accepts connections on 127.0.0.1. */
export interface RunningServer {
  readonly pid: number;
  /** Plain text, with STLS. */
  readonly port: number;
  /** TLS from the first octet. */
  readonly tlsPort: number;
  /** Makes a new Maildir the server's own, where it runs as another user. */
  adopt?(maildir: string): Promise<void>;
  /** Everything the server has printed. */
  log(): string;
  /** SIGTERM. @throws Error when the exit code is not 0. */
  stop(): Promise<void>;
  /** SIGKILL for the server and its children. */
  kill(): Promise<void>;
}

const { POP3_INTEROP_SERVER } = process.env;

export const SERVER = POP3_INTEROP_SERVER === 'dovecot' ? 'dovecot' : 'pop3d';

export function startServer(options: ServerOptions): Promise<RunningServer> {
  return SERVER === 'dovecot' ? startDovecot(options) : startPop3d(options);
}
