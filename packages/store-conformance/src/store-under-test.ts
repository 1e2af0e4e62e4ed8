import type { Identity, MaybePromise, MessageStore } from '@pop3/core';

/** A store with the messages of one case in it. Add what your hooks need: they get the same object. */
export interface StoreUnderTest {
  readonly store: MessageStore;
  /** Who opens the maildrop that holds the seed. */
  readonly identity: Identity;
  /** Undoes all that `open` did. Called once at the end of the case, also of a failed one. */
  cleanup?(): MaybePromise<unknown>;
}

/**
 * How the kit reaches a store. Only `open` has to be there. Every other function is a hook that lets more cases run;
 * a case whose hook is missing is reported as skipped, with the name of the hook.
 *
 * Hooks do what another program does, beside the store and without its lock. A `position` is 1-based and means the
 * place in the seed, whatever number the store gives to that message.
 */
export interface StoreConformanceOptions<T extends StoreUnderTest> {
  /**
   * Makes a fresh store whose maildrop of `identity` holds the messages of `seed`, delivered in this order, and in
   * which nobody else has a message. The arrays are shared between cases: only read them.
   */
  open(seed: readonly Uint8Array[]): MaybePromise<T>;
  /** Delivers one more message into the maildrop of `identity`, as a mail transfer agent does. */
  deliver?(opened: T, message: Uint8Array): MaybePromise<unknown>;
  /** Removes a message of the seed, as another mail program does. */
  removeBehind?(opened: T, position: number): MaybePromise<unknown>;
  /** Makes the removal of these messages of the seed fail until `cleanup`. They stay readable. Others may fail too. */
  failDeletes?(opened: T, positions: readonly number[]): MaybePromise<unknown>;
  /** Gives a store on the same data as after a restart of the program. The one before is not used again. */
  reopen?(opened: T): MaybePromise<MessageStore>;
  /** Gives one more store on the same data, as in another process. Both are used from then on. */
  secondStore?(opened: T): MaybePromise<MessageStore>;
  /** Another user, who has no mail. By default the maildrop and user name of `identity` with `other-` before them. */
  otherIdentity?(opened: T): Identity;
  /**
   * How many messages the large maildrop has: 100 000 by default. Lower it for a store that takes long to fill; below
   * 10 000 the bound on memory says little.
   */
  readonly scale?: number;
  /**
   * How much memory an open maildrop may hold, in octets for each message: 320 by default. It covers a listing with
   * unique-ids of 70 octets and a name of 150 octets for each message, but no parsed headers and no bodies. What an
   * open needs in passing is not measured.
   */
  readonly heapOctetsPerMessage?: number;
  /**
   * Milliseconds that one case may take, 30 000 by default; those of the large maildrop get ten times as many.
   * A store that does not answer within half of it waits where it has to answer at once.
   */
  readonly timeoutMs?: number;
}

/** The hooks that some cases need. */
export type Hook = 'deliver' | 'removeBehind' | 'failDeletes' | 'reopen' | 'secondStore';
