// A server to be measured, in a process of its own: `node serve.mjs big|many|maildir:PATH`. Says where it listens, and
// ends when its standard input does.
import { createPop3Server } from '@pop3/server-node';
import { fsStore } from '@pop3/store-fs';
import { bigStore, manyStore } from './synthetic.mjs';

const what = process.argv[2] ?? '';
const store =
  what === 'big'
    ? bigStore
    : what === 'many'
      ? manyStore
      : fsStore({ maildir: what.slice('maildir:'.length) });
const server = createPop3Server({
  store,
  authenticator: {
    accepts: ['password'],
    authenticate: ({ username }) => ({ type: 'accepted', identity: { maildrop: username, username } }),
  },
});
const { port } = await server.listen({ port: 0 });
process.stdout.write(`${port}\n`);
process.stdin.resume();
process.stdin.on('end', () => server.close({ drainMs: 0 }));
