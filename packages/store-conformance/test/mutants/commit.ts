import { textOf } from '../../src/wire-form.js';
import { CORRECT, type Entry, type Parts } from '../plain-store.js';
import type { Mutant } from './mutant.js';

export const commitMutants: readonly Mutant[] = [
  {
    name: 'removes one message too many',
    caughtBy: 'removes the first message, and no other',
    parts: () => ({
      commit(box, entries, marked, signal) {
        const outcome = CORRECT.commit(box, entries, marked, signal);
        if (marked.length > 0) box.entries.pop();
        return outcome;
      },
    }),
  },
  {
    name: 'counts message numbers from 0',
    caughtBy: 'removes one message in the middle, and no other',
    parts: () => ({
      commit: (box, entries, marked, signal) =>
        CORRECT.commit(box, ['', ...entries] as unknown as Entry[], marked, signal),
    }),
  },
  {
    name: 'removes everything when nothing is marked',
    caughtBy: 'removes nothing, and no other',
    parts: () => ({
      commit(box, entries, marked, signal) {
        if (marked.length === 0) box.entries = [];
        return CORRECT.commit(box, entries, marked, signal);
      },
    }),
  },
  {
    name: 'counts no removals',
    caughtBy: 'removes every second message, and no other',
    parts: () => ({
      commit(box, entries, marked, signal) {
        CORRECT.commit(box, entries, marked, signal);
        return { removed: 0, failed: 0 };
      },
    }),
  },
  {
    name: 'empties the maildrop when all is marked',
    caughtBy: 'keeps messages that were delivered during the session when all others are removed',
    parts: () => ({
      commit(box, entries, marked, signal) {
        if (marked.length < entries.length) return CORRECT.commit(box, entries, marked, signal);
        box.entries = [];
        return { removed: marked.length, failed: 0 };
      },
    }),
  },
  {
    name: 'removes what looks like a marked message',
    caughtBy: 'keeps a delivered message that is identical to a removed one',
    parts: () => ({
      commit(box, entries, marked) {
        const contents = new Set(
          marked.map((messageNumber) => textOf((entries[messageNumber - 1] as Entry).content)),
        );
        box.entries = box.entries.filter(({ content }) => !contents.has(textOf(content)));
        return { removed: marked.length, failed: 0 };
      },
    }),
  },
  {
    name: 'removes identical messages of the seed together',
    caughtBy: 'removes one of several identical messages',
    parts: () => ({
      commit(box, entries, marked) {
        const contents = new Set(
          marked.map((messageNumber) => textOf((entries[messageNumber - 1] as Entry).content)),
        );
        for (const entry of entries) if (contents.has(textOf(entry.content))) box.remove(entry);
        return { removed: marked.length, failed: 0 };
      },
    }),
  },
  {
    name: 'removes by place in what is there now',
    caughtBy: 'removes the marked messages after another program has removed one before them',
    parts: () => ({
      commit: (box, _entries, marked, signal) => CORRECT.commit(box, [...box.entries], marked, signal),
    }),
  },
  {
    name: 'counts a message that was gone as failed',
    caughtBy: 'counts messages as removed that another program has removed',
    parts: () => ({
      commit(box, entries, marked, signal) {
        const there = marked.filter((messageNumber) =>
          box.entries.includes(entries[messageNumber - 1] as Entry),
        );
        CORRECT.commit(box, entries, there, signal);
        return { removed: there.length, failed: marked.length - there.length };
      },
    }),
  },
  {
    name: 'fails when one message was gone',
    caughtBy: 'counts messages as removed that another program has removed',
    parts: () => ({
      commit(box, entries, marked, signal) {
        if (entries.some((entry) => !box.entries.includes(entry))) throw new Error('no such file');
        return CORRECT.commit(box, entries, marked, signal);
      },
    }),
  },
  {
    name: 'swallows failures',
    caughtBy: 'reports messages that cannot be removed, keeps them whole, and removes no other',
    parts: () => ({
      commit(box, entries, marked, signal) {
        CORRECT.commit(box, entries, marked, signal);
        return { removed: marked.length, failed: 0 };
      },
    }),
  },
  {
    name: 'fails at the first message that cannot be removed',
    caughtBy: 'reports a failure also when nothing at all can be removed',
    parts: () => ({
      commit(box, entries, marked) {
        for (const messageNumber of marked) box.remove(entries[messageNumber - 1] as Entry);
        return { removed: marked.length, failed: 0 };
      },
    }),
  },
  {
    name: 'removes others in place of those that cannot be removed',
    caughtBy: 'reports messages that cannot be removed, keeps them whole, and removes no other',
    parts: () => ({
      async commit(box, entries, marked, signal) {
        const outcome = await CORRECT.commit(box, entries, marked, signal);
        if (outcome.failed > 0) box.entries = box.entries.slice(0, outcome.failed);
        return outcome;
      },
    }),
  },
  {
    name: 'removes what was read when it is released',
    caughtBy: 'removes nothing on release, whatever was read',
    parts: () => {
      const read = new Set<Entry>();
      return {
        read(entry) {
          read.add(entry);
          return entry.content;
        },
        unlock(box, session) {
          box.entries = box.entries.filter((entry) => !read.has(entry));
          return CORRECT.unlock(box, session);
        },
      };
    },
  },
  {
    name: 'removes everything when it is released',
    caughtBy: 'removes nothing on release of a session that did nothing',
    parts: () => ({
      unlock(box, session) {
        box.entries = [];
        return CORRECT.unlock(box, session);
      },
    }),
  },
  {
    name: 'brings removed messages back after a restart',
    caughtBy: 'removes messages for good, also for a restarted program',
    parts: () => {
      let removed: Entry[] = [];
      return {
        commit(box, entries, marked, signal) {
          removed = marked.map((messageNumber) => entries[messageNumber - 1] as Entry);
          return CORRECT.commit(box, entries, marked, signal);
        },
        restart(disk) {
          for (const box of disk.values()) box.entries.push(...removed);
        },
      };
    },
  },
  {
    name: 'leaves half a message when a commit is stopped',
    caughtBy: 'leaves every message whole or gone when the signal is aborted before a commit',
    parts: () => ({
      commit(box, entries, marked, signal) {
        if (!signal.aborted) return CORRECT.commit(box, entries, marked, signal);
        box.entries = entries.map((entry) => ({ ...entry, content: entry.content.slice(0, 9) }));
        return { removed: 0, failed: marked.length };
      },
    }),
  },
  {
    name: 'loses messages that were not marked when a commit is stopped',
    caughtBy: 'leaves every message whole or gone when the signal is aborted during a commit',
    parts: () => ({
      async commit(box, entries, marked, signal) {
        await Promise.resolve();
        if (signal.aborted) box.entries = [];
        return CORRECT.commit(box, entries, marked, signal);
      },
    }),
  },
  {
    name: 'removes no message of no octets',
    caughtBy: 'removes messages of all kinds',
    parts: () => ({
      commit(box, entries, marked, signal) {
        const some = marked.filter((messageNumber) => entries[messageNumber - 1]?.content.length !== 0);
        CORRECT.commit(box, entries, some, signal);
        return { removed: marked.length, failed: 0 };
      },
    }),
  },
  {
    name: 'removes in the first session only',
    caughtBy: 'removes in one session after the other',
    parts: () => {
      let sessions = 0;
      return {
        commit(box, entries, marked, signal) {
          sessions++;
          return sessions === 1
            ? CORRECT.commit(box, entries, marked, signal)
            : { removed: marked.length, failed: 0 };
        },
      };
    },
  },
  {
    name: 'shows each process what it has seen first',
    caughtBy: 'removes messages for another process too',
    parts: () => {
      const seen = new Map<object, readonly Entry[]>();
      return {
        entriesOf(box, program) {
          const entries = seen.get(program) ?? [...box.entries];
          seen.set(program, entries);
          return entries;
        },
      };
    },
  },
  {
    name: 'never removes the first, the last, or anything beyond 64',
    caughtBy: 'removes the last message, and no other',
    parts: () => keeping((messageNumber) => messageNumber === 1 || messageNumber > 64),
  },
  {
    name: 'never removes message 31',
    caughtBy: 'removes all messages but one, and no other',
    parts: () => keeping((messageNumber) => messageNumber === 31),
  },
  {
    name: 'never removes message 32',
    caughtBy: 'removes all messages, and no other',
    parts: () => keeping((messageNumber) => messageNumber === 32),
  },
];

/** Says that everything was removed, and keeps some. */
function keeping(isKept: (messageNumber: number) => boolean): Partial<Parts> {
  return {
    commit(box, entries, marked, signal) {
      CORRECT.commit(
        box,
        entries,
        marked.filter((messageNumber) => !isKept(messageNumber)),
        signal,
      );
      return { removed: marked.length, failed: 0 };
    },
  };
}
