import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hashPassword } from '@pop3/auth-node';
import { LineClient } from './clients.mjs';

const CLI = fileURLToPath(new URL('../../pop3d/dist/cli.js', import.meta.url));
const TICKS_PER_SECOND = 100;

/** Starts `pop3d` with ann, and with further users whose passwords are slow to check. Everything is gone when it is stopped. */
export async function startPop3d({ throttle, slowUsers = 0 }) {
  const folder = mkdtempSync(join(tmpdir(), 'pop3d-bench-'));
  mkdirSync(join(folder, 'mail'));
  const slow = slowUsers === 0 ? '' : await hashPassword('right', 'SCRYPT');
  const users = [`ann:${await hashPassword('right', 'SSHA512')}`];
  for (let i = 0; i < slowUsers; i++) users.push(`slow-${i}:${slow}`);
  writeFileSync(join(folder, 'users'), `${users.join('\n')}\n`);
  writeFileSync(
    join(folder, 'pop3d.toml'),
    `
server.listen = ["127.0.0.1:0"]
server.plaintext_auth = "allow"
users.file = "users"
store.maildir = "mail/{user}"
throttle.enabled = ${throttle}
limits.failed_login_delay_seconds = 0
log.level = "error"
`,
  );
  const child = spawn(process.execPath, [CLI, 'serve', '--config', join(folder, 'pop3d.toml')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const port = await new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error('pop3d did not start.')));
    child.stdout.once('data', (chunk) => resolve(Number(/:(\d+)\n/.exec(chunk.toString())?.[1])));
  });
  const mebibytes = (key) => {
    const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
    return Number(new RegExp(`${key}:\\s+(\\d+) kB`).exec(status)?.[1]) / 1024;
  };
  return {
    port,
    resident: () => mebibytes('VmRSS'),
    peak: () => mebibytes('VmHWM'),
    cpuSeconds() {
      const fields = readFileSync(`/proc/${child.pid}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
    },
    /** All users with slow passwords at once, from ten addresses. */
    async logInAll(toPort) {
      const statuses = await Promise.all(
        Array.from({ length: slowUsers }, async (_, i) => {
          const client = new LineClient(toPort, `127.2.0.${(i % 10) + 1}`);
          await client.line();
          const status = await client.logIn(`slow-${i}`, 'right');
          client.close();
          return status;
        }),
      );
      const accepted = statuses.filter((status) => status?.startsWith('+OK')).length;
      return { answered: statuses.length, accepted };
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      // Whoever is still connected is cut off.
      child.kill('SIGINT');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
