import type {
  Authenticator,
  Credentials,
  Identity,
  Maildrop,
  MaybePromise,
  MessageStore,
  Pop3Extension,
  StoreContext,
} from '@pop3/core';
import { envCommand } from './env-command.js';
import { type EnvelopeHeaders, envelopeOf } from './envelope.js';
import { sdpsLogin } from './login.js';
import { partOf } from './part.js';

/** What a server is made of, as `createPop3Server` and `serve` take it. */
export interface SdpsAdapters {
  readonly store: MessageStore;
  readonly authenticator: Authenticator;
  readonly extensions?: readonly Pop3Extension[];
}

export interface SdpsOptions {
  /** Where headers hold the envelope, for stores that do not know it. */
  readonly headers?: EnvelopeHeaders;
  /**
   * Whether a name with `@` or `+` is an account of its own, and means no part of another one. Default: none is.
   */
  readonly isAccount?: (name: string) => boolean;
}

/** Who logged in for a part of a maildrop. It travels from the authenticator to the store. */
interface PartIdentity extends Identity {
  readonly sdpsUser: string;
}

/** Recipients of so many messages are remembered, so that a poll does not read every header again. About 10 MiB. */
const MAX_REMEMBERED = 65_536;

/**
 * Demon's SDPS over any store and authenticator: `user@host` and `host+user` log in with the password of `host` and
 * open the mail for that user, a bare `host` opens all of it, and `*ENV n` tells the envelope of a message.
 *
 * A part is locked with the whole: two users of one host do not read at the same time. Where neither the store nor a
 * header knows the recipient of a message, it is in the whole alone.
 *
 * @returns the adapters to use in place of those given
 */
export function withSdps(adapters: SdpsAdapters, options: SdpsOptions = {}): Required<SdpsAdapters> {
  const { headers = {}, isAccount = () => false } = options;
  return {
    authenticator: authenticatorOf(adapters.authenticator, isAccount),
    store: storeOf(adapters.store, new Recipients(headers)),
    extensions: [...(adapters.extensions ?? []), envCommand(headers)],
  };
}

function authenticatorOf(inner: Authenticator, isAccount: (name: string) => boolean): Authenticator {
  const read = (name: string) => (isAccount(name) ? { host: name, user: null } : sdpsLogin(name));
  return {
    // Asked each time: the forms of credentials may change.
    get accepts() {
      return inner.accepts;
    },
    ...(inner.scramKeys !== undefined && {
      scramKeys: (username, form, context) =>
        (inner.scramKeys as ScramKeysOf)(read(username).host, form, context),
    }),
    async authenticate(credentials, context) {
      // Whose maildrop a token is for, the token says.
      const name = 'username' in credentials && credentials.type !== 'token' ? credentials.username : '';
      const { host, user } = read(name);
      if (user === null) return inner.authenticate(credentials, context);
      const outcome = await inner.authenticate(forHost(credentials, name, host), context);
      if (outcome.type === 'refused') return outcome;
      const identity: PartIdentity = { ...outcome.identity, username: name, sdpsUser: user };
      return { type: 'accepted', identity };
    },
  };
}

type ScramKeysOf = NonNullable<Authenticator['scramKeys']>;

/** The same credentials as those of the account. To act for the name that one logs in with is to act for oneself. */
function forHost(credentials: Credentials, name: string, host: string): Credentials {
  return {
    ...credentials,
    username: host,
    ...('authorizationId' in credentials &&
      credentials.authorizationId === name && { authorizationId: host }),
  } as Credentials;
}

function storeOf(inner: MessageStore, recipients: Recipients): MessageStore {
  return {
    async open(identity, context) {
      const opened = await inner.open(identity, context);
      if (!('listing' in opened) || !isPart(identity)) return opened;
      try {
        const { maildrop: name, sdpsUser } = identity;
        return partOf(opened, await recipients.numbersFor(sdpsUser, name, opened, context));
      } catch (error) {
        await opened.release();
        throw error;
      }
    },
  };
}

function isPart(identity: Identity): identity is PartIdentity {
  return 'sdpsUser' in identity;
}

/** Whom messages are for. A unique-id never comes twice in a maildrop, so what was read once stays true. */
class Recipients {
  readonly #headers: EnvelopeHeaders;
  /** In the order of their last use. */
  readonly #known = new Map<string, string>();

  constructor(headers: EnvelopeHeaders) {
    this.#headers = headers;
  }

  async numbersFor(
    user: string,
    maildropName: string,
    maildrop: Maildrop,
    { signal }: StoreContext,
  ): Promise<number[]> {
    const numbers: number[] = [];
    const wanted = localPartOf(user);
    for (let number = 1; number <= maildrop.listing.count; number++) {
      const known = this.#localPart(maildropName, maildrop, number, signal);
      if ((typeof known === 'string' ? known : await known) === wanted) numbers.push(number);
    }
    return numbers;
  }

  #localPart(
    maildropName: string,
    maildrop: Maildrop,
    messageNumber: number,
    signal: AbortSignal,
  ): MaybePromise<string> {
    const key = `${maildrop.listing.uniqueIdOf(messageNumber)} ${maildropName}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#remember(key, known);
      return known;
    }
    signal.throwIfAborted();
    return envelopeOf(maildrop, messageNumber, this.#headers, { signal }).then((envelope) => {
      if (envelope === 'gone') return '';
      const localPart = localPartOf(envelope.recipient);
      this.#remember(key, localPart);
      return localPart;
    });
  }

  #remember(key: string, localPart: string): void {
    this.#known.delete(key);
    this.#known.set(key, localPart);
    if (this.#known.size <= MAX_REMEMBERED) return;
    const [oldest = ''] = this.#known.keys();
    this.#known.delete(oldest);
  }
}

/** The part of an address before its host, in lower case: Demon's users were names of one account, in any case. */
function localPartOf(address: string): string {
  const at = address.lastIndexOf('@');
  return (at === -1 ? address : address.slice(0, at)).toLowerCase();
}
