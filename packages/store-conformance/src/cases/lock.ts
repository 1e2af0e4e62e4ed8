import type { MessageStore } from '@pop3/core';
import { expectEqual } from '../assert.js';
import type { ConformanceGroup } from '../case.js';
import { messages } from '../fixtures.js';
import { Session, type Subject } from '../trial.js';

const EXCLUSIVE =
  'One session holds a maildrop at a time; another is refused with "in-use", without waiting (RFC 1939 section 4, ' +
  'RFC 2449 section 8.1.1; MessageStore.open).';
const RELEASED = 'release gives up the lock (RFC 1939 section 6; Maildrop.release).';
const ONLY_ITS_OWN =
  'release may be called more than once, and gives up no lock but its own (Maildrop.release).';
const EACH_ITS_OWN = 'Every maildrop has a lock of its own (RFC 1939 section 4).';

export const lockCases: ConformanceGroup = {
  name: 'lock',
  cases: [
    {
      name: 'refuses a second session at once, as often as it tries',
      rule: EXCLUSIVE,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const session = await subject.open();
        for (let times = 0; times < 3; times++) await subject.expectInUse();
        await session.readAll();
        await subject.expectInUse();
        await session.release();
      },
    },
    {
      name: 'refuses a second session of an empty maildrop',
      rule: EXCLUSIVE,
      async run(trial) {
        const subject = await trial.seed([]);
        const session = await subject.open();
        await subject.expectInUse();
        await session.release();
      },
    },
    {
      name: 'refuses a second session of a maildrop that nobody has delivered to',
      rule: EXCLUSIVE,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const session = await subject.open(subject.otherIdentity);
        await subject.expectInUse(subject.otherIdentity);
        await session.release();
      },
    },
    {
      name: 'lets the first session go on after it has refused a second one',
      rule: EXCLUSIVE,
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const session = await subject.open();
        await subject.expectInUse();
        const numbers = await session.numbersOf(messages(3));
        await subject.expectInUse();
        await session.commitAndRelease(numbers.slice(0, 2));
        await subject.expectHolds(messages(3).slice(2), 'after the first session');
      },
    },
    {
      name: 'gives the maildrop to one of several sessions that open it at the same time',
      rule: EXCLUSIVE,
      async run(trial) {
        const subject = await trial.seed(messages(3));
        for (let times = 0; times < 5; times++) await expectOneWinner(subject, [subject.store]);
      },
    },
    {
      name: 'gives the maildrop to the next session after a release',
      rule: RELEASED,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        for (let times = 0; times < 10; times++) {
          const session = await subject.open();
          await session.release();
        }
        await subject.expectHolds(messages(2), 'opened again and again');
      },
    },
    {
      name: 'gives the maildrop to the next session after a commit and a release',
      rule: RELEASED,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        for (const marked of [[], [1], [1]]) {
          const session = await subject.open();
          await session.commitAndRelease(marked);
        }
        await subject.expectHolds([], 'after three commits');
      },
    },
    {
      name: 'releases twice as it does once',
      rule: ONLY_ITS_OWN,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const session = await subject.open();
        await session.release();
        await session.release();
        await subject.expectHolds(messages(2), 'after two releases');
      },
    },
    {
      name: 'keeps the lock of a later session when an earlier one releases again',
      rule: ONLY_ITS_OWN,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const earlier = await subject.open();
        await earlier.release();
        const later = await subject.open();
        await earlier.release();
        await subject.expectInUse();
        await later.release();
      },
    },
    {
      name: 'opens another maildrop while one is held',
      rule: EACH_ITS_OWN,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const session = await subject.open();
        const other = await subject.open(subject.otherIdentity);
        await other.release();
        await subject.expectInUse();
        const otherAgain = await subject.open(subject.otherIdentity);
        await session.release();
        await subject.expectInUse(subject.otherIdentity);
        await subject.expectHolds(messages(2), 'while another one is held');
        await otherAgain.release();
      },
    },
    {
      name: 'refuses a second session of another process',
      rule: EXCLUSIVE,
      needs: ['secondStore'],
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const second = await subject.secondStore();
        const here = await subject.open();
        await subject.expectInUse(subject.identity, second);
        await here.release();
        const there = await subject.open(subject.identity, second);
        await subject.expectInUse();
        await here.release();
        await subject.expectInUse();
        await there.release();
        await subject.expectHolds(messages(2), 'after both have released');
      },
    },
    {
      name: 'gives the maildrop to one of several processes that open it at the same time',
      rule: EXCLUSIVE,
      needs: ['secondStore'],
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const second = await subject.secondStore();
        for (let times = 0; times < 5; times++) await expectOneWinner(subject, [subject.store, second]);
      },
    },
  ],
};

async function expectOneWinner(subject: Subject, stores: readonly MessageStore[]): Promise<void> {
  const contenders = [...stores, ...stores].map((store) => subject.tryOpen(subject.identity, store));
  const results = await Promise.all(contenders);
  const winners = results.filter((result) => result instanceof Session);
  expectEqual(winners.length, 1, 'number of sessions that got the maildrop');
  for (const result of results) {
    if (!(result instanceof Session)) expectEqual(result.reason, 'in-use', 'reason of the refusal');
  }
  for (const winner of winners) await winner.release();
}
