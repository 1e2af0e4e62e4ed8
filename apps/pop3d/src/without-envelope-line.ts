const LF = 0x0a;
const SPACE = 0x20;
const COLON = 0x3a;
const FROM = Buffer.from('From ');

/**
 * The message without a leading `From ` line.
 *
 * Some mail systems pipe a message with the first line of the mbox format in front: `From ann@example.org Mon Nov 23 ...`.
 * It belongs to the envelope and would make the header unreadable. A header field of that name stays, also in its old form
 * with a space before the colon (RFC 5322 section 4.5). Nothing else is changed.
 */
export async function* withoutEnvelopeLine(
  message: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  let start: Uint8Array | null = Buffer.alloc(0);
  let inEnvelopeLine = false;
  for await (const chunk of message) {
    if (start === null && !inEnvelopeLine) {
      yield chunk;
      continue;
    }
    let rest = chunk;
    if (start !== null) {
      rest = Buffer.concat([start, chunk]);
      const verdict = isEnvelopeLine(rest);
      start = verdict === 'unknown' ? rest : null;
      if (verdict === 'unknown') continue;
      inEnvelopeLine = verdict === 'yes';
    }
    if (inEnvelopeLine) {
      const end = rest.indexOf(LF);
      if (end === -1) continue;
      inEnvelopeLine = false;
      rest = rest.subarray(end + 1);
    }
    if (rest.length > 0) yield rest;
  }
  if (start !== null && start.length > 0) yield start;
}

/** Looks at the first octets: as many as there are spaces after `From`, and one more. */
function isEnvelopeLine(start: Uint8Array): 'yes' | 'no' | 'unknown' {
  for (const [index, octet] of FROM.entries()) {
    if (index === start.length) return 'unknown';
    if (start[index] !== octet) return 'no';
  }
  for (let index = FROM.length; index < start.length; index++) {
    if (start[index] === SPACE) continue;
    return start[index] === COLON ? 'no' : 'yes';
  }
  // A header field with a thousand spaces before its colon is none that anybody has written.
  return start.length > 1000 ? 'yes' : 'unknown';
}
