import type { Reply, ReplyTaker } from './converse.js';
import type { BodyReader } from './message.js';

/** A message that was asked for before anybody wants it. Nothing is promised to those who do not come for it. */
export class Fetched implements ReplyTaker {
  #reply: Reply | null = null;
  #failure: { readonly error: unknown } | null = null;
  #promise: Promise<Reply> | null = null;
  #awaited: ReplyTaker | null = null;
  #reader: BodyReader | null = null;
  #left = false;

  /** The answer, when it has come. */
  get arrived(): Reply | null {
    return this.#reply;
  }

  /** Whether somebody reads it, or has. */
  get taken(): boolean {
    return this.#reader !== null;
  }

  /** Whether nothing more of it can be read, or its reader has left. */
  get settled(): boolean {
    if (this.#reader?.left) return true;
    if (this.#reply === null) return this.#failure !== null;
    return this.#reply.body?.settled ?? true;
  }

  /** An answer is read once: whether nobody has come for it before, and it is still to be had. */
  take(reader: BodyReader): boolean {
    if (this.taken || this.#left) return false;
    this.#reader = reader;
    return true;
  }

  /** Waits for the answer. */
  reply(): Promise<Reply> {
    if (this.#reply !== null) return Promise.resolve(this.#reply);
    if (this.#failure !== null) return Promise.reject(this.#failure.error);
    this.#promise ??= new Promise((resolve, reject) => {
      this.#awaited = { resolve, reject };
    });
    return this.#promise;
  }

  /** Drops what was not read of it: it is of no use to anybody any more. */
  leave(): void {
    this.#left = true;
    this.#reply?.body?.abandon();
  }

  resolve(reply: Reply): void {
    this.#reply = reply;
    if (this.#left) reply.body?.abandon();
    this.#awaited?.resolve(reply);
  }

  reject(error: unknown): void {
    this.#failure = { error };
    this.#awaited?.reject(error);
  }
}
