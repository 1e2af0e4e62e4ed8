import type { Writable } from 'node:stream';
import pc from 'picocolors';
import type { MaybeTerminal } from './terminal.js';

type Screen = MaybeTerminal<Writable>;

/** Colours on a terminal that has them, and for somebody who wants them (no-color.org). */
export function colorsFor(screen: Screen): ReturnType<typeof pc.createColors> {
  const { NO_COLOR } = process.env;
  return pc.createColors(canErase(screen) && !NO_COLOR);
}

/** Whether a line can be drawn over: on a terminal that is no teletype. */
export function canErase(screen: Screen): boolean {
  const { TERM } = process.env;
  return screen.isTTY === true && TERM !== 'dumb';
}
