import { isPop3Error } from '@pop3/core';
import { type Beginning, beginSession, type Conversation, checkAuth, converse } from '@pop3/core/driver';
import { LOGIN_CRYPTO } from './hashes.js';
import { openChannel } from './open-channel.js';
import type { ConnectOptions } from './options.js';
import type { SocketChannel } from './socket-channel.js';

/** A connection that is encrypted and logged in as far as the options want it to be. */
export interface Link extends Beginning {
  readonly channel: SocketChannel;
  readonly conversation: Conversation;
  /** False where the server did not survive the question. */
  readonly asksForCapabilities: boolean;
}

/**
 * Connects, encrypts and logs in.
 *
 * Some servers hang or close the connection when they are asked for their capabilities: then it is done once more without
 * asking.
 */
export async function openLink(options: ConnectOptions, signal: AbortSignal | undefined): Promise<Link> {
  if (options.auth !== undefined) checkAuth(options.auth);
  try {
    return await open(options, signal, true);
  } catch (error) {
    const { socket } = options;
    const again = socket === undefined || typeof socket === 'function';
    if (!again || !isPop3Error(error) || error.verb !== 'CAPA') throw error;
    return await open(options, signal, false);
  }
}

async function open(
  options: ConnectOptions,
  signal: AbortSignal | undefined,
  asksForCapabilities: boolean,
): Promise<Link> {
  const channel = await openChannel(options, signal);
  const { trace, limits, acceptLowerCaseStatus = false } = options;
  const conversation = converse({
    channel,
    session: {
      tls: channel.encrypted,
      acceptLowerCaseStatus,
      ...(limits?.maxLineOctets && { limits: { maxLineOctets: limits.maxLineOctets } }),
      ...(trace && { trace }),
    },
  });
  const abandon = () => {
    conversation.abort(signal?.reason);
    channel.destroy();
  };
  signal?.addEventListener('abort', abandon, { once: true });
  try {
    const begun = await beginSession(conversation, {
      ...options,
      channel,
      pipelining: options.pipelining !== 'off',
      asksForCapabilities,
      crypto: LOGIN_CRYPTO,
    });
    return { channel, conversation, asksForCapabilities, ...begun };
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
}
