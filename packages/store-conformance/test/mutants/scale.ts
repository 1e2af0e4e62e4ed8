import { CORRECT } from '../plain-store.js';
import type { Mutant } from './mutant.js';

/** The scale that the cases are run with: large enough for the bound to mean something, small enough to be quick. */
export const MUTANT_SCALE = 20_000;

/** The name of the case has the bound in it. */
const SERVES_MANY = 'serves a maildrop of 20000 messages, within 8.1 MiB of memory';

export const scaleMutants: readonly Mutant[] = [
  {
    name: 'holds all bodies while a maildrop is open',
    caughtBy: SERVES_MANY,
    parts: () => {
      const held: Uint8Array[] = [];
      return {
        entriesOf(box) {
          held.push(...box.entries.map(({ content }) => content.slice()));
          return [...box.entries];
        },
      };
    },
  },
  {
    name: 'holds an object with a map of headers for each message',
    caughtBy: SERVES_MANY,
    parts: () => {
      const held: object[] = [];
      return {
        entriesOf(box) {
          for (const entry of box.entries)
            held.push({ entry, headers: new Map([['subject', {}]]), flags: new Set() });
          return [...box.entries];
        },
      };
    },
  },
  {
    name: 'lists no more than 10 000 messages',
    caughtBy: SERVES_MANY,
    parts: () => ({ entriesOf: (box) => box.entries.slice(0, 10_000) }),
  },
  {
    name: 'gives unique-ids of four digits',
    caughtBy: SERVES_MANY,
    parts: () => ({ nextId: ({ deliveries }) => String(deliveries % 10_000) }),
  },
  {
    name: 'adds up sizes as 16 bits',
    caughtBy: SERVES_MANY,
    parts: () => ({
      list(entries, octetsOf) {
        const listing = CORRECT.list(entries, octetsOf);
        return Object.defineProperty(listing, 'totalOctets', { value: listing.totalOctets & 0xffff });
      },
    }),
  },
];
