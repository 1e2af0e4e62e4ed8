import {
  type AuthContext,
  type Authenticator,
  type AuthOutcome,
  type Credentials,
  Pop3Error,
  type Refusal,
  type RefusalReason,
  type ScramForm,
  type ScramKeys,
} from '@pop3/core';

/**
 * One authenticator from several: credentials go to each part that accepts their form, in order, until one of them
 * accepts.
 *
 * - A user of two parts can log in with what either of them takes. A part that bars a user does not bar it in the
 *   others.
 * - When none accepts, all were asked, so a refusal takes the same time wherever the user is, if the parts keep that
 *   rule themselves. The refusal that tells most is returned: one that knows the user (`in-use`, `login-delay`,
 *   `permanent`), then `temporary`, then `bad-credentials`. A part that could not check means that the password may be
 *   right, and `[AUTH]` would make the client ask for another one.
 * - A part with a fault does not keep out the users of the others. The fault is thrown when none accepts: whoever
 *   belongs to the part that is broken reports it.
 * - SCRAM is one part's: the first that has keys of its own for the user gives them, and it alone is asked in the end,
 *   since the proof is for its keys. A part that does not mark made-up keys (`standIn`) looks as if it had keys for
 *   every name, and hides the users of those behind it: put it last. `authenticate` needs the context that `scramKeys`
 *   was called with, as `serve` of `@pop3/core/driver` has it.
 */
export function anyOf(...authenticators: readonly Authenticator[]): Authenticator {
  return new AnyOf(authenticators);
}

const BAD_CREDENTIALS: Refusal = { type: 'refused', reason: 'bad-credentials' };

/** How much a refusal tells. */
const TELLS: Record<RefusalReason, number> = {
  'bad-credentials': 0,
  temporary: 1,
  permanent: 2,
  'in-use': 2,
  'login-delay': 2,
};

interface ScramExchange {
  readonly username: string;
  readonly form: ScramForm;
  readonly part: Authenticator;
}

class AnyOf implements Authenticator {
  readonly scramKeys?: NonNullable<Authenticator['scramKeys']>;
  readonly #parts: readonly Authenticator[];
  /** Whose keys the last exchange of a connection is about. */
  readonly #exchanges = new WeakMap<AuthContext, ScramExchange>();

  constructor(parts: readonly Authenticator[]) {
    this.#parts = parts;
    if (parts.some(({ scramKeys }) => scramKeys !== undefined)) this.scramKeys = this.#scramKeys.bind(this);
  }

  get accepts(): readonly Credentials['type'][] {
    return [...new Set(this.#parts.flatMap(({ accepts }) => accepts))];
  }

  async authenticate(credentials: Credentials, context: AuthContext): Promise<AuthOutcome> {
    if (isScram(credentials)) return this.#authenticateScram(credentials, context);
    const failed: Failed[] = [];
    for (const part of this.#accepting(credentials.type)) {
      try {
        const outcome = await part.authenticate(credentials, context);
        if (outcome.type === 'accepted') return outcome;
        failed.push(outcome);
      } catch (error) {
        failed.push(new Fault(error));
      }
    }
    return mostTelling(failed);
  }

  async #authenticateScram(
    credentials: Extract<Credentials, { type: ScramForm }>,
    context: AuthContext,
  ): Promise<AuthOutcome> {
    const exchange = this.#exchanges.get(context);
    if (exchange?.username === credentials.username && exchange.form === credentials.type) {
      return exchange.part.authenticate(credentials, context);
    }
    // Nobody can tell whose keys this proves.
    if (credentials.proven) {
      throw new Pop3Error('POP3_USAGE', 'anyOf() needs the context that scramKeys() was called with.');
    }
    return BAD_CREDENTIALS;
  }

  async #scramKeys(username: string, form: ScramForm, context: AuthContext): Promise<ScramKeys | Refusal> {
    this.#exchanges.delete(context);
    let standIn: { readonly part: Authenticator; readonly keys: ScramKeys } | undefined;
    let found: typeof standIn;
    const failed: Failed[] = [];
    // All are asked, also when the first has an answer: the time must not tell where a user is.
    for (const part of this.#accepting(form)) {
      try {
        const keys = await part.scramKeys?.(username, form, context);
        if (keys === undefined) continue;
        if ('type' in keys) failed.push(keys);
        else if (keys.standIn === true) standIn ??= { part, keys };
        else found ??= { part, keys };
      } catch (error) {
        failed.push(new Fault(error));
      }
    }
    // A part that cannot answer may be the one that has the user.
    const chosen = found ?? (failed.length === 0 ? standIn : undefined);
    if (chosen === undefined) return mostTelling(failed);
    this.#exchanges.set(context, { username, form, part: chosen.part });
    return chosen.keys;
  }

  #accepting(form: Credentials['type']): readonly Authenticator[] {
    return this.#parts.filter(({ accepts }) => accepts.includes(form));
  }
}

/** What a part threw. */
class Fault {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

type Failed = Refusal | Fault;

/** @throws the first fault, if there is one. */
function mostTelling(failed: readonly Failed[]): Refusal {
  let best: Refusal = BAD_CREDENTIALS;
  let bestTells = -1;
  for (const refusal of failed) {
    if (refusal instanceof Fault) throw refusal.error;
    // Of two issuers, the one whose token it is knows more than that it is not its own.
    const knowsToken = refusal.token !== undefined && refusal.token.status !== 'invalid_token';
    const tells = TELLS[refusal.reason] + (knowsToken ? 0.5 : 0);
    if (tells <= bestTells) continue;
    best = refusal;
    bestTells = tells;
  }
  return best;
}

function isScram(credentials: Credentials): credentials is Extract<Credentials, { type: ScramForm }> {
  return credentials.type.startsWith('scram-');
}
