import { Box, CORRECT } from '../plain-store.js';
import type { Mutant } from './mutant.js';

export const lockMutants: readonly Mutant[] = [
  {
    name: 'has no lock',
    caughtBy: 'refuses a second session at once, as often as it tries',
    parts: () => ({ lock: () => true }),
  },
  {
    name: 'does not lock an empty maildrop',
    caughtBy: 'refuses a second session of an empty maildrop',
    parts: () => ({
      lock: (box, session, signal, program) =>
        box.entries.length === 0 || CORRECT.lock(box, session, signal, program),
    }),
  },
  {
    name: 'waits for the lock',
    caughtBy: 'refuses a second session at once, as often as it tries',
    timeoutMs: 20,
    parts: () => ({
      lock: (box, session, signal, program) =>
        box.holder === null ? CORRECT.lock(box, session, signal, program) : new Promise(() => {}),
    }),
  },
  {
    name: 'gives the lock to whoever asks twice',
    caughtBy: 'refuses a second session at once, as often as it tries',
    parts: () => ({
      lock(box, session, signal, program) {
        const got = CORRECT.lock(box, session, signal, program);
        if (!got) box.holder = null;
        return got;
      },
    }),
  },
  {
    name: 'looks for the lock before it takes it',
    caughtBy: 'gives the maildrop to one of several sessions that open it at the same time',
    parts: () => ({
      async lock(box, session) {
        if (box.holder !== null) return false;
        await Promise.resolve();
        box.holder = session;
        return true;
      },
    }),
  },
  {
    name: 'lets nobody in when several come at the same time',
    caughtBy: 'gives the maildrop to one of several sessions that open it at the same time',
    parts: () => {
      let waiting = 0;
      return {
        async lock(box, session, signal, program) {
          waiting++;
          await Promise.resolve();
          const alone = waiting === 1;
          await Promise.resolve();
          waiting--;
          return alone && CORRECT.lock(box, session, signal, program);
        },
      };
    },
  },
  {
    name: 'has one lock for all maildrops',
    caughtBy: 'opens another maildrop while one is held',
    parts: () => {
      const one = new Box();
      return {
        lock: (_box, session, signal, program) => CORRECT.lock(one, session, signal, program),
        unlock: (_box, session) => CORRECT.unlock(one, session),
      };
    },
  },
  {
    name: 'frees the lock of whoever has it',
    caughtBy: 'keeps the lock of a later session when an earlier one releases again',
    parts: () => ({
      unlock(box) {
        box.holder = null;
      },
    }),
  },
  {
    name: 'fails when it is released twice',
    caughtBy: 'releases twice as it does once',
    parts: () => ({
      unlock(box, session) {
        if (box.holder !== session) throw new Error('not locked');
        box.holder = null;
      },
    }),
  },
  {
    name: 'never frees the lock',
    caughtBy: 'gives the maildrop to the next session after a release',
    parts: () => ({ unlock: () => {} }),
  },
  {
    name: 'keeps the lock after a commit',
    caughtBy: 'gives the maildrop to the next session after a commit and a release',
    parts: () => {
      const committed = new Set<Box>();
      return {
        commit(box, entries, marked, signal) {
          committed.add(box);
          return CORRECT.commit(box, entries, marked, signal);
        },
        unlock: (box, session) => (committed.has(box) ? undefined : CORRECT.unlock(box, session)),
      };
    },
  },
  {
    name: 'refuses a user without mail',
    caughtBy: 'opens an empty maildrop for a user nobody has delivered to',
    parts: () => ({
      lock: (box, session, signal, program) =>
        box.deliveries > 0 && CORRECT.lock(box, session, signal, program),
    }),
  },
  {
    name: 'opens an empty maildrop as one with a message',
    caughtBy: 'opens an empty maildrop',
    parts: () => ({
      entriesOf: (box) =>
        box.entries.length > 0 ? [...box.entries] : [{ uniqueId: 'id', content: new Uint8Array(0) }],
    }),
  },
  {
    name: 'does not lock a maildrop that was never delivered to',
    caughtBy: 'refuses a second session of a maildrop that nobody has delivered to',
    parts: () => ({
      lock: (box, session, signal, program) =>
        box.deliveries === 0 || CORRECT.lock(box, session, signal, program),
    }),
  },
  {
    name: 'shows the first session nothing any more once a second one was refused',
    caughtBy: 'lets the first session go on after it has refused a second one',
    parts: () => {
      const disturbed = new Set<Box>();
      return {
        lock(box, session, signal, program) {
          const got = CORRECT.lock(box, session, signal, program);
          if (!got) disturbed.add(box);
          return got;
        },
        find: (box, entries, messageNumber) =>
          disturbed.has(box) ? undefined : CORRECT.find(box, entries, messageNumber),
      };
    },
  },
  {
    name: 'has a lock in each process',
    caughtBy: 'refuses a second session of another process',
    parts: () => {
      const held: { readonly box: Box; readonly program: object; readonly session: object }[] = [];
      return {
        lock(box, session, _signal, program) {
          if (held.some((lock) => lock.box === box && lock.program === program)) return false;
          held.push({ box, program, session });
          return true;
        },
        unlock(_box, session) {
          const index = held.findIndex((lock) => lock.session === session);
          if (index !== -1) held.splice(index, 1);
        },
      };
    },
  },
  {
    name: 'looks for the lock of other processes before it takes it',
    caughtBy: 'gives the maildrop to one of several processes that open it at the same time',
    parts: () => {
      const opening = new Set<object>();
      return {
        async lock(box, session, _signal, program) {
          if (opening.has(program) || box.holder !== null) return false;
          opening.add(program);
          await Promise.resolve();
          opening.delete(program);
          box.holder = session;
          return true;
        },
      };
    },
  },
  {
    name: 'has unique-ids of its own in each process',
    caughtBy: 'shows the same messages to another process',
    parts: () => {
      const programs: object[] = [];
      return {
        entriesOf(box, program) {
          if (!programs.includes(program)) programs.push(program);
          const suffix = programs.indexOf(program);
          return box.entries.map(({ content, uniqueId }) => ({ content, uniqueId: `${uniqueId}-${suffix}` }));
        },
        find: (_box, entries, messageNumber) => entries[messageNumber - 1],
      };
    },
  },
];
