import type { CommitOutcome } from '@pop3/core';
import { expectEqual, expectSame, expectTrue } from '../assert.js';
import type { ConformanceCase, ConformanceGroup } from '../case.js';
import { FIXTURES, messageNumbered, messages } from '../fixtures.js';
import { isSame } from '../trial.js';
import { wireForm } from '../wire-form.js';

const EXACTLY =
  'UPDATE removes the marked messages and no other (RFC 1939 section 6; Maildrop.commitDeletes).';
const NOT_BEFORE =
  'Only commitDeletes deletes: a session that ends without QUIT leaves everything as it was (RFC 1939 sections 3 and 6).';
const DELIVERIES = 'A message that arrives during a session survives it (RFC 1939 sections 6 and 8).';
const GONE = 'A message that is gone already counts as removed (Maildrop.commitDeletes).';
const FAILED =
  '"failed" counts the marked messages that are still there: the user is told, and loses none (RFC 1939 section 6, ' +
  'QUIT; Maildrop.commitDeletes).';

const COUNT = 70;

/** Positions in a seed of {@link COUNT} messages. */
const MARKED: readonly { readonly name: string; readonly positions: readonly number[] }[] = [
  { name: 'nothing', positions: [] },
  { name: 'the first message', positions: [1] },
  { name: 'the last message', positions: [COUNT] },
  { name: 'one message in the middle', positions: [33] },
  { name: 'every second message', positions: upTo(COUNT).filter((position) => position % 2 === 0) },
  { name: 'all messages but one', positions: upTo(COUNT).filter((position) => position !== 32) },
  { name: 'all messages', positions: upTo(COUNT) },
];

