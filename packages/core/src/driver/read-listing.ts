import { ScanListing, UniqueIdListing } from '../client/message-maps.js';
import { Pop3Error } from '../errors.js';
import { LineReader } from '../line-reader.js';
import { parseScanLine, parseUniqueIdLine } from '../response.js';
import type { ReplyBody } from './reply-body.js';

/** All unique-ids of a listing together. Two million of 70 octets, the longest that RFC 1939 has, are less. */
const MAX_ID_OCTETS = 1 << 28;
/** Octets of one line of a listing: some servers add columns. */
const MAX_LINE_OCTETS = 65_536;

/** Bounds on what a server may list. */
export interface ListingLimits {
  /** Messages in a listing. Default 2 000 000. */
  readonly maxMessages: number;
  /** Octets of a unique-id; longer ones are cut off by nobody, the listing is refused. Default 1 024, RFC 1939 has 70. */
  readonly maxUniqueIdOctets: number;
}

const DEFAULT_LIMITS: ListingLimits = { maxMessages: 2_000_000, maxUniqueIdOctets: 1_024 };

/**
 * Reads the lines of LIST. What is no line of a listing, and numbers that no maildrop has, are passed over.
 *
 * @throws Pop3Error `POP3_PROTOCOL` above the limits; the rest of the body is dropped.
 */
export async function readScanListing(
  body: ReplyBody,
  limits: Partial<ListingLimits> = {},
): Promise<ScanListing> {
  const { maxMessages = DEFAULT_LIMITS.maxMessages } = limits;
  const listing = new ScanListing();
  await eachLine(body, maxMessages, (line) => {
    parseScanLine(line, (number, octets) => {
      if (number >= 1 && number <= maxMessages) listing.add(number, octets);
    });
  });
  return listing;
}

/** Reads the lines of UIDL in the same way. */
export async function readUniqueIds(
  body: ReplyBody,
  limits: Partial<ListingLimits> = {},
): Promise<UniqueIdListing> {
  const { maxMessages = DEFAULT_LIMITS.maxMessages, maxUniqueIdOctets = DEFAULT_LIMITS.maxUniqueIdOctets } =
    limits;
  const listing = new UniqueIdListing();
  await eachLine(body, maxMessages, (line) => {
    parseUniqueIdLine(line, (number, uniqueId) => {
      if (number < 1 || number > maxMessages) return;
      if (uniqueId.length > maxUniqueIdOctets)
        endless(`a unique-id of more than ${maxUniqueIdOctets} octets`);
      listing.add(number, uniqueId);
      if (listing.octets > MAX_ID_OCTETS) endless('more unique-ids than fit into memory');
    });
  });
  return listing;
}

async function eachLine(body: ReplyBody, maxLines: number, visit: (line: Uint8Array) => void): Promise<void> {
  const reader = new LineReader(MAX_LINE_OCTETS);
  let lines = 0;
  for await (const chunk of body) {
    reader.push(chunk);
    for (;;) {
      const line = reader.next(MAX_LINE_OCTETS);
      if (line === 'need-data') break;
      if (typeof line === 'string') endless('a line without an end');
      if (++lines > maxLines) endless(`a listing of more than ${maxLines} lines`);
      visit(line);
    }
  }
}

function endless(what: string): never {
  throw new Pop3Error('POP3_PROTOCOL', `The server sent ${what}; limits can be raised.`);
}
