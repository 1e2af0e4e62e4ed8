import { type Draft, draft, header, letter } from './draft.js';

/** Messages that lack something: octets, a header, a body, a blank line, a last line end. */
export function incomplete(): Draft[] {
  const lf = header('header-only');
  const crlf = lf.replaceAll('\n', '\r\n');
  return [
    draft('empty', '', 'empty'),
    draft('one-lf', '\n', 'no-header'),
    draft('one-crlf', '\r\n', 'no-header'),
    draft('one-cr', '\r', 'no-header', 'bare-cr', 'carriage-return-at-end', 'no-final-line-end'),
    draft('one-octet', 'x', 'no-header', 'no-final-line-end'),
    draft('one-nul', '\0', 'no-header', 'nul', 'no-final-line-end'),
    draft('blank-lines-only', '\n\n\n\n', 'no-header'),
    draft('header-only-lf', lf, 'header-only'),
    draft('header-only-crlf', crlf, 'header-only'),
    draft('header-only-unfinished', lf.slice(0, -1), 'header-only', 'no-final-line-end'),
    draft('header-only-unfinished-crlf', crlf.slice(0, -2), 'header-only', 'no-final-line-end'),
    draft('header-only-with-blank-line-lf', `${lf}\n`, 'header-only-with-blank-line'),
    draft('header-only-with-blank-line-crlf', `${crlf}\r\n`, 'header-only-with-blank-line'),
    draft('body-after-blank-line', '\nno header, only this body\n', 'no-header'),
    draft('text-without-header', 'just a sentence\nand another one\n', 'no-header'),
    draft('text-without-header-8-bit', 'm\xfcde \xfcberall\n', 'no-header', '8-bit'),
    draft(
      'unfinished-lf',
      letter('unfinished-lf', 'one line\nand no line end here'),
      'no-final-line-end',
      'lf-storage',
    ),
    draft(
      'unfinished-crlf',
      letter('unfinished-crlf', 'one line\nand no line end here', '\r\n'),
      'no-final-line-end',
      'crlf-storage',
    ),
  ];
}

/** Line ends of every kind and mixture. */
export function lineEnds(): Draft[] {
  const lines = 'first\nsecond\n\nfourth\n';
  return [
    draft('stored-with-lf', letter('stored-with-lf', lines), 'lf-storage'),
    draft('stored-with-crlf', letter('stored-with-crlf', lines, '\r\n'), 'crlf-storage'),
    draft(
      'header-crlf-body-lf',
      `${letter('header-crlf-body-lf', '', '\r\n')}one\ntwo\n.\n`,
      'mixed-line-ends',
      'dot',
    ),
    draft('header-lf-body-crlf', `${letter('header-lf-body-crlf', '')}one\r\ntwo\r\n`, 'mixed-line-ends'),
    draft(
      'line-ends-alternate',
      letter('line-ends-alternate', 'a\r\nb\nc\r\nd\n'.repeat(500)),
      'mixed-line-ends',
    ),
    draft('lf-crlf-at-end', letter('lf-crlf-at-end', 'a\n\r\n'), 'mixed-line-ends'),
    draft(
      'bare-cr-in-body',
      letter('bare-cr-in-body', 'old\rmac\rline\rends\n\rfirst\nlast\r\r\n'),
      'bare-cr',
    ),
    draft('bare-cr-in-header', `X-Odd: a\rb\n${header('bare-cr-in-header')}\nbody\n`, 'bare-cr'),
    draft('cr-cr-lf', letter('cr-cr-lf', 'one\r\r\ntwo\r\r\r\n'), 'bare-cr'),
    draft(
      'lf-cr',
      letter('lf-cr', 'one\n\rtwo\n\r'),
      'bare-cr',
      'carriage-return-at-end',
      'no-final-line-end',
    ),
    draft(
      'cr-at-end',
      letter('cr-at-end', 'the line feed is missing\r'),
      'bare-cr',
      'carriage-return-at-end',
      'no-final-line-end',
    ),
    draft(
      'two-cr-at-end',
      letter('two-cr-at-end', 'both line feeds are missing\r\r'),
      'bare-cr',
      'carriage-return-at-end',
      'no-final-line-end',
    ),
    draft('cr-only', letter('cr-only', '\r\r\r\r'), 'bare-cr', 'carriage-return-at-end', 'no-final-line-end'),
  ];
}

/** Headers that are many, long or folded. */
export function headers(): Draft[] {
  const many = Array.from({ length: 5000 }, (_, i) => `X-Header-${i}: value ${i}\n`).join('');
  const folded = `References:${Array.from({ length: 800 }, (_, i) => `\n <${i}.${'r'.repeat(40)}@example.org>`).join('')}\n`;
  return [
    draft('headers-in-thousands', `${many}${header('headers-in-thousands')}\nbody\n`, 'many-headers'),
    draft('header-folded-long', `${header('header-folded-long')}${folded}\nbody\n`, 'folded-header'),
    draft(
      'header-folded-long-crlf',
      `${header('header-folded-long-crlf')}${folded}\nbody\n`.replaceAll('\n', '\r\n'),
      'folded-header',
    ),
    draft(
      'header-folded-with-tabs',
      `${header('tabs')}X-Tabs: a\n\tb\n\t\tc\n \n d\n\nbody\n`,
      'folded-header',
    ),
    draft('header-folded-with-dots', `${header('dots')}X-Dots: a\n .\n ..\n\nbody\n`, 'folded-header', 'dot'),
    draft(
      'header-line-of-100-kb',
      `${header('header-line-of-100-kb')}X-Long: ${'l'.repeat(100_000)}\n\nbody\n`,
      'folded-header',
      'long-line',
    ),
    draft(
      'header-repeated',
      `${'Received: from a by b; Fri, 01 Mar 2024 10:00:00 +0000\n'.repeat(60)}${header('header-repeated')}\nbody\n`,
      'many-headers',
    ),
    draft(
      'header-without-value',
      `X-Empty:\nX-Blank: \n${header('header-without-value')}\nbody\n`,
      'trailing-spaces',
    ),
    draft(
      'header-line-without-colon',
      `${header('header-line-without-colon')}no colon here\n\nbody\n`,
      'malformed-header',
    ),
  ];
}
