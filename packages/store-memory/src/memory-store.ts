import { type Maildrop, MaildropListing, type MessageStore, wireOctetsOf } from '@pop3/core';

/** A message as it was delivered. It never changes. */
export interface MemoryMessage {
  /** The octets as stored, with any line ends. Only read. */
  readonly content: Uint8Array;
  /** Octets as transmitted: counted once, at delivery, so that no open has to look into a message. */
  readonly octets: number;
}

/** The messages of one user, and who is reading them. */
export interface MemoryMaildrop {
  /** By unique-id, in the order of delivery. */
  readonly messages: Map<string, MemoryMessage>;
  /** Deliveries so far. Never counted down: it makes the unique-ids, and none is given twice. */
  deliveries: number;
  /** The session that holds the lock, or null. */
  holder: symbol | null;
}

export interface MemoryStore extends MessageStore {
  /**
   * Puts a message into a maildrop, at any time, and returns its unique-id.
   *
   * @param message - with any line ends; copied, so the memory stays the caller's
   */
  deliver(maildrop: string, message: Uint8Array): string;
}

/**
 * A store that keeps all messages in memory: for tests and demonstrations, and to be copied by those who write one.
 *
 * @param maildrops - by name. Stores that share a map share messages and locks, as processes share a disk. A map and
 *   not an object: users choose the names, and `__proto__` has to be one like any other.
 */
export function memoryStore(maildrops: Map<string, MemoryMaildrop> = new Map()): MemoryStore {
  return {
    deliver(name, message) {
      const maildrop = maildropNamed(maildrops, name);
      const uniqueId = String(++maildrop.deliveries);
      const content = message.slice();
      maildrop.messages.set(uniqueId, { content, octets: wireOctetsOf(content) });
      return uniqueId;
    },

    // A maildrop belongs to Identity.maildrop; who logged in does not matter here.
    open({ maildrop: name }) {
      const maildrop = maildropNamed(maildrops, name);
      // Nothing may happen between asking for the lock and taking it: no await.
      if (maildrop.holder !== null) return { type: 'refused', reason: 'in-use' };
      return openedMaildrop(maildrop);
    },
  };
}

/** Locks a maildrop that is free. */
function openedMaildrop(maildrop: MemoryMaildrop): Maildrop {
  const session = Symbol('session');
  maildrop.holder = session;
  const { messages } = maildrop;

  // Message numbers mean what they meant at the open, whatever is delivered or removed meanwhile: keep the key of
  // each message, never its place.
  const uniqueIds = [...messages.keys()];
  const listing = MaildropListing.builder(uniqueIds.length);
  for (const [uniqueId, { octets }] of messages) listing.add(octets, uniqueId);

  return {
    listing: listing.build(),

    retrieve(messageNumber) {
      return messages.get(uniqueIds[messageNumber - 1] as string)?.content ?? 'gone';
    },

    commitDeletes(deletions) {
      let removed = 0;
      let failed = 0;
      for (const messageNumber of deletions) {
        // A map does not fail; what you put in its place may, and one failure must not keep the others from going.
        try {
          messages.delete(uniqueIds[messageNumber - 1] as string);
          removed++; // Also when it was gone already.
        } catch {
          failed++;
        }
      }
      return { removed, failed };
    },

    release() {
      // Only its own lock: a session that releases twice must not free the maildrop of the next one.
      if (maildrop.holder === session) maildrop.holder = null;
    },
  };
}

/** The maildrop of a user, who has one from the first time anybody asks for it. */
function maildropNamed(maildrops: Map<string, MemoryMaildrop>, name: string): MemoryMaildrop {
  const known = maildrops.get(name);
  if (known !== undefined) return known;
  const created: MemoryMaildrop = { messages: new Map(), deliveries: 0, holder: null };
  maildrops.set(name, created);
  return created;
}
