/** What is hard about a message. Each class has at least one message in the corpus. */
export const CLASSES = [
  '25-mb',
  '8-bit',
  'bare-cr',
  'border',
  'carriage-return-at-end',
  'crlf-storage',
  'dot',
  'dot-first-octet',
  'empty',
  'folded-header',
  'from-line',
  'header-only',
  'header-only-with-blank-line',
  'invalid-utf-8',
  'lf-storage',
  'long-line',
  'malformed-header',
  'many-headers',
  'megabyte-line',
  'mixed-line-ends',
  'no-final-line-end',
  'no-header',
  'nul',
  'ordinary',
  'random',
  'response-lookalike',
  'terminator-inside',
  'trailing-spaces',
] as const;

export type MessageClass = (typeof CLASSES)[number];

/** A message before its wire form is known. */
export interface Draft {
  /** Unique in the corpus; lower-case words with hyphens. */
  readonly name: string;
  readonly classes: readonly MessageClass[];
  /** The octets of the file. */
  readonly stored: Uint8Array;
}

export type LineEnd = '\n' | '\r\n';

/** A draft from text in which each character is one octet (ISO 8859-1). */
export function draft(name: string, stored: string, ...classes: MessageClass[]): Draft {
  return { name, classes, stored: Buffer.from(stored, 'latin1') };
}

/** A message with a small, proper header, all of it with one kind of line end; `body` is written with LF. */
export function letter(name: string, body: string, lineEnd: LineEnd = '\n'): string {
  return `${header(name)}\n${body}`.replaceAll('\n', lineEnd);
}

/** The small, proper header alone, with LF and without the blank line. */
export function header(name: string): string {
  return [
    'From: Ada Example <ada@example.org>',
    'To: Bob Example <bob@example.org>',
    'Date: Fri, 01 Mar 2024 10:00:00 +0000',
    `Message-ID: <${name}@example.org>`,
    `Subject: ${name}`,
    '',
  ].join('\n');
}
