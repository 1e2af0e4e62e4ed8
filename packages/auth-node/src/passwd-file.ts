import { preparedName } from './prepared-name.js';

/** One line of Dovecot's passwd-file format: `name:{SCHEME}data:uid:gid:gecos:home:shell:extra`. */
export interface PasswdEntry {
  readonly name: string;
  /** `{SCHEME}data`, or data alone; empty for a user who cannot log in. */
  readonly password: string;
  readonly uid: string;
  readonly gid: string;
  readonly gecos: string;
  readonly home: string;
  readonly shell: string;
  /** Dovecot's extra fields, `key=value` with spaces between. */
  readonly extra: string;
  /** 1-based. */
  readonly line: number;
}

/** A line that was left out, and why. Its message holds no password. */
export interface PasswdProblem {
  /** 1-based. */
  readonly line: number;
  /**
   * What stands in place of the name: `updateUsersFile` changes such a line as one of this user. Not to be shown: in a line
   * without a colon it is anything.
   */
  readonly name: string;
  readonly message: string;
}

export interface PasswdFile {
  /** In the order of the file, each name once. */
  readonly entries: readonly PasswdEntry[];
  readonly problems: readonly PasswdProblem[];
}

/** RFC 1939 lets a line of a command have 255 octets (RFC 2449 section 4); a name is less than that. */
const MAX_NAME_OCTETS = 255;

/** Reads the lines of a users file. Blank lines and those that start with `#` are comments. */
export function parsePasswdFile(text: string): PasswdFile {
  const entries: PasswdEntry[] = [];
  const problems: PasswdProblem[] = [];
  const firstLineOf = new Map<string, number>();
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  for (const [index, withEnd] of lines.entries()) {
    const line = index + 1;
    const content = withEnd.endsWith('\r') ? withEnd.slice(0, -1) : withEnd;
    if (isComment(content)) continue;
    const entry = parseLine(content, line);
    const problem = typeof entry === 'string' ? entry : duplicateProblem(entry, firstLineOf);
    if (problem !== null) {
      problems.push({ line, name: content.split(':', 1)[0] as string, message: problem });
      continue;
    }
    entries.push(entry as PasswdEntry);
  }
  return { entries, problems };
}

export function isComment(line: string): boolean {
  return line.startsWith('#') || line.trim() === '';
}

/** What forbids a name in a users file, as a clause, or null for a good one. */
export function problemOfName(name: string): string | null {
  if (name === '') return 'the name is empty';
  if (name.includes(':')) return 'a name cannot hold a colon';
  if (name.startsWith('#')) return 'a name cannot start with #, which starts a comment';
  if (name !== name.trim()) return 'a name cannot start or end with a space';
  if (/\p{Cc}/u.test(name)) return 'a name cannot hold a control character';
  if (name.includes('\uFFFD')) return 'the line is not UTF-8';
  if (Buffer.byteLength(name) > MAX_NAME_OCTETS) return `a name has at most ${MAX_NAME_OCTETS} octets`;
  return null;
}

function parseLine(content: string, line: number): PasswdEntry | string {
  if (!content.includes(':')) return 'there is no colon after the name';
  if (content.includes('\uFFFD')) return 'the line is not UTF-8';
  const [name = '', password = '', uid = '', gid = '', gecos = '', home = '', shell = '', ...extra] =
    content.split(':');
  const problem = problemOfName(name);
  if (problem !== null) return problem;
  return {
    name,
    password,
    uid,
    gid,
    gecos,
    home,
    shell,
    // Extra fields may hold colons themselves, such as userdb_mail=maildir:/srv/mail/ann.
    extra: extra.join(':'),
    line,
  };
}

// Dovecot takes the first entry of a name as well.
function duplicateProblem(entry: PasswdEntry, firstLineOf: Map<string, number>): string | null {
  const name = preparedName(entry.name);
  const first = firstLineOf.get(name);
  if (first !== undefined) return `line ${first} has the same name and wins`;
  firstLineOf.set(name, entry.line);
  return null;
}
