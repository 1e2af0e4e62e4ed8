import assert from 'node:assert/strict';
import { memoryStore } from '@pop3/store-memory';

const store = memoryStore();
store.deliver('ann', new TextEncoder().encode('Subject: hi\n\nHello Ann'));

// A server does the rest, once somebody has logged in:
const { signal } = new AbortController();
const maildrop = await store.open({ maildrop: 'ann', username: 'ann' }, { signal });
if ('type' in maildrop) throw new Error(maildrop.reason);

assert.equal(maildrop.listing.count, 1);
assert.equal(maildrop.listing.octetsOf(1), 26); // as sent: each line end as CRLF, and the last one completed

// A second session is refused at once, until the first one is over.
assert.deepEqual(await store.open({ maildrop: 'ann', username: 'ann' }, { signal }), {
  type: 'refused',
  reason: 'in-use',
});
await maildrop.release();
