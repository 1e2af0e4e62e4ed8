// What the server keeps resident above an idle one, measured in fresh processes: `pnpm --filter bench memory`.
// Ends with 1 when a figure is above its limit.
import { makeMaildir } from './memory/maildir.mjs';
import { startServer } from './memory/measured-server.mjs';
import { Reader } from './memory/reader.mjs';
import { bigResponse, manyResponse } from './memory/synthetic.mjs';

const LIMIT_MIB = 96;
const MAILDIR_LIMIT_MIB = 64;
const MAILDIR_MESSAGES = 100_000;
const STALLED_READERS = 100;

const rows = [];

/** Starts a server, lets `work` use it, and notes what it kept resident at the most meanwhile. */
async function measure(name, limitMib, what, work) {
  const server = await startServer(what);
  try {
    const idle = server.resident();
    const cpu = server.cpuSeconds();
    server.forgetPeak();
    await work(server);
    const above = server.peak() - idle;
    rows.push({
      what: name,
      'idle MiB': Number(idle.toFixed(1)),
      'peak above idle MiB': Number(above.toFixed(1)),
      'limit MiB': limitMib,
      'CPU s': Number((server.cpuSeconds() - cpu).toFixed(2)),
      verdict: above <= limitMib ? 'ok' : 'ABOVE THE LIMIT',
    });
  } finally {
    await server.stop();
  }
}

await measure('RETR of 1 GB', LIMIT_MIB, 'big', async ({ port }) => {
  const reader = await Reader.loggedIn(port);
  reader.send('RETR 1');
  await reader.expect(bigResponse());
  await reader.quit();
});

for (const verb of ['LIST', 'UIDL']) {
  await measure(`${verb} of 1 000 000 messages`, LIMIT_MIB, 'many', async ({ port }) => {
    const reader = await Reader.loggedIn(port);
    reader.send(verb);
    await reader.expect(manyResponse(verb));
    await reader.quit();
  });
}

await measure(
  `${STALLED_READERS} readers that stop in a RETR of 1 GB`,
  LIMIT_MIB,
  'big',
  async ({ port, resident }) => {
    const readers = [];
    for (let i = 0; i < STALLED_READERS; i++) {
      const reader = await Reader.loggedIn(port, `user${i}`);
      await reader.command('RETR 1');
      readers.push(reader);
    }
    // Nobody reads any more: it is over when the server's memory stands still.
    await still(resident);
    for (const reader of readers) reader.reset();
  },
);

for (const hints of [false, true]) {
  const maildir = makeMaildir(MAILDIR_MESSAGES, hints);
  try {
    const names = hints ? 'sizes in the names' : 'no sizes in the names';
    for (const time of hints ? ['first'] : ['first', 'second']) {
      await measure(
        `Maildir of ${MAILDIR_MESSAGES} files, ${names}, ${time} open`,
        MAILDIR_LIMIT_MIB,
        `maildir:${maildir.template}`,
        ({ port }) => readMaildir(port, maildir.octets),
      );
    }
  } finally {
    maildir.remove();
  }
}

/** Opens, lists and asks for unique-ids, and checks numbers, sizes and that no id comes twice. */
async function readMaildir(port, octets) {
  const reader = await Reader.loggedIn(port);
  check(await reader.command('STAT'), `+OK ${MAILDIR_MESSAGES} ${octets}`);
  let n = 0;
  let listed = 0;
  await reader.command('LIST');
  for await (const line of reader.lines()) {
    const [number, size] = line.split(' ');
    check(number, String(++n));
    listed += Number(size);
  }
  check(listed, octets);
  const ids = new Set();
  await reader.command('UIDL');
  for await (const line of reader.lines()) ids.add(line.split(' ')[1]);
  check(ids.size, MAILDIR_MESSAGES);
  await reader.quit();
}

function check(actual, expected) {
  if (actual !== expected) throw new Error(`Got ${actual} and not ${expected}.`);
}

/** Resolves when what is resident has not changed for half a second. */
async function still(resident) {
  for (let last = -1; last !== resident(); ) {
    last = resident();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

console.table(rows);
if (rows.some(({ verdict }) => verdict !== 'ok')) process.exitCode = 1;
