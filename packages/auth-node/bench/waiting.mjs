/**
 * What 500 logins with slow hashes cost at once: the event loop has to stay free, and memory bounded. Run `pnpm build` first.
 *
 *   node bench/waiting.mjs [LOGINS]     500 by default
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { hashPassword, usersFile } from '../dist/index.js';

const logins = Number(process.argv[2] ?? 500);
const context = {
  signal: new AbortController().signal,
  peer: { address: '192.0.2.1', tls: true, certificate: null },
};
const folder = mkdtempSync(join(tmpdir(), 'waiting-'));

try {
  console.log(`${logins} logins at once\n`);
  console.log('scheme           seconds   CPU, s   event loop, slowest ms   memory above idle, MiB');
  for (const scheme of ['SCRYPT', 'SHA512-CRYPT', 'PBKDF2']) await measure(scheme);
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(scheme) {
  const file = join(folder, 'users');
  writeFileSync(file, `ann:${await hashPassword('secret', scheme)}\n`);
  const users = usersFile(file);
  const idle = process.memoryUsage.rss();
  let most = idle;
  const memory = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const cpu = process.cpuUsage();
  const started = performance.now();
  const outcomes = await Promise.all(
    Array.from({ length: logins }, () =>
      users.authenticate(
        { type: 'password', username: 'ann', password: 'secret', authorizationId: '' },
        context,
      ),
    ),
  );
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  clearInterval(memory);
  if (!outcomes.every(({ type }) => type === 'accepted')) throw new Error('a right password was refused');
  const figures = [seconds, (user + system) / 1e6, delay.max / 1e6, (most - idle) / 2 ** 20];
  const widths = [8, 9, 25, 25];
  console.log(scheme.padEnd(16) + figures.map((figure, i) => figure.toFixed(1).padStart(widths[i])).join(''));
}
