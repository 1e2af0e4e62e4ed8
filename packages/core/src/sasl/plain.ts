import { fieldOf } from './field.js';
import { MALFORMED, type SaslServerMechanism } from './mechanism.js';

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
