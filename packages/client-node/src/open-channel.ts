import { dial } from './dial.js';
import type { ConnectOptions } from './options.js';
import { SocketChannel } from './socket-channel.js';
import { timeoutsOf } from './timeouts.js';
import { planTls } from './tls.js';

/**
 * Connects, and does the TLS handshake where that comes first.
 *
 * @param signal - destroys the socket, and rejects with its reason. It is not listened to afterwards.
 * @throws Pop3Error `POP3_USAGE` before anything is connected; `POP3_CONNECT`, `POP3_TLS`, `POP3_TIMEOUT`
 */
export async function openChannel(options: ConnectOptions, signal?: AbortSignal): Promise<SocketChannel> {
  const timeouts = timeoutsOf(options.timeouts);
  const tls = planTls(options);
  signal?.throwIfAborted();
  const { socket, buffer } = await dial(options, timeouts, signal);
  const channel = new SocketChannel({ socket, buffer, timeouts, tls });
  const abort = () => channel.destroy();
  signal?.addEventListener('abort', abort);
  try {
    if (tls?.implicit) await channel.upgradeTls();
    signal?.throwIfAborted();
    return channel;
  } catch (error) {
    channel.destroy();
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}
