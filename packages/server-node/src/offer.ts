import { type Capabilities, type Peer, parseCapabilities } from '@pop3/core';
import { serve } from '@pop3/core/driver';
import type { ConnectionContext } from './connection.js';
import { sessionOptionsOf } from './session-options.js';

/** What a client is told that it can do (RFC 2449 section 5). */
export interface Offer {
  readonly capabilities: Capabilities;
  /** Whether the greeting has the timestamp of APOP (RFC 1939 section 7). */
  readonly apop: boolean;
}

/** A client that might come. */
export interface OfferedTo {
  /** `tls` tells before from after; with it `channelBinding` and `certificate`, where the client would have them. */
  readonly peer: Peer;
  /** Whether STLS can be used now. */
  readonly stls: boolean;
}

/** What a session says of itself to such a client: a real one, in memory, that is asked and ended. */
export async function offerTo(context: ConnectionContext, { peer, stls }: OfferedTo): Promise<Offer> {
  const questions = [Buffer.from('CAPA\r\n')];
  let said = '';
  const faults: unknown[] = [];
  await serve({
    channel: {
      read: () => questions.pop() ?? null,
      write(octets) {
        said += Buffer.from(octets).toString('latin1');
      },
      ...(stls && { upgradeTls: () => peer }),
    },
    peer,
    authenticator: context.authenticator,
    store: context.store,
    mechanisms: context.mechanisms,
    extensions: context.extensions,
    session: sessionOptionsOf(context),
    onFault: ({ error }) => void faults.push(error),
  });
  if (faults.length > 0) throw faults[0];
  const [greeting = '', , ...lines] = said.split('\r\n');
  return {
    capabilities: parseCapabilities(lines.slice(0, lines.indexOf('.'))),
    apop: greeting.includes('<'),
  };
}
