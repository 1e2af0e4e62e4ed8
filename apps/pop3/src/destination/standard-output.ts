import type { MessageBody } from '@pop3/client-node';
import type { Call } from '../call.js';
import { write } from '../output.js';
import { visibleText } from '../visible.js';
import type { Destination } from './destination.js';

/** The octets as they came. What becomes of them, nobody can tell. */
export function standardOutput(call: Call): Destination {
  return {
    name: 'the standard output',
    keeps: false,
    has: () => false,
    async store(_message, body) {
      await printBody(call, body);
      return null;
    },
    async settle() {},
  };
}

/** Writes a message, or a part of one. A terminal is not to be steered by it; others get each octet. */
export async function printBody({ terminal, signal }: Call, body: MessageBody): Promise<void> {
  if (terminal.output.isTTY !== true) {
    for await (const chunk of body) await write(terminal.output, chunk, signal);
    return;
  }
  const decoder = new TextDecoder();
  for await (const chunk of body) {
    await write(terminal.output, visibleText(decoder.decode(chunk, { stream: true })), signal);
  }
  await write(terminal.output, visibleText(decoder.decode()), signal);
}
