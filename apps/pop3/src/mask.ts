import { withoutSecrets } from '@pop3/core/driver';

/** Hides secrets in texts for people. The client never shows one, but a server may repeat what it was sent. */
export class Mask {
  readonly #secrets: string[] = [];

  /** From now on hidden: as it is, and in base64. */
  hide(secret: string): void {
    this.#secrets.push(secret);
  }

  /** The text with `***` for each secret. */
  masked(text: string): string {
    return withoutSecrets(text, this.#secrets);
  }
}
