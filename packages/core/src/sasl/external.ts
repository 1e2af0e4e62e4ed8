import { encodeUtf8 } from '../text.js';
import { authorizationIdOf, fieldOf } from './field.js';
import { MALFORMED, NOTHING, type SaslClientMechanism, type SaslServerMechanism } from './mechanism.js';
import { fieldToSend, oneResponse } from './one-response.js';

/** EXTERNAL (RFC 4422 appendix A): the peer is known by its TLS certificate and names who it wants to be, or nobody. */
export const EXTERNAL: SaslServerMechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  credentials: 'external',
  available: ({ peer }) => peer.certificate !== null,
  start: (context) => ({
    step(response) {
      if (response === null) return { type: 'challenge', challenge: NOTHING };
      const sent = fieldOf(response);
      const authorizationId = sent === null ? null : authorizationIdOf(sent);
      if (authorizationId === null) return MALFORMED;
      return context.authenticate({ type: 'external', authorizationId });
    },
  }),
};

/**
 * The client's half of EXTERNAL: its certificate says who it is.
 *
 * @throws Pop3Error `POP3_USAGE` for NUL in the authorisation id.
 */
export function externalClient({
  authorizationId = '',
}: {
  readonly authorizationId?: string;
} = {}): SaslClientMechanism {
  const response = encodeUtf8(fieldToSend('authorization id', authorizationId, 'may be empty'));
  return oneResponse('EXTERNAL', false, response);
}
