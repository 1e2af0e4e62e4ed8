import { octetsOf } from '../octets.js';
import { encodeUtf8 } from '../text.js';
import { fieldOf } from './field.js';
import { MALFORMED, type SaslClientMechanism, type SaslServerMechanism } from './mechanism.js';
import { fieldToSend, UNEXPECTED } from './one-response.js';
import type { PasswordLogin } from './plain.js';

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

/**
 * The client's half of LOGIN. Answers two challenges and does not read them: servers ask in many words.
 *
 * @throws Pop3Error `POP3_USAGE` for an empty name or password, and for NUL in one.
 */
export function loginClient({
  username,
  password,
}: Pick<PasswordLogin, 'username' | 'password'>): SaslClientMechanism {
  const answers = [
    encodeUtf8(fieldToSend('user name', username)),
    encodeUtf8(fieldToSend('password', password)),
  ];
  return {
    name: 'LOGIN',
    plaintext: true,
    start() {
      let answered = 0;
      return {
        get complete() {
          return answered === answers.length;
        },
        step(challenge) {
          if (challenge === null) return { type: 'response', response: null };
          const response = answers[answered++];
          return response === undefined ? UNEXPECTED : { type: 'response', response };
        },
      };
    },
  };
}
