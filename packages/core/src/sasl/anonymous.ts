import { usage } from '../errors.js';
import { decodeUtf8, encodeUtf8 } from '../text.js';
import { MALFORMED, NOTHING, type SaslClientMechanism, type SaslServerMechanism } from './mechanism.js';
import { oneResponse } from './one-response.js';

/** RFC 4505 section 2; up to 1020 octets of UTF-8. */
const MAX_TRACE_CHARACTERS = 255;

/** What would break a line of a log, or hide in it. RFC 4505 section 3 prohibits a little more. */
const HIDDEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u;

/** ANONYMOUS (RFC 4505): nobody in particular, who may leave an address or a word. */
export const ANONYMOUS: SaslServerMechanism = {
  name: 'ANONYMOUS',
  plaintext: false,
  credentials: 'anonymous',
  start: (context) => ({
    step(response) {
      if (response === null) return { type: 'challenge', challenge: NOTHING };
      const trace = decodeUtf8(response);
      if (trace === null || !isTrace(trace)) return MALFORMED;
      return context.authenticate({ type: 'anonymous', trace });
    },
  }),
};

/**
 * The client's half of ANONYMOUS.
 *
 * @param options - `trace`: an address, or up to 255 characters. Default: empty, which says nothing.
 * @throws Pop3Error `POP3_USAGE` for a trace that is longer, or holds control characters.
 */
export function anonymousClient({ trace = '' }: { readonly trace?: string } = {}): SaslClientMechanism {
  if (!isTrace(trace)) usage(`A trace has up to ${MAX_TRACE_CHARACTERS} characters, none of control.`);
  return oneResponse('ANONYMOUS', false, encodeUtf8(trace));
}

function isTrace(text: string): boolean {
  return [...text].length <= MAX_TRACE_CHARACTERS && !HIDDEN.test(text);
}
