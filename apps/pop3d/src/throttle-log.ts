import type { Throttled } from '@pop3/auth-node';
import type { Log } from './log.js';

/** Who is slowed down tries again and again; one line a second tells as much. */
const LINE_EVERY_MS = 1_000;

/**
 * Writes who is made to wait into the log, at most one line a second, with the number of others since.
 *
 * @param now - milliseconds that only go forward
 */
export function throttleLog(
  log: Log,
  now: () => number = () => performance.now(),
): (throttled: Throttled) => void {
  let lastLineAt = Number.NEGATIVE_INFINITY;
  let silent = 0;
  return ({ address, username, waitMs, by, full }) => {
    if (now() - lastLineAt < LINE_EVERY_MS) {
      silent++;
      return;
    }
    const others = silent > 0 ? { others: silent } : {};
    const what = full ? 'login refused unchecked: too many wait' : 'login slowed down';
    log.warn({ peer: address, by, waitMs: Math.round(waitMs), ...others, user: username }, what);
    lastLineAt = now();
    silent = 0;
  };
}
