import { describe, expect, it } from 'vitest';
import { maildirsOf } from '../src/maildir-template.js';

describe('maildirsOf', () => {
  it.each([
    ['/srv/mail/{user}', 'ann', '/srv/mail/ann'],
    ['/srv/mail/{user}/Maildir', 'ann@example.org', '/srv/mail/ann@example.org/Maildir'],
    ['/srv/{domain}/{local}', 'ann@example.org', '/srv/example.org/ann'],
    ['/srv/{local}', 'ann', '/srv/ann'],
    ['/srv/{domain}/{local}', 'ann', null],
    ['/srv/{domain}/{local}', 'ann@..', null],
    ['/srv/{local}', '..@example.org', null],
    ['/srv/{local}', '@example.org', null],
    ['/srv/{user}', '..', null],
    ['/srv/{user}', 'a/b', null],
    ['/srv/{user}', 'a\0b', null],
    ['/srv/{user}', '', null],
    ['/srv/{user}', '.ssh', null],
    ['/srv/{user}', '\uff0e\uff0e', null],
  ])('makes of %s and %j the path %j', (template, user, path) => {
    expect(maildirsOf(template)({ maildrop: user, username: user })).toBe(path);
  });

  it.each([
    ['/srv/mail', /all users would have the same Maildir/],
    ['/srv/{domain}', /all users would have the same Maildir/],
    ['/srv/{name}', /\{name\} is none of \{user\}, \{local\} and \{domain\}/],
    ['/srv/{}', /\{\} is none of/],
  ])('refuses the template %s', (template, message) => {
    expect(() => maildirsOf(template)).toThrow(message);
  });
});
