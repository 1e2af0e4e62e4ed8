import {
  type CommitOutcome,
  type Identity,
  type Maildrop,
  MaildropListing,
  type MaybePromise,
  type MessageStore,
  type Refusal,
  type StoreContext,
} from '@pop3/core';
import { type Clock, SYSTEM_CLOCK } from './clock.js';
import { stands } from './directory.js';
import type { StoreEvent } from './events.js';
import { type DovecotUniqueId, defaultDovecotUniqueId } from './foreign-ids.js';
import { IndexCache } from './index-cache.js';
import { locate, type MaildirOf, maildirTemplate } from './location.js';
import { type MaildirLock, MaildirLocks } from './lock.js';
import type { MaildirIndex } from './maildir-index.js';
import { MaildirMaildrop } from './maildir-maildrop.js';
import { MessageReader } from './message-reader.js';
import { refreshIndex } from './refresh-index.js';
import { run, type Steps } from './steps.js';

const MIB = 1024 * 1024;

export interface FsStoreOptions {
  /**
   * Where the Maildir of a user is: a template such as `/srv/mail/{user}` or `/srv/mail/{domain}/{local}`, or a
   * function. A template takes only names that pass `safeName`; a function that makes paths of names has to check
   * them itself.
   */
  readonly maildir: string | MaildirOf;
  /** Messages of up to so many octets are read at once, in one piece: 512 KiB by default. */
  readonly readAtOnceOctets?: number;
  /** Memory for what is known of Maildirs that were opened before, in octets: 64 MiB by default. */
  readonly indexOctets?: number;
  /** Whether deletions survive a crash of the host before QUIT is answered: true by default. */
  readonly fsync?: boolean;
  /** The unique-ids of a Dovecot server with another `pop3_uidl_format` than the default, `%08Xu%08Xv`. */
  readonly dovecotUniqueId?: DovecotUniqueId;
  /** Told what an operator may want to know. Must not throw. */
  readonly report?: (event: StoreEvent) => void;
  /** For tests. */
  readonly clock?: Clock;
}

/**
 * Serves Maildirs, as Postfix, Dovecot, Courier, Exim, qmail and procmail write them.
 *
 * Beside the messages it keeps three files in each Maildir: `pop3.lock` while a session has it open, `pop3-sizes`,
 * which may be deleted at any time, and `pop3-uidl`, which holds unique-ids and belongs to the mail.
 *
 * @throws TypeError for a template that cannot be right
 */
export function fsStore(options: FsStoreOptions): MessageStore {
  return new MaildirStore(options);
}

class MaildirStore implements MessageStore {
  readonly #maildirOf: MaildirOf;
  readonly #locks: MaildirLocks;
  readonly #indexes: IndexCache;
  readonly #reader: MessageReader;
  readonly #lasting: boolean;
  readonly #dovecotUniqueId: DovecotUniqueId;
  readonly #report: (event: StoreEvent) => void;

  constructor(options: FsStoreOptions) {
    const { maildir } = options;
    this.#maildirOf = typeof maildir === 'string' ? maildirTemplate(maildir) : maildir;
    this.#locks = new MaildirLocks(options.clock ?? SYSTEM_CLOCK);
    this.#indexes = new IndexCache(options.indexOctets ?? 64 * MIB);
    this.#reader = new MessageReader(options.readAtOnceOctets ?? MIB / 2);
    this.#lasting = options.fsync ?? true;
    this.#dovecotUniqueId = options.dovecotUniqueId ?? defaultDovecotUniqueId;
    this.#report = options.report ?? (() => undefined);
  }

  open(identity: Identity, context: StoreContext): MaybePromise<Maildrop | Refusal> {
    const location = locate(identity, this.#maildirOf);
    if (location === null) return NO_SUCH_MAILDROP;
    const { directory, isFolder } = location;
    const lock = this.#locks.lock(directory);
    if (lock === 'in-use') return IN_USE;
    if (lock === 'absent') return isFolder ? NO_SUCH_MAILDROP : this.#openAbsent(directory);
    if (lock.tookOver !== null) {
      this.#report({ type: 'lock-taken-over', maildir: directory, reason: lock.tookOver });
    }
    return run(this.#openLocked(directory, lock), context);
  }

  *#openLocked(maildir: string, lock: MaildirLock): Steps<Maildrop> {
    let index: MaildirIndex | null = null;
    try {
      const previous = this.#indexes.take(maildir);
      index =
        previous !== null && isCurrent(maildir, previous)
          ? previous
          : yield* this.#refresh(maildir, lock, previous);
      const reader = this.#reader;
      return new MaildirMaildrop({
        maildir,
        lock,
        index,
        reader,
        lasting: this.#lasting,
        report: this.#report,
      });
    } finally {
      // Also when the session has ended meanwhile.
      if (index === null) lock.release();
    }
  }

  *#refresh(maildir: string, lock: MaildirLock, previous: MaildirIndex | null): Steps<MaildirIndex> {
    const dovecotUniqueId = this.#dovecotUniqueId;
    const index = yield* refreshIndex({ maildir, lock, previous, dovecotUniqueId, report: this.#report });
    this.#indexes.put(maildir, index);
    return index;
  }

  /** A user without mail: nothing to read or to delete, and a lock all the same. */
  #openAbsent(directory: string): Maildrop | Refusal {
    if (!this.#locks.lockAbsent(directory)) return IN_USE;
    let held = true;
    return {
      listing: MaildropListing.of([]),
      retrieve: () => 'gone',
      commitDeletes: (): CommitOutcome => ({ removed: 0, failed: 0 }),
      release: () => {
        if (held) this.#locks.releaseAbsent(directory);
        held = false;
      },
    };
  }
}

const IN_USE: Refusal = { type: 'refused', reason: 'in-use' };
const NO_SUCH_MAILDROP: Refusal = { type: 'refused', reason: 'permanent' };

/** Two system calls for a maildrop in which nothing has changed. */
function isCurrent(maildir: string, { current, names }: MaildirIndex): boolean {
  return current && stands(`${maildir}/new`, names.recent) && stands(`${maildir}/cur`, names.cur);
}
