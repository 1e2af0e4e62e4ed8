import { statSync } from 'node:fs';
import { maildirTemplate } from '@pop3/store-fs';
import { conflictsOfFiles } from './files.js';
import { certificatesOf, type ListenerConfig, listenersOf } from './listeners.js';
import type { Config } from './schema.js';
import { hasSecret, variableOf } from './secrets.js';
import type { KeyPath } from './toml-keys.js';

/** What is wrong with a configuration of which each key for itself is good. */
export interface Conflict {
  /** The key to change. */
  readonly path: KeyPath;
  readonly message: string;
}

/** What keeps a server from starting. */
export function* conflictsOfServing(config: Config): Generator<Conflict> {
  yield* conflictsOfListeners(config);
  yield* conflictsOfCertificates(config);
  yield* conflictsOfLogins(config);
  yield* conflictsOfStore(config.store);
  yield* conflictsOfFiles(config);
}

/** What keeps mail from being delivered. */
export function* conflictsOfDelivering({ store }: Config): Generator<Conflict> {
  yield* conflictsOfStore(store);
}

function* conflictsOfListeners(config: Config): Generator<Conflict> {
  const listeners = listenersOf(config);
  if (listeners.length === 0) {
    yield {
      path: ['server', 'listen'],
      message: 'nothing to listen on: give --listen 127.0.0.1:2110, or set it',
    };
  }
  const seen = new Map<string, string>();
  for (const listener of listeners) {
    const before = seen.get(listener.address);
    // The system chooses another port each time.
    if (before !== undefined && listener.port !== 0) {
      yield { path: listener.path, message: `${listener.address} is an address of ${before} already` };
    }
    seen.set(listener.address, listener.path[0] === 'server' ? `server.${listener.path[1]}` : '[[listener]]');
  }
  for (const [index, table] of config.listener.entries()) {
    const listener = listeners.at(index - config.listener.length) as ListenerConfig;
    const at = (key: keyof typeof table) => ['listener', index, key];
    for (const key of ['proxy_protocol', 'xclient'] as const) {
      if (!table[key] || config.server.trusted_proxies.length > 0) continue;
      yield { path: at(key), message: 'needs server.trusted_proxies: whose word is taken' };
    }
    if (table.trust_proxy_tls && !table.proxy_protocol && !table.xclient) {
      yield { path: at('trust_proxy_tls'), message: 'needs proxy_protocol or xclient beside it' };
    }
    if (listener.tls === 'implicit' && table.xclient) {
      yield { path: at('xclient'), message: 'is sent in the clear; use tls = "off" or "starttls" with it' };
    }
  }
}

function* conflictsOfCertificates(config: Config): Generator<Conflict> {
  const { server } = config;
  const { tls_cert, tls_key } = server;
  if (tls_cert !== undefined && tls_key === undefined) {
    yield { path: ['server', 'tls_cert'], message: 'needs server.tls_key beside it' };
  }
  if (tls_key !== undefined && tls_cert === undefined) {
    yield { path: ['server', 'tls_key'], message: 'needs server.tls_cert beside it' };
  }
  if (certificatesOf(config).length > 0 || tls_cert !== undefined || tls_key !== undefined) return;
  if (server.listen_tls.length > 0) {
    yield {
      path: ['server', 'listen_tls'],
      message:
        'needs a certificate: give --tls-cert FILE --tls-key FILE, or set server.tls_cert and server.tls_key',
    };
  }
  for (const [index, { tls }] of config.listener.entries()) {
    if (tls === undefined || tls === 'off') continue;
    yield {
      path: ['listener', index, 'tls'],
      message: `"${tls}" needs a certificate: set server.tls_cert and server.tls_key`,
    };
  }
  for (const key of ['tls_client_ca', 'tls_ticket_key_file'] as const) {
    if (server[key] === undefined) continue;
    yield {
      path: ['server', key],
      message: 'needs server.tls_cert and server.tls_key: without, nobody uses TLS',
    };
  }
}

