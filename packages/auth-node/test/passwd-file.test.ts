import { describe, expect, it } from 'vitest';
import { parsePasswdFile, problemOfName } from '../src/passwd-file.js';

describe('parsePasswdFile', () => {
  it('takes all eight fields, with colons in the last', () => {
    const { entries, problems } = parsePasswdFile(
      'ann:{PLAIN}secret:1000:1001:Ann Lee:/home/ann:/bin/sh:userdb_mail=maildir:/srv/ann quota=1\n',
    );
    expect(problems).toEqual([]);
    expect(entries).toEqual([
      {
        name: 'ann',
        password: '{PLAIN}secret',
        uid: '1000',
        gid: '1001',
        gecos: 'Ann Lee',
        home: '/home/ann',
        shell: '/bin/sh',
        extra: 'userdb_mail=maildir:/srv/ann quota=1',
        line: 1,
      },
    ]);
  });

  it.each([
    ['LF', 'ann:{PLAIN}a\nbob:{PLAIN}b\n'],
    ['CRLF', 'ann:{PLAIN}a\r\nbob:{PLAIN}b\r\n'],
    ['no last line end', 'ann:{PLAIN}a\nbob:{PLAIN}b'],
    ['a byte order mark', '\uFEFFann:{PLAIN}a\nbob:{PLAIN}b\n'],
    ['comments and blank lines', '# users\n\nann:{PLAIN}a\n  \n#bob:{PLAIN}x\nbob:{PLAIN}b\n'],
  ])('reads a file with %s', (_what, text) => {
    const { entries, problems } = parsePasswdFile(text);
    expect(problems).toEqual([]);
    expect(entries.map(({ name, password }) => `${name} ${password}`)).toEqual([
      'ann {PLAIN}a',
      'bob {PLAIN}b',
    ]);
  });

  it('reports bad lines with their numbers, leaves them out and reads on', () => {
    const text = [
      'ann:{PLAIN}a',
      'no colon here',
      ':{PLAIN}nobody',
      'ann:{PLAIN}again',
      'tab\there:{PLAIN}x',
      `${'x'.repeat(256)}:{PLAIN}x`,
      'b\uFFFDb:{PLAIN}x',
      'cy:{PLAIN}c',
    ].join('\n');
    const { entries, problems } = parsePasswdFile(text);
    expect(entries.map(({ name, line }) => [name, line])).toEqual([
      ['ann', 1],
      ['cy', 8],
    ]);
    expect(problems.map(({ line, message }) => ({ line, message }))).toEqual([
      { line: 2, message: 'there is no colon after the name' },
      { line: 3, message: 'the name is empty' },
      { line: 4, message: 'line 1 has the same name and wins' },
      { line: 5, message: 'a name cannot hold a control character' },
      { line: 6, message: 'a name has at most 255 octets' },
      { line: 7, message: 'the line is not UTF-8' },
    ]);
    expect(problems[2]?.name).toBe('ann');
  });
});

describe('problemOfName', () => {
  it.each(['ann', 'ann@example.org', 'ann lee', 'jörg', '__proto__', `${'é'.repeat(127)}x`])(
    'takes %j',
    (name) => {
      expect(problemOfName(name)).toBeNull();
    },
  );

  it.each(['', ' ann', 'ann ', 'a:b', '#ann', 'a\nb', 'a\0b', 'é'.repeat(128)])('refuses %j', (name) => {
    expect(problemOfName(name)).not.toBeNull();
  });
});
