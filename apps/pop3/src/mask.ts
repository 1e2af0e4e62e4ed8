/**
 * Hides secrets in texts for people. The client never shows one, but a server may repeat what it was sent.
 */
export class Mask {
  readonly #forms = new Set<string>();

  /** From now on hidden: as it is, and in base64. */
  hide(secret: string): void {
    if (secret === '') return;
    this.#forms.add(secret);
    for (let shift = 0; shift < 3; shift++) {
      // Within the base64 of something longer: what depends on neighbours is left out.
      const form = Buffer.from('\0'.repeat(shift) + secret)
        .toString('base64')
        .replace(/=+$/, '');
      const inner = form.slice(shift === 0 ? 0 : shift + 1, -1);
      // A short one would hide parts of words that have nothing to do with it.
      if (inner.length >= 8) this.#forms.add(inner);
    }
  }

  /** The text with `***` for each secret. */
  masked(text: string): string {
    let masked = text;
    for (const form of this.#forms) masked = masked.replaceAll(form, '***');
    return masked;
  }
}
