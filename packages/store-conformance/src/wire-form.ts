/**
 * The wire form of a message, written down a second time: as plainly as it can be said, over strings, and without
 * anything of the core, so that the kit does not trust what it tests. Not for use outside of tests.
 */

/**
 * The octets that RETR sends for a message, before dot-stuffing and without the terminator (RFC 1939 sections 3, 5
 * and 11): every LF ends a line, with or without a CR before it; a missing last line end is completed; a CR without
 * an LF stays as it is; a message of no octets stays one.
 *
 * @param message - the octets as stored, with any line ends; only read
 */
export function wireForm(message: Uint8Array): Uint8Array {
  return octetsOf(wireText(message));
}

/** The size that a scan listing gives for a message: the octets of its {@link wireForm}. */
export function wireOctets(message: Uint8Array): number {
  return wireText(message).length;
}

/**
 * The octets that TOP sends for a message, in the same form as {@link wireForm}: the header, the blank line and the
 * first `lines` lines of the body; the whole message when it has fewer (RFC 1939 section 7).
 *
 * @param lines - 0 or more
 */
export function topForm(message: Uint8Array, lines: number): Uint8Array {
  const all = wireText(message).split('\r\n').slice(0, -1);
  const blank = all.indexOf('');
  const sent = blank === -1 ? all : all.slice(0, blank + 1 + lines);
  return octetsOf(sent.map((line) => `${line}\r\n`).join(''));
}

function wireText(message: Uint8Array): string {
  const text = textOf(message).replace(/\r?\n/g, '\r\n');
  return text === '' || text.endsWith('\r\n') ? text : `${text}\r\n`;
}

/** One octet for each character, which must be below U+0100. */
export function octetsOf(text: string): Uint8Array {
  const octets = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) octets[i] = text.charCodeAt(i);
  return octets;
}

/** One character for each octet, so that no octet is lost or changed. */
export function textOf(octets: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < octets.length; at += 4096) {
    parts.push(String.fromCharCode(...octets.subarray(at, at + 4096)));
  }
  return parts.join('');
}
