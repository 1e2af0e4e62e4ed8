import { chmod, mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateFiles, clientAuthority, serverCertificate } from './certificates.js';
import type { CorpusMessage } from './corpus.js';
import { remaining, writeMaildir } from './maildir.js';
import { type RunningServer, type ServerOptions, startServer } from './server.js';

/** How a client gets its connection encrypted: not at all, by the STLS command, or from the first octet. */
export type Security = 'plain' | 'STLS' | 'TLS';

export const SECURITIES: readonly Security[] = ['plain', 'STLS', 'TLS'];

/** A user of the server with a Maildir. */
export interface Account {
  readonly user: string;
  readonly password: string;
  /** Message number n is `messages[n - 1]`. */
  readonly messages: readonly CorpusMessage[];
  /** The user's Maildir. */
  readonly maildir: string;
  /** A fresh directory that serves a client as HOME. */
  readonly home: string;
  /** Numbers of the messages that are still in the Maildir; see {@link remaining} for what it throws. */
  remaining(): Promise<number[]>;
}

/** What may differ from one world to another. */
export interface WorldOptions {
  /** What the server is configured to beside its listeners, certificate, users and mail: TOML, for pop3d alone. */
  readonly configuration?: (files: WorldFiles) => string;
  /** Files that the configuration names, by their names in the directory. */
  readonly files?: Readonly<Record<string, string>>;
  /** The users file has this for a password. Default: `{PLAIN}` and the password. */
  readonly stored?: (password: string) => string;
}

/** What a configuration can name. */
export interface WorldFiles {
  /** The world's own directory. */
  readonly directory: string;
  /** The authority of client certificates. */
  readonly authority: string;
}

/** A running server, its users and everything on disk that belongs to them. */
export interface World {
  readonly server: RunningServer;
  /** A PEM file with the certificate clients have to trust. */
  readonly certificate: string;
  /** Who signs certificates of clients. */
  readonly authority: CertificateFiles;
  /** A new user whose Maildir holds the messages. */
  account(messages: readonly CorpusMessage[]): Promise<Account>;
  /** Where clients connect to. */
  port(security: Security): number;
  /** Starts the server once more, after it was killed; `server` is the new one. */
  restart(): Promise<void>;
  /** Stops the server, which must exit with 0, and removes every file. */
  close(): Promise<void>;
}

/** Users that exist from the start, so that no test depends on when the users file is read again. */
const USERS = 64;

/** Starts the server under test with many users and no mail. */
export async function startWorld({
  configuration,
  files = {},
  stored = plain,
}: WorldOptions = {}): Promise<World> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'pop3-interop-')));
  // Dovecot's login processes run as another user and have to get through.
  await chmod(root, 0o755);
  const authority = await clientAuthority(root);
  const options: ServerOptions = {
    directory: root,
    ...(await serverCertificate(root)),
    users: join(root, 'users'),
    maildirs: join(root, 'maildirs'),
    ...(configuration !== undefined && {
      configuration: configuration({ directory: root, authority: authority.certificate }),
    }),
  };
  await mkdir(options.maildirs);
  for (const [name, text] of Object.entries(files)) await writeFile(join(root, name), text);
  const names = Array.from({ length: USERS }, (_, i) => `user${i + 1}`);
  await writeFile(options.users, names.map((name) => `${name}:${stored(passwordOf(name))}\n`).join(''));

  const remove = (): Promise<void> => rm(root, { recursive: true, force: true });
  let server = await startServer(options).catch(async (error: unknown) => {
    await remove();
    throw error;
  });
  let used = 0;
  return {
    get server() {
      return server;
    },
    certificate: options.certificate,
    authority,
    async account(messages) {
      const user = names[used++];
      if (user === undefined) throw new Error('no user is left');
      const maildir = join(options.maildirs, user);
      const home = join(root, `home-${user}`);
      await mkdir(home);
      await writeMaildir(maildir, messages);
      await server.adopt?.(maildir);
      const left = (): Promise<number[]> => remaining(maildir, messages);
      return { user, password: passwordOf(user), messages, maildir, home, remaining: left };
    },
    port: (security) => (security === 'TLS' ? server.tlsPort : server.port),
    async restart() {
      server = await startServer(options);
    },
    async close() {
      try {
        await server.stop();
      } finally {
        await remove();
      }
    },
  };
}

function passwordOf(user: string): string {
  return `secret-of-${user}`;
}

function plain(password: string): string {
  return `{PLAIN}${password}`;
}
