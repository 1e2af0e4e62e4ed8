// Fetches a whole maildrop with @pop3/client-node, into a Maildir or to nowhere: the client's side of a comparison.
//   node fetch.mjs PORT USER PASSWORD MAILDIR|- [PIPELINE]
import { open, rename } from 'node:fs/promises';
import { connectPop3 } from '@pop3/client-node';

const [port, user, password, maildir, pipeline = '256'] = process.argv.slice(2);
/** Octets gathered before they are written: one write for nearly every message. */
const GATHERED_OCTETS = 1 << 20;

async function toNowhere(message) {
  let octets = 0;
  for await (const chunk of message.body()) octets += chunk.length;
  return octets;
}

async function toMaildir(message) {
  const file = `${message.number}.pop3`;
  const handle = await open(`${maildir}/tmp/${file}`, 'wx');
  let octets = 0;
  let gathered = [];
  let waiting = 0;
  for await (const chunk of message.body()) {
    octets += chunk.length;
    waiting += chunk.length;
    gathered.push(chunk);
    if (waiting < GATHERED_OCTETS) continue;
    await handle.writev(gathered);
    gathered = [];
    waiting = 0;
  }
  if (waiting > 0) await handle.writev(gathered);
  await handle.close();
  await rename(`${maildir}/tmp/${file}`, `${maildir}/new/${file}`);
  return octets;
}

const store = maildir === '-' ? toNowhere : toMaildir;
const client = await connectPop3({
  host: '127.0.0.1',
  port: Number(port),
  tls: 'off',
  allowPlaintext: true,
  auth: { user, password },
});
let messages = 0;
let octets = 0;
for await (const message of client.messages({ pipeline: Number(pipeline) })) {
  octets += await store(message);
  messages++;
}
await client.quit();
console.log(messages, octets);
