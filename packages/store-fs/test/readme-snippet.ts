import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DeletionMarkSet } from '@pop3/core';
import { deliverToMaildir, fsStore } from '@pop3/store-fs';

const mail = mkdtempSync(join(tmpdir(), 'mail-'));
const message = new TextEncoder().encode('Subject: hi\n\nHello Ann.\n');
const { uniqueId } = await deliverToMaildir(join(mail, 'ann'), message, { create: true });

const store = fsStore({ maildir: join(mail, '{user}') });

// A server does the rest, once somebody has logged in:
const { signal } = new AbortController();
const maildrop = await store.open({ maildrop: 'ann', username: 'ann' }, { signal });
if ('type' in maildrop) throw new Error(maildrop.reason);

assert.equal(maildrop.listing.uniqueIdOf(1), uniqueId);
assert.equal(maildrop.listing.octetsOf(1), 27); // as sent: each line end as CRLF
assert.deepEqual(await maildrop.retrieve(1, { signal }), Buffer.from(message)); // as stored

const marks = new DeletionMarkSet(maildrop.listing.count);
marks.add(1);
assert.deepEqual(await maildrop.commitDeletes(marks, { signal }), { removed: 1, failed: 0 });
await maildrop.release();
rmSync(mail, { recursive: true });
