import type { Reply, ReplyBody } from '@pop3/core/driver';

/** A message that was asked for before anybody wants it. */
export class Fetched {
  readonly reply: Promise<Reply>;
  #body: ReplyBody | null = null;
  #left = false;

  constructor(reply: Promise<Reply>) {
    this.reply = reply;
    // A refusal is told to whoever reads the body.
    reply.then(this.#arrived, () => {});
  }

  /** Drops what was not read of it: it is of no use to anybody any more. */
  leave(): void {
    this.#left = true;
    if (this.#body !== null && !this.#body.settled) this.#body.return();
  }

  readonly #arrived = ({ body }: Reply): void => {
    this.#body = body;
    if (this.#left) body?.return();
  };
}
