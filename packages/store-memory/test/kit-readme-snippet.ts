import { describe, it } from 'node:test';
import { storeConformance } from '@pop3/store-conformance';
import { memoryStore } from '@pop3/store-memory';

storeConformance(
  { describe, it },
  {
    open: (seed) => {
      const store = memoryStore();
      for (const message of seed) store.deliver('ann', message);
      return { store, identity: { maildrop: 'ann', username: 'ann' } };
    },
    deliver: ({ store }, message) => store.deliver('ann', message),
  },
);
