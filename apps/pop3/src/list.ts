import type { Pop3Client } from '@pop3/client-node';
import type { Call } from './call.js';
import { leave, openMaildrop } from './connection.js';
import { EXIT } from './failure.js';
import { messagesText, octetsText } from './octets-text.js';
import { write } from './output.js';
import type { MessageFacts } from './selection.js';
import { visible } from './visible.js';

type Row = (message: MessageFacts) => string;

/** `pop3 list`: number, octets and unique-id of each message. */
export async function list(call: Call): Promise<number> {
  const { terminal, signal } = call;
  await using client = await openMaildrop(call);
  const row = await rowFor(call, client);
  let messages = 0;
  let octets = 0;
  for await (const message of client.messages()) {
    await write(terminal.output, `${row(message)}\n`, signal);
    messages++;
    octets += message.octets ?? 0;
  }
  await leave(client);
  terminal.error.write(`${messagesText(messages)}, ${octetsText(octets)}\n`);
  return EXIT.ok;
}

/** JSON, columns for a terminal, or tabs for other programs. */
async function rowFor({ line, terminal }: Call, client: Pop3Client): Promise<Row> {
  if (line.switch('json') === true) return jsonRow;
  if (terminal.output.isTTY !== true) return (message) => cells(message).join('\t');
  // Asked for once more, and not by STAT: some servers cannot count.
  const [numberWidth, octetsWidth] = widthsOf(await client.list());
  return (message) => {
    const [number = '', octets = '', uniqueId = ''] = cells(message);
    return `${number.padStart(numberWidth)}  ${octets.padStart(octetsWidth)}  ${uniqueId}`.trimEnd();
  };
}

function widthsOf(sizes: ReadonlyMap<number, number | null>): [number: number, octets: number] {
  let most: [number, number] = [0, 0];
  for (const [number, octets] of sizes) most = [Math.max(most[0], number), Math.max(most[1], octets ?? 0)];
  return [String(most[0]).length, String(most[1]).length];
}

function jsonRow({ number, octets, uniqueId }: MessageFacts): string {
  return JSON.stringify({ number, octets, uniqueId });
}

function cells({ number, octets, uniqueId }: MessageFacts): string[] {
  return [String(number), String(octets ?? '?'), visible(uniqueId ?? '')];
}
