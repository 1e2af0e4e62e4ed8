import type { UsersFileProblem } from '@pop3/auth-node';
import { certificateWarning, readCertificate } from './certificate-files.js';
import { certificatesOf } from './config/listeners.js';
import type { Config } from './config/schema.js';
import { missingFolderOf } from './maildir-template.js';
import type { OpenedParts } from './parts.js';

/** What lets a server start and be of little use, or of none. */
export function* warningsFor(
  config: Config,
  { logins, tls }: OpenedParts,
  now = Date.now(),
): Generator<string> {
  const { server, store } = config;
  const { accepts } = logins.authenticator;
  if (accepts.length === 0) {
    yield `nobody can log in: no user of ${config.users.file} has a password that can be used`;
  } else if (server.plaintext_auth === 'refuse' && tls === null) {
    yield 'nobody can log in with a password: server.plaintext_auth is "refuse", and there is no certificate for TLS';
  }
  for (const files of certificatesOf(config)) {
    const read = readCertificate(files);
    const warning = 'message' in read ? read.message : certificateWarning(files.cert, read, now);
    if (warning !== null) yield warning;
  }
  const missing = store.maildir === undefined ? null : missingFolderOf(store.maildir);
  if (missing !== null) yield `store.maildir: ${missing}`;
}

/** Where something in a users file has to be mended. */
export function positionOf({ file, line }: UsersFileProblem): string {
  return line === null ? file : `${file}:${line}`;
}
