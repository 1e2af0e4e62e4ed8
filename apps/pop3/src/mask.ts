const HIDDEN = '***';
/** Shorter ones are parts of other words, too: they are hidden where they are words of their own. */
const LEAST_PART = 4;
/** Less of base64 is part of other words, too. */
const LEAST_ENCODED = 6;

/** Hides secrets in texts for people. The client never shows one, but a server may repeat what it was sent. */
export class Mask {
  readonly #patterns: RegExp[] = [];

  /** From now on hidden: as it is, and in base64. */
  hide(secret: string): void {
    if (secret === '') return;
    const literal = escaped(secret);
    const pattern = secret.length < LEAST_PART ? `(?<![\\p{L}\\p{N}])${literal}(?![\\p{L}\\p{N}])` : literal;
    const forms = [pattern, ...encoded(secret).map(escaped)];
    this.#patterns.push(new RegExp(forms.join('|'), 'gu'));
  }

  /** The text with `***` for each secret. */
  masked(text: string): string {
    return this.#patterns.reduce((shown, pattern) => shown.replace(pattern, HIDDEN), text);
  }
}

/** What base64 makes of it within something longer, wherever in a group of three octets it begins. */
function encoded(secret: string): string[] {
  const forms = [0, 1, 2].map((before) => {
    const text = Buffer.from('\0'.repeat(before) + secret)
      .toString('base64')
      .replace(/=+$/, '');
    // The first and the last characters depend on what stands beside.
    return text.slice(before === 0 ? 0 : before + 1, -1);
  });
  return forms.filter((form) => form.length >= LEAST_ENCODED);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
