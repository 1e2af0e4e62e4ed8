import { TopCutter } from '@pop3/core';
import { expectEqual, expectSameOctets } from '../assert.js';
import type { ConformanceCase, ConformanceGroup } from '../case.js';
import { FIXTURES, longMessage, messages, randomMessages } from '../fixtures.js';
import { joined, type Session } from '../trial.js';
import { topForm, wireForm } from '../wire-form.js';

// `top` is a shortcut that a store may leave out; then TOP is served from `retrieve`, and so it is here. Either way
// the octets that TOP sends are compared.
const ENOUGH =
  'TOP sends the header, the blank line and as many lines of the body as were asked for, or the whole message when ' +
  'it has fewer; what a store gives must hold at least that (RFC 1939 section 7, TOP; Maildrop.top).';
const GONE = "A message that another program has removed is 'gone', or still whole (Maildrop.top).";

/** The last is what clients ask for who mean the whole message. */
const LINES = [0, 1, 2, 5, 99_999_999];
const RANDOM_SEED = 40_009;
const LONG_SEED = 40_013;

export const topCases: ConformanceGroup = {
  name: 'top',
  cases: [
    ...FIXTURES.map(
      ({ name, message }): ConformanceCase => ({
        name: `gives the top of ${name}`,
        rule: ENOUGH,
        async run(trial) {
          const subject = await trial.seed([message]);
          const session = await subject.open();
          for (const lines of LINES) await expectTop(session, 1, message, lines);
          await session.release();
        },
      }),
    ),
    {
      name: `gives the top of random messages, seed ${RANDOM_SEED}`,
      rule: ENOUGH,
      async run(trial) {
        const subject = await trial.seed(randomMessages(RANDOM_SEED, 40));
        const session = await subject.open();
        for (const { number, wire } of await session.readAll()) {
          for (const lines of LINES) await expectTop(session, number, wire, lines);
        }
        await session.release();
      },
    },
    {
      name: `gives the top of a message of many chunks, seed ${LONG_SEED}`,
      rule: ENOUGH,
      async run(trial) {
        const message = longMessage(LONG_SEED, 400_000);
        const subject = await trial.seed([message]);
        const session = await subject.open();
        for (const lines of [0, 1, 100, 1000, 2000, 99_999_999]) await expectTop(session, 1, message, lines);
        expectSameOctets(wireForm(await session.read(1)), wireForm(message), 'the message, read afterwards,');
        await session.release();
      },
    },
    {
      name: 'says of the top of a message that it is gone when another program has removed it',
      rule: GONE,
      needs: ['removeBehind'],
      async run(trial) {
        const subject = await trial.seed(messages(3));
        const session = await subject.open();
        const before = await session.readAll();
        const [, second] = await session.numbersOf(messages(3));
        await subject.removeBehind(2);
        for (const { number, wire } of before) {
          const found = await topOf(session, number, 1);
          if (found === 'gone') expectEqual(number, second, 'number of the message that is "gone"');
          else expectSameOctets(found, topForm(wire, 1), `the top of message ${number} after a removal`);
        }
        await session.release();
      },
    },
  ],
};

async function expectTop(
  session: Session,
  messageNumber: number,
  message: Uint8Array,
  lines: number,
): Promise<void> {
  const found = await topOf(session, messageNumber, lines);
  const what = `the answer to TOP with ${lines} lines`;
  expectSameOctets(found === 'gone' ? new Uint8Array(0) : found, topForm(message, lines), what);
}

/** The answer to TOP in its wire form, cut by the core as the driver does it. */
async function topOf(session: Session, messageNumber: number, lines: number): Promise<Uint8Array | 'gone'> {
  const body = await session.topBody(messageNumber, lines);
  if (body === 'gone') return body;
  const cutter = new TopCutter(lines);
  const sent: Uint8Array[] = [];
  for await (const chunk of body) {
    sent.push(chunk.slice(0, cutter.cut(chunk)));
    if (cutter.done) break;
  }
  return wireForm(joined(sent));
}
