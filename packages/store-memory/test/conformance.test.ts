import { storeConformance } from '@pop3/store-conformance';
import { describe, it } from 'vitest';
import { type MemoryMaildrop, memoryStore } from '../src/index.js';

const identity = { maildrop: 'ann', username: 'ann' };

storeConformance(
  { describe, it },
  {
    open: (seed) => {
      const maildrops = new Map<string, MemoryMaildrop>();
      const store = memoryStore(maildrops);
      // Ids of the seed in its order, so that hooks find what they are told by position.
      const uniqueIds = seed.map((message) => store.deliver('ann', message));
      return { store, identity, maildrops, uniqueIds };
    },
    deliver: ({ store }, message) => store.deliver('ann', message),
    removeBehind: ({ maildrops, uniqueIds }, position) => {
      maildrops.get('ann')?.messages.delete(uniqueIds[position - 1] as string);
    },
    failDeletes: ({ maildrops, uniqueIds }, positions) => {
      const messages = maildrops.get('ann')?.messages as MemoryMaildrop['messages'];
      const stuck = new Set(positions.map((position) => uniqueIds[position - 1]));
      messages.delete = (uniqueId) => {
        if (stuck.has(uniqueId)) throw new Error('the disk says no');
        return Map.prototype.delete.call(messages, uniqueId);
      };
    },
    reopen: ({ maildrops }) => memoryStore(maildrops),
    secondStore: ({ maildrops }) => memoryStore(maildrops),
  },
);
