import { APP_PASSWORD_FIELD, type AppPassword, networksIn, parseAppPassword } from './app-password.js';
import type { PasswdEntry } from './passwd-file.js';
import type { UserRecord } from './user-record.js';

/** A line of a users file as a record, and what in it cannot be used. */
export interface PasswdRecord {
  readonly record: UserRecord;
  readonly appPasswords: readonly AppPassword[];
  /** As clauses, without a password. */
  readonly problems: readonly string[];
}

/**
 * The user of a line. Of Dovecot's extra fields, those are read that narrow who may log in, or from where; what cannot be
 * obeyed bars the user. An empty password is as in /etc/shadow: an account for delivery only, and for its app passwords.
 */
export function recordOf({ name, password, extra }: PasswdEntry): PasswdRecord {
  const problems: string[] = [];
  const appPasswords = new Map<string, AppPassword>();
  let networks: readonly string[] | undefined;
  let disabled = false;
  let barred = false;
  const bar = (problem: string): void => {
    problems.push(problem);
    barred = true;
  };
  for (const field of extra.split(/\s+/)) {
    const [, key = '', value = ''] = /^([^=]*)=?(.*)$/s.exec(field) ?? [];
    switch (key) {
      case 'allow_nets':
        // Of two, nobody can tell which was meant.
        if (networks !== undefined) bar('the field allow_nets is there twice');
        networks = networksIn(value);
        break;
      case 'allow_real_nets':
        bar('the field allow_real_nets is not supported');
        break;
      case 'nologin':
        disabled = true;
        break;
      case 'nopassword':
        bar('the field nopassword is not supported');
        break;
      case APP_PASSWORD_FIELD: {
        const parsed = parseAppPassword(value);
        if (typeof parsed === 'string') problems.push(parsed);
        else if (appPasswords.has(parsed.label))
          problems.push(`two app passwords are called ${parsed.label}; the first wins`);
        else appPasswords.set(parsed.label, parsed);
      }
    }
  }
  const main = password === '' ? [] : [{ stored: password }];
  const record: UserRecord = {
    name,
    passwords: barred ? [] : [...main, ...appPasswords.values()],
    disabled,
    ...(networks !== undefined && { networks }),
  };
  return { record, appPasswords: [...appPasswords.values()], problems };
}
