import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** How often a lock that is held is looked at again, and for how long. Writing a users file takes milliseconds. */
const RETRY_MS = 20;
const DEFAULT_WAIT_MS = 10_000;
/** Who makes a lock file writes its line at once; one without a line for so long is of a process that has died. */
const UNFINISHED_MS = 1_000;

/** Somebody else has the lock. Nothing was changed. */
export class LockError extends Error {
  readonly code = 'ELOCKED';
}

/**
 * Runs `work` while no other process that does the same with this lock file is at it.
 *
 * A lock left behind by a process that has died on this machine, or by one that could not write its line, is taken over. `work` gets a function that tells
 * whether the lock is still its own: ask it last, before the step that counts.
 *
 * @throws LockError that names the lock file when it is held for longer than `waitMs`.
 */
export async function whileLocked<T>(
  lockFile: string,
  work: (isMine: () => Promise<boolean>) => Promise<T>,
  waitMs = DEFAULT_WAIT_MS,
): Promise<T> {
  const owner = `${process.pid} ${hostname()} ${randomUUID()}\n`;
  for (let waited = 0; !(await created(lockFile, owner)); waited += RETRY_MS) {
    if (await removedStale(lockFile)) continue;
    if (waited >= waitMs) {
      throw new LockError(`${lockFile} is held by another process. Remove it when no such process runs.`);
    }
    await delay(RETRY_MS);
  }
  const isMine = async () => (await contentOf(lockFile)) === owner;
  try {
    return await work(isMine);
  } finally {
    if (await isMine()) await rm(lockFile, { force: true });
  }
}

async function created(lockFile: string, owner: string): Promise<boolean> {
  let handle: FileHandle;
  try {
    handle = await open(lockFile, 'wx', 0o600);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
  try {
    await handle.writeFile(owner);
    return true;
  } catch (error) {
    await rm(lockFile, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

async function removedStale(lockFile: string): Promise<boolean> {
  const owner = await contentOf(lockFile);
  if (owner === null) return true;
  if (!(await isLeftBehind(owner, lockFile))) return false;
  // Two processes may find the same dead owner. Moving the file away shows each of them what it really took.
  const aside = `${lockFile}.${randomUUID()}`;
  try {
    await rename(lockFile, aside);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return true;
    throw error;
  }
  if ((await contentOf(aside)) !== owner) await rename(aside, lockFile);
  else await rm(aside, { force: true });
  return true;
}

async function isLeftBehind(owner: string, lockFile: string): Promise<boolean> {
  if (!owner.endsWith('\n')) return (await ageMsOf(lockFile)) >= UNFINISHED_MS;
  const [pid, host] = owner.split(' ');
  return host === hostname() && !isAlive(Number(pid));
}

async function ageMsOf(lockFile: string): Promise<number> {
  try {
    return Date.now() - (await stat(lockFile)).mtimeMs;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return 0;
    throw error;
  }
}

async function contentOf(lockFile: string): Promise<string | null> {
  try {
    return await readFile(lockFile, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return null;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
