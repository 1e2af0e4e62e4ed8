/** What a login name of SDPS asks for. */
export interface SdpsLogin {
  /** The account, whose password it takes. */
  readonly host: string;
  /** Whose mail in it; null for all of it. */
  readonly user: string | null;
}

/**
 * Reads a login name: `user@host` and `host+user` are the mail for one user of an account, a bare `host` is all of it.
 * A name with nothing before or behind the mark is a bare one.
 */
export function sdpsLogin(name: string): SdpsLogin {
  // The user may hold either mark itself, as in ann+lists@host; a host holds none.
  const at = name.lastIndexOf('@');
  if (at > 0 && at < name.length - 1) return { host: name.slice(at + 1), user: name.slice(0, at) };
  const plus = name.indexOf('+');
  if (at === -1 && plus > 0 && plus < name.length - 1) {
    return { host: name.slice(0, plus), user: name.slice(plus + 1) };
  }
  return { host: name, user: null };
}
