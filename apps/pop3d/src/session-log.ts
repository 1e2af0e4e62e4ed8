import { subscribe } from 'node:diagnostics_channel';
import {
  CHANNELS,
  type FaultEvent,
  type ListenerFailedEvent,
  type LoginRefusedEvent,
  type RejectedEvent,
  type SessionEvent,
  type TraceEvent,
} from '@pop3/server-node';
import { type Log, plainOrQuoted } from './log.js';

/** Connections that are turned away come in floods; one line a second tells as much. */
const REJECTED_LINE_EVERY_MS = 1_000;

/** Writes what the server tells on its channels into the log. For the rest of the process's life. */
export function logSessions(log: Log): void {
  on<SessionEvent>(CHANNELS.session, (event) => {
    log.info(
      {
        user: event.username,
        ...(event.maildrop !== event.username && { maildrop: event.maildrop }),
        peer: event.address,
        ...(event.proxy !== undefined && { proxy: event.proxy }),
        ...(event.credentials !== null && { auth: event.credentials }),
        tls: event.tls === null ? false : `${event.tls.version} ${event.tls.cipher}`,
        reason: event.reason,
        retrieved: event.retrieved,
        deleted: event.removed,
        ...(event.failed > 0 && { notDeleted: event.failed }),
        octetsSent: event.octetsSent,
        octetsReceived: event.octetsReceived,
        ms: event.durationMs,
      },
      'session',
    );
  });

  on<LoginRefusedEvent>(CHANNELS.loginRefused, (event) => {
    const line = loginRefusedLine(event);
    // Only a wrong password is something to ban a peer for.
    if (event.reason === 'bad-credentials') log.warn(line);
    else log.info(line);
  });

  on<FaultEvent>(CHANNELS.fault, ({ address, during, error }) => {
    log.error({ err: error, during, peer: address }, 'fault');
  });

  on<ListenerFailedEvent>(CHANNELS.listenerFailed, ({ localAddress, localPort, error }) => {
    log.error({ err: error, listener: `${localAddress}:${localPort}` }, 'a connection could not be accepted');
  });

  let lastRejectedAt = Number.NEGATIVE_INFINITY;
  let silent = 0;
  on<RejectedEvent>(CHANNELS.rejected, ({ address, reason, error }) => {
    const now = performance.now();
    if (now - lastRejectedAt < REJECTED_LINE_EVERY_MS) {
      silent++;
      return;
    }
    const cause = error instanceof Error ? { cause: error.message } : {};
    const others = silent > 0 ? { others: silent } : {};
    log.warn({ peer: address, reason, ...cause, ...others }, 'connection rejected');
    lastRejectedAt = now;
    silent = 0;
  });

  if (!log.isLevelEnabled('debug')) return;
  on<TraceEvent>(CHANNELS.trace, ({ connection, event }) => log.debug({ connection, ...event }, 'trace'));
}

/**
 * The text that fail2ban looks for. The peer has chosen the name: it comes last, and in quotes
 * when it holds more than a word, so that nobody writes another one's address or a line of their own with it.
 */
export function loginRefusedLine({ address, reason, username }: LoginRefusedEvent): string {
  return `login refused: peer=${address} reason=${reason} user=${plainOrQuoted(username ?? '')}`;
}

function on<Event>(channel: string, log: (event: Event) => void): void {
  subscribe(channel, (message) => log(message as Event));
}
