import type { Credentials } from '../adapter.js';
import { octetsOf } from '../octets.js';
import { decodeUtf8, encodeUtf8 } from '../text.js';
import { sameOctets } from './constant-time.js';
import { fieldOf } from './field.js';
import { hexOf } from './hex.js';
import { MALFORMED, type SaslClientMechanism, type SaslServerMechanism } from './mechanism.js';
import { fieldToSend, UNEXPECTED } from './one-response.js';
import type { PasswordLogin } from './plain.js';

/** HMAC-MD5 (RFC 2104) of the octets, 16 of them. */
export type HmacMd5 = (key: Uint8Array, octets: Uint8Array) => Uint8Array;

const RESPONSE = /^(.+) ([0-9a-f]{32})$/is;

/**
 * CRAM-MD5 (RFC 2195): the client proves with a digest of a challenge that it knows the secret, which the server must
 * have as well. Weak by now, and without a proof of the server.
 *
 * @param source - `challenge` gives one that was never used before: `<random@host>`, printable ASCII
 */
export function cramMd5(source: { challenge(): string }): SaslServerMechanism {
  return {
    name: 'CRAM-MD5',
    plaintext: false,
    credentials: 'cram-md5',
    start(context) {
      const challenge = source.challenge();
      let asked = false;
      return {
        step(response) {
          if (!asked) {
            asked = true;
            // Nobody can answer what was not asked (RFC 5034 section 4).
            return response === null ? { type: 'challenge', challenge: octetsOf(challenge) } : MALFORMED;
          }
          const [, sentName = '', digest = ''] =
            (response && RESPONSE.exec(decodeUtf8(response) ?? '')) ?? [];
          const username = fieldOf(encodeUtf8(sentName));
          if (!username) return MALFORMED;
          return context.authenticate({
            type: 'cram-md5',
            username,
            challenge,
            digest: digest.toLowerCase(),
          });
        },
      };
    },
  };
}

/**
 * The client's half of CRAM-MD5.
 *
 * @throws Pop3Error `POP3_USAGE` for an empty name or password, and for NUL in one.
 */
export function cramMd5Client(
  options: Pick<PasswordLogin, 'username' | 'password'> & { readonly hmacMd5: HmacMd5 },
): SaslClientMechanism {
  const username = fieldToSend('user name', options.username);
  const password = fieldToSend('password', options.password);
  const { hmacMd5 } = options;
  return {
    name: 'CRAM-MD5',
    plaintext: false,
    start() {
      let complete = false;
      return {
        get complete() {
          return complete;
        },
        step(challenge) {
          if (challenge === null) return { type: 'response', response: null };
          const text = decodeUtf8(challenge);
          // A digest of nothing says nothing of this server, and can be looked up.
          if (complete || !text) {
            complete = false;
            return UNEXPECTED;
          }
          complete = true;
          const digest = cramMd5Digest(hmacMd5, text, password);
          return { type: 'response', response: encodeUtf8(`${username} ${digest}`) };
        },
      };
    },
  };
}

/** The digest of CRAM-MD5 (RFC 2195 section 2): HMAC-MD5 of the challenge, with the secret as key; 32 hexadecimal digits. */
export function cramMd5Digest(hmacMd5: HmacMd5, challenge: string, secret: string): string {
  return hexOf(hmacMd5(encodeUtf8(secret), encodeUtf8(challenge)));
}

/** Whether the peer knows the secret. Takes the same time wherever two digests differ. */
export function verifyCramMd5(
  hmacMd5: HmacMd5,
  { challenge, digest }: Pick<Extract<Credentials, { type: 'cram-md5' }>, 'challenge' | 'digest'>,
  secret: string,
): boolean {
  return sameOctets(octetsOf(cramMd5Digest(hmacMd5, challenge, secret)), octetsOf(digest));
}
