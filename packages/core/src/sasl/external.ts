import { decodeUtf8 } from '../text.js';
import { MALFORMED, type SaslServerMechanism } from './mechanism.js';

const NOTHING = /* @__PURE__ */ new Uint8Array(0);

/** EXTERNAL (RFC 4422 appendix A): the peer is known by its TLS certificate and names who it wants to be, or nobody. */
export const EXTERNAL: SaslServerMechanism = {
  name: 'EXTERNAL',
  plaintext: false,
  credentials: 'external',
  available: ({ peer }) => peer.certificate !== null,
  start: (context) => ({
    step(response) {
      if (response === null) return { type: 'challenge', challenge: NOTHING };
      const authorizationId = decodeUtf8(response);
      if (authorizationId === null || authorizationId.includes('\0')) return MALFORMED;
      return context.authenticate({ type: 'external', authorizationId });
    },
  }),
};
