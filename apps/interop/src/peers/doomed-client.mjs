// A client that is killed in the middle: by whoever has started it, when it says `reading`, or by itself, when it is
// about to say QUIT. Run as `node doomed-client.mjs PORT USER PASSWORD reading|quitting`.
import { connectPop3 } from '@pop3/client-node';

const [, , port, user, password, moment] = process.argv;
const client = await connectPop3({
  host: '127.0.0.1',
  port: Number(port),
  tls: 'off',
  allowPlaintext: true,
  auth: { user, password, mechanism: 'PLAIN' },
  trace(event) {
    if (event.type === 'command' && event.command === 'QUIT') process.kill(process.pid, 'SIGKILL');
  },
});
const { messages } = await client.stat();
for (let number = 1; number <= messages; number++) client.delete(number);
if (moment === 'quitting') await client.quit();
for await (const _ of client.retrieve(messages)) {
  process.stdout.write('reading\n');
  await new Promise(() => setInterval(() => {}, 1000));
}
