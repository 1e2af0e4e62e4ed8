import type { Call } from './call.js';
import { leave, openMaildrop } from './connection.js';
import { deleteAndQuit } from './deletion.js';
import { openDestination } from './destination/open.js';
import { EXIT, Failure } from './failure.js';
import { Fetching } from './fetching.js';
import { Selection } from './selection.js';

/** How many messages are asked for ahead: enough for a far server, and little to throw away when it is interrupted. */
const PIPELINE = 16;

/** `pop3 get`: stores messages, and deletes them once they are safe where that is wanted. */
export async function get(call: Call): Promise<number> {
  const { line } = call;
  const selection = selectionOf(call);
  const destination = openDestination(call, selection.single);
  const deletes = line.switch('delete') === true;
  if (!destination.keeps && deletes) {
    throw new Failure(EXIT.usage, '--delete needs --output or --maildir: what goes elsewhere may be lost');
  }
  if (!destination.keeps && line.switch('json') === true) {
    throw new Failure(EXIT.usage, '--json needs --output or --maildir: a message is no JSON');
  }
  const fetching = new Fetching(call, selection, destination);
  await using client = await openMaildrop(call, { onProgress: fetching.progress });
  try {
    for await (const message of client.messages({ pipeline: PIPELINE, where: fetching.where })) {
      await fetching.store(message);
    }
    await fetching.settle();
  } catch (error) {
    fetching.broken(deletes);
    throw error;
  }
  const complete = fetching.summary();
  const { stored } = fetching;
  const done = deletes ? await deleteAndQuit(call, client, stored) : stored;
  if (!deletes) await leave(client);
  return complete && done.length === stored.length ? EXIT.ok : EXIT.partial;
}

/** All of them, where nothing is said. */
function selectionOf({ line }: Call): Selection {
  const [, ...operands] = line.operands;
  const selection = new Selection(operands, line.values('unique-id'));
  return selection.empty ? new Selection(['all'], []) : selection;
}
