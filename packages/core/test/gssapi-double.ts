/**
 * Both halves of a mechanism in the shape of GSSAPI (RFC 4752): tokens go to and fro until both sides share a key, then
 * the server wraps an offer of security layers and the client wraps its choice and who it wants to be. Kerberos is left
 * out; what is shown is that such a mechanism needs nothing of the core but its public interface.
 */
import { createHmac } from 'node:crypto';
import type { AuthOutcome, Refusal } from '../src/index.js';
import type { SaslClientMechanism, SaslServerMechanism } from '../src/sasl/index.js';

const NO_LAYER = 1;
const REFUSED: Refusal = { type: 'refused', reason: 'bad-credentials', text: 'security context failed' };

/** Tokens of each side before the context stands. */
const TOKENS = 3;

function token(secret: string, side: 'client' | 'server', number: number): Buffer {
  return createHmac('sha256', secret).update(`${side} ${number}`).digest();
}

function wrap(secret: string, message: Uint8Array): Buffer {
  return Buffer.concat([createHmac('sha256', secret).update(message).digest(), message]);
}

function unwrap(secret: string, wrapped: Uint8Array): Buffer | null {
  const message = Buffer.from(wrapped.subarray(32));
  return wrap(secret, message).equals(wrapped) ? message : null;
}

/** @param authorize - whether the principal may act for somebody, and whose maildrop that opens */
export function gssapiDouble(
  secret: string,
  authorize: (authorizationId: string) => Promise<AuthOutcome>,
): SaslServerMechanism {
  return {
    name: 'GSSAPI',
    plaintext: false,
    credentials: 'external',
    start() {
      let received = 0;
      return {
        async step(response) {
          if (response === null) return { type: 'challenge', challenge: new Uint8Array(0) };
          received++;
          if (received <= TOKENS) {
            if (!token(secret, 'client', received).equals(response)) return REFUSED;
            return { type: 'challenge', challenge: token(secret, 'server', received) };
          }
          if (received === TOKENS + 1) {
            if (response.length > 0) return REFUSED;
            return { type: 'challenge', challenge: wrap(secret, Uint8Array.of(NO_LAYER, 0, 0, 0)) };
          }
          const choice = unwrap(secret, response);
          if (choice === null || choice.length < 4 || choice.readUInt32BE() !== NO_LAYER << 24)
            return REFUSED;
          return authorize(choice.subarray(4).toString());
        },
      };
    },
  };
}

export function gssapiDoubleClient(secret: string, authorizationId: string): SaslClientMechanism {
  return {
    name: 'GSSAPI',
    plaintext: false,
    start() {
      let sent = 0;
      let complete = false;
      return {
        get complete() {
          return complete;
        },
        async step(challenge) {
          if (challenge !== null && sent <= TOKENS && !token(secret, 'server', sent).equals(challenge)) {
            return { type: 'failed', text: 'the server is another one' };
          }
          sent++;
          if (sent <= TOKENS) return { type: 'response', response: token(secret, 'client', sent) };
          if (sent === TOKENS + 1) return { type: 'response', response: new Uint8Array(0) };
          const offer = unwrap(secret, challenge ?? new Uint8Array(0));
          if (offer === null || offer.length !== 4 || (offer[0] ?? 0) % 2 !== NO_LAYER) {
            return { type: 'failed', text: 'the server wants a security layer' };
          }
          complete = true;
          const choice = Buffer.concat([Uint8Array.of(NO_LAYER, 0, 0, 0), Buffer.from(authorizationId)]);
          return { type: 'response', response: wrap(secret, choice) };
        },
      };
    },
  };
}
