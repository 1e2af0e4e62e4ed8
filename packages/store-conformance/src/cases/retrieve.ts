import { expectEqual, expectSameMessages, expectSameOctets } from '../assert.js';
import type { ConformanceCase, ConformanceGroup } from '../case.js';
import { FIXTURES, longMessage, messageNumbered, messages, randomMessages } from '../fixtures.js';
import { joined } from '../trial.js';
import { wireForm, wireOctets } from '../wire-form.js';

const WHOLE =
  'A store yields the octets of a message as they are stored: nothing lost, added or changed but line ends that ' +
  'mean the same (RFC 1939 section 5, RETR; Body).';
const OWN_CHUNKS = 'A chunk belongs to the receiver from then on: never write to it again (Body).';
const LENT =
  'Memory of the host holds one chunk of one message, until the host has taken it (StoreContext.memory).';
const FIXED = 'A message number means the same message for as long as the lock is held (RFC 1939 section 4).';
const GONE =
  "A message that another program has removed is 'gone', or still whole: no fault, no other message, and no end " +
  'that looks like the end of the message (Maildrop.retrieve).';

const RANDOM_SEED = 30_203;
const LONG_SEED = 30_211;
const LONG_OCTETS = 8 * 1024 * 1024;
/** What a host may lend: less than the longest message here. */
const LENT_OCTETS = 200_000;
/** More than any store reads in one go. */
const SEVERAL_CHUNKS_OCTETS = 300_000;

