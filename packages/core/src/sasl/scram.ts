import type { AuthContext, MaybePromise, Refusal, ScramForm, ScramKeys } from '../adapter.js';
import { decodeBase64, encodeBase64 } from '../base64.js';
import { andThen } from '../maybe-promise.js';
import type { SaslOutcome } from '../server/requests.js';
import { encodeUtf8 } from '../text.js';
import { CHANNEL_BINDING_TYPES, isChannelBindingType } from './channel-binding.js';
import { sameOctets } from './constant-time.js';
import { type Gs2Header, parseGs2Header, userNameOf } from './gs2.js';
import {
  MALFORMED,
  NOTHING,
  type SaslServerContext,
  type SaslServerExchange,
  type SaslServerMechanism,
} from './mechanism.js';
import {
  bindingText,
  checkedNonce,
  EXTENSIONS,
  exclusiveOr,
  messageOf,
  SCRAM_NAMES,
  type ScramCrypto,
} from './scram-message.js';

export interface ScramOptions {
  readonly crypto: ScramCrypto;
  /** One that was never used before: printable ASCII without a comma, 18 random octets or more. */
  nonce(): string;
  /**
   * Whether -PLUS is on offer where the connection can bind. Then a client that believes it is not has been lied to, and
   * is refused. `false` for those who offer only the bare mechanism. Default true.
   */
  readonly channelBinding?: boolean;
}

const CLIENT_FIRST = /* @__PURE__ */ new RegExp(`^n=([^,]+),r=([\\x21-\\x2b\\x2d-\\x7e]+)${EXTENSIONS}$`);
const CLIENT_FINAL = /* @__PURE__ */ new RegExp(
  `^(c=([A-Za-z0-9+/=]+),r=([^,]+)${EXTENSIONS}),p=([A-Za-z0-9+/=]+)$`,
);

/** Refusals that tell the client what is wrong, and nothing about a user. */
const DOWNGRADE = /* @__PURE__ */ refusal('channel binding is on offer, and was not seen');
const NO_BINDING = /* @__PURE__ */ refusal('channel binding belongs to -PLUS');
const BINDING_MISSING = /* @__PURE__ */ refusal('-PLUS needs channel binding');
const UNKNOWN_BINDING = /* @__PURE__ */ refusal('this channel binding is not supported');
const OTHER_CHANNEL = /* @__PURE__ */ refusal('channel binding does not match');
const NOT_PROVEN: Refusal = { type: 'refused', reason: 'bad-credentials' };

/**
 * SCRAM (RFC 5802, RFC 7677), as the form with channel binding and the one without, in the order in which to offer them.
 *
 * The client proves that it knows the password, which is never sent; the server proves that it has known it. A user that
 * does not exist is told of only at the end: the authenticator has keys for everybody.
 */
export function scram(
  form: ScramForm,
  options: ScramOptions,
): readonly [plus: SaslServerMechanism, bare: SaslServerMechanism] {
  const canBind = (context: AuthContext) => options.channelBinding !== false && hasBinding(context);
  const shared = { plaintext: false, credentials: form };
  return [
    {
      ...shared,
      name: `${SCRAM_NAMES[form]}-PLUS`,
      available: canBind,
      start: (context) => exchange(form, options, context, bindingOfPlus),
    },
    {
      ...shared,
      name: SCRAM_NAMES[form],
      start: (context) =>
        exchange(form, options, context, ({ flag }) => {
          if (flag === 'p') return NO_BINDING;
          return flag === 'y' && canBind(context) ? DOWNGRADE : NOTHING;
        }),
    },
  ];
}

function hasBinding({ peer }: AuthContext): boolean {
  return CHANNEL_BINDING_TYPES.some((type) => (peer.channelBinding?.(type) ?? null) !== null);
}

/** The octets that a client has to bind to. */
type BindingOf = (header: Gs2Header, context: AuthContext) => Uint8Array | Refusal;

