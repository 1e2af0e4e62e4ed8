// Whether guessing passwords is slowed down as configured, while those who know theirs are not, over real sockets of this
// machine: `pnpm --filter bench brute-force`. Ends with 1 when a figure is beyond its limit, and in any case after two minutes.
import { attackers, LoggedInFromElsewhere, Pinger } from './brute-force/clients.mjs';
import { startPop3d } from './brute-force/pop3d.mjs';

const PASSWORDS = 10_000;
const ADDRESSES = 1_000;
const WAITING_LOGINS = 500;
const ATTACK_MS = 20_000;
/** What a login from elsewhere, and an answer to CAPA, may take on a busy machine. */
const LIMIT_MS = 1_000;
const LIMIT_MIB = 128;

setTimeout(() => {
  console.error('It took longer than two minutes, and was given up.');
  process.exit(1);
}, 120_000).unref();

const rows = [];
let isBeyond = false;

/** Starts a server, lets `attack` at it, and notes what became of it and of everybody else meanwhile. */
async function measure(what, options, limitOfChecked, attack) {
  const server = await startPop3d(options);
  const elsewhere = new LoggedInFromElsewhere(server.port);
  const pinger = new Pinger(server.port);
  try {
    await pinger.ready;
    const cpu = server.cpuSeconds();
    const idle = server.resident();
    const startedAt = performance.now();
    if (options.observed) elsewhere.start();
    pinger.start();
    const { answered, accepted } = await attack(server);
    const seconds = (performance.now() - startedAt) / 1000;
    const logins = await elsewhere.stop();
    const pingMs = await pinger.stop();
    const row = {
      what,
      seconds: Number(seconds.toFixed(1)),
      'refused + accepted': `${answered - accepted} + ${accepted}`,
      'limit of refused': limitOfChecked,
      'right ones elsewhere': logins.count,
      'slowest of them, ms': Math.round(logins.slowestMs),
      'slowest CAPA, ms': Math.round(pingMs),
      'CPU s': Number((server.cpuSeconds() - cpu).toFixed(2)),
      'MiB above idle': Number((server.peak() - idle).toFixed(1)),
    };
    rows.push(row);
    const good =
      answered - accepted <= limitOfChecked &&
      logins.slowestMs <= LIMIT_MS &&
      pingMs <= LIMIT_MS &&
      row['MiB above idle'] <= LIMIT_MIB &&
      logins.failed === 0 &&
      (!options.observed || logins.count > 0);
    if (!good) isBeyond = true;
  } finally {
    await server.stop();
  }
}

// Free: 3 for the pair of ann and the address, 10 for the address. Then 1, 2, 4, 8 seconds: four more in twenty.
await measure(
  `${PASSWORDS} wrong passwords from one address`,
  { throttle: true, observed: true },
  15,
  ({ port }) =>
    attackers({
      port,
      addresses: ['127.0.0.1'],
      connectionsEach: 80,
      passwords: PASSWORDS,
      forMs: ATTACK_MS,
    }),
);

// Each address has 3 free for ann. Ann's own counter delays the answers: one for each address in twenty seconds, or two.
await measure(
  `${PASSWORDS} wrong passwords for one user from ${ADDRESSES} addresses`,
  { throttle: true, observed: true },
  3 * ADDRESSES,
  ({ port }) =>
    attackers({
      port,
      addresses: Array.from({ length: ADDRESSES }, (_, i) => `127.1.${i >> 8}.${i & 255 || 255}`),
      connectionsEach: 1,
      passwords: PASSWORDS,
      forMs: ATTACK_MS,
    }),
);

await measure(
  `${WAITING_LOGINS} right logins with slow hashes at the same time`,
  { throttle: false, observed: false, slowUsers: WAITING_LOGINS },
  0,
  ({ port, logInAll }) => logInAll(port),
);

console.table(rows.map(({ what, ...figures }) => figures));
for (const [index, { what }] of rows.entries()) console.log(`${index}: ${what}`);
console.log(`limits: ${LIMIT_MS} ms, ${LIMIT_MIB} MiB`);
process.exit(isBeyond ? 1 : 0);
