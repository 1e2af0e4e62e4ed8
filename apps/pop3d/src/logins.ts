import {
  anonymousUser,
  anyOf,
  certificateUsers,
  commandLookup,
  httpLookup,
  lookupUsers,
  networkList,
  type Throttled,
  type ThrottleStore,
  throttled,
  tokenUsers,
  type UserProblem,
  type UsersFile,
  type UsersFileProblem,
  usersFile,
} from '@pop3/auth-node';
import { type Authenticator, isPop3Error, type PeerCertificate } from '@pop3/core';
import { required } from './config/required.js';
import { type Config, inMs } from './config/schema.js';
import { secretOf } from './config/secrets.js';
import { EXIT, exitCodeOfSystemError, Failure } from './failure.js';

/** What those who check logins need beside the configuration, and whom they tell. */
export interface LoginSurroundings {
  /** 32 octets or more that made-up salts follow from, the same in each process; null for a process alone. */
  readonly secret: Buffer | null;
  /** Where failed logins are counted; null for the memory of this process. */
  readonly throttleStore: ThrottleStore | null;
  onUsersProblem(problem: UsersFileProblem): void;
  /** A user that was looked up has something that cannot be used. */
  onLookupProblem(problem: UserProblem): void;
  onThrottled(throttled: Throttled): void;
}

/** Who can log in, by all the ways of a configuration. */
export interface Logins {
  readonly authenticator: Authenticator;
  /** Null where there is none. */
  readonly users: UsersFile | null;
}

/**
 * Puts together who checks logins.
 *
 * @throws Failure for a file that cannot be read, or settings that cannot be used.
 */
export function openLogins(config: Config, surroundings: LoginSurroundings): Logins {
  const users = openUsers(config, surroundings);
  const parts = [
    users,
    openLookup(config, surroundings),
    openTokens(config),
    openCertificates(config),
    config.anonymous.maildrop === undefined ? null : anonymousUser({ maildrop: config.anonymous.maildrop }),
  ].filter((part) => part !== null);
  const [first] = parts;
  const authenticator = first !== undefined && parts.length === 1 ? first : anyOf(...parts);
  return { authenticator: withThrottle(authenticator, config, surroundings), users };
}

function openUsers(config: Config, { secret, onUsersProblem }: LoginSurroundings): UsersFile | null {
  const { users: settings } = config;
  if (settings.file === undefined && hasOtherLogins(config)) return null;
  const file = required(settings.file, '--users', 'users.file');
  try {
    return usersFile(file, {
      defaultScheme: settings.default_scheme ?? null,
      ...(secret !== null && { secret }),
      onProblem: onUsersProblem,
    });
  } catch (error) {
    const exitCode = exitCodeOfSystemError(error);
    if (exitCode === null) throw error;
    throw new Failure(exitCode, `users.file: ${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Whether somebody can log in without a users file. */
export function hasOtherLogins({ server, lookup, oauth, anonymous }: Config): boolean {
  const others = [
    lookup.type,
    server.tls_client_ca,
    oauth.jwks_url,
    oauth.introspection_url,
    anonymous.maildrop,
  ];
  return others.some((other) => other !== undefined);
}

function openLookup(
  { lookup, users }: Config,
  { secret, onLookupProblem }: LoginSurroundings,
): Authenticator | null {
  const { type, url, command, headers = {}, accepts, authorization_file } = lookup;
  if (type === undefined) return null;
  const timeoutMs = inMs(lookup.timeout_seconds);
  const find = explained('lookup', () => {
    if (type === 'command') {
      const [program, ...args] = command as string[];
      return commandLookup({ command: program as string, args, timeoutMs });
    }
    const authorization = secretOf('lookup.authorization', authorization_file);
    return httpLookup({
      url: url as string,
      headers: { ...headers, ...(authorization !== undefined && { authorization }) },
      timeoutMs,
    });
  });
  return lookupUsers(find, {
    accepts,
    defaultScheme: users.default_scheme ?? null,
    ...(secret !== null && { secret }),
    onProblem: onLookupProblem,
  });
}

function openTokens({ oauth }: Config): Authenticator | null {
  const { jwks_url, introspection_url, issuer, audience, scope, username_claim, openid_configuration } =
    oauth;
  const rules = {
    ...(username_claim !== undefined && { user: username_claim }),
    ...(scope !== undefined && { scopes: scope.split(' ').filter(Boolean) }),
    ...(openid_configuration !== undefined && { openidConfiguration: openid_configuration }),
  };
  return explained('oauth', () => {
    if (jwks_url !== undefined) {
      return tokenUsers({
        ...rules,
        jwt: { keys: { url: jwks_url } },
        issuer: issuer as string,
        audience: audience as string,
      });
    }
    if (introspection_url === undefined) return null;
    return tokenUsers({
      ...rules,
      ...(issuer !== undefined && { issuer }),
      ...(audience !== undefined && { audience }),
      introspection: {
        endpoint: introspection_url,
        clientId: oauth.client_id as string,
        clientSecret: secretOf('oauth.client_secret', oauth.client_secret_file) as string,
      },
    });
  });
}

function openCertificates({ server }: Config): Authenticator | null {
  if (server.tls_client_ca === undefined) return null;
  return certificateUsers({ userOf: USER_OF[server.certificate_user] });
}

/** Whom a certificate names. One with several addresses names nobody in particular. */
const USER_OF: Readonly<
  Record<Config['server']['certificate_user'], (certificate: PeerCertificate) => string | null>
> = {
  email: ({ emailAddresses }) => (emailAddresses.length === 1 ? (emailAddresses[0] as string) : null),
  'common-name': ({ commonName }) => commonName,
};

function withThrottle(
  authenticator: Authenticator,
  { throttle: settings }: Config,
  { throttleStore, onThrottled }: LoginSurroundings,
): Authenticator {
  if (!settings.enabled) return authenticator;
  const waits = {
    firstWaitMs: inMs(settings.first_wait_seconds),
    maxWaitMs: inMs(settings.max_wait_seconds),
  };
  return throttled(authenticator, {
    address: { free: settings.address_free, ...waits },
    pair: { free: settings.pair_free, ...waits },
    user: { free: settings.user_free, ...waits },
    halfLifeMs: inMs(settings.half_life_seconds),
    knownMs: settings.known_days * 24 * 60 * 60 * 1000,
    // Without any, no address has to be looked up.
    ...(settings.exempt.length > 0 && { exempt: networkList(settings.exempt) }),
    ...(throttleStore !== null && { store: throttleStore }),
    onThrottled,
  });
}

/** What cannot be used is a matter of the configuration, and its text has no secret. */
function explained<T>(section: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (isPop3Error(error)) throw new Failure(EXIT.badConfiguration, `${section}: ${error.message}`);
    throw error;
  }
}
