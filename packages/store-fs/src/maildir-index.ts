import type { MaildropListing } from '@pop3/core';
import type { MessageNames } from './message-names.js';

/** What is known of a message beside its size, as bits. */
export const KNOWN = 1;
/** The size was counted, not only taken from the name. */
export const COUNTED = 2;
/** The unique-id does not follow from the name. */
export const WRITTEN_ID = 4;

/** Octets that a message costs beside its name: sizes twice, the unique-id and where things are. */
const MESSAGE_OCTETS = 96;
const INDEX_OCTETS = 2_048;

/**
 * The messages of a Maildir at one moment, packed, and what is known of them. Sessions share it: but for a size that
 * proves wrong it never changes. A message is the number less one here.
 */
export interface MaildirIndex {
  readonly names: MessageNames;
  /** Octets of the files. */
  readonly stored: Float64Array;
  /** Octets as listed, unless {@link current} is false. */
  readonly wire: Float64Array;
  readonly facts: Uint8Array;
  readonly listing: MaildropListing;
  /** Tells whether `pop3-uidl` has been replaced since; empty when there was none. */
  readonly writtenIdsStamp: string;
  /** Whether there were ids in it. */
  readonly hasWrittenIds: boolean;
  /** False when there is more to know than the directories say: a size proved wrong, a file could not be read. */
  current: boolean;
}

/** Memory that an index holds, in octets, about. */
export function heldOctetsOf(index: MaildirIndex): number {
  return INDEX_OCTETS + index.names.heldOctets + index.names.count * MESSAGE_OCTETS;
}
