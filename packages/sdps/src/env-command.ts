import type { ExtensionContext, ExtensionReply, Pop3Extension } from '@pop3/core';
import { type EnvelopeHeaders, envelopeOf } from './envelope.js';

const BAD_NUMBER: ExtensionReply = { status: '-ERR', text: 'one message number is needed' };

/**
 * `*ENV n` of Demon's SDPS: the envelope of a message. fetchmail counts lines from the status line on, and reads the sender
 * from the fourth (empty for the null sender) and the recipient from the fifth. The second and third are ours: the
 * unique-id and the octets.
 */
export function envCommand(headers: EnvelopeHeaders = {}): Pop3Extension {
  return {
    verb: '*ENV',
    states: ['transaction'],
    capabilities: ['X-SDPS'],
    run: (argument, context) => {
      const words =
        argument === null
          ? []
          : String.fromCharCode(...argument)
              .split(' ')
              .filter(Boolean);
      const [number = ''] = words;
      return words.length === 1 && /^\d+$/.test(number)
        ? reply(Number(number), headers, context)
        : BAD_NUMBER;
    },
  };
}

async function reply(
  messageNumber: number,
  headers: EnvelopeHeaders,
  { maildrop, isMarked, signal }: ExtensionContext,
): Promise<ExtensionReply> {
  const count = maildrop?.listing.count ?? 0;
  if (maildrop === null || messageNumber < 1 || messageNumber > count) {
    return { status: '-ERR', text: `no such message, there are ${count}` };
  }
  if (isMarked(messageNumber)) return { status: '-ERR', text: 'message is marked' };
  const envelope = await envelopeOf(maildrop, messageNumber, headers, { signal });
  if (envelope === 'gone') {
    return { status: '-ERR', code: 'SYS/TEMP', text: 'message was removed by another program' };
  }
  const { listing } = maildrop;
  return {
    status: '+OK',
    text: 'envelope follows',
    lines: [
      listing.uniqueIdOf(messageNumber),
      String(listing.octetsOf(messageNumber)),
      envelope.sender,
      envelope.recipient,
    ],
  };
}
