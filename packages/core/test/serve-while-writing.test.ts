import { expect, it } from 'vitest';
import { serve } from '../src/driver/index.js';
import { MaildropListing } from '../src/index.js';
import { octetsOf, textOf } from '../src/octets.js';

it('sends a body whose next chunk comes while the one before is still being written', async () => {
  const chunk = octetsOf('a line of the message\r\n'.repeat(4000));
  const chunks = 20;
  const received: string[] = [];
  const input = [octetsOf('USER ann\r\nPASS x\r\nRETR 1\r\nQUIT\r\n')];
  const reason = await serve({
    channel: {
      read: () => input.shift() ?? null,
      write(octets) {
        received.push(textOf(octets));
        // Slower than the store: many turns of the microtask queue.
        return Array.from({ length: 50 }).reduce<Promise<void>>((turn) => turn.then(), Promise.resolve());
      },
    },
    authenticator: {
      accepts: ['password'],
      authenticate: () => ({ type: 'accepted', identity: { maildrop: 'ann', username: 'ann' } }),
    },
    store: {
      open: () => ({
        listing: MaildropListing.of([{ octets: chunk.length * chunks, uniqueId: 'a' }]),
        async *retrieve() {
          for (let i = 0; i < chunks; i++) yield chunk;
        },
        commitDeletes: () => ({ removed: 0, failed: 0 }),
        release() {},
      }),
    },
    session: { plaintextAuth: 'allow' },
  });
  expect(reason).toBe('quit');
  expect(received.join('')).toContain(`octets\r\n${textOf(chunk).repeat(chunks)}.\r\n+OK bye\r\n`);
});
