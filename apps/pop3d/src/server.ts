import type { Authenticator, MessageStore, Pop3Extension } from '@pop3/core';
import {
  createPop3Server,
  nodeMechanisms,
  type Pop3Server,
  type Pop3ServerLimits,
  type TlsSource,
} from '@pop3/server-node';
import { formatEndpoint } from './config/endpoint.js';
import { type ListenerConfig, listenersOf } from './config/listeners.js';
import { type Config, inMs } from './config/schema.js';
import { EXIT, Failure, systemCodeOf } from './failure.js';

/** What a server is made of. */
export interface ServerParts {
  readonly store: MessageStore;
  readonly authenticator: Authenticator;
  readonly extensions: readonly Pop3Extension[];
  /** Null for a server without TLS. */
  readonly tls: TlsSource | null;
}

/** A server that listens. */
export interface RunningServer {
  /** `pop3 HOST:PORT` or `pop3s HOST:PORT` for each listener, in the order of the configuration. */
  readonly listening: readonly string[];
  /**
   * Takes other certificates for all that follows.
   *
   * @throws Error when they cannot be used; then the old ones stay.
   */
  replaceTls(tls: TlsSource): void;
  /** Stops to listen and waits for sessions, at most as long as configured. */
  drain(): Promise<void>;
  /** Waits for no session any longer, only for what must be finished: an UPDATE under way, locks to give up. */
  stop(): Promise<void>;
}

/**
 * Starts the listeners of a configuration.
 *
 * @throws Failure that says what to change.
 */
export async function startServer(config: Config, parts: ServerParts): Promise<RunningServer> {
  const server = createServer(config, parts);
  const listening: string[] = [];
  try {
    for (const listener of listenersOf(config)) {
      const kind = listener.tls === 'implicit' ? 'pop3s' : 'pop3';
      listening.push(`${kind} ${await listen(server, listener)}`);
    }
  } catch (error) {
    await server.close({ drainMs: 0 });
    throw error;
  }
  return {
    listening,
    replaceTls: (tls) => server.updateTls(tls),
    drain: () => server.close({ drainMs: inMs(config.server.drain_seconds) }),
    stop: () => server.close({ drainMs: 0 }),
  };
}

/** A server that does not listen yet. */
export function createServer(config: Config, { tls, ...adapters }: ServerParts): Pop3Server {
  const { server: settings } = config;
  return createPop3Server({
    ...adapters,
    ...(tls !== null && { tls }),
    mechanisms: nodeMechanisms(settings.mechanisms),
    trustedProxies: settings.trusted_proxies,
    plaintextAuth: settings.plaintext_auth,
    greeting: settings.greeting,
    implementation: settings.implementation,
    expire: settings.expire,
    ...(settings.login_delay_seconds !== undefined && { loginDelaySeconds: settings.login_delay_seconds }),
    limits: limitsOf(config),
  });
}

async function listen(server: Pop3Server, listener: ListenerConfig): Promise<string> {
  const { host, port, tls, minVersion, proxyProtocol, xclient, trustProxyTls } = listener;
  try {
    const bound = await server.listen({ host, port, tls, minVersion, proxyProtocol, xclient, trustProxyTls });
    return formatEndpoint(bound.address, bound.port);
  } catch (error) {
    throw explainedListenError(listener.address, error);
  }
}

function explainedListenError(text: string, error: unknown): unknown {
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return new Failure(EXIT.system, `cannot listen on ${text}: another program does already`);
    case 'EACCES':
      return new Failure(
        EXIT.noPermission,
        `cannot listen on ${text}: ports below 1024 need root, or the capability CAP_NET_BIND_SERVICE`,
      );
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new Failure(EXIT.system, `cannot listen on ${text}: this machine has no such address`);
    case 'EINVAL':
      return new Failure(
        EXIT.system,
        `cannot listen on ${text}: such an address may need its interface behind it, such as [fe80::1%eth0]:110`,
      );
    case null:
      return error;
    default:
      return new Failure(EXIT.system, `cannot listen on ${text}: ${(error as Error).message}`);
  }
}

/** What the server calls each limit. */
function limitsOf({ limits, server: { workers } }: Config): Partial<Pop3ServerLimits> {
  // Connections are spread over the workers, which do not know of each other's.
  const shared = (count: number) => Math.ceil(count / workers);
  return {
    maxConnections: shared(limits.max_connections),
    maxConnectionsPerAddress: shared(limits.max_connections_per_address),
    maxAuthFailures: limits.max_failed_logins,
    maxBadCommands: limits.max_bad_commands,
    maxCommandOctets: limits.max_command_octets,
    maxSaslLineOctets: limits.max_sasl_line_octets,
    loginTimeoutMs: inMs(limits.login_timeout_seconds),
    autologoutMs: inMs(limits.autologout_seconds),
    sendTimeoutMs: inMs(limits.send_timeout_seconds),
    failedLoginDelayMs: inMs(limits.failed_login_delay_seconds),
    maxFailedLoginDelayMs: inMs(limits.max_failed_login_delay_seconds),
  };
}
