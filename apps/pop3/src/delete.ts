import type { Pop3Client } from '@pop3/client-node';
import { askWhether } from './ask.js';
import type { Call } from './call.js';
import { leave, openMaildrop } from './connection.js';
import { deleteAndQuit } from './deletion.js';
import { EXIT, Failure } from './failure.js';
import { messagesText, octetsText } from './octets-text.js';
import { write } from './output.js';
import { complain, say } from './say.js';
import { type MessageFacts, Selection } from './selection.js';
import { visible } from './visible.js';

/** So many are shown before the question: more do not fit on a screen. */
const MAX_SHOWN = 20;

/** `pop3 delete`: deletes messages, after a question. */
export async function deleteMessages(call: Call): Promise<number> {
  const { line } = call;
  const [, ...operands] = line.operands;
  const selection = new Selection(operands, line.values('unique-id'));
  if (selection.empty) {
    throw new Failure(
      EXIT.usage,
      'say which messages: numbers as pop3 list shows them, --unique-id ID, or all',
    );
  }
  const asks = line.switch('yes') !== true;
  if (asks && !isPerson(call)) {
    throw new Failure(EXIT.usage, 'there is nobody to be asked whether to delete; give --yes');
  }
  await using client = await openMaildrop(call);
  const chosen = await chosenFrom(client, selection);
  selection.checkUnambiguous();
  for (const missing of selection.missing) complain(call, `${missing} is not there; pop3 list shows what is`);
  if (chosen.length > 0 && asks && !(await confirmed(call, chosen))) {
    await leave(client);
    say(call, 'nothing was deleted');
    return EXIT.partial;
  }
  const deleted = await deleteAndQuit(call, client, chosen);
  if (line.switch('json') !== true) await print(call, deleted);
  const complete = deleted.length === chosen.length && selection.missing.length === 0;
  return complete ? EXIT.ok : EXIT.partial;
}

async function print({ terminal, signal }: Call, deleted: readonly MessageFacts[]): Promise<void> {
  for (const { number, uniqueId } of deleted) {
    await write(
      terminal.output,
      `${['deleted', number, visible(uniqueId ?? '')].join('\t').trimEnd()}\n`,
      signal,
    );
  }
}

function isPerson({ terminal }: Call): boolean {
  return terminal.input.isTTY === true && terminal.error.isTTY === true;
}

async function chosenFrom(client: Pop3Client, selection: Selection): Promise<MessageFacts[]> {
  const chosen: MessageFacts[] = [];
  for await (const { number, octets, uniqueId } of client.messages({ where: selection.wants })) {
    chosen.push({ number, octets, uniqueId });
  }
  return chosen;
}

/** Numbers may not mean any more what they did when somebody looked: shows what they mean now. */
async function confirmed(call: Call, chosen: readonly MessageFacts[]): Promise<boolean> {
  for (const { number, octets, uniqueId } of chosen.slice(0, MAX_SHOWN)) {
    say(call, `${number}  ${octets === null ? '?' : octetsText(octets)}  ${uniqueId ?? ''}`.trimEnd());
  }
  if (chosen.length > MAX_SHOWN) say(call, `and ${chosen.length - MAX_SHOWN} more`);
  const { input, error } = call.terminal;
  return askWhether(
    `Delete ${messagesText(chosen.length)}?`,
    { input, output: error, close: () => {} },
    call.signal,
  );
}
