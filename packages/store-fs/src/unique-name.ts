import { hostname } from 'node:os';

let lastMicroseconds = 0;
let names = 0;

/** When something is delivered, and the parts of a name that no other delivery has. */
export interface UniqueName {
  /** Such as `1700000001.M123456P4321Q7`. */
  readonly start: string;
  /** The host, as names spell it. */
  readonly host: string;
}

/**
 * A name for one message, later in the order of a maildrop than all that this process has made before: the second, `M`
 * and the microsecond, `P` and the process, `Q` and a count.
 */
export function uniqueName(host: string = hostname()): UniqueName {
  const clock = Math.trunc((performance.timeOrigin + performance.now()) * 1_000);
  lastMicroseconds = Math.max(clock, lastMicroseconds + 1);
  const seconds = Math.trunc(lastMicroseconds / 1_000_000);
  const microseconds = String(lastMicroseconds % 1_000_000).padStart(6, '0');
  return { start: `${seconds}.M${microseconds}P${process.pid}Q${++names}`, host: hostInName(host) };
}

/** qmail's rule: `/` as `\057` and `:` as `\072`. A comma would start a size, and what is not ASCII has many forms. */
function hostInName(host: string): string {
  const spelled = host
    .replaceAll('/', '\\057')
    .replaceAll(':', '\\072')
    .replace(/[^!-+\--~]/g, '_');
  return spelled === '' ? 'localhost' : spelled;
}
