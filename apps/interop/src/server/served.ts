import type { CorpusMessage } from '../corpus.js';
import { SERVER } from '../server.js';

/**
 * The messages the server in use sends as RFC 1939 asks: all of them for pop3d. Dovecot 2.3.19
 * - does not stuff a dot that is the very first octet, so that no client can read a message with a leading dot line,
 * - sends an empty message as one blank line,
 * - takes a CR that is the very first octet for the blank line behind the header when it answers TOP.
 */
export function served(messages: readonly CorpusMessage[]): CorpusMessage[] {
  if (SERVER === 'pop3d') return [...messages];
  const first = (message: CorpusMessage): string => String.fromCharCode(message.stored[0] ?? 0x2e);
  return messages.filter((message) => first(message) !== '.' && first(message) !== '\r');
}

/**
 * The size the server in use gives in LIST: the length of the wire form for pop3d. Dovecot 2.3.19 leaves out the line
 * end it completes a message with.
 */
export function listedOctets(message: CorpusMessage): number {
  if (SERVER === 'pop3d') return message.octets;
  return message.stored.at(-1) === 0x0a ? message.octets : message.octets - 2;
}
