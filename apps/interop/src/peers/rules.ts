/** What several servers do. */
import { join } from 'node:path';
import type { CorpusMessage } from '../corpus.js';
import { remaining } from '../maildir.js';
import { topOf } from '../wire-form.js';
import type { Maildrop, Peer } from './peer.js';

/** RFC 1939, and Maildirs in the directory `mail`. */
export const RIGHT: Pick<
  Peer,
  'keepsPassword' | 'takes' | 'sends' | 'lists' | 'tops' | 'identifiedBy' | 'remaining' | 'securities'
> = {
  securities: ['plain', 'STLS', 'TLS'],
  keepsPassword: () => true,
  takes: () => true,
  sends: (message) => message.wire,
  lists: (message) => message.octets,
  tops: (message, lines) => topOf(message.wire, lines),
  identifiedBy: ({ name }) => name,
  remaining: (directory, { user, messages }: Maildrop) => remaining(join(directory, 'mail', user), messages),
};

/** A dot as the very first octet is not stuffed, so that no client can read a message that starts with the line of one dot. */
export function startsWithDot({ stored }: CorpusMessage): boolean {
  return stored[0] === 0x2e;
}

/** Each LF becomes CRLF, even one with a CR before it; a last line end is completed. */
export function crBeforeEachLf(stored: Uint8Array): Buffer {
  const text = Buffer.from(stored).toString('latin1');
  const complete = text.endsWith('\n') ? text : `${text}\n`;
  return Buffer.from(complete.replaceAll('\n', '\r\n'), 'latin1');
}
