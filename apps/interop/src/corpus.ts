/**
 * Messages that break mail programs, the same ones for the same seed, each with the form it must have on the wire.
 * The expectation is computed here from lines in memory, by code the server does not have.
 */

import { borders, dots } from './corpus/dots.js';
import type { Draft } from './corpus/draft.js';
import { enveloped } from './corpus/enveloped.js';
import { enormous, ordinary, randomDrafts, tiny } from './corpus/letters.js';
import { longLines, lookalikes, octets } from './corpus/octets.js';
import { headers, incomplete, lineEnds } from './corpus/structure.js';
import { randomFrom } from './random.js';
import { wireForm } from './wire-form.js';

export { CLASSES } from './corpus/draft.js';

/** A message as it lies in the Maildir, and as RETR must send it. */
export interface CorpusMessage extends Draft {
  /** What RETR sends, before dot-stuffing and without the terminator. */
  readonly wire: Buffer;
  /** The size LIST must give: the length of `wire`. */
  readonly octets: number;
}

const { POP3_INTEROP_SEED = '1939' } = process.env;

/** The seed of a run, printed with its results; POP3_INTEROP_SEED sets another one. */
export const SEED = Number(POP3_INTEROP_SEED);

/** Every hard case, one message each, the 25 MB one last; well over a hundred. */
export function corpus(seed: number = SEED): CorpusMessage[] {
  const random = randomFrom(seed);
  const drafts = [
    ...ordinary(),
    ...dots(),
    ...borders(),
    ...incomplete(),
    ...lineEnds(),
    ...headers(),
    ...octets(),
    ...lookalikes(),
    ...longLines(),
    ...randomDrafts(random, 24),
    enormous(random),
  ];
  return drafts.map(withWireForm);
}

/** Small letters in great number. */
export function tinyCorpus(count: number, seed: number = SEED): CorpusMessage[] {
  return tiny(randomFrom(seed), count).map(withWireForm);
}

/** Letters that different users of one account get, each with its envelope in the header. */
export function envelopedCorpus(): CorpusMessage[] {
  return enveloped().map(withWireForm);
}

function withWireForm(message: Draft): CorpusMessage {
  const wire = wireForm(message.stored);
  return { ...message, wire, octets: wire.length };
}
