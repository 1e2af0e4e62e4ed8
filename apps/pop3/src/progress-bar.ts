import type { Writable } from 'node:stream';
import { octetsText } from './octets-text.js';
import type { MaybeTerminal } from './terminal.js';

/** How far a download is. */
export interface Download {
  /** Which message of how many is under way. */
  readonly message: number;
  readonly messages: number;
  readonly octets: number;
  /** Null where it is not known. The server says it, and may be wrong. */
  readonly total: number | null;
}

/** More often nobody can see. */
const REDRAW_MS = 100;
const BAR_WIDTH = 24;
const ERASE_LINE = '\r\x1b[K';

/** One line at the bottom of a terminal that is drawn again and again. */
export class ProgressBar {
  readonly #screen: MaybeTerminal<Writable>;
  readonly #now: () => number;
  readonly #startedAt: number;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #shown = false;

  /** @param now - milliseconds from anywhere */
  constructor(screen: MaybeTerminal<Writable>, now: () => number = () => performance.now()) {
    this.#screen = screen;
    this.#now = now;
    this.#startedAt = now();
  }

  update(download: Download): void {
    const now = this.#now();
    if (now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#shown = true;
    this.#screen.write(ERASE_LINE + this.#line(download, now - this.#startedAt));
  }

  /** Makes room for other lines. */
  clear(): void {
    if (this.#shown) this.#screen.write(ERASE_LINE);
    this.#shown = false;
    this.#drawnAt = Number.NEGATIVE_INFINITY;
  }

  #line({ message, messages, octets, total }: Download, ms: number): string {
    const texts = [`message ${message} of ${messages}`];
    if (total !== null && total > 0) texts.push(barOf(Math.min(1, octets / total)));
    texts.push(total === null ? octetsText(octets) : `${octetsText(octets)} of ${octetsText(total)}`);
    if (ms > 0) texts.push(`${octetsText((octets * 1000) / ms)}/s`);
    // A line that wraps could not be erased.
    return texts.join('  ').slice(0, (this.#screen.columns ?? 80) - 1);
  }
}

function barOf(share: number): string {
  const done = Math.floor(share * BAR_WIDTH);
  return `[${'#'.repeat(done)}${'.'.repeat(BAR_WIDTH - done)}]`;
}
