/**
 * The lock of a maildrop: a symbolic link `pop3.lock` in the Maildir whose target says who holds it.
 *
 * A link, because making one is atomic together with what it says, takes one system call and no data block (a full
 * disk must not keep a user from deleting mail), and `ls -l` shows the holder.
 *
 * A lock ends in one of three ways: its holder removes it; its holder is dead, which is seen at once by processes of
 * the same host and process namespace; or its holder has not renewed it for {@link STALE_MS}, which is how locks end
 * that another host or container has left behind. Holders renew theirs every {@link HEARTBEAT_MS}.
 *
 * Taking over must have one winner. Whoever wants the lock with the token T makes the link `pop3.lock.T` first, which
 * one process can, then sees that the lock still has the token T, and renames its link over the lock. A lock with the
 * token T is there only before that rename, so a slower process finds another token and gives up. Should a process die
 * between the two steps, its link is a stale lock of its own, and the next one makes `pop3.lock.T.1`.
 */
import { randomBytes } from 'node:crypto';
import { lstatSync, lutimesSync, readlinkSync, renameSync, symlinkSync, unlinkSync } from 'node:fs';
import type { Clock, Ticking } from './clock.js';
import { livenessOf, thisProcess } from './process-identity.js';

export const LOCK_NAME = 'pop3.lock';

/** How often a holder renews its locks, in milliseconds. */
export const HEARTBEAT_MS = 20_000;

/** How long a lock lasts that nobody renews and whose holder cannot be seen, in milliseconds. */
export const STALE_MS = 90_000;

/** How often the locks of this process are looked through for those to be renewed. */
const BEAT_MS = 1_000;

/** More takers than this cannot have died in the middle of it. */
const MAX_DEAD_TAKERS = 16;

/** What fits beside the inode on common file systems. */
const MAX_TARGET_OCTETS = 59;

/** Why a lock could be taken from its holder. */
export type TakeOver = 'holder-dead' | 'no-heartbeat';

/** A maildrop that is locked for one session. */
export interface MaildirLock {
  /** Why it was taken from another holder, or null. */
  readonly tookOver: TakeOver | null;
  /** Whether it is still ours: another process may have taken it, had this one been stopped for long. */
  held(): boolean;
  /** The time of the file system in nanoseconds, which need not be that of this host. */
  fileSystemTimeNs(): bigint;
  /** Gives it up. Removes no lock but this one; may be called again. */
  release(): void;
}

/** The locks that one store holds. */
export class MaildirLocks {
  readonly #clock: Clock;
  /** By token, the one renewed longest ago first. */
  readonly #held = new Map<string, Held>();
  /** Maildirs that are not there yet and whose empty maildrop is open. */
  readonly #absent = new Set<string>();
  readonly #ownTokens = randomBytes(6).toString('base64url');
  #lastToken = 0;
  #beat: Ticking | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Locks a Maildir without waiting. `'absent'` when the directory is not there.
   *
   * @throws what the file system says when the directory cannot be written
   */
  lock(directory: string): MaildirLock | 'in-use' | 'absent' {
    const path = `${directory}/${LOCK_NAME}`;
    const token = `${this.#ownTokens}${(++this.#lastToken).toString(36)}`;
    const target = targetOf(token);
    // The second time, the lock was gone when it was looked at.
    for (let attempt = 1; attempt <= 2; attempt++) {
      const made = makeLink(target, path);
      if (made === 'absent') return made;
      if (made) return this.#holding(path, token, null);
      const holder = this.#stale(path);
      if (holder === 'none') continue;
      if (holder === null) return 'in-use';
      return this.#takeOver(path, holder, target) ? this.#holding(path, token, holder.reason) : 'in-use';
    }
    return 'in-use';
  }

  /** Locks the empty maildrop of a Maildir that is not there, within this store. False when it is locked. */
  lockAbsent(directory: string): boolean {
    if (this.#absent.has(directory)) return false;
    this.#absent.add(directory);
    return true;
  }

  releaseAbsent(directory: string): void {
    this.#absent.delete(directory);
  }

  /** Renames our claim over a lock that is stale. False when another process was faster. */
  #takeOver(path: string, stale: StaleHolder, target: string): boolean {
    for (let dead = 0; dead < MAX_DEAD_TAKERS; dead++) {
      const claim = claimPath(path, stale.token, dead);
      if (makeLink(target, claim) !== true) {
        // Somebody is taking it over, or died while doing so.
        const claimant = this.#stale(claim);
        if (claimant === null || claimant === 'none') return false;
        continue;
      }
      if (tokenAt(path) !== stale.token) {
        unlinkIfThere(claim);
        return false;
      }
      try {
        renameSync(claim, path);
      } catch (error) {
        unlinkIfThere(claim);
        throw error;
      }
      for (let left = 0; left < dead; left++) unlinkIfThere(claimPath(path, stale.token, left));
      return true;
    }
    return false;
  }

