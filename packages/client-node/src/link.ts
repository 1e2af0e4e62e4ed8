import { type Capabilities, type IndexOf, isPop3Error, Pop3Error } from '@pop3/core';
import { type Conversation, checkAuth, converse, logIn, refusalOf } from '@pop3/core/driver';
import { LOGIN_CRYPTO } from './hashes.js';
import { openChannel } from './open-channel.js';
import type { ConnectOptions } from './options.js';
import type { SocketChannel } from './socket-channel.js';

/** A connection that is encrypted and logged in as far as the options want it to be. */
export interface Link {
  readonly channel: SocketChannel;
  readonly conversation: Conversation;
  readonly greeting: string;
  /** The name of the mechanism of the login; null without one. */
  readonly mechanism: string | null;
  /** False where the server did not survive the question. */
  readonly asksForCapabilities: boolean;
  /** What the server can do now; null where it refuses to say. */
  readonly capabilities: Capabilities | null;
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
  mayAsk: boolean,
): Promise<Link> {
  const channel = await openChannel(options, signal);
  const { trace, limits, acceptLowerCaseStatus = false } = options;
  const conversation = converse({
    channel,
    session: {
      tls: channel.encrypted,
      acceptLowerCaseStatus,
      indexOf,
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
    const greeting = await conversation.greeting();
    if (greeting.status.status === '-ERR') throw refusalOf(null, greeting.status, { capabilities: null });
    const capabilities = () => (mayAsk ? conversation.capabilities() : Promise.resolve(null));
    const upgraded = await encrypt(options, channel, conversation, capabilities);
    const { auth } = options;
    const mechanism =
      auth === undefined
        ? null
        : await logIn(auth, {
            conversation,
            capabilities: await capabilities(),
            // What was said in the clear is no part of a login that is not.
            apopTimestamp: upgraded ? null : greeting.apopTimestamp,
            encrypted: channel.encrypted,
            allowPlaintext: options.allowPlaintext ?? false,
            pipelining: options.pipelining !== 'off',
            crypto: LOGIN_CRYPTO,
            host: options.host ?? null,
            port: options.port ?? null,
            channelBinding: (type) => channel.channelBinding(type),
          });
    return {
      channel,
      conversation,
      greeting: greeting.status.text,
      mechanism,
      asksForCapabilities: mayAsk,
      capabilities: auth === undefined ? null : await capabilities(),
    };
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
}

/** STLS, where it is wanted and there. Whether it was done. */
async function encrypt(
  { tls = 'implicit' }: ConnectOptions,
  channel: SocketChannel,
  conversation: Conversation,
  capabilities: () => Promise<Capabilities | null>,
): Promise<boolean> {
  if (channel.encrypted || tls === 'off') return false;
  // Where it has to be, it is asked for whether it is announced or not: the announcement came in the clear.
  if (tls === 'opportunistic' && !(await capabilities())?.has('STLS')) return false;
  const { status } = await conversation.send({ verb: 'STLS' });
  if (status.status === '+OK') return true;
  if (tls === 'opportunistic') return false;
  const { message, ...details } = refusalOf('STLS', status, {
    capabilities: null,
    advice: "Nothing was sent in the clear; if it has TLS on port 995, use tls: 'implicit'.",
  });
  throw new Pop3Error('POP3_TLS', message, details);
}

/** That of V8 looks at one octet after the other. */
const indexOf: IndexOf = (octets, wanted, from) => Buffer.prototype.indexOf.call(octets, wanted, from);
