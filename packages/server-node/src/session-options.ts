import type { ServeOptions } from '@pop3/core/driver';
import { isLoopback } from './addresses.js';
import type { ConnectionContext } from './connection.js';

/** What a session is told beside what follows from its channel. */
export function sessionOptionsOf(shared: ConnectionContext): NonNullable<ServeOptions['session']> {
  const { plaintextAuth } = shared;
  return {
    ...(shared.greeting !== undefined && { greeting: shared.greeting }),
    apopTimestamp: shared.authenticator.accepts.includes('apop') ? shared.apopTimestamp() : null,
    plaintextAuth: ({ address }) => {
      if (plaintextAuth !== 'allow-on-loopback') return plaintextAuth;
      return address !== null && isLoopback(address) ? 'allow' : 'refuse';
    },
    implementation: shared.implementation,
    expire: shared.expire,
    loginDelaySeconds: shared.loginDelay?.seconds ?? null,
    limits: shared.limits,
  };
}
