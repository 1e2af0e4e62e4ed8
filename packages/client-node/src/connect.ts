import type { IndexOf } from '@pop3/core';
import { openClient, type Pop3Client } from '@pop3/core/driver';
import { LOGIN_CRYPTO } from './hashes.js';
import { openChannel } from './open-channel.js';
import type { ConnectOptions } from './options.js';

/**
 * Connects, encrypts and logs in. Nothing is sent in the clear that `allowPlaintext` does not allow.
 *
 * @throws Pop3Error with a `code`, what the server said, and whether trying again makes sense; `signal.reason` when aborted.
 */
export function connectPop3(options: ConnectOptions): Promise<Pop3Client> {
  const { host, port, socket } = options;
  return openClient(
    {
      connect: (signal) => openChannel(options, signal),
      repeatable: socket === undefined || typeof socket === 'function',
      crypto: LOGIN_CRYPTO,
      indexOf,
      host,
      port,
    },
    options,
  );
}

/** That of V8 looks at one octet after the other. */
const indexOf: IndexOf = (octets, wanted, from) => Buffer.prototype.indexOf.call(octets, wanted, from);
