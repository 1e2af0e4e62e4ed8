import { expectSame, expectSameOctets, expectTrue } from '../assert.js';
import type { ConformanceGroup } from '../case.js';
import { longMessage, messageNumbered, messages } from '../fixtures.js';
import { isSame, joined, type Session, type Subject } from '../trial.js';
import { wireForm } from '../wire-form.js';

const STOPPED =
  'Nobody may want an answer any more: the peer has closed, or TOP has what it needs. The maildrop stays usable and ' +
  'can be released, and nothing is deleted (StoreContext.signal; RFC 1939 section 3).';
const NO_STALE_LOCK = 'An open that nobody wants any more leaves no lock behind (StoreContext.signal).';
const EACH_WHOLE_OR_GONE =
  'A commit that is stopped leaves every marked message either whole or gone, and every other as it was (RFC 1939 ' +
  'section 6).';

const LONG_OCTETS = 300_000;
/** More than a store that keeps something open for each body can bear. */
const UNFINISHED_BODIES = 40;

/** Short messages beside a long one, and what they have to be afterwards. */
const SEED: readonly Uint8Array[] = [
  messageNumbered(1),
  longMessage(50_021, LONG_OCTETS),
  messageNumbered(3),
];

export const cancelCases: ConformanceGroup = {
  name: 'cancel',
  cases: [
    {
      name: 'stays usable when the reader of a body stops early',
      rule: STOPPED,
      async run(trial) {
        const subject = await trial.seed(SEED);
        const session = await subject.open();
        const long = longOf(session);
        for (let times = 0; times < UNFINISHED_BODIES; times++) {
          for await (const chunk of await session.body(long)) if (chunk.length > 0) break;
        }
        await expectUsable(subject, session);
      },
    },
    {
      name: 'stays usable when bodies are asked for and never read',
      rule: STOPPED,
      async run(trial) {
        const subject = await trial.seed(SEED);
        const session = await subject.open();
        const long = longOf(session);
        for (let times = 0; times < UNFINISHED_BODIES; times++) await session.body(long);
        await expectUsable(subject, session);
      },
    },
    {
      name: 'stays usable when the reader of a top stops early',
      rule: STOPPED,
      async run(trial) {
        const subject = await trial.seed(SEED);
        const session = await subject.open();
        const long = longOf(session);
        for (let times = 0; times < UNFINISHED_BODIES; times++) {
          const top = await session.topBody(long, 99_999_999);
          if (top !== 'gone') for await (const chunk of top) if (chunk.length > 0) break;
        }
        await expectUsable(subject, session);
      },
    },
    {
      name: 'stays usable when the signal is aborted in mid-body',
      rule: STOPPED,
      async run(trial) {
        const subject = await trial.seed(SEED);
        const session = await subject.open();
        const stop = new AbortController();
        const body = await session.body(longOf(session), stop.signal);
        await body.next();
        stop.abort();
        await settled(body.next());
        await settled(body.return());
        await expectUsable(subject, session);
      },
    },
    {
      name: 'stays usable when the signal is aborted while a chunk is being read',
      rule: STOPPED,
      async run(trial) {
        const subject = await trial.seed(SEED);
        const session = await subject.open();
        const stop = new AbortController();
        const body = await session.body(longOf(session), stop.signal);
        await body.next();
        const reading = settled(body.next());
        stop.abort();
        await reading;
        await settled(body.return());
        await expectUsable(subject, session);
      },
    },
    {
      name: 'can be released in mid-body',
      rule: STOPPED,
      async run(trial) {
        const subject = await trial.seed(SEED);
        const session = await subject.open();
        const stop = new AbortController();
        const body = await session.body(longOf(session), stop.signal);
        await body.next();
        stop.abort();
        await session.release();
        await settled(body.return());
        await subject.expectHolds(SEED, 'after a release in mid-body');
      },
    },
    {
      name: 'stays usable when a message is asked for with an aborted signal',
      rule: STOPPED,
      async run(trial) {
        const subject = await trial.seed(SEED);
        const session = await subject.open();
        const long = longOf(session);
        for (const asked of [
          settled(session.bodyOrGone(long, AbortSignal.abort())),
          settled(session.topBody(long, 1, AbortSignal.abort())),
        ]) {
          const body = await asked;
          if (body === undefined || body === 'gone') continue;
          await settled(body.next());
          await settled(body.return());
        }
        await expectUsable(subject, session);
      },
    },
    {
      name: 'leaves no lock behind when the signal is aborted before an open',
      rule: NO_STALE_LOCK,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        await openAndAbort(subject, AbortSignal.abort(), () => {});
        await subject.expectHolds(messages(2), 'after an open with an aborted signal');
      },
    },
    {
      name: 'leaves no lock behind when the signal is aborted during an open',
      rule: NO_STALE_LOCK,
      async run(trial) {
        const subject = await trial.seed(messages(2));
        const stop = new AbortController();
        await openAndAbort(subject, stop.signal, () => stop.abort());
        await subject.expectHolds(messages(2), 'after an open that was aborted');
      },
    },
    {
      name: 'leaves every message whole or gone when the signal is aborted before a commit',
      rule: EACH_WHOLE_OR_GONE,
      async run(trial) {
        const subject = await trial.seed(messages(6));
        await commitAndAbort(subject, AbortSignal.abort(), () => {});
      },
    },
    {
      name: 'leaves every message whole or gone when the signal is aborted during a commit',
      rule: EACH_WHOLE_OR_GONE,
      async run(trial) {
        const subject = await trial.seed(messages(6));
        const stop = new AbortController();
        await commitAndAbort(subject, stop.signal, () => stop.abort());
      },
    },
  ],
};

