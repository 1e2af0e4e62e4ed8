/**
 * Whether the time of a refusal tells that a user exists: as many wrong passwords for users that exist as for names that do not, in
 * random order, and the Mann-Whitney U test on both. Run `pnpm build` first.
 *
 *   node bench/timing.mjs [TRIES]     1000 by default, of each kind
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword, passwordSchemes, scrypt, usersFile } from '../dist/index.js';

const tries = Number(process.argv[2] ?? 1000);
const USERS = 40;
// Cheap enough for some thousand tries; what is compared does not depend on it.
const schemes = [scrypt({ ln: 10, r: 8, p: 1 }), ...passwordSchemes.slice(1)];
const context = {
  signal: new AbortController().signal,
  peer: { address: '192.0.2.1', tls: true, certificate: null },
};
const folder = mkdtempSync(join(tmpdir(), 'timing-'));

try {
  console.log(`${tries} tries of each kind; p below 0.01 would tell them apart\n`);
  console.log('users file                     exists, us   missing, us       p');
  await measure('SSHA512', () => 'SSHA512');
  await measure('SCRYPT ln=10', () => 'SCRYPT');
  await measure('SCRAM-SHA-256', () => 'SCRAM-SHA-256');
  await measure('PLAIN', () => 'PLAIN');
  await measure('SCRYPT, SSHA512, SCRAM mixed', (n) => ['SCRYPT', 'SSHA512', 'SCRAM-SHA-256'][n % 3]);
} finally {
  rmSync(folder, { recursive: true });
}

/** @param schemeOf - the scheme of the user with this number */
async function measure(title, schemeOf) {
  const file = join(folder, 'users');
  const lines = await Promise.all(
    Array.from(
      { length: USERS },
      async (_, n) => `${nameOf(n)}:${await hashPassword('secret', schemeOf(n), schemes)}`,
    ),
  );
  writeFileSync(file, `${lines.join('\n')}\n`);
  const users = usersFile(file, { schemes });
  const times = { exists: [], missing: [] };
  const left = { exists: tries, missing: tries };
  for (let warmUp = 0; warmUp < 200; warmUp++) await timeOf(users, nameOf(warmUp % USERS));
  while (left.exists + left.missing > 0) {
    const kind = randomInt(left.exists + left.missing) < left.exists ? 'exists' : 'missing';
    left[kind]--;
    // Names of one length. Those that do not exist are new each time, as to somebody who looks for names.
    const name = kind === 'exists' ? nameOf(randomInt(USERS)) : `nobo${digits(randomInt(1e6))}`;
    times[kind].push(await timeOf(users, name));
  }
  const columns = [times.exists, times.missing].map((list) => median(list).toFixed(1).padStart(12));
  console.log(
    `${title.padEnd(29)} ${columns.join('  ')}  ${mannWhitney(times.exists, times.missing).toFixed(3).padStart(6)}`,
  );
}

function nameOf(number) {
  return `user${digits(number)}`;
}

function digits(number) {
  return String(number).padStart(6, '0');
}

/** Microseconds of one refusal. */
async function timeOf(users, username) {
  const started = process.hrtime.bigint();
  const outcome = await users.authenticate(
    { type: 'password', username, password: 'wrong', authorizationId: '' },
    context,
  );
  const ended = process.hrtime.bigint();
  if (outcome.type !== 'refused') throw new Error(`${username} was let in`);
  return Number(ended - started) / 1000;
}

function median(list) {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
}

/** The two-sided p of the Mann-Whitney U test, by the normal approximation with the correction for ties. */
function mannWhitney(a, b) {
  const all = [...a.map((value) => ({ value, of: 0 })), ...b.map((value) => ({ value, of: 1 }))];
  all.sort((x, y) => x.value - y.value);
  let rankSum = 0;
  let ties = 0;
  for (let start = 0; start < all.length; ) {
    let end = start;
    while (end < all.length && all[end].value === all[start].value) end++;
    const rank = (start + end + 1) / 2;
    for (let i = start; i < end; i++) if (all[i].of === 0) rankSum += rank;
    ties += (end - start) ** 3 - (end - start);
    start = end;
  }
  const n = all.length;
  const u = rankSum - (a.length * (a.length + 1)) / 2;
  const mean = (a.length * b.length) / 2;
  const deviation = Math.sqrt(((a.length * b.length) / 12) * (n + 1 - ties / (n * (n - 1))));
  return 2 * (1 - normal(Math.abs(u - mean) / deviation));
}

/** The distribution function of the normal distribution (Abramowitz and Stegun 7.1.26, good to 1e-7). */
function normal(z) {
  const t = 1 / (1 + (0.3275911 * z) / Math.SQRT2);
  const sum =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return 1 - (sum * Math.exp((-z * z) / 2)) / 2;
}
