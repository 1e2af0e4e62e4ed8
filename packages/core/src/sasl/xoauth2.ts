import type { TokenProblem } from '../adapter.js';
import { usage } from '../errors.js';
import { bearerClient, bearerExchange, CONTROL_A, parsePairs, tokenOf, tokenToSend } from './bearer.js';
import { authorizationIdOf } from './field.js';
import type { SaslClientMechanism, SaslServerMechanism } from './mechanism.js';
import type { TokenLogin } from './oauth-bearer.js';
import { fieldToSend } from './one-response.js';

/** XOAUTH2, Google's own and older than OAUTHBEARER: a user name and a bearer token. */
export const XOAUTH2: SaslServerMechanism = {
  name: 'XOAUTH2',
  plaintext: true,
  credentials: 'token',
  start: (context) => bearerExchange(context, parse, describe),
};

function parse(response: string) {
  const pairs = parsePairs(response);
  const username = authorizationIdOf(pairs?.get('user') ?? '');
  const token = tokenOf(pairs?.get('auth'));
  return username === null || token === null ? null : { username, token };
}

/** The statuses of RFC 6750 section 3.1: clients of this mechanism look for numbers. */
const STATUS: Record<TokenProblem['status'], string> = {
  invalid_request: '400',
  invalid_token: '401',
  insufficient_scope: '403',
};

function describe({ status, scope }: TokenProblem) {
  return { status: STATUS[status], schemes: 'Bearer', scope };
}

/**
 * The client's half of XOAUTH2. Microsoft's servers take its response only behind their empty challenge, never on the
 * line of AUTH.
 *
 * @throws Pop3Error `POP3_USAGE` for an empty user name, and for what cannot be sent.
 */
export function xoauth2Client({ username, token }: Required<TokenLogin>): SaslClientMechanism {
  if (fieldToSend('user name', username).includes(CONTROL_A)) usage('The user name holds ^A.');
  const parts = [`user=${username}`, `auth=Bearer ${tokenToSend(token)}`, '', ''];
  return bearerClient('XOAUTH2', parts.join(CONTROL_A), '');
}
