import type { MaildropListing } from '@pop3/core';
import { octetsOf, textOf, wireOctets } from '../../src/wire-form.js';
import { type Box, CORRECT, type Entry } from '../plain-store.js';
import type { Mutant } from './mutant.js';

export const listingMutants: readonly Mutant[] = [
  {
    name: 'counts octets as they are stored',
    caughtBy: 'counts the octets of a message stored with LF',
    parts: () => ({ octetsOf: ({ length }) => length }),
  },
  {
    name: 'counts no line end that is missing',
    caughtBy: 'counts the octets of no final line end',
    parts: () => ({ octetsOf: (content) => textOf(content).replace(/\r?\n/g, '\r\n').length }),
  },
  {
    name: 'counts a line end for a message of no octets',
    caughtBy: 'counts the octets of a message of no octets',
    parts: () => ({ octetsOf: (content) => wireOctets(content) || 2 }),
  },
  {
    name: 'counts each chunk by itself',
    caughtBy: 'counts the octets of CRLF across every border',
    parts: () => ({
      octetsOf(content) {
        const ended = textOf(content).endsWith('\n') || content.length === 0 ? 0 : 2;
        let octets = ended;
        for (let at = 0; at < content.length; at += 4096) {
          octets += textOf(content.subarray(at, at + 4096)).replace(/\r?\n/g, '\r\n').length;
        }
        return octets;
      },
    }),
  },
  {
    name: 'counts stuffed dots',
    caughtBy: 'counts the octets of lines that start with dots',
    parts: () => ({ octetsOf: (content) => wireOctets(octetsOf(textOf(content).replace(/^\./gm, '..'))) }),
  },
  {
    name: 'counts every CR as a line end',
    caughtBy: 'counts the octets of bare CRs',
    parts: () => ({
      octetsOf: (content) => wireOctets(octetsOf(textOf(content).replace(/\r(?!\n)/g, '\r\n'))),
    }),
  },
  {
    name: 'estimates the size of a large message',
    caughtBy: 'retrieves a message of 8 MiB, seed 30211',
    parts: () => ({
      octetsOf: (content) => (content.length < 1_000_000 ? wireOctets(content) : content.length),
    }),
  },
  {
    name: 'adds up something else',
    caughtBy: 'counts the octets of an ordinary message',
    parts: () => ({
      list(entries, counted) {
        const correct = CORRECT.list(entries, counted);
        return changed(correct, { totalOctets: correct.totalOctets + 1 });
      },
    }),
  },
  {
    name: 'takes the message number for the unique-id',
    caughtBy: 'keeps the unique-ids of the others when messages are deleted',
    parts: () => ({
      list: (entries, counted) =>
        renamedListing(CORRECT.list(entries, counted), (_id, number) => `n${number}`),
    }),
  },
  {
    name: 'gives new unique-ids in each session',
    caughtBy: 'opens the same messages again after a release',
    parts: () => {
      let sessions = 0;
      return {
        list: (entries, counted) => {
          sessions++;
          return renamedListing(CORRECT.list(entries, counted), (id) => `${id}.${sessions}`);
        },
      };
    },
  },
  {
    name: 'gives new unique-ids after a restart',
    caughtBy: 'opens the same messages again after a restart',
    parts: () => ({
      restart(disk) {
        for (const box of disk.values()) {
          box.entries = box.entries.map(({ content, uniqueId }) => ({
            content,
            uniqueId: `${uniqueId}-again`,
          }));
        }
      },
    }),
  },
  {
    name: 'takes a hash of the content for the unique-id',
    caughtBy: 'gives identical messages unique-ids of their own',
    parts: () => ({ nextId: (_box, content) => `h${hashOf(content)}` }),
  },
  {
    name: 'tells identical messages apart only while both are there',
    caughtBy: 'never gives the unique-id of a deleted message to an identical one',
    parts: () => ({
      nextId(box, content) {
        let copy = 0;
        const taken = (id: string) => box.entries.some(({ uniqueId }) => uniqueId === id);
        while (taken(`h${hashOf(content)}-${copy}`)) copy++;
        return `h${hashOf(content)}-${copy}`;
      },
    }),
  },
  {
    name: 'gives the lowest unique-id that is free',
    caughtBy: 'never gives the unique-id of a deleted message to a new one',
    parts: () => ({ nextId: (box) => `id-${highestId(box) + 1}` }),
  },
  {
    name: 'starts to count after the highest unique-id that is left when it is restarted',
    caughtBy: 'never gives the unique-id of a deleted message again after a restart',
    parts: () => ({
      restart(disk) {
        for (const box of disk.values()) box.deliveries = highestId(box);
      },
    }),
  },
  {
    name: 'takes the number of messages for the next unique-id',
    caughtBy: 'never gives the unique-id of a message that another program has removed to an identical one',
    parts: () => ({ nextId: (box) => `id-${box.entries.length + 1}` }),
  },
  {
    name: 'puts a space into unique-ids',
    caughtBy: 'gives every message a unique-id of 1 to 70 visible octets',
    parts: () => ({
      list: (entries, counted) => renamedListing(CORRECT.list(entries, counted), (id) => `id ${id}`),
    }),
  },
  {
    name: 'makes unique-ids of 71 octets',
    caughtBy: 'gives every message a unique-id of 1 to 70 visible octets',
    parts: () => ({
      list: (entries, counted) =>
        renamedListing(CORRECT.list(entries, counted), (id) => id.padStart(71, 'x')),
    }),
  },
  {
    name: 'lists what is delivered during the session',
    caughtBy: 'keeps the listing while messages are delivered, and shows them in the next session',
    parts: () => ({ listing: (_listed, box) => CORRECT.list(box.entries, wireOctets) }),
  },
  {
    name: 'leaves out what is removed during the session',
    caughtBy:
      'keeps the listing while another program removes a message, and leaves it out in the next session',
    parts: () => ({ listing: (_listed, box) => CORRECT.list(box.entries, wireOctets) }),
  },
  {
    name: 'remembers the first listing for ever',
    caughtBy: 'gives what is delivered to an empty maildrop to the next session',
    parts: () => {
      let first: MaildropListing | undefined;
      return {
        list: (entries, counted) => {
          first ??= CORRECT.list(entries, counted);
          return first;
        },
      };
    },
  },
  {
    name: 'shows a message twice',
    caughtBy: 'opens a maildrop with all that was delivered',
    parts: () => ({
      find: (box, entries, messageNumber) =>
        CORRECT.find(box, entries, messageNumber === 2 ? 1 : messageNumber),
    }),
  },
  {
    name: 'mixes up sizes of messages',
    caughtBy: 'retrieves each message under the number of its size and its unique-id',
    parts: () => ({
      list: (entries, counted) => CORRECT.list([...entries].reverse(), counted),
    }),
  },
  {
    name: 'counts as stored what it has counted before',
    caughtBy: 'counts the same octets when the maildrop is opened again',
    parts: () => {
      const counted = new Set<Uint8Array>();
      return {
        octetsOf(content) {
          if (counted.has(content)) return content.length;
          counted.add(content);
          return wireOctets(content);
        },
      };
    },
  },
  {
    name: 'counts as stored after a restart',
    caughtBy: 'counts the same octets after a restart',
    parts: () => {
      let restarted = false;
      return {
        restart: () => {
          restarted = true;
        },
        octetsOf: (content) => (restarted ? content.length : wireOctets(content)),
      };
    },
  },
  {
    name: 'counts no message as larger than 64 KiB',
    caughtBy: 'counts the octets of delivered messages',
    parts: () => ({ octetsOf: (content) => Math.min(wireOctets(content), 65_536) }),
  },
  {
    name: 'counts a CR before a NUL as a line end',
    caughtBy: 'counts the octets of random messages, seed 20101',
    parts: () => ({
      octetsOf: (content) => wireOctets(octetsOf(textOf(content).replace(/\r\0/g, '\r\n\0'))),
    }),
  },
  {
    name: 'gives all messages of a maildrop one unique-id',
    caughtBy: 'gives every message a unique-id of its own',
    parts: () => ({ nextId: () => 'id' }),
  },
  {
    name: 'counts unique-ids from the oldest message that is left',
    caughtBy: 'keeps the unique-ids of the others when another program removes a message',
    parts: () => ({
      list: (entries, counted) =>
        renamedListing(CORRECT.list(entries, counted), (_id, number) => `n${number}`),
    }),
  },
  {
    name: 'counts unique-ids from the newest message',
    caughtBy: 'keeps the unique-ids of the others when messages are delivered',
    parts: () => ({
      list: (entries, counted) =>
        renamedListing(CORRECT.list(entries, counted), (_id, number) => `n${entries.length - number}`),
    }),
  },
  {
    name: 'shows each process what was there at first',
    caughtBy: 'shows another process what was delivered, under the same unique-ids',
    parts: () => {
      let first: readonly Entry[] | undefined;
      return {
        entriesOf(box) {
          first ??= [...box.entries];
          return first;
        },
        // The first look is that of the second process, before the delivery.
        boxOf(disk, identity) {
          const box = CORRECT.boxOf(disk, identity);
          first ??= box.entries.slice(0, 2);
          return box;
        },
      };
    },
  },
];

/** A listing with other unique-ids, also with those that a builder refuses. */
function renamedListing(
  listing: MaildropListing,
  rename: (uniqueId: string, messageNumber: number) => string,
): MaildropListing {
  const uniqueIdOf = (messageNumber: number) => rename(listing.uniqueIdOf(messageNumber), messageNumber);
  return changed(listing, { uniqueIdOf });
}

/** A listing that is wrong in one thing. */
function changed(listing: MaildropListing, change: Partial<MaildropListing>): MaildropListing {
  return {
    count: listing.count,
    totalOctets: listing.totalOctets,
    octetsOf: (messageNumber: number) => listing.octetsOf(messageNumber),
    uniqueIdOf: (messageNumber: number) => listing.uniqueIdOf(messageNumber),
    ...change,
  } as MaildropListing;
}

function highestId({ entries }: Box): number {
  return Math.max(0, ...entries.map(({ uniqueId }) => Number(uniqueId.slice('id-'.length))));
}

function hashOf(content: Uint8Array): number {
  return content.reduce((hash, octet) => (Math.imul(hash, 31) + octet) >>> 0, content.length);
}
