import { CORRECT, chunksOf, type Parts } from '../plain-store.js';
import type { Mutant } from './mutant.js';

export const cancelMutants: readonly Mutant[] = [
  {
    name: 'can read only as many bodies as it has hands',
    caughtBy: 'stays usable when the reader of a body stops early',
    parts: () => {
      let hands = 8;
      return {
        async *read({ content }) {
          if (hands === 0) throw new Error('too many open files');
          hands--;
          for await (const chunk of chunksOf(content)) yield chunk;
          hands++;
        },
      };
    },
  },
  {
    name: 'opens a file for a body before it is read',
    caughtBy: 'stays usable when bodies are asked for and never read',
    parts: () => {
      let hands = 8;
      return {
        read({ content }) {
          if (hands === 0) throw new Error('too many open files');
          hands--;
          return chunksOf(content);
        },
      };
    },
  },
  {
    name: 'leaves a file open when TOP stops early',
    caughtBy: 'stays usable when the reader of a top stops early',
    parts: () => {
      let hands = 8;
      return {
        async *top({ content }) {
          if (hands === 0) throw new Error('too many open files');
          hands--;
          for await (const chunk of chunksOf(content)) yield chunk;
          hands++;
        },
      };
    },
  },
  {
    name: 'gives up for good when it is aborted in mid-body',
    caughtBy: 'stays usable when the signal is aborted in mid-body',
    parts: givesUpWhenAborted,
  },
  {
    name: 'gives up for good when it is aborted while it reads',
    caughtBy: 'stays usable when the signal is aborted while a chunk is being read',
    parts: givesUpWhenAborted,
  },
  {
    name: 'gives up for good when it is asked with an aborted signal',
    caughtBy: 'stays usable when a message is asked for with an aborted signal',
    parts: givesUpWhenAborted,
  },
  {
    name: 'keeps the lock until a body has been read',
    caughtBy: 'can be released in mid-body',
    parts: () => {
      let reading = 0;
      return {
        async *read({ content }) {
          reading++;
          for await (const chunk of chunksOf(content)) yield chunk;
          reading--;
        },
        unlock: (box, session) => (reading > 0 ? undefined : CORRECT.unlock(box, session)),
      };
    },
  },
  {
    name: 'keeps the lock when an open is aborted',
    caughtBy: 'leaves no lock behind when the signal is aborted during an open',
    parts: () => ({
      async lock(box, session, signal, program) {
        const got = await CORRECT.lock(box, session, signal, program);
        await Promise.resolve();
        signal.throwIfAborted();
        return got;
      },
    }),
  },
  {
    name: 'keeps the lock when an open comes with an aborted signal',
    caughtBy: 'leaves no lock behind when the signal is aborted before an open',
    parts: () => ({
      lock(box, session, signal, program) {
        const got = CORRECT.lock(box, session, signal, program);
        signal.throwIfAborted();
        return got;
      },
    }),
  },
];

function givesUpWhenAborted(): Partial<Parts> {
  let dead = false;
  return {
    async *read({ content }, _box, signal) {
      for await (const chunk of chunksOf(content)) {
        await Promise.resolve();
        dead ||= signal.aborted;
        if (dead) throw new Error('aborted');
        yield chunk;
      }
    },
  };
}
