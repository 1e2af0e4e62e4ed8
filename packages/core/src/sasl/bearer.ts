import type { AuthOutcome, MaybePromise, TokenProblem } from '../adapter.js';
import { usage } from '../errors.js';
import { andThen } from '../maybe-promise.js';
import type { SaslOutcome } from '../server/requests.js';
import { decodeUtf8, encodeUtf8 } from '../text.js';
import {
  MALFORMED,
  NOTHING,
  type SaslClientMechanism,
  type SaslServerContext,
  type SaslServerExchange,
} from './mechanism.js';
import { UNEXPECTED } from './one-response.js';

// What OAUTHBEARER and XOAUTH2 have in common: pairs that are ended by ^A, a token in one of them, and a challenge that
// says what is wrong before the refusal.

export const CONTROL_A = '\x01';

/** RFC 6750 section 2.1 has fewer characters; what issuers put into a token is their business. */
const BEARER = /^bearer +([\x21-\x7e]+) *$/i;
const TOKEN = /^[\x21-\x7e]+$/;

/** Who asks, with what. */
export interface BearerResponse {
  readonly username: string;
  /** Empty when there is none. */
  readonly token: string;
}

/** Keys with their values; null for what is not `*(key=value ^A) ^A`, and for a key that comes twice. */
export function parsePairs(text: string): ReadonlyMap<string, string> | null {
  const pairs = new Map<string, string>();
  const parts = text.split(CONTROL_A);
  if (parts.pop() !== '' || parts.pop() !== '') return null;
  for (const part of parts) {
    const [, key = '', value = ''] = /^([A-Za-z]+)=([\t\n\r\x20-\x7e\x80-\u{10ffff}]*)$/u.exec(part) ?? [];
    if (key === '' || pairs.has(key)) return null;
    pairs.set(key, value);
  }
  return pairs;
}

/** The token of an `auth` value; empty when it is empty, null for another scheme than Bearer. */
export function tokenOf(auth: string | undefined): string | null {
  return auth === '' ? '' : (BEARER.exec(auth ?? '')?.[1] ?? null);
}

/**
 * The server's half of both.
 *
 * @param parse - reads the response; null when it cannot be read, what is wrong when that can be told
 * @param describe - what is wrong with a token, as the mechanism says it
 */
export function bearerExchange(
  context: SaslServerContext,
  parse: (response: string) => BearerResponse | TokenProblem | null,
  describe: (problem: TokenProblem) => unknown,
): SaslServerExchange {
  let refused: AuthOutcome | null = null;
  return {
    step(response): MaybePromise<SaslOutcome> {
      if (response === null) return { type: 'challenge', challenge: NOTHING };
      // ^A, or nothing: the client has read what is wrong.
      if (refused !== null) return refused;
      const parsed = parse(decodeUtf8(response) ?? '');
      if (parsed === null) return MALFORMED;
      const asked =
        'status' in parsed
          ? ({ type: 'refused', reason: 'bad-credentials', token: parsed } as const)
          : context.authenticate({ type: 'token', ...parsed });
      return andThen(asked, (outcome) => {
        if (outcome.type === 'accepted')
          return 'token' in parsed && parsed.token !== '' ? outcome : MALFORMED;
        if (outcome.token === undefined) return outcome;
        refused = outcome;
        return { type: 'challenge', challenge: encodeUtf8(JSON.stringify(describe(outcome.token))) };
      });
    },
  };
}

/** The client's half of both: `agreed` is what it answers when the server has said what is wrong. */
export function bearerClient(name: string, response: string, agreed: string): SaslClientMechanism {
  const first = encodeUtf8(response);
  return {
    name,
    plaintext: true,
    start() {
      let sent = false;
      let problem: string | null = null;
      return {
        get complete() {
          return sent && problem === null;
        },
        get problem() {
          return problem;
        },
        step(challenge) {
          if (challenge === null) {
            sent = true;
            return { type: 'response', response: first };
          }
          if (problem !== null) return UNEXPECTED;
          problem = decodeUtf8(challenge) ?? '';
          return { type: 'response', response: encodeUtf8(agreed) };
        },
      };
    },
  };
}

/** Stops a caller whose token cannot be sent. */
export function tokenToSend(token: string): string {
  return TOKEN.test(token) ? token : usage('A token is printable ASCII without spaces, and not empty.');
}