export const commitCases: ConformanceGroup = {
  name: 'commit',
  cases: [
    ...MARKED.map(
      ({ name, positions }): ConformanceCase => ({
        name: `removes ${name}, and no other`,
        rule: EXACTLY,
        async run(trial) {
          const subject = await trial.seed(messages(COUNT));
          const session = await subject.open();
          const numbers = await session.numbersOf(messages(COUNT));
          const outcome = await session.commit(positions.map((position) => numbers[position - 1] as number));
          expectOutcome(outcome, positions.length, 0);
          await session.release();
          await subject.expectHolds(without(COUNT, positions), 'after the commit');
        },
      }),
    ),
    {
      name: 'removes one of several identical messages',
      rule: EXACTLY,
      async run(trial) {
        const same = messageNumbered(1);
        const subject = await trial.seed([same, same, same]);
        const session = await subject.open();
        const kept = session.listed().filter(({ number }) => number !== 2);
        await session.commitAndRelease([2]);
        const left = await subject.expectHolds([same, same], 'after one of three was removed');
        expectSame(left.map(idOf).sort(), kept.map(idOf).sort(), 'the unique-ids that are left');
      },
    },
    {
      name: 'removes messages of all kinds',
      rule: EXACTLY,
      async run(trial) {
        const subject = await trial.seed(FIXTURES.map(({ message }) => message));
        const session = await subject.open();
        await session.commitAndRelease(session.listed().map(({ number }) => number));
        await subject.expectHolds([], 'after all was removed');
      },
    },
    {
      name: 'removes in one session after the other',
      rule: EXACTLY,
      async run(trial) {
        const subject = await trial.seed(messages(6));
        for (let left = 6; left > 0; left -= 2) {
          const session = await subject.open();
          const numbers = await session.numbersOf(messages(6).slice(6 - left));
          await session.commitAndRelease(numbers.slice(0, 2));
          await subject.expectHolds(messages(6).slice(8 - left), 'after two more were removed');
        }
      },
    },
    {
      name: 'removes messages for good, also for a restarted program',
      rule: EXACTLY,
      needs: ['reopen'],
      async run(trial) {
        const subject = await trial.seed(messages(4));
        const session = await subject.open();
        const numbers = await session.numbersOf(messages(4));
        await session.commitAndRelease(numbers.slice(0, 3));
        await subject.restart();
        await subject.expectHolds([messageNumbered(4)], 'after a restart');
      },
    },
    {
      name: 'removes messages for another process too',
      rule: EXACTLY,
      needs: ['secondStore'],
      async run(trial) {
        const subject = await trial.seed(messages(4));
        const second = await subject.secondStore();
        const before = await subject.open(subject.identity, second);
        await before.release();
        const session = await subject.open();
        const numbers = await session.numbersOf(messages(4));
        await session.commitAndRelease(numbers.slice(0, 3));
        const after = await subject.open(subject.identity, second);
        expectEqual(after.listing.count, 1, 'number of messages in the second store');
        expectTrue(
          isSame(wireForm(await after.read(1)), wireForm(messageNumbered(4))),
          'the wrong message is left',
        );
        await after.release();
      },
    },
    {
      name: 'keeps messages that were delivered during the session when all others are removed',
      rule: DELIVERIES,
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const session = await subject.open();
        await subject.deliver(messageNumbered(4));
        await session.commitAndRelease([1, 2, 3]);
        await subject.expectHolds([messageNumbered(4)], 'after a delivery and the commit');
      },
    },
    {
      name: 'keeps a delivered message that is identical to a removed one',
      rule: DELIVERIES,
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed([messageNumbered(1)]);
        const session = await subject.open();
        await subject.deliver(messageNumbered(1));
        await session.commitAndRelease([1]);
        await subject.expectHolds([messageNumbered(1)], 'after a delivery and the commit');
      },
    },
    {
      name: 'removes nothing on release, whatever was read',
      rule: NOT_BEFORE,
      async run(trial) {
        const subject = await trial.seed(messages(4));
        const before = await subject.inspect();
        for (let times = 0; times < 2; times++) {
          const session = await subject.open();
          await session.readAll();
          await session.release();
        }
        const after = await subject.expectHolds(messages(4), 'after sessions without a commit');
        expectSame(
          after.map(idOf).sort(),
          before.map(idOf).sort(),
          'the unique-ids after sessions without a commit',
        );
      },
    },
    {
      name: 'removes nothing on release of a session that did nothing',
      rule: NOT_BEFORE,
      async run(trial) {
        const subject = await trial.seed(messages(4));
        const session = await subject.open();
        await session.release();
        await session.release();
        await subject.expectHolds(messages(4), 'after a release');
      },
    },
    {
      name: 'counts messages as removed that another program has removed',
      rule: GONE,
      needs: ['removeBehind'],
      async run(trial) {
        const subject = await trial.seed(messages(5));
        const session = await subject.open();
        const numbers = await session.numbersOf(messages(5));
        await subject.removeBehind(1);
        await subject.removeBehind(3);
        const outcome = await session.commit([numbers[0], numbers[1], numbers[2]] as number[]);
        expectOutcome(outcome, 3, 0);
        await session.release();
        await subject.expectHolds([messageNumbered(4), messageNumbered(5)], 'after the commit');
      },
    },
    {
      name: 'removes the marked messages after another program has removed one before them',
      rule: EXACTLY,
      needs: ['removeBehind'],
      async run(trial) {
        const subject = await trial.seed(messages(5));
        const session = await subject.open();
        const numbers = await session.numbersOf(messages(5));
        await subject.removeBehind(1);
        await session.commitAndRelease([numbers[2] as number]);
        const left = [2, 4, 5].map(messageNumbered);
        await subject.expectHolds(left, 'after a removal and the commit');
      },
    },
    {
      name: 'reports messages that cannot be removed, keeps them whole, and removes no other',
      rule: FAILED,
      needs: ['failDeletes'],
      async run(trial) {
        const subject = await trial.seed(messages(6));
        const before = await subject.inspect();
        const session = await subject.open();
        const numbers = await session.numbersOf(messages(6));
        await subject.failDeletes([2, 4]);
        const { failed } = await session.commit(numbers.slice(0, 4));
        await session.release();
        expectTrue(failed >= 2, `2 of 4 marked messages could not be removed, but "failed" is ${failed}`);
        const left = await subject.inspect();
        expectEqual(left.length, 2 + failed, 'number of messages that are left');
        // Those that failed and those that were not marked have to be there; others that failed may be.
        for (const position of [2, 4, 5, 6]) {
          const wire = wireForm(messageNumbered(position));
          const old = before.find((message) => isSame(message.wire, wire));
          const now = left.find((message) => isSame(message.wire, wire));
          expectTrue(now !== undefined, `message ${position} of the seed is lost`);
          expectEqual(now.uniqueId, old?.uniqueId, `unique-id of message ${position} of the seed`);
        }
      },
    },
    {
      name: 'reports a failure also when nothing at all can be removed',
      rule: FAILED,
      needs: ['failDeletes'],
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const session = await subject.open();
        await subject.failDeletes([1, 2, 3]);
        const outcome = await session.commit([1, 2, 3]);
        expectOutcome(outcome, 0, 3);
        await session.release();
        await subject.expectHolds(messages(3), 'after a commit that failed');
      },
    },
  ],
};

function expectOutcome(outcome: CommitOutcome, removed: number, failed: number): void {
  expectEqual(outcome.removed, removed, 'number of removed messages');
  expectEqual(outcome.failed, failed, 'number of messages that could not be removed');
}

function upTo(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function without(count: number, positions: readonly number[]): readonly Uint8Array[] {
  return messages(count).filter((_, index) => !positions.includes(index + 1));
}

function idOf({ uniqueId }: { readonly uniqueId: string }): string {
  return uniqueId;
}
