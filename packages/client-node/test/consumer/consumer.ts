// A program of somebody else: compiled against what is published, all of its declarations checked.
import { type ConnectOptions, connectPop3, isPop3Error, type Pop3Client } from '@pop3/client-node';

export async function unseen(options: ConnectOptions, seen: ReadonlySet<string>): Promise<number> {
  let octets = 0;
  const client: Pop3Client = await connectPop3({ timeouts: { connectMs: 5_000 }, ...options });
  try {
    for await (const message of client.messages({
      pipeline: 8,
      where: ({ uniqueId }) => uniqueId !== null,
    })) {
      if (message.uniqueId === null || seen.has(message.uniqueId)) continue;
      for await (const chunk of message.body()) octets += chunk.length;
      message.delete();
    }
    const { failed } = await client.quit();
    for (const { error } of failed) if (error.retryable) console.warn(error.serverText);
  } catch (error) {
    if (!isPop3Error(error) || error.code !== 'POP3_CLOSED') throw error;
    await client.reconnect();
  } finally {
    await client.close();
  }
  return octets;
}
