import { expectEqual, expectSame, expectTrue } from '../assert.js';
import type { ConformanceCase, ConformanceGroup } from '../case.js';
import { paddedMessage } from '../fixtures.js';
import { type HeapMeter, heapMeter } from '../heap.js';
import type { Adapter, Session, Trial } from '../trial.js';
import { textOf, wireForm, wireOctets } from '../wire-form.js';

const MANY =
  'A maildrop of 100 000 messages is opened, read and changed as one of ten is, without an object for each message ' +
  'and without bodies in memory (MaildropListing; design of the store contract).';

const DEFAULT_SCALE = 100_000;
const DEFAULT_OCTETS_PER_MESSAGE = 320;
/** What an open costs whatever the maildrop has: code that is compiled, buffers that are kept. */
const FIXED_OCTETS = 2 * 1024 * 1024;
/** So many different messages, over and over: the seed must not be what takes the memory. */
const KINDS = 16;
/** A body is larger than the bound for a message: who keeps bodies is found out. */
const BODY_OCTETS = 700;

/**
 * One maildrop with a great many messages. What is held is measured twice, after garbage was collected: when the
 * store is filled and nothing is open yet, and with the maildrop open. The difference has to stay within the bound.
 */
export function scaleCases(adapter: Adapter): ConformanceGroup {
  const count = adapter.scale ?? DEFAULT_SCALE;
  const bound = FIXED_OCTETS + count * (adapter.heapOctetsPerMessage ?? DEFAULT_OCTETS_PER_MESSAGE);
  const meter = heapMeter();
  const within = `within ${(bound / 1024 / 1024).toFixed(1)} MiB of memory`;
  const inAll = `serves a maildrop of ${count} messages`;
  const measured: ConformanceCase = {
    name: `${inAll}, ${within}`,
    rule: MANY,
    large: true,
    run: (trial) => serveMany(trial, count, { meter, bound }),
  };
  if (meter !== null) return { name: 'scale', cases: [measured] };
  const unmeasured: ConformanceCase = {
    name: inAll,
    rule: MANY,
    large: true,
    run: (trial) => serveMany(trial, count, { meter, bound }),
  };
  const impossible =
    'garbage cannot be collected on demand: run with globalThis.gc, as node --expose-gc gives it';
  return { name: 'scale', cases: [unmeasured, { ...measured, impossible }] };
}

interface Measurement {
  readonly meter: HeapMeter | null;
  /** Octets that the open maildrop may hold. */
  readonly bound: number;
}

async function serveMany(trial: Trial, count: number, { meter, bound }: Measurement): Promise<void> {
  const kinds = Array.from({ length: KINDS }, (_, index) => paddedMessage(index, BODY_OCTETS + index));
  const seed = Array.from({ length: count }, (_, index) => kinds[index % KINDS] as Uint8Array);
  const subject = await trial.seed(seed);
  const before = (await meter?.heldOctets()) ?? 0;
  const session = await subject.open();
  const held = ((await meter?.heldOctets()) ?? 0) - before;
  expectTrue(held <= bound, `the open maildrop holds ${held} octets of memory, expected at most ${bound}`);

  const expected = seed.reduce((sum, message) => sum + wireOctets(message), 0);
  expectEqual(session.listing.count, count, 'number of messages');
  expectEqual(session.listing.totalOctets, expected, 'sum of sizes');
  const ids = uniqueIdsOf(session);
  expectEqual(ids.size, count, 'number of different unique-ids');

  const texts = new Set(kinds.map((message) => textOf(wireForm(message))));
  const some = [...new Set([1, Math.ceil(count / 2), count])];
  for (const number of some) {
    const wire = wireForm(await session.read(number));
    expectEqual(wire.length, session.listing.octetsOf(number), `octets of message ${number}`);
    expectTrue(texts.has(textOf(wire)), `message ${number} is none that was delivered`);
  }
  for (const number of some) ids.delete(session.listing.uniqueIdOf(number));
  await session.commitAndRelease(some);

  const again = await subject.open();
  expectEqual(again.listing.count, count - some.length, 'number of messages after a commit');
  const left = uniqueIdsOf(again);
  expectSame(
    [...left].filter((id) => !ids.has(id)),
    [],
    'the unique-ids that were not there before',
  );
  await again.release();
}

function uniqueIdsOf({ listing }: Session): Set<string> {
  const ids = new Set<string>();
  for (let number = 1; number <= listing.count; number++) ids.add(listing.uniqueIdOf(number));
  return ids;
}
