import { type TlsFiles, type TlsSource, tlsFromFiles } from '@pop3/server-node';
import { certificatesOf } from './config/listeners.js';
import type { Config } from './config/schema.js';
import { EXIT, Failure } from './failure.js';

/** What TLS needs beside the configuration. */
export interface TlsSurroundings extends Pick<TlsFiles, 'onProblem' | 'onReload'> {
  /** 48 octets that the processes of this machine share; null for a process alone. */
  readonly ticketKeys: Buffer | null;
}

/**
 * The certificates of a configuration, read again when their files change; null when it has none.
 *
 * @throws Failure when they cannot be used at first.
 */
export function tlsOf(config: Config, { ticketKeys, ...told }: TlsSurroundings): TlsSource | null {
  const { tls_client_ca: ca, tls_ticket_key_file: ticketKeyFile } = config.server;
  const [first, ...certificates] = certificatesOf(config);
  if (first === undefined) return null;
  try {
    const source = tlsFromFiles({
      cert: first.cert,
      key: first.key,
      certificates,
      ...(ca !== undefined && { ca }),
      ...(ticketKeyFile !== undefined && { ticketKeys: ticketKeyFile }),
      ...told,
    });
    return ticketKeys === null || ticketKeyFile !== undefined ? source : withTicketKeys(source, ticketKeys);
  } catch (error) {
    throw new Failure(EXIT.badConfiguration, (error as Error).message);
  }
}

/** The same certificates, and sessions that every process with these keys resumes. */
function withTicketKeys(source: TlsSource, ticketKeys: Buffer): TlsSource {
  let read = source.current();
  let current = { ...read, ticketKeys };
  return {
    current() {
      const now = source.current();
      // A new object means that something has changed.
      if (now !== read) current = { ...now, ticketKeys };
      read = now;
      return current;
    },
  };
}
