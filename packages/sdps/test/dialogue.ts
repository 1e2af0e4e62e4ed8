import type { Authenticator, MessageStore } from '@pop3/core';
import { serve } from '@pop3/core/driver';
import { type SdpsOptions, withSdps } from '../src/index.js';

/** What the server answers to these lines, as text, with SDPS over these adapters; and its faults. */
export async function dialogue(
  adapters: { readonly store: MessageStore; readonly authenticator: Authenticator },
  lines: readonly string[],
  options?: SdpsOptions,
): Promise<string> {
  const input = lines.map((line) => Buffer.from(`${line}\r\n`));
  let output = '';
  await serve({
    channel: {
      read: () => input.shift() ?? null,
      write(octets) {
        output += Buffer.from(octets).toString();
      },
    },
    ...withSdps(adapters, options),
    session: { plaintextAuth: 'allow', apopTimestamp: '<1.1@host>' },
    onFault({ during, error }) {
      output += `fault ${during}: ${(error as Error).message}\r\n`;
    },
  });
  return output;
}
