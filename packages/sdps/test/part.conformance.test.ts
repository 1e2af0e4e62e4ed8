import type { MessageStore } from '@pop3/core';
import { storeConformance } from '@pop3/store-conformance';
import { type MemoryMaildrop, memoryStore } from '@pop3/store-memory';
import { describe, it } from 'vitest';
import { partOf } from '../src/part.js';

const identity = { maildrop: 'ann', username: 'ann' };
const NOT_IN_IT = Buffer.from('Subject: of somebody else\n\n');

/** The part has the messages with an even unique-id: each one of the seed follows one that is not in it. */
function parts(whole: MessageStore): MessageStore {
  return {
    async open(identity, context) {
      const opened = await whole.open(identity, context);
      if (!('listing' in opened)) return opened;
      const { listing } = opened;
      const numbers = Array.from({ length: listing.count }, (_, index) => index + 1);
      return partOf(
        opened,
        numbers.filter((number) => Number(listing.uniqueIdOf(number)) % 2 === 0),
      );
    },
  };
}

// The whole contract of a store holds for a part as well.
storeConformance(
  { describe, it },
  {
    open: (seed) => {
      const maildrops = new Map<string, MemoryMaildrop>();
      const store = memoryStore(maildrops);
      const uniqueIds = seed.map((message) => {
        store.deliver('ann', NOT_IN_IT);
        return store.deliver('ann', message);
      });
      return { store: parts(store), identity, maildrops, uniqueIds };
    },
    deliver: ({ maildrops }, message) => {
      const store = memoryStore(maildrops);
      store.deliver('ann', NOT_IN_IT);
      store.deliver('ann', message);
    },
    removeBehind: ({ maildrops, uniqueIds }, position) => {
      const messages = maildrops.get('ann')?.messages as MemoryMaildrop['messages'];
      const uniqueId = uniqueIds[position - 1] as string;
      messages.delete(uniqueId);
      messages.delete(String(Number(uniqueId) - 1));
    },
    failDeletes: ({ maildrops, uniqueIds }, positions) => {
      const messages = maildrops.get('ann')?.messages as MemoryMaildrop['messages'];
      const stuck = new Set(positions.map((position) => uniqueIds[position - 1]));
      messages.delete = (uniqueId) => {
        if (stuck.has(uniqueId)) throw new Error('the disk says no');
        return Map.prototype.delete.call(messages, uniqueId);
      };
    },
  },
);
