import type { ChannelBindingType, MaybePromise, ScramForm } from '../adapter.js';
import { decodeBase64, encodeBase64 } from '../base64.js';
import { usage } from '../errors.js';
import { andThen } from '../maybe-promise.js';
import { encodeUtf8, lineOf } from '../text.js';
import { sameOctets } from './constant-time.js';
import { preparedName } from './field.js';
import { encodeSaslName, gs2Header } from './gs2.js';
import {
  NOTHING,
  type SaslClientExchange,
  type SaslClientMechanism,
  type SaslClientStep,
} from './mechanism.js';
import { fieldToSend } from './one-response.js';
import type { PasswordLogin } from './plain.js';
import {
  bindingText,
  checkedNonce,
  clientKeysOf,
  EXTENSIONS,
  exclusiveOr,
  messageOf,
  SCRAM_NAMES,
  type ScramPasswordCrypto,
} from './scram-message.js';

export interface ScramClientOptions extends PasswordLogin {
  readonly crypto: ScramPasswordCrypto;
  /** One that was never used before: printable ASCII without a comma, 18 random octets or more. */
  nonce(): string;
  /**
   * The binding to use, which is the -PLUS mechanism, for servers that offer it. `not-offered` when this client could
   * bind and has seen no -PLUS: the server then tells whether somebody has taken it out of the list. Default: this client
   * cannot bind.
   */
  readonly channelBinding?:
    | { readonly type: ChannelBindingType; readonly octets: Uint8Array }
    | 'not-offered';
  /**
   * Above so many iterations the server is not believed, so that none can keep this machine busy: at 600 000, which is
   * what password stores are advised to use today, a login costs some tenths of a second.
   */
  readonly maxIterations?: number;
}

const DEFAULT_MAX_ITERATIONS = 600_000;
/** RFC 5802 section 5.1, RFC 7677 section 4: fewer would make a stolen exchange worth guessing at. */
const MIN_ITERATIONS = 4_096;

const SERVER_FIRST = /* @__PURE__ */ new RegExp(
  `^r=([\\x21-\\x2b\\x2d-\\x7e]+),s=([A-Za-z0-9+/=]+),i=([1-9][0-9]{0,9})${EXTENSIONS}$`,
);
const SERVER_FINAL = /* @__PURE__ */ new RegExp(`^v=([A-Za-z0-9+/=]+)${EXTENSIONS}$`);
const SERVER_ERROR = /^e=([^,]+)/;

type Step = (message: string) => MaybePromise<SaslClientStep>;

/**
 * The client's half of SCRAM. `complete` is true once the server has proven that it knows the password, too: a `+OK`
 * before that comes from somebody else.
 *
 * @throws Pop3Error `POP3_USAGE` for an empty name or password, NUL in one, a name that SASLprep prohibits, or one of more
 *   than 255 octets.
 */
export function scramClient(form: ScramForm, options: ScramClientOptions): SaslClientMechanism {
  const { channelBinding } = options;
  const login = checkedLogin(options);
  const name = SCRAM_NAMES[form];
  if (channelBinding === undefined || channelBinding === 'not-offered') {
    const header = gs2Header(channelBinding === undefined ? 'n' : 'y', login.authorizationId);
    return { name, plaintext: false, start: () => exchange(options, login, header, NOTHING) };
  }
  const header = gs2Header(`p=${channelBinding.type}`, login.authorizationId);
  return {
    name: `${name}-PLUS`,
    plaintext: false,
    start: () => exchange(options, login, header, channelBinding.octets),
  };
}

function checkedLogin({ username, password, authorizationId = '' }: PasswordLogin): Required<PasswordLogin> {
  const prepared = preparedName(fieldToSend('user name', username));
  if (prepared === null)
    usage('The user name has more than 255 octets, or SASLprep prohibits it (RFC 4013).');
  return {
    username: prepared,
    password: fieldToSend('password', password),
    authorizationId: fieldToSend('authorization id', authorizationId, 'may be empty'),
  };
}

function exchange(
  { crypto, nonce: freshNonce, maxIterations = DEFAULT_MAX_ITERATIONS }: ScramClientOptions,
  { username, password }: PasswordLogin,
  header: string,
  binding: Uint8Array,
): SaslClientExchange {
  const clientNonce = checkedNonce(freshNonce());
  const bare = `n=${encodeSaslName(username)},r=${clientNonce}`;
  const over: Step = () => failed('the server asks for more than the mechanism has');
  let next: Step = serverFirst;
  let complete = false;
  let problem: string | null = null;
  return {
    get complete() {
      return complete;
    },
    get problem() {
      return problem;
    },
    step(challenge) {
      if (challenge === null) return respond(header + bare);
      complete = false;
      const message = messageOf(challenge);
      const step = next;
      next = over;
      return message === null ? failed('the server sends what cannot be read') : step(message);
    },
  };

  function serverFirst(message: string): MaybePromise<SaslClientStep> {
    const [, nonce = '', sentSalt = '', sentIterations] = SERVER_FIRST.exec(message) ?? [];
    const salt = decodeBase64(sentSalt);
    if (salt === null || sentIterations === undefined) return refusedBy(message);
    if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
      return failed('the server answers somebody else: it has another nonce');
    }
    const iterations = Number(sentIterations);
    if (iterations < MIN_ITERATIONS || iterations > maxIterations) {
      return failed(`the server wants ${iterations} iterations, not ${MIN_ITERATIONS} to ${maxIterations}`);
    }
    const unproven = `c=${bindingText(header, binding)},r=${nonce}`;
    const authMessage = encodeUtf8(`${bare},${message},${unproven}`);
    return andThen(
      clientKeysOf(crypto, password, salt, iterations),
      ({ clientKey, storedKey, serverKey }) => {
        const proof = exclusiveOr(clientKey, crypto.hmac(storedKey, authMessage));
        const signature = crypto.hmac(serverKey, authMessage);
        next = (final) => serverFinal(final, signature);
        return respond(`${unproven},p=${encodeBase64(proof)}`);
      },
    );
  }

  function serverFinal(message: string, expected: Uint8Array): SaslClientStep {
    const [, sent = ''] = SERVER_FINAL.exec(message) ?? [];
    const signature = decodeBase64(sent);
    if (signature === null || sent === '') return refusedBy(message);
    if (!sameOctets(expected, signature)) return failed('the server does not know the password');
    complete = true;
    return { type: 'response', response: NOTHING };
  }

  /** An error of the server's is its refusal, which `-ERR` follows: agreed to, as other words of it are not. */
  function refusedBy(message: string): SaslClientStep {
    const [, error] = SERVER_ERROR.exec(message) ?? [];
    if (error === undefined) return failed('the server sends what cannot be read');
    problem = lineOf(error);
    return { type: 'response', response: NOTHING };
  }
}

function respond(message: string): SaslClientStep {
  return { type: 'response', response: encodeUtf8(message) };
}

function failed(text: string): SaslClientStep {
  return { type: 'failed', text };
}
