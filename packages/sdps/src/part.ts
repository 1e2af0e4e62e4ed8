import { DeletionMarkSet, type Maildrop, MaildropListing } from '@pop3/core';

/**
 * Some messages of a maildrop as one of their own, with numbers from 1 on. It has the lock of the whole, and gives it up
 * with its own.
 *
 * @param whole - not to be used any more by anybody else
 * @param messageNumbers - ascending numbers in the whole
 */
export function partOf(whole: Maildrop, messageNumbers: readonly number[]): Maildrop {
  const inWhole = (messageNumber: number) => messageNumbers[messageNumber - 1] as number;
  const { listing } = whole;
  const builder = MaildropListing.builder(messageNumbers.length);
  for (const number of messageNumbers) builder.add(listing.octetsOf(number), listing.uniqueIdOf(number));
  return {
    listing: builder.build(),
    retrieve: (messageNumber, context) => whole.retrieve(inWhole(messageNumber), context),
    ...(whole.top !== undefined && {
      top: (messageNumber, lines, context) => (whole.top as TopOf)(inWhole(messageNumber), lines, context),
    }),
    ...(whole.envelope !== undefined && {
      envelope: (messageNumber, context) => (whole.envelope as EnvelopeOf)(inWhole(messageNumber), context),
    }),
    commitDeletes(deletions, context) {
      const marks = new DeletionMarkSet(listing.count);
      for (const messageNumber of deletions) marks.add(inWhole(messageNumber));
      return whole.commitDeletes(marks, context);
    },
    release: () => whole.release(),
  };
}

type TopOf = NonNullable<Maildrop['top']>;
type EnvelopeOf = NonNullable<Maildrop['envelope']>;
