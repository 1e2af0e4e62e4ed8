import type { Authenticator, CloseReason, MessageStore } from '@pop3/core';
import { serve } from '@pop3/core/driver';
import type { WebSocket } from 'ws';
import { WebSocketChannel } from './web-socket-channel.js';

/** At least ten minutes (RFC 1939 section 3). The core has no clock: this one is the host's. */
const AUTOLOGOUT_MS = 10 * 60_000;

/** Speaks POP3 over one WebSocket until the session ends, then closes it. */
export async function pop3OverWebSocket(
  socket: WebSocket,
  mail: { readonly store: MessageStore; readonly authenticator: Authenticator },
): Promise<CloseReason> {
  const channel = new WebSocketChannel(socket);
  const abort = new AbortController();
  const clock = setTimeout(() => {
    abort.abort('autologout');
    // Ends a read or a write that is under way.
    socket.terminate();
  }, AUTOLOGOUT_MS);
  socket.on('message', () => clock.refresh());
  const reason = await serve({
    ...mail,
    channel,
    // The listener is on loopback; a peer from elsewhere comes through a proxy that speaks TLS.
    session: { plaintextAuth: 'allow' },
    signal: abort.signal,
    onFault: ({ during, error }) => console.error(during, error),
  });
  clearTimeout(clock);
  channel.close();
  return reason;
}
