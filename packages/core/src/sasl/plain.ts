import { encodeUtf8 } from '../text.js';
import { authorizationIdOf, fieldOf, preparedName } from './field.js';
import { MALFORMED, NOTHING, type SaslClientMechanism, type SaslServerMechanism } from './mechanism.js';
import { fieldToSend, oneResponse } from './one-response.js';
import { saslprep } from './saslprep.js';

/**
 * PLAIN (RFC 4616): `authorization-id NUL user NUL password` in one response.
 *
 * Names and the password are prepared by SASLprep; what it prohibits, or leaves nothing of, is refused, as the RFC says.
 * Only here: USER, PASS and LOGIN, which know of no preparation, pass on what was sent, so that nobody is locked out by a
 * character in a password. For the same reason the password also comes as it was sent, if that is another one: who has
 * a hash of that cannot prepare it any more.
 */
export const PLAIN: SaslServerMechanism = {
  name: 'PLAIN',
  plaintext: true,
  credentials: 'password',
  start: (context) => ({
    step(response) {
      if (response === null) return { type: 'challenge', challenge: NOTHING };
      const [sentId, sentName, sent, ...surplus] = fieldsOf(response);
      if (sentId == null || sentName == null || sent == null || surplus.length > 0) return MALFORMED;
      const authorizationId = authorizationIdOf(sentId);
      const username = preparedName(sentName);
      const password = saslprep(sent);
      if (authorizationId === null || username === null || !password) return MALFORMED;
      return context.authenticate({
        type: 'password',
        username,
        password,
        authorizationId,
        ...(password !== sent && { unpreparedPassword: sent }),
      });
    },
  }),
};

/** The fields between the NULs; null for one that cannot be a name or a password. */
function fieldsOf(response: Uint8Array): (string | null)[] {
  const fields: (string | null)[] = [];
  for (let start = 0; start <= response.length; ) {
    const nul = response.indexOf(0, start);
    const end = nul === -1 ? response.length : nul;
    fields.push(fieldOf(response.subarray(start, end)));
    start = end + 1;
  }
  return fields;
}

/** Who logs in with a password. */
export interface PasswordLogin {
  readonly username: string;
  readonly password: string;
  /** Whose maildrop is wanted, if not the own one. Default: empty. */
  readonly authorizationId?: string;
}

/**
 * The client's half of PLAIN. Sends what it is given: the server prepares it.
 *
 * @throws Pop3Error `POP3_USAGE` for an empty name or password, and for NUL in a field.
 */
export function plainClient({
  username,
  password,
  authorizationId = '',
}: PasswordLogin): SaslClientMechanism {
  const fields = [
    fieldToSend('authorization id', authorizationId, 'may be empty'),
    fieldToSend('user name', username),
    fieldToSend('password', password),
  ];
  return oneResponse('PLAIN', true, encodeUtf8(fields.join('\0')));
}
