import { withSdps } from '@pop3/sdps';
import type { TlsSource } from '@pop3/server-node';
import { required } from './config/required.js';
import type { Config } from './config/schema.js';
import type { Log } from './log.js';
import { type LoginSurroundings, type Logins, openLogins } from './logins.js';
import { openMaildirs } from './maildirs.js';
import type { ServerParts } from './server.js';

/** The parts of a server, and who they know. */
export interface OpenedParts extends ServerParts {
  readonly logins: Logins;
}

/**
 * Opens the users and the mail of a configuration.
 *
 * @throws Failure that says what to change.
 */
export function openParts(
  config: Config,
  { log, tls, ...surroundings }: LoginSurroundings & { readonly log: Log; readonly tls: TlsSource | null },
): OpenedParts {
  const logins = openLogins(config, surroundings);
  const store = openMaildirs(required(config.store.maildir, '--maildir', 'store.maildir'), log);
  const adapters = { store, authenticator: logins.authenticator, extensions: [] };
  const { users } = logins;
  if (!config.sdps.enabled) return { ...adapters, tls, logins };
  return { ...withSdps(adapters, { isAccount: (name) => users?.has(name) ?? false }), tls, logins };
}
