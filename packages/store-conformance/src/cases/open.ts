import { expectEqual, expectSame } from '../assert.js';
import type { ConformanceGroup } from '../case.js';
import { messages } from '../fixtures.js';
import { type Message, Session } from '../trial.js';
import { textOf } from '../wire-form.js';

const EMPTY = 'A user without mail has an empty maildrop (MessageStore.open).';
const BY_MAILDROP = 'Identity.maildrop says what to open; Identity.username only who asks (Identity).';
const STABLE =
  'Unique-ids persist across sessions (RFC 1939 section 7, UIDL), and so do messages nobody deleted.';

export const openCases: ConformanceGroup = {
  name: 'open',
  cases: [
    {
      name: 'opens an empty maildrop',
      rule: EMPTY,
      async run(trial) {
        const subject = await trial.seed([]);
        const session = await subject.open();
        expectEqual(session.listing.count, 0, 'number of messages');
        expectEqual(session.listing.totalOctets, 0, 'sum of sizes');
        await session.release();
      },
    },
    {
      name: 'opens an empty maildrop for a user nobody has delivered to',
      rule: EMPTY,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const session = await subject.open(subject.otherIdentity);
        expectEqual(session.listing.count, 0, 'number of messages');
        expectEqual(session.listing.totalOctets, 0, 'sum of sizes');
        await session.commitAndRelease([]);
        await subject.expectHolds(messages(2), 'after another one was opened');
      },
    },
    {
      name: 'opens a maildrop with all that was delivered',
      rule: 'A session offers every message in the maildrop (RFC 1939 sections 4 and 5).',
      async run(trial) {
        const subject = await trial.seed(messages(40));
        await subject.expectHolds(messages(40), 'at the first open');
      },
    },
    {
      name: 'opens the same maildrop whoever logged in, or refuses',
      rule: BY_MAILDROP,
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const { maildrop } = subject.identity;
        const session = await subject.tryOpen({ maildrop, username: subject.otherIdentity.username });
        if (!(session instanceof Session)) return;
        expectEqual(session.listing.count, 3, 'number of messages for another user name');
        await session.release();
      },
    },
    {
      name: 'does not open a maildrop for the user name of its owner alone',
      rule: BY_MAILDROP,
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const { maildrop } = subject.otherIdentity;
        const session = await subject.tryOpen({ maildrop, username: subject.identity.username });
        if (!(session instanceof Session)) return;
        expectEqual(session.listing.count, 0, 'number of messages in the maildrop of another user');
        await session.release();
      },
    },
    {
      name: 'opens the same messages again after a release',
      rule: STABLE,
      async run(trial) {
        const subject = await trial.seed(messages(5));
        const first = await subject.inspect();
        for (let times = 0; times < 3; times++) {
          expectSame(described(await subject.inspect()), described(first), 'the maildrop opened again');
        }
      },
    },
    {
      name: 'opens the same messages again after a restart',
      rule: STABLE,
      needs: ['reopen'],
      async run(trial) {
        const subject = await trial.seed(messages(5));
        const first = await subject.inspect();
        await subject.restart();
        expectSame(described(await subject.inspect()), described(first), 'the maildrop after a restart');
      },
    },
    {
      name: 'shows the same messages to another process',
      rule: STABLE,
      needs: ['secondStore'],
      async run(trial) {
        const subject = await trial.seed(messages(5));
        const second = await subject.secondStore();
        const first = await subject.inspect();
        const session = await subject.open(subject.identity, second);
        expectSame(described(await session.readAll()), described(first), 'the maildrop of the second store');
        await session.release();
      },
    },
    {
      name: 'gives what is delivered to an empty maildrop to the next session',
      rule: 'A message that was delivered is in the next session (RFC 1939 section 8).',
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed([]);
        await subject.expectHolds([], 'before a delivery');
        for (const message of messages(3)) await subject.deliver(message);
        await subject.expectHolds(messages(3), 'after three deliveries');
      },
    },
  ],
};

/** In an order that does not depend on message numbers, which a store may give anew in each session. */
function described(found: readonly Message[]): readonly string[] {
  return found.map(({ uniqueId, octets, wire }) => `${uniqueId} ${octets} ${textOf(wire)}`).sort();
}
