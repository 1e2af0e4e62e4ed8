import { setTimeout as sleep } from 'node:timers/promises';
import type { Authenticator, AuthOutcome, Credentials, MessageStore, Refusal } from '@pop3/core';

/** What a connection does with the outcome of each login. */
export interface LoginPolicy {
  /** Milliseconds before the first failed login is answered. */
  readonly delayMs: number;
  /** Where its doubling ends. */
  readonly maxDelayMs: number;
  readonly loginDelay: LoginDelay | null;
  /** Told of credentials that were accepted, before the maildrop is opened. */
  accepted(credentials: Credentials): void;
  /** Told of credentials that were refused, and of a maildrop that could not be had with good ones. */
  refused(credentials: Credentials, refusal: Refusal): void;
}

interface Adapters {
  readonly authenticator: Authenticator;
  readonly store: MessageStore;
}

/**
 * The same adapters for one connection: each failed login is answered later than the one before, and logins to one
 * maildrop keep the distance that was announced.
 */
export function withPolicy({ authenticator, store }: Adapters, policy: LoginPolicy): Adapters {
  const { loginDelay, maxDelayMs } = policy;
  let delayMs = Math.min(policy.delayMs, maxDelayMs);
  let accepted: Credentials | null = null;
  return {
    authenticator: {
      // Whatever else it can do.
      ...(authenticator.scramKeys !== undefined && {
        scramKeys: authenticator.scramKeys.bind(authenticator),
      }),
      accepts: authenticator.accepts,
      async authenticate(credentials, context) {
        const outcome = check(await authenticator.authenticate(credentials, context), loginDelay);
        if (outcome.type === 'accepted') {
          accepted = credentials;
          policy.accepted(credentials);
          return outcome;
        }
        policy.refused(credentials, outcome);
        if (outcome.reason === 'bad-credentials' && delayMs > 0) {
          // Aborted when the peer has gone: then nobody waits for the answer.
          await sleep(delayMs, undefined, { signal: context.signal }).catch(() => {});
          delayMs = Math.min(delayMs * 2, maxDelayMs);
        }
        return outcome;
      },
    },
    store: {
      async open(identity, context) {
        const opened = await store.open(identity, context);
        if (!('listing' in opened) && accepted !== null) policy.refused(accepted, opened);
        accepted = null;
        return opened;
      },
    },
  };
}

function check(outcome: AuthOutcome, loginDelay: LoginDelay | null): AuthOutcome {
  if (outcome.type === 'refused' || loginDelay === null || loginDelay.allows(outcome.identity.maildrop)) {
    return outcome;
  }
  const text = `wait ${loginDelay.seconds} seconds between logins`;
  return { type: 'refused', reason: 'login-delay', text };
}

/** Enforces LOGIN-DELAY (RFC 2449 section 6.5): seconds from a login to the next one to the same maildrop. */
export class LoginDelay {
  readonly seconds: number;
  readonly #last = new Map<string, number>();
  readonly #now: () => number;

  /** @param now - milliseconds that only go forward */
  constructor(seconds: number, now: () => number = () => performance.now()) {
    this.seconds = seconds;
    this.#now = now;
  }

  /** Logins that are not forgotten yet. */
  get remembered(): number {
    return this.#last.size;
  }

  allows(maildrop: string): boolean {
    const last = this.#last.get(maildrop);
    return last === undefined || this.#now() - last >= this.seconds * 1000;
  }

  /** Only a login that got its `+OK` counts. */
  loggedIn(maildrop: string): void {
    const now = this.#now();
    this.#forgetUntil(now - this.seconds * 1000);
    this.#last.delete(maildrop);
    this.#last.set(maildrop, now);
  }

  /** The map is in the order of the logins, so the ones that no longer matter come first. */
  #forgetUntil(time: number): void {
    for (const [maildrop, last] of this.#last) {
      if (last > time) return;
      this.#last.delete(maildrop);
    }
  }
}
