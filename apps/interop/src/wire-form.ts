/**
 * The wire form of a message, computed the slow and obvious way from lines in memory. It shares no code with the
 * server, so that both can be wrong only independently.
 */

/**
 * What RETR sends of a stored message before dot-stuffing: each line end as CRLF, a missing last one completed,
 * a CR without LF left alone, nothing at all for an empty message.
 */
export function wireForm(stored: Uint8Array): Buffer {
  const text = Buffer.from(stored).toString('latin1');
  if (text === '') return Buffer.alloc(0);
  const lines = text.split('\n');
  const unfinished = lines.pop()!;
  const finished = lines.map((line) => (line.endsWith('\r') ? line.slice(0, -1) : line));
  // A CR at the very end is a bare CR: it stays, and the line end is still missing.
  const all = unfinished === '' ? finished : [...finished, unfinished];
  return Buffer.from(all.map((line) => `${line}\r\n`).join(''), 'latin1');
}

/** A wire form with one more dot before each line that starts with one (RFC 1939 section 3). */
export function dotStuffed(wire: Uint8Array): Buffer {
  const lines = Buffer.from(wire).toString('latin1').split('\r\n');
  return Buffer.from(lines.map((line) => (line.startsWith('.') ? `.${line}` : line)).join('\r\n'), 'latin1');
}

/** What TOP sends of a wire form: the header, the blank line, and `lines` lines of the body (RFC 1939 section 7). */
export function topOf(wire: Uint8Array, lines: number): Buffer {
  const all = Buffer.from(wire).toString('latin1').split('\r\n');
  // Each line is finished, so that the last element is the empty text behind the last CRLF.
  all.pop();
  const blank = all.indexOf('');
  const kept = blank === -1 ? all : all.slice(0, blank + 1 + lines);
  return Buffer.from(kept.map((line) => `${line}\r\n`).join(''), 'latin1');
}