/** The number of the long message of {@link SEED}. */
function longOf({ listing }: Session): number {
  for (let number = 1; number <= listing.count; number++)
    if (listing.octetsOf(number) >= LONG_OCTETS) return number;
  return 1;
}

/** The session goes on as if nothing had happened, and nothing has. */
async function expectUsable(subject: Subject, session: Session): Promise<void> {
  const [first, second, third] = await session.numbersOf(SEED);
  expectSame([first, second, third].sort(), [1, 2, 3], 'the message numbers');
  const chunks: Uint8Array[] = [];
  for await (const chunk of await session.body(second as number)) chunks.push(chunk.slice());
  expectSameOctets(
    wireForm(joined(chunks)),
    wireForm(SEED[1] as Uint8Array),
    'the message, read again to its end,',
  );
  await subject.expectInUse();
  await session.release();
  await subject.expectHolds(SEED, 'in the next session');
}

/** Whatever comes of it: a maildrop, a refusal or a fault. Only the lock must not stay. */
async function openAndAbort(subject: Subject, signal: AbortSignal, abort: () => void): Promise<void> {
  const opening = (async () => subject.store.open(subject.identity, { signal }))();
  abort();
  const opened = await settled(opening);
  if (opened !== undefined && !('type' in opened)) await opened.release();
}

async function commitAndAbort(subject: Subject, signal: AbortSignal, abort: () => void): Promise<void> {
  const session = await subject.open();
  const numbers = await session.numbersOf(messages(6));
  const committing = settled(session.commit(numbers.slice(0, 4), signal));
  abort();
  await committing;
  await session.release();
  const left = await subject.inspect();
  for (const { wire } of left) {
    expectTrue(
      messages(6).some((message) => isSame(wireForm(message), wire)),
      'a message is not what it was',
    );
  }
  for (const message of messages(6).slice(4)) {
    expectTrue(
      left.some(({ wire }) => isSame(wireForm(message), wire)),
      'a message is lost that was not marked',
    );
  }
  expectTrue(
    new Set(left.map(({ uniqueId }) => uniqueId)).size === left.length,
    'two messages share a unique-id',
  );
}

/** Waits for an answer that nobody wants any more: it may be a fault. */
async function settled<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch {
    return undefined;
  }
}
