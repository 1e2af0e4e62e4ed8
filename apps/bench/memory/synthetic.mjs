// What the measured servers serve and what their clients must receive: made on the fly, so that neither keeps it.
import { MaildropListing } from '@pop3/core';

const LINES_PER_BLOCK = 800;
/** As it is stored, with LF; every 40th line begins with a dot. */
const STORED_LINES = Array.from(
  { length: LINES_PER_BLOCK },
  (_, i) => `${i % 40 === 0 ? '.' : 'x'}${'y'.repeat(75)}`,
);
const STORED_BLOCK = Buffer.from(STORED_LINES.map((line) => `${line}\n`).join(''));
/** As it goes out: CRLF, dots stuffed. */
const WIRE_BLOCK = Buffer.from(STORED_LINES.map((line) => `${line.replace(/^\./, '..')}\r\n`).join(''));
const OCTETS_PER_BLOCK = STORED_BLOCK.length + LINES_PER_BLOCK;

const GB = 1e9;
const BLOCKS = Math.ceil(GB / OCTETS_PER_BLOCK);
export const MESSAGES = 1_000_000;

/** One message of 1 GB. */
export const bigStore = {
  open: () => ({
    listing: MaildropListing.of([{ octets: BLOCKS * OCTETS_PER_BLOCK, uniqueId: 'big' }]),
    async *retrieve() {
      // A copy for each, as a file would be read: a chunk belongs to the server from then on.
      for (let i = 0; i < BLOCKS; i++) yield Buffer.from(STORED_BLOCK);
    },
    commitDeletes: () => ({ removed: 0, failed: 0 }),
    release() {},
  }),
};

/** The response to RETR 1, status line and terminator included. */
export function* bigResponse() {
  yield Buffer.from(`+OK ${BLOCKS * OCTETS_PER_BLOCK} octets\r\n`);
  for (let i = 0; i < BLOCKS; i++) yield WIRE_BLOCK;
  yield Buffer.from('.\r\n');
}

const octetsOf = (n) => 500 + ((n * 7919) % 100_000);
const uniqueIdOf = (n) => `${(1_600_000_000 + n).toString()}.M${String(n).padStart(6, '0')}P4711.mx1`;

/** A maildrop of a million messages, listed anew at each login. */
export const manyStore = {
  open() {
    const listing = MaildropListing.builder(MESSAGES);
    for (let n = 1; n <= MESSAGES; n++) listing.add(octetsOf(n), uniqueIdOf(n));
    return {
      listing: listing.build(),
      retrieve: () => 'gone',
      commitDeletes: () => ({ removed: 0, failed: 0 }),
      release() {},
    };
  },
};

/** The response to LIST or UIDL of that maildrop. */
export function* manyResponse(verb) {
  yield Buffer.from(`+OK ${MESSAGES} messages\r\n`);
  const value = verb === 'LIST' ? octetsOf : uniqueIdOf;
  for (let n = 1; n <= MESSAGES; ) {
    let block = '';
    for (const end = Math.min(n + 10_000, MESSAGES + 1); n < end; n++) block += `${n} ${value(n)}\r\n`;
    yield Buffer.from(block);
  }
  yield Buffer.from('.\r\n');
}
