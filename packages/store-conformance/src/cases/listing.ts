import { expectEqual, expectSame, expectTrue, violated } from '../assert.js';
import type { ConformanceCase, ConformanceGroup } from '../case.js';
import { FIXTURES, messageNumbered, messages, randomMessages } from '../fixtures.js';
import { isSame, type ListedMessage, type Message, type Subject } from '../trial.js';
import { wireOctets } from '../wire-form.js';

const SIZES =
  'A size is the exact number of octets that RETR sends before dot-stuffing: every line end counts two, a missing ' +
  'last one is completed, a message of no octets has 0 (RFC 1939 section 11, MaildropListing.octetsOf).';
const FIXED =
  'The listing is fixed for as long as the lock is held, whatever is delivered meanwhile (RFC 1939 section 4).';
const VALID = 'A unique-id has 1 to 70 octets, each from 0x21 to 0x7E (RFC 1939 section 7, UIDL).';
const UNIQUE = 'A unique-id names one message only, even among identical ones (RFC 1939 section 7, UIDL).';
const STABLE =
  'The unique-id of a message never changes, whatever happens to others (RFC 1939 section 7, UIDL).';
const NEVER_REUSED =
  'A unique-id is never given to another message, or clients take new mail for mail they have (RFC 1939 section 7, UIDL).';

const RANDOM_SEED = 20_101;

export const listingCases: ConformanceGroup = {
  name: 'listing',
  cases: [
    ...FIXTURES.map(
      ({ name, message }): ConformanceCase => ({
        name: `counts the octets of ${name}`,
        rule: SIZES,
        async run(trial) {
          const subject = await trial.seed([message]);
          const session = await subject.open();
          expectEqual(session.listing.count, 1, 'number of messages');
          expectEqual(session.listing.octetsOf(1), wireOctets(message), 'size of the message');
          expectEqual(session.listing.totalOctets, wireOctets(message), 'sum of sizes');
          await session.release();
        },
      }),
    ),
    {
      name: `counts the octets of random messages, seed ${RANDOM_SEED}`,
      rule: SIZES,
      async run(trial) {
        const seed = randomMessages(RANDOM_SEED, 60);
        const subject = await trial.seed(seed);
        const session = await subject.open();
        expectSizes(session.listed(), seed);
        await session.release();
      },
    },
    {
      name: 'counts the same octets when the maildrop is opened again',
      rule: SIZES,
      async run(trial) {
        const seed = FIXTURES.map(({ message }) => message);
        const subject = await trial.seed(seed);
        for (let times = 0; times < 2; times++) {
          const session = await subject.open();
          expectSizes(session.listed(), seed);
          for (const { number } of session.listed()) await session.read(number);
          expectSizes(session.listed(), seed);
          await session.release();
        }
      },
    },
    {
      name: 'counts the same octets after a restart',
      rule: SIZES,
      needs: ['reopen'],
      async run(trial) {
        const seed = FIXTURES.map(({ message }) => message);
        const subject = await trial.seed(seed);
        expectSizes(await subject.list(), seed);
        await subject.restart();
        expectSizes(await subject.list(), seed);
      },
    },
    {
      name: 'counts the octets of delivered messages',
      rule: SIZES,
      needs: ['deliver'],
      async run(trial) {
        const seed = FIXTURES.map(({ message }) => message);
        const subject = await trial.seed([]);
        for (const message of seed) await subject.deliver(message);
        expectSizes(await subject.list(), seed);
      },
    },
    {
      name: 'gives every message a unique-id of 1 to 70 visible octets',
      rule: VALID,
      async run(trial) {
        const subject = await trial.seed(FIXTURES.map(({ message }) => message));
        for (const { number, uniqueId } of await subject.list()) {
          if (!/^[\x21-\x7e]{1,70}$/.test(uniqueId)) {
            violated(`unique-id of message ${number} is ${JSON.stringify(uniqueId)}`);
          }
        }
      },
    },
    {
      name: 'gives every message a unique-id of its own',
      rule: UNIQUE,
      async run(trial) {
        const subject = await trial.seed(messages(100));
        expectDistinct(await subject.list(), 100);
      },
    },
    {
      name: 'gives identical messages unique-ids of their own',
      rule: UNIQUE,
      async run(trial) {
        const [same] = messages(1) as [Uint8Array];
        const nothing = new Uint8Array(0);
        const subject = await trial.seed([same, same, nothing, same, nothing]);
        expectDistinct(await subject.list(), 5);
      },
    },
    {
      name: 'keeps the unique-ids of the others when messages are deleted',
      rule: STABLE,
      async run(trial) {
        const subject = await trial.seed(messages(6));
        const before = await subject.inspect();
        const session = await subject.open();
        const [first, , third, , , last] = await session.numbersOf(messages(6));
        await session.commitAndRelease([first, third, last] as number[]);
        expectSameIds(await subject.inspect(), before, 3);
      },
    },
    {
      name: 'keeps the unique-ids of the others when another program removes a message',
      rule: STABLE,
      needs: ['removeBehind'],
      async run(trial) {
        const subject = await trial.seed(messages(4));
        const before = await subject.inspect();
        await subject.removeBehind(1);
        expectSameIds(await subject.inspect(), before, 3);
      },
    },
    {
      name: 'keeps the unique-ids of the others when messages are delivered',
      rule: STABLE,
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed(messages(4));
        const before = await subject.inspect();
        await subject.deliver(messageNumbered(5));
        const after = await subject.inspect();
        expectEqual(after.length, 5, 'number of messages after a delivery');
        expectSameIds(
          after.filter(({ wire }) => before.some((old) => isSame(old.wire, wire))),
          before,
          4,
        );
      },
    },
    {
      name: 'never gives the unique-id of a deleted message to a new one',
      rule: NEVER_REUSED,
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed(messages(4));
        await expectFreshIds(subject, 4, (round) => messageNumbered(10 + round));
      },
    },
    {
      name: 'never gives the unique-id of a deleted message to an identical one',
      rule: NEVER_REUSED,
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed([messageNumbered(1)]);
        await expectFreshIds(subject, 1, () => messageNumbered(1));
      },
    },
    {
      name: 'never gives the unique-id of a deleted message again after a restart',
      rule: NEVER_REUSED,
      needs: ['deliver', 'reopen'],
      async run(trial) {
        const subject = await trial.seed(messages(3));
        await expectFreshIds(
          subject,
          3,
          () => messageNumbered(3),
          () => subject.restart(),
        );
      },
    },
    {
      name: 'never gives the unique-id of a message that another program has removed to an identical one',
      rule: NEVER_REUSED,
      needs: ['deliver', 'removeBehind'],
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const before = await subject.inspect();
        await subject.removeBehind(2);
        await subject.deliver(messageNumbered(2));
        const after = await subject.inspect();
        expectEqual(after.length, 2, 'number of messages');
        expectEqual(
          new Set([...before, ...after].map(({ uniqueId }) => uniqueId)).size,
          3,
          'number of ids ever seen',
        );
      },
    },
    {
      name: 'keeps the listing while messages are delivered, and shows them in the next session',
      rule: FIXED,
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const session = await subject.open();
        const before = session.listed();
        for (const serial of [4, 5, 6]) {
          await subject.deliver(messageNumbered(serial));
          expectSame(session.listed(), before, 'the listing after a delivery');
          expectEqual(session.listing.totalOctets, sumOf(before), 'sum of sizes after a delivery');
          for (const { number, octets } of before) {
            expectEqual(wireOctets(await session.read(number)), octets, `octets of message ${number}`);
          }
        }
        await session.release();
        await subject.expectHolds(messages(6), 'after three deliveries during a session');
      },
    },
    {
      name: 'keeps the listing while another program removes a message, and leaves it out in the next session',
      rule: FIXED,
      needs: ['removeBehind'],
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const session = await subject.open();
        const before = session.listed();
        await subject.removeBehind(2);
        expectSame(session.listed(), before, 'the listing after a removal');
        await session.release();
        await subject.expectHolds(
          [messageNumbered(1), messageNumbered(3)],
          'after a removal during a session',
        );
      },
    },
    {
      name: 'shows another process what was delivered, under the same unique-ids',
      rule: STABLE,
      needs: ['deliver', 'secondStore'],
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const second = await subject.secondStore();
        await subject.deliver(messageNumbered(3));
        const session = await subject.open(subject.identity, second);
        const there = session.listed();
        await session.release();
        const here = await subject.list();
        expectEqual(there.length, 3, 'number of messages in the second store');
        expectSame(
          here.map(idAndOctets).sort(),
          there.map(idAndOctets).sort(),
          'the listing of the first store',
        );
      },
    },
  ],
};

