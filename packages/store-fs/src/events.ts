import type { TakeOver } from './lock.js';

/** What an operator may want to know of a store. Nothing here is for the peer: there are paths in it. */
export type StoreEvent =
  /** A message file cannot be read and is in no listing until it can be. */
  | {
      readonly type: 'message-left-out';
      readonly maildir: string;
      readonly name: string;
      readonly error: Error;
    }
  /** A size from a name, or of a file that was changed, proved wrong: the next session lists the right one. */
  | {
      readonly type: 'size-corrected';
      readonly maildir: string;
      readonly name: string;
      readonly listedOctets: number;
      readonly octets: number;
    }
  /** Two messages had the same name, and one was given a new one. */
  | {
      readonly type: 'duplicate-renamed';
      readonly maildir: string;
      readonly from: string;
      readonly to: string;
    }
  /** The unique-ids that another server gave have been taken over into `pop3-uidl`. */
  | {
      readonly type: 'unique-ids-imported';
      readonly maildir: string;
      readonly server: 'dovecot' | 'courier';
      readonly count: number;
    }
  /** The file with unique-ids could not be written. They hold for this session and are found again in the next. */
  | { readonly type: 'unique-ids-not-written'; readonly maildir: string; readonly error: Error }
  /** A message could not be deleted. */
  | { readonly type: 'delete-failed'; readonly maildir: string; readonly name: string; readonly error: Error }
  /** The holder of a lock had died, or had not renewed it in time. */
  | { readonly type: 'lock-taken-over'; readonly maildir: string; readonly reason: TakeOver };
