import { octetsOf } from '../octets.js';
import { fieldOf } from './field.js';
import { MALFORMED, type SaslServerMechanism } from './mechanism.js';

// Clients look for these very words; the draft that once described the mechanism has others.
const USERNAME = octetsOf('Username:');
const PASSWORD = octetsOf('Password:');

/** LOGIN, which no RFC describes: the user name, then the password. The name may come as the initial response. */
export const LOGIN: SaslServerMechanism = {
  name: 'LOGIN',
  plaintext: true,
  credentials: 'password',
  start(context) {
    let username: string | null = null;
    return {
      step(response) {
        if (response === null) return { type: 'challenge', challenge: USERNAME };
        const text = fieldOf(response);
        if (!text) return MALFORMED;
        if (username !== null) {
          return context.authenticate({ type: 'password', username, password: text, authorizationId: '' });
        }
        username = text;
        return { type: 'challenge', challenge: PASSWORD };
      },
    };
  },
};
