import { type Draft, draft, header, letter } from './draft.js';

/** Octets that programs treat specially: above 0x7F, NUL, control characters, blanks at the end of a line. */
export function octets(): Draft[] {
  const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
  const every = Array.from({ length: 256 }, (_, i) => String.fromCharCode(i)).join('');
  const high = Array.from({ length: 128 }, (_, i) => String.fromCharCode(i + 128)).join('');
  return [
    draft('latin-1', letter('latin-1', 'Gr\xfc\xdfe aus M\xfcnchen\n\xa0\n\xff\n'), '8-bit', 'invalid-utf-8'),
    draft('utf-8', letter('utf-8', utf8('Grüße, 你好, здравствуйте, 🐘\n')), '8-bit'),
    draft('utf-8-crlf', letter('utf-8-crlf', utf8('Grüße, 你好, здравствуйте, 🐘\n'), '\r\n'), '8-bit'),
    draft('utf-8-in-header', `Subject: ${utf8('Grüße 🐘')}\n${header('utf-8-in-header')}\nbody\n`, '8-bit'),
    draft(
      'latin-1-in-header',
      `X-Name: M\xfcller\n${header('latin-1-in-header')}\nbody\n`,
      '8-bit',
      'invalid-utf-8',
    ),
    draft(
      'invalid-utf-8',
      letter('invalid-utf-8', '\xc3\n\xc0\xae\n\xed\xa0\x80\n\xf4\x90\x80\x80\n\xfe\xff\n\x80\x80\n'),
      '8-bit',
      'invalid-utf-8',
    ),
    draft('utf-8-byte-order-mark', `${utf8('\ufeff')}${letter('utf-8-byte-order-mark', 'body\n')}`, '8-bit'),
    draft(
      'high-octets-in-long-line',
      letter('high', `${high.repeat(60)}\n`),
      '8-bit',
      'invalid-utf-8',
      'long-line',
    ),
    draft(
      'every-octet',
      letter('every-octet', `${every}\n${every}`),
      '8-bit',
      'nul',
      'bare-cr',
      'no-final-line-end',
    ),
    draft('every-octet-on-its-own-line', letter('every', every.split('').join('\n')), '8-bit', 'nul'),
    draft('nul-in-body', letter('nul-in-body', 'a\0b\n\0\n\0\0\0\nend\0\n'), 'nul'),
    draft('nul-in-header', `X-Nul: a\0b\n${header('nul-in-header')}\nbody\n`, 'nul'),
    draft('nul-at-end', letter('nul-at-end', 'end\0'), 'nul', 'no-final-line-end'),
    draft('nul-in-thousands', letter('nul-in-thousands', `${'\0'.repeat(9000)}\n`), 'nul', 'long-line'),
    draft(
      'telnet-octets',
      letter('telnet-octets', '\xff\xfb\x01\xff\xff\n\xff\xf4\xff\xfd\x06\n'),
      '8-bit',
      'invalid-utf-8',
    ),
    draft(
      'control-characters',
      letter('control-characters', '\x1a\n\x04\n\x03\x08\x0b\x0c\n\x1b[2J\x7f\n'),
      'ordinary',
    ),
    draft(
      'trailing-spaces',
      letter('trailing-spaces', 'a \nb  \nc\t\n   \n\t\n. \n-- \n'),
      'trailing-spaces',
      'dot',
    ),
    draft(
      'trailing-spaces-crlf',
      letter('trailing', 'a \nb  \nc\t\n   \n. \n', '\r\n'),
      'trailing-spaces',
      'dot',
    ),
    draft(
      'trailing-spaces-at-end',
      letter('trailing-spaces-at-end', 'end   '),
      'trailing-spaces',
      'no-final-line-end',
    ),
    draft(
      'trailing-spaces-in-header',
      `X-Space: a  \nX-Tab: b\t\n${header('trailing')}\nbody\n`,
      'trailing-spaces',
    ),
  ];
}

/** Lines that another program could take for its own: mbox separators, POP3 status lines and commands. */
export function lookalikes(): Draft[] {
  const separator = 'From ada@example.org Fri Mar  1 10:00:00 2024';
  return [
    draft(
      'from-line-in-body',
      letter('from-line-in-body', `text\n\n${separator}\nFrom me to you\n`),
      'from-line',
    ),
    draft(
      'from-line-quoted',
      letter('from-line-quoted', '>From here\n>>From there\n> From\n>.\n'),
      'from-line',
    ),
    draft('from-line-first-in-body', letter('from-line-first-in-body', 'From the start\n'), 'from-line'),
    draft('from-line-last', letter('from-line-last', 'text\nFrom'), 'from-line', 'no-final-line-end'),
    draft(
      'from-line-leads',
      `${separator}\n${letter('from-line-leads', 'left over from an mbox\n')}`,
      'from-line',
    ),
    draft('from-line-quoted-leads', `>${separator}\n${letter('from-line-quoted-leads', 'b\n')}`, 'from-line'),
    draft(
      'status-lines',
      letter('status-lines', '+OK\n-ERR [IN-USE] no\n+ \n+OK 2 320\n1 120\n2 200\n.\n+OK bye\n'),
      'response-lookalike',
      'dot',
    ),
    draft(
      'status-line-leads',
      '+OK this is the message\n.\n-ERR so is this\n',
      'response-lookalike',
      'no-header',
      'dot',
    ),
    draft(
      'commands',
      letter('commands', 'USER ada\nPASS x\nDELE 1\n.\nQUIT\n', '\r\n'),
      'response-lookalike',
      'dot',
    ),
  ];
}

/** Lines longer than anybody's buffer. */
export function longLines(): Draft[] {
  const around = [998, 1000, 2046, 2048, 8190, 8192, 65_536].map((length) =>
    draft(`line-of-${length}`, letter(`line-of-${length}`, `${'x'.repeat(length)}\n.\n`), 'long-line'),
  );
  const megabyte = 1024 * 1024;
  return [
    ...around,
    draft(
      'line-of-1-mb',
      letter('line-of-1-mb', `${'x'.repeat(megabyte)}\nend\n`),
      'megabyte-line',
      'long-line',
    ),
    draft(
      'line-of-1-mb-unfinished',
      letter('line-of-1-mb-unfinished', 'y'.repeat(megabyte), '\r\n'),
      'megabyte-line',
      'long-line',
      'no-final-line-end',
    ),
    draft(
      'line-of-1-mb-of-dots',
      letter('line-of-1-mb-of-dots', `${'.'.repeat(megabyte)}\n`),
      'megabyte-line',
      'dot',
    ),
  ];
}