function bindingOfPlus({ flag, bindingType }: Gs2Header, { peer }: AuthContext): Uint8Array | Refusal {
  if (flag !== 'p') return BINDING_MISSING;
  if (!isChannelBindingType(bindingType)) return UNKNOWN_BINDING;
  return peer.channelBinding?.(bindingType) ?? UNKNOWN_BINDING;
}

/** What the client's proof has to fit. */
interface Challenged {
  readonly username: string;
  readonly authorizationId: string;
  readonly keys: ScramKeys;
  /** The value of `c` and of `r` in its answer. */
  readonly binding: string;
  readonly nonce: string;
  /** Both first messages, as they are signed. */
  readonly signed: string;
}

type Step = (response: Uint8Array) => MaybePromise<SaslOutcome>;

function exchange(
  form: ScramForm,
  { crypto, nonce: freshNonce }: ScramOptions,
  context: SaslServerContext,
  bindingOf: BindingOf,
): SaslServerExchange {
  const over: Step = () => MALFORMED;
  let next: Step = clientFirst;
  return {
    step(response) {
      if (response === null) return { type: 'challenge', challenge: NOTHING };
      const step = next;
      next = over;
      return step(response);
    },
  };

  function clientFirst(response: Uint8Array): MaybePromise<SaslOutcome> {
    const message = messageOf(response);
    const header = message === null ? null : parseGs2Header(message);
    if (message === null || header === null) return MALFORMED;
    const binding = bindingOf(header, context);
    if ('type' in binding) return binding;
    const bare = message.slice(header.text.length);
    const [, sentName = '', clientNonce] = CLIENT_FIRST.exec(bare) ?? [];
    const username = userNameOf(sentName);
    if (username === null || clientNonce === undefined) return MALFORMED;
    return andThen(context.scramKeys(username, form), (keys) => {
      if ('type' in keys) return keys;
      const nonce = clientNonce + checkedNonce(freshNonce());
      const challenge = `r=${nonce},s=${encodeBase64(keys.salt)},i=${keys.iterations}`;
      const challenged = {
        username,
        authorizationId: header.authorizationId,
        keys,
        binding: bindingText(header.text, binding),
        nonce,
        signed: `${bare},${challenge}`,
      };
      next = (answer) => clientFinal(answer, challenged);
      return { type: 'challenge', challenge: encodeUtf8(challenge) };
    });
  }

  function clientFinal(response: Uint8Array, challenged: Challenged): MaybePromise<SaslOutcome> {
    const { username, authorizationId, keys, binding, nonce, signed } = challenged;
    const match = CLIENT_FINAL.exec(messageOf(response) ?? '');
    const [, unproven = '', sentBinding, sentNonce, , sentProof = ''] = match ?? [];
    const proof = decodeBase64(sentProof);
    if (proof === null || sentNonce !== nonce) return MALFORMED;
    if (sentBinding !== binding) return OTHER_CHANNEL;
    const authMessage = encodeUtf8(`${signed},${unproven}`);
    const clientKey = exclusiveOr(proof, crypto.hmac(keys.storedKey, authMessage));
    const proven = sameOctets(crypto.hash(clientKey), keys.storedKey);
    return andThen(context.authenticate({ type: form, username, authorizationId, proven }), (outcome) => {
      if (outcome.type === 'refused') return outcome;
      if (!proven) return NOT_PROVEN;
      // What belongs to success goes as one more challenge, and the client agrees by saying nothing (RFC 5034 section 4).
      next = (answer) => (answer.length === 0 ? outcome : MALFORMED);
      const signature = encodeBase64(crypto.hmac(keys.serverKey, authMessage));
      return { type: 'challenge', challenge: encodeUtf8(`v=${signature}`) };
    });
  }
}

function refusal(text: string): Refusal {
  return { type: 'refused', reason: 'bad-credentials', text };
}
