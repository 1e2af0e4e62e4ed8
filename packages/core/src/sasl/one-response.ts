import { usage } from '../errors.js';
import type { SaslClientMechanism, SaslClientStep } from './mechanism.js';

/** What a client says to a challenge for which its mechanism has no answer. */
export const UNEXPECTED: SaslClientStep = {
  type: 'failed',
  text: 'the server asks for more than the mechanism has',
};

/** A client that has said everything with its first response. */
export function oneResponse(name: string, plaintext: boolean, response: Uint8Array): SaslClientMechanism {
  return {
    name,
    plaintext,
    start() {
      let complete = false;
      return {
        get complete() {
          return complete;
        },
        step(challenge) {
          complete = challenge === null;
          return complete ? { type: 'response', response } : UNEXPECTED;
        },
      };
    },
  };
}

/** Stops a caller whose name or password cannot be sent. The text names the field, never what is in it. */
export function fieldToSend(what: string, text: string, empty?: 'may be empty'): string {
  if (text === '' && empty === undefined) usage(`The ${what} is empty.`);
  return text.includes('\0') ? usage(`The ${what} holds NUL.`) : text;
}
