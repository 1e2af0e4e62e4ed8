import type { ServeOptions } from '@pop3/core/driver';
import { isLoopback } from './addresses.js';
import type { ConnectionContext } from './connection.js';

/**
 * What a session is told beside what follows from its channel.
 *
 * @param addressKnown - asked when it matters: false where a proxy has not said for whom it speaks, so that nothing good
 *   follows from the address
 */
export function sessionOptionsOf(
  shared: ConnectionContext,
  addressKnown: () => boolean,
): NonNullable<ServeOptions['session']> {
  const { plaintextAuth } = shared;
  return {
    ...(shared.greeting !== undefined && { greeting: shared.greeting }),
    apopTimestamp: shared.authenticator.accepts.includes('apop') ? shared.apopTimestamp() : null,
    plaintextAuth: ({ address }) => {
      if (plaintextAuth !== 'allow-on-loopback') return plaintextAuth;
      return addressKnown() && address !== null && isLoopback(address) ? 'allow' : 'refuse';
    },
    implementation: shared.implementation,
    expire: shared.expire,
    loginDelaySeconds: shared.loginDelay?.seconds ?? null,
    limits: shared.limits,
  };
}
