import type { Authenticator, CloseReason, MessageStore } from '@pop3/core';
import { serve } from '@pop3/core/driver';
import type { WebSocket } from 'ws';
import { WebSocketChannel } from './web-socket-channel.js';

// The core has no clock: these are the host's. After login at least ten minutes (RFC 1939 section 3).
const LOGIN_TIMEOUT_MS = 60_000;
const AUTOLOGOUT_MS = 10 * 60_000;

/** Speaks POP3 over one WebSocket until the session ends, then closes it. */
export async function pop3OverWebSocket(
  socket: WebSocket,
  mail: { readonly store: MessageStore; readonly authenticator: Authenticator },
): Promise<CloseReason> {
  const abort = new AbortController();
  const autologout = () => {
    abort.abort('autologout');
    socket.terminate(); // Ends a read or a write that is under way.
  };
  let clock = setTimeout(autologout, LOGIN_TIMEOUT_MS);
  let loggedIn = false;
  // What we send puts it off, also every part of a long message; octets that make no command do not.
  const channel = new WebSocketChannel(socket, () => loggedIn && clock.refresh());
  const reason = await serve({
    ...mail,
    channel,
    signal: abort.signal,
    session: {
      plaintextAuth: 'allow', // The listener is on loopback, behind a proxy that speaks TLS.
      trace({ type }) {
        if (type !== 'opened') return;
        clearTimeout(clock);
        clock = setTimeout(autologout, AUTOLOGOUT_MS);
        loggedIn = true;
      },
    },
    onFault: ({ during, error }) => console.error(during, error),
  });
  clearTimeout(clock);
  channel.close();
  return reason;
}
