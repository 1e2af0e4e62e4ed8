import { setImmediate as turn } from 'node:timers/promises';

/** Lets the event loop turn until something holds; the test's own time limit is the only clock. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await turn();
}

/** Resolves when a count has stood still for many turns of the event loop: the buffers of the system are full. */
export async function quiet(count: () => number): Promise<void> {
  for (let still = 0, last = -1; still < 200; last = count()) {
    await turn();
    still = count() === last ? still + 1 : 0;
  }
}
