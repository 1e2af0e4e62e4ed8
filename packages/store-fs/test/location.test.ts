import { describe, expect, it } from 'vitest';
import { locate, maildirTemplate } from '../src/location.js';

function directoryOf(template: string, maildrop: string): string | undefined {
  return locate({ maildrop, username: 'someone' }, maildirTemplate(template))?.directory;
}

describe('a template', () => {
  it.each([
    ['/srv/mail/{user}', 'ann', '/srv/mail/ann'],
    ['/srv/mail/{user}/Maildir', 'ann@example.org', '/srv/mail/ann@example.org/Maildir'],
    ['/srv/{domain}/{local}', 'ann@example.org', '/srv/example.org/ann'],
    ['/srv/{domain}/{local}', 'a@b@example.org', '/srv/example.org/a@b'],
    ['/home/{local}/Maildir', 'ann@example.org', '/home/ann/Maildir'],
    ['/home/{local}/Maildir', 'ann', '/home/ann/Maildir'],
  ])('%s has for %s the Maildir %s', (template, maildrop, directory) => {
    expect(directoryOf(template, maildrop)).toBe(directory);
  });

  it.each([
    ['/srv/{user}', '..'],
    ['/srv/{user}', ''],
    ['/srv/{domain}/{local}', 'ann'],
    ['/srv/{domain}/{local}', 'ann@..'],
    ['/srv/{domain}/{local}', '..@example.org'],
    ['/srv/{domain}/{local}', '.@example.org'],
    ['/srv/{domain}/{local}', 'ann@'],
    ['/srv/{domain}/{local}', '@example.org'],
    ['/srv/{domain}/{local}', 'ann@\uff0e\uff0e'],
  ])('%s has none for %j', (template, maildrop) => {
    expect(directoryOf(template, maildrop)).toBeUndefined();
  });

  it.each(['/srv/mail', '/srv/{domain}'])('%s is refused: it is the same for all users', (template) => {
    expect(() => maildirTemplate(template)).toThrow(/all users/);
  });

  it('is refused with a word that means nothing', () => {
    expect(() => maildirTemplate('/srv/{name}/{user}')).toThrow(
      '{name} is none of {user}, {local} and {domain}.',
    );
  });
});

describe('a folder', () => {
  it.each([
    ['ann/Archive', '/srv/ann/.Archive'],
    ['ann/Archive.2024', '/srv/ann/.Archive.2024'],
    ['ann@example.org/Sent', '/srv/ann@example.org/.Sent'],
    ['ann/Entw&APw-rfe', '/srv/ann/.Entw&APw-rfe'],
  ])('%s is %s', (maildrop, directory) => {
    expect(directoryOf('/srv/{user}', maildrop)).toBe(directory);
  });

  it.each([
    'ann/',
    'ann/.',
    'ann/..',
    'ann/../bob',
    'ann/./x',
    'ann/.Archive',
    'ann/Archive.',
    'ann/Archive..2024',
    'ann/Archive/2024',
    'ann/Archive\\2024',
    'ann/Archive\u2024',
    '/Archive',
    '/',
    '../Archive',
  ])('%j is none', (maildrop) => {
    expect(directoryOf('/srv/{user}', maildrop)).toBeUndefined();
  });

  it('is found beside a Maildir that a function gives', () => {
    const asked: string[] = [];
    const location = locate({ maildrop: 'ann/Archive', username: 'bob' }, ({ maildrop, username }) => {
      asked.push(maildrop, username);
      return '/home/ann/mail';
    });
    expect(location).toEqual({ directory: '/home/ann/mail/.Archive', isFolder: true });
    expect(asked).toEqual(['ann', 'bob']);
  });
});
