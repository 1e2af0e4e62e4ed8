import { decodeUtf8 } from '../text.js';
import { MALFORMED, type SaslServerMechanism } from './mechanism.js';

/** Each field may have 255 octets (RFC 4616 section 2). */
const MAX_FIELD_OCTETS = 255;
const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/** PLAIN (RFC 4616): `authorization-id NUL user NUL password` in one response. */
export const PLAIN: SaslServerMechanism = {
  name: 'PLAIN',
  plaintext: true,
  credentials: 'password',
  start: (context) => ({
    step(response) {
      if (response === null) return { type: 'challenge', challenge: NOTHING };
      const [authorizationId, username, password, ...surplus] = fieldsOf(response);
      if (authorizationId == null || !username || !password || surplus.length > 0) return MALFORMED;
      return context.authenticate({ type: 'password', username, password, authorizationId });
    },
  }),
};

/** Null for a field that is too long or not UTF-8. */
function fieldsOf(response: Uint8Array): (string | null)[] {
  const fields: (string | null)[] = [];
  for (let start = 0; start <= response.length; ) {
    const nul = response.indexOf(0, start);
    const end = nul === -1 ? response.length : nul;
    fields.push(end - start > MAX_FIELD_OCTETS ? null : decodeUtf8(response.subarray(start, end)));
    start = end + 1;
  }
  return fields;
}
