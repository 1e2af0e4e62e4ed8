import { setTimeout as sleep } from 'node:timers/promises';
import type { Authenticator, AuthOutcome, Credentials, Refusal } from '@pop3/core';

/** What a connection does with the outcome of each login. */
export interface LoginPolicy {
  /** Milliseconds before the first failed login is answered. */
  readonly delayMs: number;
  /** Where its doubling ends. */
  readonly maxDelayMs: number;
  readonly loginDelay: LoginDelay | null;
  refused(credentials: Credentials, refusal: Refusal): void;
}

/**
 * The same authenticator for one connection: each failed login is answered later than the one before, and logins to
 * one maildrop keep the distance that was announced.
 */
export function withPolicy(authenticator: Authenticator, policy: LoginPolicy): Authenticator {
  let delayMs = policy.delayMs;
  return {
    accepts: authenticator.accepts,
    async authenticate(credentials, context) {
      const outcome = check(await authenticator.authenticate(credentials, context), policy.loginDelay);
      if (outcome.type === 'accepted') return outcome;
      policy.refused(credentials, outcome);
      if (outcome.reason === 'bad-credentials' && delayMs > 0) {
        // Aborted when the peer has gone: then nobody waits for the answer.
        await sleep(delayMs, undefined, { signal: context.signal }).catch(() => {});
        delayMs = Math.min(delayMs * 2, policy.maxDelayMs);
      }
      return outcome;
    },
  };
}

function check(outcome: AuthOutcome, loginDelay: LoginDelay | null): AuthOutcome {
  if (outcome.type === 'refused' || loginDelay === null) return outcome;
  return loginDelay.admit(outcome.identity.maildrop)
    ? outcome
    : { type: 'refused', reason: 'login-delay', text: `wait ${loginDelay.seconds} seconds between logins` };
}

/** Enforces LOGIN-DELAY (RFC 2449 section 6.5): seconds between two logins to one maildrop. */
export class LoginDelay {
  readonly seconds: number;
  readonly #last = new Map<string, number>();
  readonly #now: () => number;

  /** @param now - milliseconds that only go forward */
  constructor(seconds: number, now: () => number = () => performance.now()) {
    this.seconds = seconds;
    this.#now = now;
  }

  /** Whether a login may go on; if so, it is the one that the next is measured from. */
  admit(maildrop: string): boolean {
    const now = this.#now();
    const last = this.#last.get(maildrop);
    if (last !== undefined && now - last < this.seconds * 1000) return false;
    this.#forgetBefore(now - this.seconds * 1000);
    this.#last.delete(maildrop);
    this.#last.set(maildrop, now);
    return true;
  }

  /** The map is in the order of the logins, so the ones that no longer matter come first. */
  #forgetBefore(time: number): void {
    for (const [maildrop, last] of this.#last) {
      if (last > time) return;
      this.#last.delete(maildrop);
    }
  }
}
