/** What the name of a message file in a Maildir says. Octets beyond ASCII are Latin-1 characters here. */
export interface MaildirName {
  /** The name up to the flags. It stays for as long as the message does: programs that set flags change what follows. */
  readonly base: string;
  /** The part of `base` before the first comma. No two messages of a Maildir should share it. */
  readonly unique: string;
  /** When the message was delivered, in seconds since 1970; 0 when the name does not say. */
  readonly seconds: number;
  /** 0 to 999 999; 0 when the name does not say. */
  readonly microseconds: number;
  /** `,S=`: octets of the file, or null. */
  readonly storedOctets: number | null;
  /** `,W=`: octets with every line end as CRLF, or null. What POP3 lists, unless the last line has no end. */
  readonly wireOctets: number | null;
  /** After `:2,`: standard flags such as `S` for seen, in upper case, and keywords. Empty without that part. */
  readonly flags: string;
}

/** Above this, seconds and microseconds would not fit together into an exact number. Some 280 years from now. */
const MAX_SECONDS = 9_000_000_000;
const INFO = ':2,';

/**
 * Reads the name of a message file, as qmail, Postfix, Dovecot, Courier, Exim and procmail form it. Every string is a
 * name; what it does not say is 0 or null.
 *
 * @see https://cr.yp.to/proto/maildir.html
 */
export function parseMaildirName(name: string): MaildirName {
  const base = baseOf(name);
  const comma = base.indexOf(',');
  const unique = comma === -1 ? base : base.slice(0, comma);
  return {
    base,
    unique,
    seconds: secondsOf(unique),
    microseconds: microsecondsOf(unique),
    storedOctets: comma === -1 ? null : hint(base, ',S=', comma),
    wireOctets: comma === -1 ? null : hint(base, ',W=', comma),
    flags: name.startsWith(INFO, base.length) ? name.slice(base.length + INFO.length) : '',
  };
}

/** The name of a message file without its flags. */
export function baseOf(name: string): string {
  const info = name.indexOf(':');
  return info === -1 ? name : name.slice(0, info);
}

/**
 * When a message arrived, in microseconds since 1970, for the order of a maildrop.
 *
 * @param unique - the part of the name before any comma and flags
 */
export function arrivalOf(unique: string): number {
  return secondsOf(unique) * 1_000_000 + microsecondsOf(unique);
}

function secondsOf(unique: string): number {
  return Math.min(digitsAt(unique, 0), MAX_SECONDS);
}

/**
 * `M` and decimal digits in the part between the first two dots, which also holds numbers after other letters, some
 * of them hexadecimal with letters up to `F`. Exim writes `H` and the microseconds first in that part instead.
 */
function microsecondsOf(unique: string): number {
  const start = unique.indexOf('.') + 1;
  if (start === 0) return 0;
  const dot = unique.indexOf('.', start);
  const end = dot === -1 ? unique.length : dot;
  const mark = unique[start] === 'H' ? start : unique.indexOf('M', start);
  return mark === -1 || mark >= end ? 0 : Math.min(digitsAt(unique, mark + 1), 999_999);
}

function hint(base: string, key: string, from: number): number | null {
  const at = base.indexOf(key, from);
  if (at === -1) return null;
  const start = at + key.length;
  const comma = base.indexOf(',', start);
  const digits = base.slice(start, comma === -1 ? base.length : comma);
  return /^\d{1,15}$/.test(digits) ? Number(digits) : null;
}

/** The decimal number at a position, cut at 15 digits; 0 when there is none. */
function digitsAt(text: string, at: number): number {
  let value = 0;
  for (let i = at; i < at + 15; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
  }
  return value;
}