  /** The holder of a lock that may be taken over; null when it may not; `'none'` when there is no lock. */
  #stale(path: string): StaleHolder | null | 'none' {
    const target = readTarget(path);
    if (target === null) return 'none';
    const holder = holderIn(target);
    if (this.#held.has(holder.token)) return null;
    const self = thisProcess();
    const checkable = holder.space !== '' && holder.space === self.space;
    if (checkable && livenessOf(holder.pid, holder.startTicks) === 'dead') {
      return { token: holder.token, reason: 'holder-dead' };
    }
    const modified = lstatSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (modified === undefined) return 'none';
    // A time far ahead is as wrong as one far back, and must not last until that time.
    const ageMs = Math.abs(this.#clock.now() - modified);
    return ageMs > STALE_MS ? { token: holder.token, reason: 'no-heartbeat' } : null;
  }

  #holding(path: string, token: string, tookOver: TakeOver | null): MaildirLock {
    const held: Held = { path, renewedMs: this.#clock.now() };
    this.#held.set(token, held);
    this.#beat ??= this.#clock.every(BEAT_MS, () => this.#renewAll());
    return {
      tookOver,
      held: () => this.#held.get(token) === held && tokenAt(path) === token,
      fileSystemTimeNs: () => {
        this.#touch(held);
        return lstatSync(path, { bigint: true }).ctimeNs;
      },
      release: () => {
        if (this.#held.get(token) !== held) return;
        this.#held.delete(token);
        if (tokenAt(path) === token) unlinkIfThere(path);
      },
    };
  }

  #renewAll(): void {
    if (this.#held.size === 0) {
      this.#beat?.stop();
      this.#beat = null;
      return;
    }
    const due = this.#clock.now() - HEARTBEAT_MS;
    for (const [token, held] of this.#held) {
      if (held.renewedMs > due) return;
      this.#held.delete(token);
      try {
        // A lock of somebody else is not renewed: it would outlive its holder.
        if (tokenAt(held.path) !== token) continue;
        this.#touch(held);
      } catch {
        /* A disk that fails for a while: the next renewal is still in time. */
      }
      this.#held.set(token, held);
    }
  }

  #touch(held: Held): void {
    held.renewedMs = this.#clock.now();
    const seconds = held.renewedMs / 1000;
    lutimesSync(held.path, seconds, seconds);
  }
}

interface Held {
  readonly path: string;
  renewedMs: number;
}

interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly startTicks: number;
  readonly space: string;
}

interface StaleHolder {
  readonly token: string;
  readonly reason: TakeOver;
}

/** Token, process id, start time, process space and host, with spaces between them. */
function targetOf(token: string): string {
  const { pid, startTicks, space, host } = thisProcess();
  const target = `${token} ${pid} ${startTicks} ${space || '-'} ${host}`;
  return target.replace(/[^ -.0-~]/g, '_').slice(0, MAX_TARGET_OCTETS);
}

/** Who a lock belongs to. One that is not ours has no process that could be checked, and is its own token. */
function holderIn(target: string): Holder {
  const [token, pid, startTicks, space] = target.split(' ');
  if (token === undefined || !TOKEN.test(token) || space === undefined) {
    return {
      token: Buffer.from(target).toString('base64url').slice(0, 100),
      pid: 0,
      startTicks: 0,
      space: '',
    };
  }
  return { token, pid: Number(pid), startTicks: Number(startTicks), space: space === '-' ? '' : space };
}

const TOKEN = /^[\w-]{9,30}$/;

function tokenAt(path: string): string | null {
  const target = readTarget(path);
  return target === null ? null : holderIn(target).token;
}

function claimPath(path: string, token: string, dead: number): string {
  return dead === 0 ? `${path}.${token}` : `${path}.${token}.${dead}`;
}

function makeLink(target: string, path: string): boolean | 'absent' {
  try {
    symlinkSync(target, path);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST') return false;
    if (code === 'ENOENT') return 'absent';
    throw error;
  }
}

/** What a lock says; empty for one that is no link; null without one. */
function readTarget(path: string): string | null {
  try {
    return readlinkSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return null;
    if (code === 'EINVAL') return '';
    throw error;
  }
}

function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
