import { type Envelope, type Maildrop, type StoreContext, TopCutter } from '@pop3/core';

/** Names of header fields, in lower case, that hold the envelope where a mail system has written it down. */
export interface EnvelopeHeaders {
  /** Default: `return-path` (RFC 5321 section 4.4). */
  readonly sender?: readonly string[];
  /**
   * The first of them that is there wins. Default: `x-original-to` (Postfix: the address before aliases),
   * `delivered-to`, `envelope-to` (Exim), `x-envelope-to`.
   */
  readonly recipient?: readonly string[];
}

const SENDER = ['return-path'];
const RECIPIENT = ['x-original-to', 'delivered-to', 'envelope-to', 'x-envelope-to'];

/** No mail system writes a longer header before the part that matters here; a hostile one ends at this. */
const MAX_HEADER_OCTETS = 65_536;

/**
 * The envelope as the header of a message tells it. A field above the first `Received` was written by the mail system
 * that delivered the message; one below may have been written by anybody, so it counts only where there is none above.
 *
 * @param header - in any line ends; what is not UTF-8 is read as ISO 8859-1
 * @returns empty texts for what the header does not tell; an empty sender is also the null sender of a bounce
 */
export function envelopeIn(header: Uint8Array, { sender, recipient }: EnvelopeHeaders = {}): Envelope {
  const fields = fieldsOf(textOf(header));
  const received = fields.findIndex(({ name }) => name === 'received');
  const trusted = received === -1 ? fields : fields.slice(0, received);
  const first = (names: readonly string[]): string => {
    for (const part of [trusted, fields]) {
      for (const name of names) {
        const field = part.find((candidate) => candidate.name === name);
        if (field !== undefined) return addressIn(field.value);
      }
    }
    return '';
  };
  return { sender: first(sender ?? SENDER), recipient: first(recipient ?? RECIPIENT) };
}

/**
 * The envelope of a message of an open maildrop: from the store if it knows, otherwise from the header.
 *
 * @returns `'gone'` when another program has removed the message
 */
export async function envelopeOf(
  maildrop: Maildrop,
  messageNumber: number,
  headers: EnvelopeHeaders,
  context: StoreContext,
): Promise<Envelope | 'gone'> {
  const known = await maildrop.envelope?.(messageNumber, context);
  if (known !== undefined) return known;
  const header = await headerOf(maildrop, messageNumber, context);
  return header === 'gone' ? 'gone' : envelopeIn(header, headers);
}

async function headerOf(
  maildrop: Maildrop,
  messageNumber: number,
  context: StoreContext,
): Promise<Uint8Array | 'gone'> {
  const body = await (maildrop.top?.(messageNumber, 0, context) ?? maildrop.retrieve(messageNumber, context));
  if (body === 'gone') return 'gone';
  const cutter = new TopCutter(0);
  const parts: Uint8Array[] = [];
  let octets = 0;
  for await (const chunk of ArrayBuffer.isView(body) ? [body] : body) {
    const part = chunk.subarray(0, Math.min(cutter.cut(chunk), MAX_HEADER_OCTETS - octets));
    parts.push(part);
    octets += part.length;
    if (cutter.done || octets === MAX_HEADER_OCTETS) break;
  }
  return joined(parts, octets);
}

function joined(parts: readonly Uint8Array[], octets: number): Uint8Array {
  const whole = new Uint8Array(octets);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

interface Field {
  /** In lower case. */
  readonly name: string;
  /** Unfolded. */
  readonly value: string;
}

function fieldsOf(header: string): Field[] {
  const fields: Field[] = [];
  const [head = ''] = header.split(/\r?\n\r?\n/, 1);
  for (const line of head.replace(/\r?\n(?=[ \t])/g, '').split(/\r?\n/)) {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:(.*)$/s.exec(line) ?? [];
    if (name !== undefined && value !== undefined) fields.push({ name: name.toLowerCase(), value });
  }
  return fields;
}

/** What stands between angle brackets, or all of it; nothing that could break a line. */
function addressIn(value: string): string {
  const [, bracketed] = /<([^<>]*)>/.exec(value) ?? [];
  return (bracketed ?? value).replace(/\p{Cc}/gu, '').trim();
}

function textOf(octets: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(octets);
  } catch {
    return new TextDecoder('latin1').decode(octets);
  }
}