function* conflictsOfLogins(config: Config): Generator<Conflict> {
  const { users, anonymous, server } = config;
  if (users.file !== undefined && isMissing(users.file)) {
    yield {
      path: ['users', 'file'],
      message: `${users.file} is not there; make it: pop3d user add NAME --users ${users.file}`,
    };
  }
  const { first_wait_seconds, max_wait_seconds } = config.throttle;
  if (max_wait_seconds < first_wait_seconds) {
    yield {
      path: ['throttle', 'max_wait_seconds'],
      message: `${max_wait_seconds} is less than throttle.first_wait_seconds, which is ${first_wait_seconds}`,
    };
  }
  yield* conflictsOfLookup(config.lookup);
  yield* conflictsOfOauth(config.oauth);
  const isNamed = server.mechanisms?.includes('ANONYMOUS') ?? false;
  if (isNamed && anonymous.maildrop === undefined) {
    yield { path: ['server', 'mechanisms'], message: 'ANONYMOUS needs anonymous.maildrop: what it opens' };
  }
  if (!isNamed && anonymous.maildrop !== undefined) {
    yield {
      path: ['anonymous', 'maildrop'],
      message: 'needs "ANONYMOUS" in server.mechanisms, among all that shall be offered',
    };
  }
}

/** Which keys of a section go together: the first makes sense only with the second. */
function* unpaired<Section extends object>(
  name: string,
  section: Section,
  pairs: readonly (readonly [keyof Section & string, keyof Section & string])[],
): Generator<Conflict> {
  for (const [key, needed] of pairs) {
    if (section[key] === undefined || section[needed] !== undefined) continue;
    yield { path: [name, key], message: `needs ${name}.${needed} beside it` };
  }
}

function* conflictsOfLookup(lookup: Config['lookup']): Generator<Conflict> {
  yield* unpaired('lookup', lookup, [
    ['url', 'type'],
    ['command', 'type'],
    ['headers', 'url'],
    ['authorization_file', 'url'],
  ]);
  const { type, url, command } = lookup;
  if (type === 'http' && url === undefined) {
    yield { path: ['lookup', 'type'], message: '"http" needs lookup.url: where to ask' };
  }
  if (type === 'http' && command !== undefined) {
    yield { path: ['lookup', 'command'], message: 'is for type = "command"; leave out the one or the other' };
  }
  if (type === 'command' && command === undefined) {
    yield { path: ['lookup', 'type'], message: '"command" needs lookup.command: what to run' };
  }
  if (type === 'command' && url !== undefined) {
    yield { path: ['lookup', 'url'], message: 'is for type = "http"; leave out the one or the other' };
  }
}

function* conflictsOfOauth(oauth: Config['oauth']): Generator<Conflict> {
  const { jwks_url, introspection_url, client_id, client_secret_file } = oauth;
  if (jwks_url !== undefined && introspection_url !== undefined) {
    yield {
      path: ['oauth', 'introspection_url'],
      message: 'is in place of oauth.jwks_url; leave out the one or the other',
    };
  }
  if (jwks_url !== undefined) {
    // Whoever takes any token of any issuer for any audience lets in users of other services.
    yield* unpaired('oauth', oauth, [
      ['jwks_url', 'issuer'],
      ['jwks_url', 'audience'],
    ]);
  }
  yield* unpaired('oauth', oauth, [
    ['introspection_url', 'client_id'],
    ['client_id', 'introspection_url'],
    ['client_secret_file', 'introspection_url'],
  ]);
  if (
    introspection_url !== undefined &&
    client_id !== undefined &&
    client_secret_file === undefined &&
    !hasSecret('oauth.client_secret')
  ) {
    yield {
      path: ['oauth', 'introspection_url'],
      message: `needs oauth.client_secret_file beside it, or ${variableOf('oauth.client_secret')} in the environment`,
    };
  }
  if (jwks_url !== undefined || introspection_url !== undefined) return;
  const [given] = Object.keys(oauth).filter((key) => oauth[key as keyof typeof oauth] !== undefined);
  if (given !== undefined && !['client_id', 'client_secret_file'].includes(given)) {
    yield {
      path: ['oauth', given],
      message: 'needs oauth.jwks_url or oauth.introspection_url: how a token is verified',
    };
  }
}

function* conflictsOfStore({ maildir }: Config['store']): Generator<Conflict> {
  if (maildir === undefined) return;
  try {
    maildirTemplate(maildir);
  } catch (error) {
    yield { path: ['store', 'maildir'], message: `cannot be used: ${(error as Error).message}` };
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
