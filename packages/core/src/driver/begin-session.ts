import type { ChannelBindingType } from '../adapter.js';
import type { Capabilities } from '../capability.js';
import { Pop3Error, usage } from '../errors.js';
import type { Auth } from './auth.js';
import type { ClientChannel } from './client-channel.js';
import type { Conversation } from './converse.js';
import { logIn } from './login.js';
import type { LoginCrypto } from './mechanisms.js';
import { refusalOf } from './refusal.js';

/**
 * - `implicit`: TLS from the first octet, port 995 (RFC 8314)
 * - `starttls`: STLS on port 110 (RFC 2595); no login without it
 * - `opportunistic`: STLS where the server has it. A password still goes out in the clear only with `allowPlaintext`.
 * - `off`: port 110, not encrypted
 */
export type TlsMode = 'implicit' | 'starttls' | 'opportunistic' | 'off';

/** A channel that can tell what a login has to know of it. */
export interface SecurableChannel extends ClientChannel {
  /** Whether it is encrypted, to the end that was meant. */
  readonly encrypted: boolean;
  /** See RFC 5056; null where the type is not defined for the connection. */
  channelBinding(type: ChannelBindingType): Uint8Array | null;
}

export interface BeginOptions {
  readonly channel: SecurableChannel;
  /** `implicit`, the default, is done by whoever made the channel. */
  readonly tls?: TlsMode | undefined;
  /** Left out: no login. */
  readonly auth?: Auth | undefined;
  /** Lets a password or a token go out in the clear. Default false. */
  readonly allowPlaintext?: boolean | undefined;
  /** Whether commands may be sent at once where the server announces that it can. Default false. */
  readonly pipelining?: boolean | undefined;
  /** Default true; some servers hang or close the connection when they are asked. */
  readonly asksForCapabilities?: boolean | undefined;
  readonly crypto: LoginCrypto;
  /** The server as the caller names it, for OAUTHBEARER. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** What is known of a session that can be used. */
export interface Beginning {
  /** The text of the greeting. */
  readonly greeting: string;
  /** How it was logged in: a SASL mechanism, `APOP` or `USER`; null without a login. */
  readonly mechanism: string | null;
  /** What the server can do now; null where it refuses to say, or was not asked. */
  readonly capabilities: Capabilities | null;
}

/**
 * Begins a session: greeting, STLS, login. Nothing goes out in the clear that may not, and nothing that was said in the clear
 * counts behind STLS. The channel is not closed when it fails.
 *
 * @param conversation - on that channel, with nothing sent yet
 * @throws Pop3Error `POP3_REFUSED` when the server does not want to talk, or says no to the login; `POP3_TLS` and
 *   `POP3_UNSUPPORTED` when there is no way that may be used, `POP3_USAGE` for what cannot be sent, and whatever a callback of
 *   the caller throws.
 */
export async function beginSession(conversation: Conversation, options: BeginOptions): Promise<Beginning> {
  const { channel, auth, allowPlaintext = false, pipelining = false, crypto } = options;
  const { status, apopTimestamp } = await conversation.greeting();
  if (status.status === '-ERR') throw refusalOf(null, status, { capabilities: null });
  const capabilities = async () =>
    options.asksForCapabilities === false ? null : conversation.capabilities();
  const upgraded = await encrypt(options, conversation, capabilities);
  const begun = { greeting: status.text, mechanism: null, capabilities: null };
  if (auth === undefined) return begun;
  const mechanism = await logIn(auth, {
    conversation,
    capabilities: await capabilities(),
    // What was said in the clear is no part of a login that is not.
    apopTimestamp: upgraded ? null : apopTimestamp,
    encrypted: channel.encrypted,
    allowPlaintext,
    pipelining,
    crypto,
    host: options.host ?? null,
    port: options.port ?? null,
    channelBinding: (type) => channel.channelBinding(type),
  });
  return { ...begun, mechanism, capabilities: await capabilities() };
}

/** STLS, where it is wanted and there. Whether it was done. */
async function encrypt(
  { channel, tls = 'implicit' }: BeginOptions,
  conversation: Conversation,
  capabilities: () => Promise<Capabilities | null>,
): Promise<boolean> {
  if (channel.encrypted || tls === 'off') return false;
  if (tls === 'implicit') usage("tls is 'implicit', and the channel is not encrypted.");
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
