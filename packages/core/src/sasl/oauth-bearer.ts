import type { TokenProblem } from '../adapter.js';
import { usage } from '../errors.js';
import { bearerClient, bearerExchange, CONTROL_A, parsePairs, tokenOf, tokenToSend } from './bearer.js';
import { gs2Header, parseGs2Header } from './gs2.js';
import type { SaslClientMechanism, SaslServerMechanism } from './mechanism.js';
import { fieldToSend } from './one-response.js';

/** The server as its clients name it. */
export interface ServerName {
  readonly host?: string;
  readonly port?: number;
}

/**
 * OAUTHBEARER (RFC 7628): a bearer token, and perhaps whose maildrop it is for. A token that is refused is told why by
 * JSON in one more challenge.
 *
 * @param server - what `host` and `port` of a client have to be, where it sends them: a token that was meant for another
 *   server is refused. Default: they are ignored, as behind a proxy nobody knows what a client calls this server.
 */
export function oauthBearer(server: ServerName = {}): SaslServerMechanism {
  return {
    name: 'OAUTHBEARER',
    plaintext: true,
    credentials: 'token',
    start: (context) => bearerExchange(context, (response) => parse(response, server), describe),
  };
}

/** {@link oauthBearer} for any server name. */
export const OAUTHBEARER: SaslServerMechanism = /* @__PURE__ */ oauthBearer();

function parse(response: string, { host, port }: ServerName) {
  const header = parseGs2Header(response);
  if (header === null || header.flag === 'p') return null;
  const rest = response.slice(header.text.length);
  const pairs = rest.startsWith(CONTROL_A) ? parsePairs(rest.slice(1)) : null;
  const token = tokenOf(pairs?.get('auth'));
  if (pairs === null || token === null) return null;
  const meant =
    fits(pairs.get('host')?.toLowerCase(), host?.toLowerCase()) && fits(pairs.get('port'), port?.toString());
  if (!meant) return { status: 'invalid_request' } as const;
  return { username: header.authorizationId, token };
}

function fits(sent: string | undefined, known: string | undefined): boolean {
  return sent === undefined || known === undefined || sent === known;
}

/** RFC 7628 section 3.2.2. */
function describe({ status, scope, openidConfiguration }: TokenProblem) {
  return { status, scope, 'openid-configuration': openidConfiguration };
}

/** A token to log in with. */
export interface TokenLogin {
  readonly token: string;
  /** Whose maildrop is wanted. Default: what the token says. */
  readonly username?: string;
}

/**
 * The client's half of OAUTHBEARER.
 *
 * @param options - `host` and `port` name the server that the token is for, if it should check that.
 * @throws Pop3Error `POP3_USAGE` for what cannot be sent: a token with spaces, NUL in the name.
 */
export function oauthBearerClient(options: TokenLogin & ServerName): SaslClientMechanism {
  const { username = '', host, port } = options;
  if (host !== undefined && !/^[\x21-\x7e]+$/.test(host)) usage('A host is printable ASCII without spaces.');
  const parts = [
    gs2Header('n', fieldToSend('user name', username, 'may be empty')),
    ...(host === undefined ? [] : [`host=${host}`]),
    ...(port === undefined ? [] : [`port=${port}`]),
    `auth=Bearer ${tokenToSend(options.token)}`,
    CONTROL_A,
  ];
  return bearerClient('OAUTHBEARER', parts.join(CONTROL_A), CONTROL_A);
}
