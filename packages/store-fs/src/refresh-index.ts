import { arrange } from './arrange.js';
import { type Directory, readDirectory } from './directory.js';
import type { StoreEvent } from './events.js';
import type { DovecotUniqueId } from './foreign-ids.js';
import { listMessages } from './list-messages.js';
import type { MaildirLock } from './lock.js';
import { KNOWN, type MaildirIndex } from './maildir-index.js';
import type { MessageNames } from './message-names.js';
import { findSizes, type Sizes } from './sizes.js';
import type { Steps } from './steps.js';

/** A Maildir that others change all the time is taken as it was seen the last time. */
const MAX_ATTEMPTS = 4;

export interface RefreshWanted {
  readonly maildir: string;
  /** Held by the caller. */
  readonly lock: MaildirLock;
  readonly previous: MaildirIndex | null;
  readonly dovecotUniqueId: DovecotUniqueId;
  readonly report: (event: StoreEvent) => void;
}

/** Indexes a Maildir, with as little work as what is known of it before allows. */
export function* refreshIndex(wanted: RefreshWanted): Steps<MaildirIndex> {
  const { maildir, lock, previous, report } = wanted;
  let recent: Directory | null = previous?.names.recent ?? null;
  let cur: Directory | null = previous?.names.cur ?? null;
  for (let attempt = 1; ; attempt++) {
    // `new` first: a message that moves to `cur` meanwhile is seen twice rather than never.
    recent = yield* readDirectory(`${maildir}/new`, recent, lock.fileSystemTimeNs);
    cur = yield* readDirectory(`${maildir}/cur`, cur, lock.fileSystemTimeNs);
    if (previous?.current && recent === previous.names.recent && cur === previous.names.cur) return previous;
    const arranged = arrange(maildir, cur, recent, report);
    const isLast = attempt === MAX_ATTEMPTS;
    if (arranged === 'changed') {
      if (isLast) throw new Error(`${maildir} has messages with the same name again and again`);
      continue;
    }
    const found = yield* findSizes(maildir, arranged, previous, report);
    // A rename in the moment of reading can hide a message. It shows when names were not read in peace, and a message
    // is missing that was there before.
    const unsure = found.missing > 0 && !(cur.settled && recent.settled);
    if (!isLast && (found.vanished > 0 || unsure)) continue;
    const { names, sizes } = onlyKnown(arranged, found);
    const listed = yield* listMessages({ ...wanted, names, sizes });
    const { stored, wire, facts } = sizes;
    return { names, stored, wire, facts, ...listed, current: found.leftOut === 0 };
  }
}

/** Without the messages whose size could not be found out. */
function onlyKnown(names: MessageNames, sizes: Sizes): { names: MessageNames; sizes: Sizes } {
  if (sizes.facts.every((fact) => (fact & KNOWN) !== 0)) return { names, sizes };
  const isKnown = (message: number) => ((sizes.facts[message] as number) & KNOWN) !== 0;
  return {
    names: names.without((message) => !isKnown(message)),
    sizes: {
      ...sizes,
      stored: sizes.stored.filter((_, message) => isKnown(message)),
      wire: sizes.wire.filter((_, message) => isKnown(message)),
      before: sizes.before.filter((_, message) => isKnown(message)),
      listedBefore: sizes.listedBefore.filter((_, message) => isKnown(message)),
      facts: sizes.facts.filter((_, message) => isKnown(message)),
    },
  };
}
