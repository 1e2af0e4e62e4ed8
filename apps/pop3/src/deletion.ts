import type { Pop3Client, QuitResult } from '@pop3/client-node';
import type { Call } from './call.js';
import { EXIT, Failure } from './failure.js';
import { messagesText } from './octets-text.js';
import { complain, say, tell } from './say.js';
import type { MessageFacts } from './selection.js';

/**
 * Deletes messages and ends the session. Tells how many have gone, and of each that has not; as JSON, of every one.
 *
 * @returns those that have gone
 */
export async function deleteAndQuit(
  call: Call,
  client: Pop3Client,
  messages: readonly MessageFacts[],
): Promise<readonly MessageFacts[]> {
  for (const { number } of messages) client.delete(number);
  const { deleted, failed } = await quit(client, call.signal);
  const gone = new Set(deleted);
  const deletions = messages.filter(({ number }) => gone.has(number));
  for (const { number, uniqueId } of deletions) await tell(call, { number, uniqueId, deleted: true });
  for (const { number, uniqueId, error } of failed) {
    complain(call, `message ${number} was not deleted: ${error.message}`);
    await tell(call, { number, uniqueId, deleted: false, error: error.message });
  }
  say(call, `${messagesText(deletions.length)} deleted`);
  return deletions;
}

/** @throws Failure when it is interrupted: what the server has done by then, only it knows */
async function quit(client: Pop3Client, signal: AbortSignal): Promise<QuitResult> {
  try {
    return await client.quit();
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new Failure(EXIT.interrupted, 'interrupted while the server deleted; pop3 list shows what is left');
  }
}
