import { staticUsers } from '@pop3/auth-node';
import { createPop3Server } from '@pop3/server-node';
import { memoryStore } from '@pop3/store-memory';
import { expect, it } from 'vitest';
import { connectPop3 } from '../src/index.js';

const text = (n: number) => Buffer.from(`Subject: ${n}\r\n\r\n.dot\r\n${'x'.repeat(n)}\r\n`);
async function whole(body: AsyncIterable<Uint8Array>) {
  const c = [];
  for await (const x of body) c.push(x);
  return Buffer.concat(c);
}
it.for([1, 8])('works with %d', async (pipeline) => {
  const store = memoryStore();
  for (let i = 0; i < 40; i++) store.deliver('ann', text(i * 1000));
  const server = createPop3Server({
    store,
    authenticator: staticUsers({ ann: 'secret' }),
    session: { plaintextAuth: 'allow' },
  } as never);
  const { port } = await server.listen({ port: 0 });
  const client = await connectPop3({
    host: '127.0.0.1',
    port,
    tls: 'off',
    allowPlaintext: true,
    auth: { user: 'ann', password: 'secret' },
  });
  expect(await client.stat()).toMatchObject({ messages: 40 });
  let n = 0;
  for await (const m of client.messages({ pipeline })) {
    n++;
    if (n === 5) continue;
    expect((await whole(m.body())).equals(text((m.number - 1) * 1000))).toBe(true);
    if (n % 2) m.delete();
    if (n === 30) break;
  }
  await client.noop();
  expect(await client.list(3)).toBe(text(2000).length);
  expect(await whole(client.top(3, 1))).toHaveLength(23);
  expect((await client.uniqueIds()).size).toBe(40);
  expect((await client.quit()).deleted).toHaveLength(14);
  const { lostMarks } = await client.reconnect();
  expect((await client.list()).size).toBe(26);
  client.delete(1);
  expect(lostMarks).toEqual([]);
  await client.close();
  await server.close();
});
