import type { Authenticator } from '@pop3/core';

export interface AnonymousUserOptions {
  /** What everybody opens who logs in without a name. It is locked by one session at a time, as any other. */
  readonly maildrop: string;
  /** What records and stores call such a user: `anonymous` by default. */
  readonly username?: string;
}

/**
 * Lets anybody in, into one maildrop: ANONYMOUS (RFC 4505). The trace that a peer sends proves nothing and is not used.
 */
export function anonymousUser({ maildrop, username = 'anonymous' }: AnonymousUserOptions): Authenticator {
  return {
    accepts: ['anonymous'],
    authenticate: ({ type }) =>
      type === 'anonymous'
        ? { type: 'accepted', identity: { maildrop, username } }
        : { type: 'refused', reason: 'bad-credentials' },
  };
}
