import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** Which process this is, as other processes can check it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** When the process started, in clock ticks since the host did; 0 where that cannot be known. */
  readonly startTicks: number;
  /**
   * Names the set of processes in which `pid` means this one: the same running kernel and the same process namespace,
   * so not another container, and not the host before its last start. Empty where that cannot be known.
   */
  readonly space: string;
  /** For people who look at a lock. */
  readonly host: string;
}

let known: ProcessIdentity | undefined;

/** This process. On systems without `/proc` nobody can check it, and only its heartbeat tells that it lives. */
export function thisProcess(): ProcessIdentity {
  known ??= {
    pid: process.pid,
    startTicks: startTicksOf('self') ?? 0,
    space: processSpace(),
    host: hostname(),
  };
  return known;
}

/** Whether a process of this process space is still there, or `'unknown'` where that cannot be known. */
export function livenessOf(pid: number, startTicks: number): 'alive' | 'dead' | 'unknown' {
  // Before /proc, which may hide the processes of other users.
  if (!exists(pid)) return 'dead';
  const ticks = startTicksOf(pid);
  if (ticks === null || startTicks === 0) return 'unknown';
  // Process ids are used again; another start time is another process.
  return ticks === startTicks ? 'alive' : 'dead';
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Field 22 of proc(5) `stat`; null without one; -1 for a process that has ended and waits for its parent. */
function startTicksOf(pid: number | 'self'): number | null {
  let stat: string;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    return null; /* Another system, or hidden. */
  }
  // The second field is the name of the program in parentheses, and may hold anything.
  const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return -1;
  const ticks = Number(fields[18]);
  return Number.isSafeInteger(ticks) ? ticks : null;
}

function processSpace(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    const namespace = readlinkSync('/proc/self/ns/pid');
    return createHash('sha256').update(`${boot} ${namespace}`).digest('base64url').slice(0, 12);
  } catch {
    return ''; /* Another system. */
  }
}