export const retrieveCases: ConformanceGroup = {
  name: 'retrieve',
  cases: [
    ...FIXTURES.map(
      ({ name, message }): ConformanceCase => ({
        name: `retrieves ${name}, twice`,
        rule: WHOLE,
        async run(trial) {
          const subject = await trial.seed([message]);
          const session = await subject.open();
          for (const time of ['first', 'second']) {
            const wire = wireForm(await session.read(1));
            expectSameOctets(wire, wireForm(message), `the message, read for the ${time} time,`);
          }
          await session.release();
        },
      }),
    ),
    {
      name: `retrieves random messages, seed ${RANDOM_SEED}`,
      rule: WHOLE,
      async run(trial) {
        const subject = await trial.seed(randomMessages(RANDOM_SEED, 60));
        await subject.expectHolds(randomMessages(RANDOM_SEED, 60), 'filled with random messages');
      },
    },
    {
      name: 'retrieves each message under the number of its size and its unique-id',
      rule: FIXED,
      async run(trial) {
        const seed = FIXTURES.map(({ message }) => message);
        const subject = await trial.seed(seed);
        const session = await subject.open();
        const found: Uint8Array[] = [];
        for (const { number, octets } of session.listed().reverse()) {
          const wire = wireForm(await session.read(number));
          expectEqual(octets, wire.length, `size of message ${number}`);
          found.push(wire);
        }
        expectSameMessages(found, seed.map(wireForm), 'the messages, read from the last to the first');
        await session.release();
      },
    },
    {
      name: 'retrieves messages through memory that the host lends and uses again',
      rule: LENT,
      async run(trial) {
        const seed = [
          ...FIXTURES.map(({ message }) => message),
          longMessage(LONG_SEED, SEVERAL_CHUNKS_OCTETS),
        ];
        const subject = await trial.seed(seed);
        const session = await subject.open();
        const memory = new Uint8Array(LENT_OCTETS);
        for (const time of ['first', 'second']) {
          const found: Uint8Array[] = [];
          for (const { number } of session.listed()) {
            found.push(wireForm(joined(await session.chunksThrough(memory, number))));
          }
          expectSameMessages(found, seed.map(wireForm), `the messages, read for the ${time} time,`);
        }
        await session.release();
      },
    },
    {
      name: 'retrieves delivered messages',
      rule: WHOLE,
      needs: ['deliver'],
      async run(trial) {
        const seed = FIXTURES.map(({ message }) => message);
        const subject = await trial.seed([]);
        for (const message of seed) await subject.deliver(message);
        await subject.expectHolds(seed, 'after deliveries');
      },
    },
    {
      name: 'retrieves what was delivered, whatever is written into the memory of the delivery later',
      rule: 'A message never changes (RFC 1939 section 8).',
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed([]);
        const memory = messageNumbered(1);
        await subject.deliver(memory);
        memory.fill(0x2e);
        await subject.expectHolds([messageNumbered(1)], 'after its memory was used again');
      },
    },
    {
      name: `retrieves a message of 8 MiB, seed ${LONG_SEED}`,
      rule: WHOLE,
      async run(trial) {
        const message = longMessage(LONG_SEED, LONG_OCTETS);
        const subject = await trial.seed([message]);
        const session = await subject.open();
        expectEqual(session.listing.octetsOf(1), wireOctets(message), 'size of the message');
        expectSameOctets(wireForm(await session.read(1)), wireForm(message), 'the message');
        await session.release();
      },
    },
    {
      name: 'never writes again to a chunk it has handed over',
      rule: OWN_CHUNKS,
      async run(trial) {
        const seed = [
          longMessage(1, SEVERAL_CHUNKS_OCTETS),
          longMessage(2, SEVERAL_CHUNKS_OCTETS),
          ...messages(3),
        ];
        const subject = await trial.seed(seed);
        const session = await subject.open();
        const chunks: Uint8Array[] = [];
        const copies: Uint8Array[] = [];
        for (const number of [1, 2, 3, 4, 5, 1]) {
          for await (const chunk of await session.body(number)) {
            chunks.push(chunk);
            copies.push(chunk.slice());
          }
        }
        await session.release();
        await subject.inspect();
        expectSameOctets(joined(chunks), joined(copies), 'all that was handed over');
      },
    },
    {
      name: 'retrieves messages while the bodies of others are half read',
      rule: 'Bodies are independent of each other: their chunks are pulled one at a time (Body).',
      async run(trial) {
        const seed = [
          longMessage(3, SEVERAL_CHUNKS_OCTETS),
          longMessage(4, SEVERAL_CHUNKS_OCTETS),
          messageNumbered(1),
        ];
        const subject = await trial.seed(seed);
        const session = await subject.open();
        const found: Uint8Array[][] = [[], [], [], []];
        const bodies = [];
        for (const number of [1, 2, 3, 1]) bodies.push(await session.body(number));
        for (let reading = true; reading; ) {
          reading = false;
          for (const [index, body] of bodies.entries()) {
            const { done, value } = await body.next();
            if (done === true) continue;
            reading = true;
            found[index]?.push(value.slice());
          }
        }
        const [first, second, third, again] = found.map((chunks) => wireForm(joined(chunks)));
        expectSameMessages(
          [first, second, third] as Uint8Array[],
          seed.map(wireForm),
          'the messages, read in turns',
        );
        expectSameOctets(again as Uint8Array, first as Uint8Array, 'message 1, read twice at the same time,');
        await session.release();
      },
    },
    {
      name: 'retrieves the same messages under the same numbers while others are delivered',
      rule: FIXED,
      needs: ['deliver'],
      async run(trial) {
        const subject = await trial.seed(messages(5));
        const session = await subject.open();
        const before = await session.readAll();
        await subject.deliver(messageNumbered(6));
        await subject.deliver(messageNumbered(1));
        for (const { number, wire } of before) {
          expectSameOctets(wireForm(await session.read(number)), wire, `message ${number} after deliveries`);
        }
        await session.release();
      },
    },
    {
      name: 'says that a message is gone which another program has removed, and retrieves the others',
      rule: GONE,
      needs: ['removeBehind'],
      async run(trial) {
        const subject = await trial.seed(messages(4));
        const session = await subject.open();
        const before = await session.readAll();
        const [, second] = await session.numbersOf(messages(4));
        await subject.removeBehind(2);
        for (const { number, wire } of before) {
          const body = await session.bodyOrGone(number);
          if (body === 'gone') {
            expectEqual(number, second, 'number of the message that is "gone"');
            continue;
          }
          const chunks: Uint8Array[] = [];
          for await (const chunk of body) chunks.push(chunk.slice());
          expectSameOctets(wireForm(joined(chunks)), wire, `message ${number} after a removal`);
        }
        await session.release();
      },
    },
    {
      name: 'retrieves a message whole or fails when another program removes it in mid-body',
      rule: GONE,
      needs: ['removeBehind'],
      async run(trial) {
        const message = longMessage(5, SEVERAL_CHUNKS_OCTETS * 4);
        const subject = await trial.seed([message]);
        const session = await subject.open();
        const body = await session.body(1);
        const chunks: Uint8Array[] = [];
        const { value } = await body.next();
        if (value !== undefined) chunks.push(value.slice());
        await subject.removeBehind(1);
        const failed = await readOn(body, chunks);
        if (!failed)
          expectSameOctets(wireForm(joined(chunks)), wireForm(message), 'a body that ends without a fault');
        await session.release();
      },
    },
  ],
};

/** @returns whether the body failed before its end */
async function readOn(
  body: AsyncGenerator<Uint8Array, void, undefined>,
  chunks: Uint8Array[],
): Promise<boolean> {
  try {
    for await (const chunk of body) chunks.push(chunk.slice());
    return false;
  } catch {
    return true;
  }
}