function expectSizes(listed: readonly ListedMessage[], seed: readonly Uint8Array[]): void {
  const expected = seed.map(wireOctets).sort(ascending);
  const actual = listed.map(({ octets }) => octets).sort(ascending);
  expectSame(actual, expected, 'the sizes, in ascending order,');
}

function expectDistinct(listed: readonly ListedMessage[], count: number): void {
  expectEqual(listed.length, count, 'number of messages');
  expectEqual(new Set(listed.map(({ uniqueId }) => uniqueId)).size, count, 'number of different unique-ids');
}

/** Every message that is there now had the same unique-id before. */
function expectSameIds(now: readonly Message[], before: readonly Message[], count: number): void {
  expectEqual(now.length, count, 'number of messages');
  for (const { uniqueId, wire } of now) {
    const old = before.find((message) => isSame(message.wire, wire));
    expectTrue(old !== undefined, 'a message is in the maildrop that was not there before');
    expectEqual(uniqueId, old.uniqueId, 'unique-id of a message that stayed');
  }
}

/** Deletes all there is, delivers one more message, and so on; and looks at the unique-ids it gets. */
async function expectFreshIds(
  subject: Subject,
  seeded: number,
  delivery: (round: number) => Uint8Array,
  betweenThem: () => Promise<void> = async () => {},
): Promise<void> {
  const seen = new Set<string>();
  for (let round = 0; round < 4; round++) {
    const session = await subject.open();
    const listed = session.listed();
    expectEqual(listed.length, round === 0 ? seeded : 1, 'number of messages');
    for (const { uniqueId } of listed) {
      expectTrue(!seen.has(uniqueId), `unique-id ${uniqueId} was given to another message before`);
      seen.add(uniqueId);
    }
    await session.commitAndRelease(listed.map(({ number }) => number));
    await betweenThem();
    await subject.deliver(delivery(round));
  }
}

function sumOf(listed: readonly ListedMessage[]): number {
  return listed.reduce((sum, { octets }) => sum + octets, 0);
}

function idAndOctets({ uniqueId, octets }: ListedMessage): string {
  return `${uniqueId} ${octets}`;
}

function ascending(one: number, another: number): number {
  return one - another;
}
