import { statSync } from 'node:fs';
import { maildirTemplate } from '@pop3/store-fs';
import type { Config } from './schema.js';

/** What is wrong with a configuration of which each key for itself is good. */
export interface Conflict {
  /** The key to change. */
  readonly section: string;
  readonly key: string;
  readonly message: string;
}

/** What keeps a server from starting. */
export function* conflictsOfServing({ server, users, store }: Config): Generator<Conflict> {
  const { listen, listen_tls, tls_cert, tls_key } = server;
  if (listen.length + listen_tls.length === 0) {
    yield {
      section: 'server',
      key: 'listen',
      message: 'nothing to listen on: give --listen 127.0.0.1:2110, or set it',
    };
  }
  if (tls_cert !== undefined && tls_key === undefined) {
    yield { section: 'server', key: 'tls_cert', message: 'needs server.tls_key beside it' };
  }
  if (tls_key !== undefined && tls_cert === undefined) {
    yield { section: 'server', key: 'tls_key', message: 'needs server.tls_cert beside it' };
  }
  if (listen_tls.length > 0 && tls_cert === undefined && tls_key === undefined) {
    yield {
      section: 'server',
      key: 'listen_tls',
      message:
        'needs a certificate: give --tls-cert FILE --tls-key FILE, or set server.tls_cert and server.tls_key',
    };
  }
  if (users.file !== undefined && isMissing(users.file)) {
    yield {
      section: 'users',
      key: 'file',
      message: `${users.file} is not there; make it: pop3d user add NAME --users ${users.file}`,
    };
  }
  yield* conflictsOfStore(store);
}

/** What keeps mail from being delivered. */
export function* conflictsOfDelivering({ store }: Config): Generator<Conflict> {
  yield* conflictsOfStore(store);
}

function* conflictsOfStore({ maildir }: Config['store']): Generator<Conflict> {
  if (maildir === undefined) return;
  try {
    maildirTemplate(maildir);
  } catch (error) {
    yield { section: 'store', key: 'maildir', message: `cannot be used: ${(error as Error).message}` };
  }
}

function isMissing(file: string): boolean {
  try {
    return statSync(file, { throwIfNoEntry: false }) === undefined;
  } catch {
    // Such as a folder that may not be entered: whoever reads the file will say so.
    return false;
  }
}
