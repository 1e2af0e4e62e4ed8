import type { Reply, ReplyTaker } from './converse.js';

/** A message that was asked for before anybody wants it. Nothing is promised to those who do not come for it. */
export class Fetched implements ReplyTaker {
  #reply: Reply | null = null;
  #failure: { readonly error: unknown } | null = null;
  #promise: Promise<Reply> | null = null;
  #awaited: ReplyTaker | null = null;
  #left = false;

  /** Whether nothing more of it can be read, or nobody wants it. */
  get settled(): boolean {
    return (
      this.#left || this.#failure !== null || (this.#reply !== null && this.#reply.body?.settled !== false)
    );
  }

  /** The answer, when it has come. */
  get arrived(): Reply | null {
    return this.#reply;
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
    const body = this.#reply?.body;
    if (body && !body.settled) void body.discard();
  }

  resolve(reply: Reply): void {
    this.#reply = reply;
    if (this.#left) void reply.body?.discard();
    this.#awaited?.resolve(reply);
  }

  reject(error: unknown): void {
    this.#failure = { error };
    this.#awaited?.reject(error);
  }
}
