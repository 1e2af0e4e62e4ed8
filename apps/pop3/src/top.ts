import { isUtf8 } from 'node:buffer';
import type { Pop3Client } from '@pop3/client-node';
import type { Call } from './call.js';
import { leave, openMaildrop } from './connection.js';
import { printBody } from './destination/standard-output.js';
import { EXIT, Failure } from './failure.js';
import { tell } from './say.js';

/** `pop3 top`: the header of a message, and so many lines of its text. */
export async function top(call: Call): Promise<number> {
  const { line } = call;
  const [, first, second] = line.operands;
  const uniqueId = line.value('unique-id');
  if (uniqueId !== null && second !== undefined)
    throw wrong('--unique-id takes the place of NUMBER: leave it out');
  const named = uniqueId === null ? wholeNumber('NUMBER', first ?? '', 1) : null;
  const lines = wholeNumber('LINES', (uniqueId === null ? second : first) ?? '0', 0);
  await using client = await openMaildrop(call);
  const number = named ?? (await numberOf(client, uniqueId ?? ''));
  const body = client.top(number, lines);
  if (line.switch('json') === true) await tell(call, { number, ...contentOf(await wholeOf(body)) });
  else await printBody(call, body);
  await leave(client);
  return EXIT.ok;
}

async function numberOf(client: Pop3Client, wanted: string): Promise<number> {
  for (const [number, uniqueId] of await client.uniqueIds()) if (uniqueId === wanted) return number;
  throw new Failure(EXIT.partial, `unique-id ${wanted} is not there; pop3 list shows what is`);
}

async function wholeOf(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** JSON has text and no octets. */
function contentOf(octets: Buffer): { readonly text: string } | { readonly base64: string } {
  return isUtf8(octets) ? { text: octets.toString('utf8') } : { base64: octets.toString('base64') };
}

function wholeNumber(name: string, text: string, least: number): number {
  const number = Number(text);
  if (/^\d{1,15}$/.test(text) && number >= least) return number;
  throw wrong(
    text === ''
      ? `say which message: ${name}, or --unique-id ID`
      : `${name} "${text}" is no number from ${least}`,
  );
}

function wrong(message: string): Failure {
  return new Failure(EXIT.usage, message);
}
