import type { MessageBody, Pop3Message } from '@pop3/client-node';
import type { MessageFacts } from '../selection.js';

/** Where messages are kept. */
export interface Destination {
  /** For people: `saved in mail`. */
  readonly name: string;
  /** Whether what was stored is still there after a crash, so that the server need not keep it. */
  readonly keeps: boolean;
  /** Whether a message is there already from another time, and need not be fetched again. */
  has(message: MessageFacts): boolean;
  /**
   * Stores a message whole, or leaves nothing of it.
   *
   * @returns the path of its file; null where it has none
   */
  store(message: Pop3Message, body: MessageBody): Promise<string | null>;
  /** Makes all of it last. */
  settle(): Promise<void>;
}
