import type { MaybePromise } from '../adapter.js';
import type { ClientCommand } from '../command.js';

/** What a client waits for: the greeting, the first line of an answer, or more of a multi-line response. */
export type Awaited =
  | { readonly type: 'greeting' }
  | { readonly type: 'status' | 'body'; readonly command: ClientCommand };

/** A connection to a server, as far as {@link converse} needs one. */
export interface ClientChannel {
  /**
   * The next octets, which then belong to the session, or null when the server has ended. Rejects when there will be
   * none, such as after a timeout: everything outstanding then rejects with the same error.
   *
   * @param awaited - what for: the same object as long as it is the same wait, so that a clock can be kept
   */
  read(awaited: Awaited): MaybePromise<Uint8Array | null>;
  /** What has come already and was not read; null when nothing has. */
  take(): Uint8Array | null;
  /** Sends these, which are the channel's from now on, without waiting: windows of commands are small. */
  write(octets: Uint8Array): void;
  /**
   * Does the TLS handshake. Rejects when it fails, and also when anything was received in the clear before it: somebody in
   * between would have said it (CVE-2011-0411).
   */
  upgradeTls?(): MaybePromise<void>;
}
