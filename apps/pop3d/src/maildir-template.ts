import { type MaildirOf, safeName } from '@pop3/store-fs';
import { EXIT, Failure } from './failure.js';

const WORDS = ['user', 'local', 'domain'];

/**
 * Where the Maildir of a user is, by a template such as `/srv/mail/{user}` or `/srv/mail/{domain}/{local}`: `{user}` is
 * the whole name, `{local}` what is before its last `@`, `{domain}` what is after it. Null for a name that has no such
 * part, or one that must not become part of a path.
 *
 * @throws Failure for a template that cannot be right
 */
export function maildirsOf(template: string): MaildirOf {
  const parts = template.split(/\{([^{}]*)\}/);
  const words = parts.filter((_, index) => index % 2 === 1);
  const unknown = words.find((word) => !WORDS.includes(word));
  if (unknown !== undefined) throw wrong(template, `{${unknown}} is none of {user}, {local} and {domain}`);
  if (!words.includes('user') && !words.includes('local')) {
    throw wrong(template, 'without {user} or {local} all users would have the same Maildir');
  }
  return ({ maildrop }) => {
    if (!safeName(maildrop)) return null;
    const names = parts.map((part, index) => (index % 2 === 0 ? part : namePart(part, maildrop)));
    return names.includes(null) ? null : names.join('');
  };
}

function namePart(word: string, user: string): string | null {
  const at = user.lastIndexOf('@');
  if (word === 'user' || (word === 'local' && at === -1)) return user;
  if (at === -1) return null;
  const part = word === 'local' ? user.slice(0, at) : user.slice(at + 1);
  return safeName(part) ? part : null;
}

function wrong(template: string, why: string): Failure {
  return new Failure(EXIT.badConfiguration, `store.maildir: ${template} cannot be used: ${why}`);
}
