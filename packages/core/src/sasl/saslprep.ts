import { type CodePointClass, classOf } from './saslprep-tables.js';

const PLAIN_ASCII = /^[\x20-\x7e]*$/;

/**
 * Prepares a user name or a password for comparison (RFC 4013). Null for what SASLprep prohibits: control characters,
 * private use, half a surrogate pair, and directions of writing that mix. The result may be empty.
 *
 * The text is a query in the words of RFC 3454 section 7: code points that Unicode 3.2 has not assigned are taken as they
 * are. RFC 5802 calls passwords stored strings, which may hold none; that would forbid every emoji of later years, and
 * people have passwords of them.
 */
export function saslprep(text: string): string | null {
  if (PLAIN_ASCII.test(text)) return text;
  const prepared = normalized(text);
  const classes = Array.from(prepared, classOf);
  return classes.includes('P') || mixesDirections(classes) ? null : prepared;
}

/**
 * Mapped, then NFKC as Unicode 3.2 has it: what was assigned then keeps its normal form for ever, and what came later
 * stands between it untouched. So an engine that knows more of Unicode makes no other hash of the same password.
 */
function normalized(text: string): string {
  let done = '';
  let assigned = '';
  for (const character of text) {
    const kind = classOf(character);
    if (kind === 'U') {
      done += assigned.normalize('NFKC') + character;
      assigned = '';
    } else if (kind !== 'B') {
      assigned += kind === 'S' ? ' ' : character;
    }
  }
  return done + assigned.normalize('NFKC');
}

/** RFC 3454 section 6: text from right to left begins and ends so, and has nothing from left to right. */
function mixesDirections(classes: readonly CodePointClass[]): boolean {
  return classes.includes('R') && (classes.includes('L') || classes[0] !== 'R' || classes.at(-1) !== 'R');
}

/**
 * A password as SCRAM hashes it (`Normalize` in RFC 5802 section 2.2). Where SASLprep prohibits it, as it is: a
 * client that refuses gains nothing, and a server that refuses locks out who has a control character in a password. Both
 * halves do the same, and so does PostgreSQL; those who prepare nothing hash it so as well.
 */
export function preparedPassword(password: string): string {
  return saslprep(password) || password;
}
