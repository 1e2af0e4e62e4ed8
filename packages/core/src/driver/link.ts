import { isPop3Error, usage } from '../errors.js';
import type { AccessTokenSource, Auth, PasswordAuth, TokenAuth } from './auth.js';
import { type Beginning, beginSession, type TlsMode } from './begin-session.js';
import type { ClientOptions, Connector, OwnedChannel } from './client-options.js';
import { type Conversation, converse } from './converse.js';
import { checkAuth } from './login.js';
import { untilAborted } from './until-aborted.js';

/** A connection that is encrypted and logged in as far as the options want it to be. */
export interface Link extends Beginning {
  readonly channel: OwnedChannel;
  readonly conversation: Conversation;
  /** False where the server did not survive the question. */
  readonly asksForCapabilities: boolean;
  /** What was handed over at the login, and is not to be shown where the server repeats it. */
  readonly secrets: readonly string[];
}

/**
 * Connects, encrypts and logs in.
 *
 * Some servers hang or close the connection when they are asked for their capabilities: then it is done once more without
 * asking.
 */
export async function openLink(
  connector: Connector,
  options: ClientOptions,
  signal: AbortSignal | undefined,
): Promise<Link> {
  checkOptions(options);
  try {
    return await open(connector, options, signal, true);
  } catch (error) {
    const { repeatable = true } = connector;
    if (!repeatable || !isPop3Error(error) || error.verb !== 'CAPA') throw error;
    return await open(connector, options, signal, false);
  }
}

const TLS_MODES: readonly TlsMode[] = ['implicit', 'starttls', 'opportunistic', 'off'];

/** What is no option must not become another one: with a limit that is no number, every maildrop would be empty. */
function checkOptions({ auth, tls = 'implicit', limits }: ClientOptions): void {
  if (!TLS_MODES.includes(tls)) usage(`tls is ${tls}; there are ${TLS_MODES.join(', ')}.`);
  for (const [name, limit] of Object.entries(limits ?? {})) {
    if (limit !== undefined && !(limit > 0)) usage(`limits.${name} is ${limit}; it must be above 0.`);
  }
  if (auth !== undefined) checkAuth(auth);
}

async function open(
  connector: Connector,
  options: ClientOptions,
  signal: AbortSignal | undefined,
  asksForCapabilities: boolean,
): Promise<Link> {
  const channel = await connector.connect(signal);
  const { trace, limits, acceptLowerCaseStatus = false } = options;
  const conversation = converse({
    channel,
    onFailure: () => channel.destroy(),
    session: {
      tls: channel.encrypted,
      acceptLowerCaseStatus,
      ...(connector.indexOf && { indexOf: connector.indexOf }),
      ...(limits?.maxLineOctets && { limits: { maxLineOctets: limits.maxLineOctets } }),
      ...(trace && { trace }),
    },
  });
  const abandon = () => conversation.abort(signal?.reason);
  signal?.addEventListener('abort', abandon, { once: true });
  const secrets: string[] = [];
  try {
    const beginning = beginSession(conversation, {
      channel,
      asksForCapabilities,
      tls: options.tls,
      auth: options.auth && recorded(options.auth, secrets),
      allowPlaintext: options.allowPlaintext,
      pipelining: options.pipelining !== 'off',
      crypto: connector.crypto,
      host: connector.host,
      port: connector.port,
    });
    // A callback of the caller's, such as for a token, may never come back.
    const begun = await untilAborted(signal, beginning);
    return { channel, conversation, asksForCapabilities, secrets, ...begun };
  } catch (error) {
    channel.destroy();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abandon);
  }
}

/** The same login, which tells what secrets it hands over. */
function recorded(auth: Auth, secrets: string[]): Auth {
  const { password, accessToken } = auth as Partial<PasswordAuth & TokenAuth>;
  if (typeof password === 'string') secrets.push(password);
  if (typeof accessToken === 'string') secrets.push(accessToken);
  if (typeof accessToken !== 'function') return auth;
  const source: AccessTokenSource = async (refused) => {
    const token = await accessToken(refused);
    secrets.push(token);
    return token;
  };
  return { ...(auth as TokenAuth), accessToken: source };
}
